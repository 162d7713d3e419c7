use super::*;
use crate::{
    repo::{
        MemoryTree,
        states::{FileKind, FileState},
    },
    split::{
        Choices, System,
        plan::{Derivations, Id, Recorded},
    },
};

const FILES: [&str; 13] = [
    ".npmrc",
    "README.md",
    "apps/web/README.md",
    "apps/web/src/deep/a.stories.ts",
    "apps/web/src/main.ts",
    "apps/web/src/old/b.ts",
    "apps/web/tests/a.ts",
    "apps/web/tests/b.ts",
    "docs/intro.md",
    "packages/other/openapi.yaml",
    "packages/other/src/main.ts",
    "packages/ui/src/button.ts",
    "shared.json",
];

struct Fixture {
    split: Split,
    derivations: Derivations,
}

fn fixture() -> Fixture {
    let manifests = [
        ("package.json", r#"{"workspaces": ["apps/*", "packages/other", "packages/ui"]}"#),
        ("bun.lock", r#"{"lockfileVersion": 1}"#),
        ("splitter.json", r#"{"rootFiles": ["shared.json"]}"#),
        ("apps/api/package.json", r#"{"name": "api", "scripts": {"build": "vite build"}}"#),
        (
            "apps/web/package.json",
            r#"{"name": "web", "scripts": {"build": "vite build"}, "dependencies": {"@r/ui": "*"}}"#,
        ),
        ("packages/other/package.json", r#"{"name": "@r/other"}"#),
        ("packages/ui/package.json", r#"{"name": "@r/ui"}"#),
    ];
    let tree = MemoryTree::new(manifests.into_iter().chain(FILES.map(|path| (path, ""))));
    let split = Split::read(&tree, &Choices::default()).unwrap();
    let paths = manifests.iter().map(|(path, _)| *path).chain(FILES);
    let state = |path: &str| (path.parse().unwrap(), FileState::new(b"", FileKind::Plain, false));
    let files: FileStates = paths.map(state).collect();
    let derivations = Derivations::of(&split, files, &Recorded::default(), System::X8664Linux);
    Fixture { split, derivations }
}

fn note(json: &str) -> Note {
    Note::parse(&format!(r#"{{"version": 1, "command": "vite build", {json}}}"#)).unwrap()
}

impl Fixture {
    fn judge(&self, json: &str, full: Option<&str>) -> Judgement {
        let untracked = BTreeSet::from(["apps/web/src/main.ts".parse().unwrap()]);
        let files = self.derivations.files();
        let repository = Repository { split: &self.split, files, untracked: &untracked };
        let (_, web) = self.split.graph.apps().find(|(name, _)| *name == "web").unwrap();
        judge(repository, web, &self.parts("web"), &note(json), full.map(note).as_ref())
    }

    fn parts(&self, app: &str) -> Vec<SourcePart<'_>> {
        self.derivations.source_parts(self.derivations.get(&Id::App(app.to_owned())).unwrap())
    }

    fn missing(&self, json: &str) -> Vec<String> {
        shown(&self.judge(json, None).missing)
    }
}

fn shown(gaps: &[Gap]) -> Vec<String> {
    let line = |gap: &Gap| {
        let setting = gap.reason.mending().map_or(String::new(), |line| format!(" {}", line.setting.text()));
        format!("{} {}{setting}", gap.path, gap.sign.name())
    };
    gaps.iter().map(line).collect()
}

#[test]
fn what_was_looked_for_and_git_has_is_missing() {
    let fixture = fixture();
    let looked =
        r#""missing": ["apps/web/README.md", "apps/web/src/no.ts", "docs/intro.md", "tests", ".npmrc", "bun.lock"]"#;
    assert_eq!(
        fixture.missing(looked),
        ["apps/web/README.md lookedFor README.md", "docs/intro.md lookedFor docs/intro.md"]
    );
    // A folder stands for the files in it, unless some of them are named.
    assert_eq!(
        fixture.missing(r#""missing": ["apps/web/tests", "apps/web/src/deep"]"#),
        [
            "apps/web/src/deep/a.stories.ts lookedFor src/deep/a.stories.ts",
            "apps/web/tests/a.ts lookedFor tests",
            "apps/web/tests/b.ts lookedFor tests"
        ]
    );
    let one = fixture.missing(r#""missing": ["apps/web/tests", "apps/web/tests/b.ts"]"#);
    assert_eq!(one, ["apps/web/tests/b.ts lookedFor tests"]);
    // In no workspace it stands for itself.
    assert_eq!(fixture.missing(r#""missing": ["docs"]"#), ["docs lookedFor docs"]);
    assert_eq!(fixture.missing(r#""missing": ["docs", "docs/intro.md"]"#), ["docs/intro.md lookedFor docs/intro.md"]);
    // Package managers look for the folders above workspaces.
    assert_eq!(fixture.missing(r#""missing": ["packages", "apps"]"#), [""; 0]);
    // A source that Nix did not see.
    assert_eq!(fixture.missing(r#""missing": ["apps/web/src/main.ts"]"#), ["apps/web/src/main.ts lookedFor"]);
}

#[test]
fn a_workspace_is_missing_if_its_package_is_and_not_if_it_was_enumerated() {
    let fixture = fixture();
    assert_eq!(
        fixture.missing(r#""packages": ["apps/web/node_modules/@r/other", "node_modules/@r/other"]"#),
        ["packages/other package packages/other"]
    );
    // Found further up, or not outside of the closure.
    let found = r#""packages": ["apps/web/node_modules/@r/other", "apps/web/node_modules/@r/ui"]"#;
    assert_eq!(fixture.missing(found), [""; 0]);
    let named = r#""missing": ["packages/other", "packages/other/package.json"]"#;
    assert_eq!(fixture.missing(named), [""; 0]);
    let failed = format!(r#""exit": 1, "log": ["cp: cannot stat '../../packages/other': No such file"], {named}"#);
    assert_eq!(fixture.missing(&failed), ["packages/other inLog packages/other"]);
    let file = fixture.missing(r#""missing": ["packages/other/openapi.yaml"]"#);
    assert_eq!(file, ["packages/other/openapi.yaml lookedFor packages/other/openapi.yaml"]);
    let log = r#""exit": 1, "log": ["error: Could not resolve: \"@r/other/x\""], "listed": ["", "packages"]"#;
    assert_eq!(fixture.missing(log), ["packages/other inLog packages/other"]);
}

#[test]
fn what_was_listed_may_be_missing_until_a_full_trace_or_a_log_tells() {
    let fixture = fixture();
    let listed = r#""listed": ["", "apps/web", "apps/web/src", "packages"]"#;
    let judgement = fixture.judge(listed, None);
    assert_eq!(judgement.missing, []);
    assert_eq!(
        shown(&judgement.may_be_missing),
        [
            "apps/web/README.md listed README.md",
            "apps/web/src/deep/a.stories.ts listed src/deep/a.stories.ts",
            "apps/web/tests/a.ts listed tests",
            "apps/web/tests/b.ts listed tests"
        ]
    );
    let full = r#""read": ["apps/web/src/main.ts", "apps/web/tests/a.ts", "docs/intro.md", "apps/api/package.json", ".npmrc"]"#;
    let judgement = fixture.judge(listed, Some(full));
    assert_eq!(
        shown(&judgement.missing),
        ["apps/web/tests/a.ts readInFull tests", "docs/intro.md readInFull docs/intro.md"]
    );
    assert_eq!(judgement.may_be_missing, []);
    let failed = format!(r#""exit": 1, "log": ["Could not resolve \"./deep/a.stories\""], {listed}"#);
    assert_eq!(fixture.missing(&failed), ["apps/web/src/deep/a.stories.ts inLog src/deep/a.stories.ts"]);
    // `main.ts` is a source of the app too.
    let failed = format!(r#""exit": 1, "log": ["src/main.ts(1,2): error"], {listed}"#);
    assert_eq!(fixture.missing(&failed), [""; 0]);
    let made = fixture.judge(r#""made": ["apps/web/README.md", "apps/web/dist/out.js"]"#, None);
    assert_eq!(shown(&made.may_be_missing), ["apps/web/README.md made README.md"]);
}

#[test]
fn sources_that_were_not_opened_are_unread() {
    let fixture = fixture();
    let read = r#""read": ["apps/web/src/main.ts", "packages/ui/src/button.ts", "package.json"]"#;
    let judgement = fixture.judge(read, None);
    let unread: Vec<_> = judgement.unread.iter().map(RepoPath::as_str).collect();
    assert_eq!(unread, ["apps/web/src/old/b.ts", "shared.json"]);
    assert_eq!((judgement.sources, judgement.read.len()), (6, 2));
    let failed = fixture.judge(&format!(r#""exit": 1, {read}"#), None);
    assert!(failed.unread.is_empty() && failed.outside.is_empty());
}

#[test]
fn a_root_file_that_one_of_several_builds_reads_is_broad() {
    let fixture = fixture();
    let mut web = fixture.judge(r#""read": ["shared.json"]"#, None);
    let mut api = Judgement::default();
    let mut builds = [(fixture.parts("web"), &mut web), (fixture.parts("api"), &mut api)];
    add_lonely_root_files(&mut builds);
    let broad: Vec<_> = web.outside.iter().map(|outside| (outside.path.as_str(), outside.is_alone)).collect();
    assert_eq!((broad, api.outside.len()), (vec![("shared.json", true)], 0));
    let mut both =
        [fixture.judge(r#""read": ["shared.json"]"#, None), fixture.judge(r#""read": ["shared.json"]"#, None)];
    let [first, second] = &mut both;
    add_lonely_root_files(&mut [(fixture.parts("web"), first), (fixture.parts("api"), second)]);
    assert!(both.iter().all(|judgement| judgement.outside.is_empty()));
}

#[test]
fn a_workspace_that_is_hardly_read_is_broad() {
    let paths: Vec<RepoPath> = (0..8).map(|number| format!("lib/{number}.ts").parse().unwrap()).collect();
    let folder: RepoPath = "lib".parse().unwrap();
    let part = SourcePart { origin: Origin::Folder(&folder), files: paths.iter().collect() };
    let read = |number: usize| outside(std::slice::from_ref(&part), &paths[..number].iter().cloned().collect());
    assert_eq!([0, 1, 2, 3, 8].map(|number| read(number).len()), [0, 1, 1, 0, 0]);
    assert_eq!((read(2)[0].of, read(2)[0].read.len()), (8, 2));
}
