//! The output of real tools, read for a repository that has what they miss. The texts are in `tests/failures`.

use std::{collections::BTreeSet, fmt::Write as _};

use camino::Utf8Path;
use fs_err as fs;

use super::{Cause, Collector, Place, causes, missing_by_trace};
use crate::{
    repo::{
        MemoryTree, RepoPath, SourceFile,
        states::{FileKind, FileState, FileStates},
    },
    split::{Choices, Split, mending::Mending, nodejs::pins, sources::Sources},
};

const FILES: [(&str, &str); 20] = [
    ("package.json", r#"{"workspaces": ["apps/*", "packages/*"], "devDependencies": {"@acme/gen": "*"}}"#),
    ("bun.lock", r#"{"lockfileVersion": 1}"#),
    (".nvmrc", "v16\n"),
    ("LICENSE", ""),
    ("docs/x.md", ""),
    ("eslint.config.js", ""),
    ("tsconfig.base.json", ""),
    ("apps/shared/tsconfig.json", ""),
    ("apps/shared/package.json", r#"{"name": "shared-config"}"#),
    ("apps/web/package.json", r#"{"name": "web", "scripts": {"build": "vite build", "prepare": "node made.mjs"}}"#),
    ("apps/web/tsconfig.json", ""),
    ("apps/web/src/b.mjs", ""),
    ("apps/web/src/missing-relative.ts", ""),
    ("apps/web/src/missing-workspace.ts", ""),
    ("apps/web/tests/a.ts", ""),
    ("packages/theme/package.json", r#"{"name": "@acme/theme"}"#),
    ("packages/theme/index.ts", ""),
    ("packages/gen/package.json", r#"{"name": "@acme/gen", "bin": {"acme-gen": "bin.js"}}"#),
    ("shared/x.ts", ""),
    ("apps/shared/x.ts", ""),
];

/// Returns the causes of an output of the build of `apps/web`.
fn found(text: &str, untracked: &[&str]) -> Vec<Cause> {
    with_place(untracked, |place| {
        let mut collector = Collector::default();
        text.lines().for_each(|line| collector.add(line));
        causes(collector.hits(), collector.own_lines(), place)
    })
}

fn with_place<T>(untracked: &[&str], ask: impl FnOnce(&Place<'_>) -> T) -> T {
    with_files(&FILES, "apps/web", untracked, ask)
}

fn with_files<T>(contents: &[(&str, &str)], reader: &str, untracked: &[&str], ask: impl FnOnce(&Place<'_>) -> T) -> T {
    let tree = MemoryTree::new(contents.iter().copied());
    let split = Split::read(&tree, &Choices::default()).unwrap();
    let state = FileState { content: String::new(), kind: FileKind::Plain };
    let files: FileStates = contents.iter().map(|(path, _)| (path.parse().unwrap(), state.clone())).collect();
    let listed: Vec<SourceFile> = files.keys().map(|path| SourceFile { path: path.clone(), bytes: 0 }).collect();
    let reader: RepoPath = reader.parse().unwrap();
    let sources = Sources::sort(&listed, &split.graph, &split.config, &split.root_files);
    let sources: BTreeSet<RepoPath> = sources.of(&reader, &split.graph.closure(&reader)).files.into_iter().collect();
    let untracked = untracked.iter().map(|path| path.parse().unwrap()).collect();
    let pins = pins(&tree, &reader).unwrap();
    let place = Place {
        split: &split,
        files: &files,
        untracked: &untracked,
        sources: &sources,
        reader: &reader,
        app: Some("web"),
        pins: &pins,
    };
    ask(&place)
}

fn line(cause: &Cause) -> String {
    let lines: Vec<String> = cause.mendings.iter().map(Mending::line).collect();
    format!("{} | {}", cause.says, if lines.is_empty() { cause.hint.clone() } else { lines.join(" ") })
}

#[test]
fn the_output_of_real_tools_gives_causes_and_lines() {
    let folder = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/failures");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let mut table = String::new();
    for name in names {
        let name = name.into_string().unwrap();
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        for cause in found(&text, &[]) {
            writeln!(table, "{}: {}", name.trim_end_matches(".txt"), line(&cause)).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_file_that_git_does_not_track_is_no_matter_of_settings() {
    let causes = found("ENOENT: no such file or directory, open '/build/source/docs/x.md'", &["docs/x.md"]);
    assert_eq!(causes.len(), 1);
    assert_eq!(
        line(&causes[0]),
        "git does not track `docs/x.md`, so Nix does not see it | run `git add --intent-to-add docs/x.md`"
    );
    assert_eq!(causes[0].track, ["docs/x.md".parse().unwrap()]);
}

#[test]
fn the_words_of_splitter_at_the_end_of_a_log_are_no_evidence() {
    let text = "splitter: error: `x` failed in web: exit code 1; its output is above\n  hint: if it needs git (`fatal: not a git repository`)\n  getaddrinfo EAI_AGAIN x.example";
    assert_eq!(found(text, &[]), []);
    let text = "splitter: error: the build of web did not create dist in apps/web\n  found there: build";
    let causes = found(text, &[]);
    assert_eq!(
        line(&causes[0]),
        "the build did not create `dist`, but build | if that is the output, write in splitter.json: \"workspaces\": { \"apps/web\": { \"output\": \"build\" } }"
    );
    // Another output is never set without the user.
    assert!(!causes[0].is_mendable());
}

#[test]
fn every_entry_has_a_section_in_the_documentation() {
    let text = fs::read_to_string(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md")).unwrap();
    let anchor = |title: &str| {
        let kept = title.trim().to_lowercase();
        kept.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>().replace(' ', "-")
    };
    let anchors: Vec<String> = text.lines().filter_map(|line| Some(anchor(line.strip_prefix("## ")?))).collect();
    for failure in super::table::all() {
        assert!(anchors.contains(&failure.page), "{}: no section {}", failure.id, failure.page);
    }
    assert!(anchors.contains(&super::causes::SCRIPTS_PAGE.to_owned()));
}

#[test]
fn paths_of_a_trace_are_causes_if_the_build_lacks_them() {
    let paths = ["docs/x.md", "apps/web/package.json", "nothing.txt", "apps/web/tests", "shared/x.ts"];
    let paths = paths.map(|path| path.parse().unwrap());
    let causes = with_place(&["shared/x.ts"], |place| missing_by_trace(&paths, place));
    let lines: Vec<String> = causes.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    git does not track `shared/x.ts`, so Nix does not see it | run `git add --intent-to-add shared/x.ts`
    `docs/x.md` is not among the sources of this build: it is in no workspace, and nothing that splitter reads names it | "workspaces": { "apps/web": { "rootFiles": ["docs/x.md"] } }
    "#);
}

/// What Yarn prints in every build. It does without the file.
const CAFILE: &str =
    "error Could not open cafile: ENOENT: no such file or directory, open '/etc/ssl/certs/ca-certificates.crt'";

#[test]
fn files_of_the_system_are_no_causes() {
    for line in [CAFILE, "cat: /proc/version: No such file or directory", "/usr/bin/env: No such file or directory"] {
        assert_eq!(found(line, &[]), [], "{line}");
    }
    // A file of the build that nothing of git explains is.
    let made = found(&format!("{CAFILE}\nENOENT: no such file or directory, open 'generated/a.json'"), &[]);
    assert_eq!(made[0].id, "scripts", "{made:#?}");
    assert!(made[0].line.contains("generated/a.json"), "{made:#?}");
}

/// An app that imports a workspace whose entry points git does not have.
const ENTRIES: [(&str, &str); 8] = [
    (
        "package.json",
        r#"{"workspaces": ["apps/*", "packages/*"], "scripts": {"postinstall": "node gen.mjs", "prepare": "cd . && husky"}}"#,
    ),
    ("bun.lock", r#"{"lockfileVersion": 1}"#),
    (
        "apps/wf/package.json",
        r#"{"name": "wf", "scripts": {"build": "vite build"}, "dependencies": {"@r/db": "workspace:*", "@r/own": "workspace:*", "@r/bare": "workspace:*"}}"#,
    ),
    (
        "packages/db/package.json",
        r#"{"name": "@r/db", "exports": {".": "./src/index.ts", "./gen": {"default": "./.gen/i.ts"}, "./x/*": "./.x/*.ts"}}"#,
    ),
    ("packages/db/src/index.ts", ""),
    (
        "packages/own/package.json",
        r#"{"name": "@r/own", "main": "made/i.js", "scripts": {"prepare": "node make.mjs"}}"#,
    ),
    ("packages/bare/package.json", r#"{"name": "@r/bare", "main": "made/i.js"}"#),
    ("packages/far/package.json", r#"{"name": "@r/far", "version": "2.0.0"}"#),
];

fn of_entries(text: &str) -> Vec<String> {
    of_files(&ENTRIES, text)
}

fn of_files(files: &[(&str, &str)], text: &str) -> Vec<String> {
    with_files(files, "apps/wf", &[], |place| {
        let mut collector = Collector::default();
        text.lines().for_each(|line| collector.add(line));
        causes(collector.hits(), collector.own_lines(), place).iter().map(line).collect()
    })
}

#[test]
fn entry_points_that_git_does_not_have_are_named() {
    let import = |name: &str| of_entries(&format!("error: Could not resolve: \"{name}\"")).join("\n");
    insta::assert_snapshot!(import("@r/db/gen"), @r#"git does not have `packages/db/.gen/i.ts`, the entry point of `packages/db` for `@r/db/gen`, and postinstall of the root did not run | "workspaces": { "apps/wf": { "rootScripts": ["postinstall"] } }"#);
    insta::assert_snapshot!(import("@r/db/x/deep/y"), @r#"git does not have `packages/db/.x/deep/y.ts`, the entry point of `packages/db` for `@r/db/x/deep/y`, and postinstall of the root did not run | "workspaces": { "apps/wf": { "rootScripts": ["postinstall"] } }"#);
    insta::assert_snapshot!(of_entries("[commonjs--resolver] Failed to resolve entry for package \"@r/own\". The package may have incorrect main/module/exports specified in its package.json.").join("\n"), @r#"git does not have `packages/own/made/i.js`, the entry point of `packages/own` for `@r/own`, and prepare of `packages/own` did not run | "workspaces": { "packages/own": { "ownScripts": ["prepare"] } }"#);
    insta::assert_snapshot!(import("@r/bare"), @r#"git does not have `packages/bare/made/i.js`, the entry point of `packages/bare` for `@r/bare`, and postinstall of the root did not run | "workspaces": { "apps/wf": { "rootScripts": ["postinstall"] } }"#);
    // Without scripts.
    let mut files = ENTRIES;
    files[0].1 = r#"{"workspaces": ["apps/*", "packages/*"]}"#;
    let lines = of_files(&files, "error: Could not resolve: \"@r/bare\"");
    insta::assert_snapshot!(lines.join("\n"), @r#"git does not have `packages/bare/made/i.js`, the entry point of `packages/bare` for `@r/bare`, and that workspace has no build | if a command makes it, add to splitter.json: "workspaces": { "packages/bare": { "build": "<command>" } }"#);
    // An entry that git has.
    insta::assert_snapshot!(import("@r/db"), @r#"the build has `packages/db`, and still did not find `@r/db` | compare the import with the entry points in packages/db/package.json"#);
}

#[test]
fn an_entry_point_is_named_though_no_manifest_names_the_workspace() {
    let mut files = ENTRIES.to_vec();
    files[2] = ("apps/wf/package.json", r#"{"name": "wf", "scripts": {"build": "vite build"}}"#);
    files.push(("apps/wf/src/a.js", "import '@r/bare'"));
    let line =
        "[commonjs--resolver] Failed to resolve entry for package \"@r/bare\". The package may have incorrect main";
    insta::assert_snapshot!(of_files(&files, line).join("\n"), @r#"git does not have `packages/bare/made/i.js`, the entry point of `packages/bare` for `@r/bare`, and postinstall of the root did not run | "workspaces": { "apps/wf": { "rootScripts": ["postinstall"] } }"#);
}

#[test]
fn a_workspace_that_imports_what_it_makes_itself_needs_a_script() {
    let mut files = ENTRIES;
    files[2] = (
        "apps/wf/package.json",
        r#"{"name": "wf", "scripts": {"build": "vite build"}, "exports": {"./m.json": "./dist/m.json"}}"#,
    );
    let lines = of_files(&files, "error: Could not resolve: \"wf/m.json\"");
    insta::assert_snapshot!(lines.join("\n"), @r#"`wf/m.json` is `apps/wf/dist/m.json` of this workspace, which nothing has made yet | name the script that makes it in `ownScripts` of "apps/wf" in splitter.json: it runs before the build"#);
}

#[test]
fn the_nearest_scripts_come_first() {
    let mut files = ENTRIES.to_vec();
    files.push(("packages/own/src/a.ts", ""));
    let text = "../../packages/own/src/a.ts(3,1): error TS2307: Cannot find module './made' or its type declarations.";
    insta::assert_snapshot!(of_files(&files, text).join("\n"), @r#"
    prepare of `packages/own` did not run, and the build lacks something that git does not have | "workspaces": { "packages/own": { "ownScripts": ["prepare"] } }
    postinstall of the root did not run, and the build lacks something that git does not have | "workspaces": { "apps/wf": { "rootScripts": ["postinstall"] } }
    `./made` is not among the sources and packages of this build | git has no such file: if something makes it, do that before or in `build`, or let Nix add it with `files`
    "#);
}

#[test]
fn packages_in_the_store_do_not_find_workspaces() {
    let from = "/nix/store/1851yc5n27pwiwd4kmfs3r2kzmwbhm80-node-modules/node_modules/@react-three/drei/web/Html.js";
    let copy = r#""workspaces": { "apps/wf": { "nodeModules": "copy" } }"#;
    for (name, expected) in [
        ("@r/db", vec![copy.to_owned()]),
        ("@r/far", vec![r#""workspaces": { "apps/wf": { "uses": ["packages/far"] } }"#.to_owned(), copy.to_owned()]),
    ] {
        let text = format!("[vite]: Rollup failed to resolve import \"{name}\" from \"{from}\".");
        let lines = of_entries(&text);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].ends_with(&format!(" | {}", expected.join(" "))), "{lines:#?}");
    }
    let text = "Error: Can't write to /nix/store/1851yc5n27pwiwd4kmfs3r2kzmwbhm80-node-modules/node_modules/@prisma/engines please make sure you install \"prisma\" with the right permissions.";
    assert!(of_entries(text)[0].ends_with(copy), "{:#?}", of_entries(text));
}

#[test]
fn yarn_1_has_no_protocol_for_workspaces() {
    let mut files = ENTRIES;
    files[1] = ("yarn.lock", "# yarn lockfile v1\n");
    files[2] = ("apps/wf/package.json", r#"{"name": "wf", "scripts": {"build": "vite build"}}"#);
    files[0].1 = r#"{"private": true, "workspaces": ["apps/*", "packages/*"]}"#;
    let advice = |module: &str| {
        with_files(&files, "apps/wf", &[], |place| {
            let mut sources = place.sources.clone();
            sources.extend(["packages/far/package.json".parse().unwrap()]);
            let place = Place { sources: &sources, ..*place };
            let mut collector = Collector::default();
            collector.add(&format!("error: Could not resolve: \"{module}\""));
            causes(collector.hits(), &[], &place)[0].hint.clone()
        })
    };
    let manifest = "`dependencies` of apps/wf/package.json, and run the install";
    assert_eq!(advice("@r/far"), format!("add \"@r/far\": \"2.0.0\" to {manifest}"));
}
