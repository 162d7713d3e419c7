use super::*;
use crate::{
    managers::bun::lockfile as bun,
    repo::MemoryTree,
    split::{config, workspaces},
};

const ROOT: (&str, &str) = ("package.json", r#"{"name": "acme", "workspaces": ["apps/*", "packages/*"]}"#);
const WEB: (&str, &str) = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"l": "link:../../linked"}}"#);
const UI: (&str, &str) = ("packages/ui/package.json", r#"{"name": "ui"}"#);

fn found(files: &[(&str, &str)]) -> Symlinks {
    let tree = MemoryTree::new([ROOT, WEB, UI].into_iter().chain(files.iter().copied()));
    let all = workspaces::read(&tree).unwrap();
    let lockfile = bun::parse(r#"{"lockfileVersion": 1, "packages": {}}"#).unwrap();
    let links = workspaces::links::find(&tree, &all, &lockfile).unwrap();
    let config = config::read(&tree).unwrap();
    let mut follower = Follower::of(&tree, &all, &config, &links, &LinkSearch::Whole).unwrap();
    follower.follow_root_files(&"apps/web".parse().unwrap(), &BTreeSet::from(["docs".parse().unwrap()])).unwrap();
    follower.found
}

/// The targets of the links of `apps/web`.
fn targets(files: &[(&str, &str)]) -> Vec<String> {
    let found = found(files);
    let paths = |targets: &BTreeSet<RepoPath>| targets.iter().map(ToString::to_string).collect();
    found.targets.get("apps/web").map(paths).unwrap_or_default()
}

fn warnings(files: &[(&str, &str)]) -> Vec<String> {
    found(files).warnings(|_, _| false)
}

#[test]
fn a_link_brings_its_target() {
    let shared = ("shared/a.ts", "");
    assert_eq!(targets(&[("apps/web/src/shared", "-> ../../../shared"), shared]), ["shared"]);
    assert_eq!(targets(&[("apps/web/.env", "-> ../../.env"), (".env", "A=1")]), [".env"]);
    assert_eq!(targets(&[("apps/web/a.ts", "-> .//../../shared/./a.ts"), shared]), ["shared/a.ts"]);
}

#[test]
fn links_on_the_way_and_in_the_target_are_followed() {
    let files = [
        ("apps/web/one", "-> ../../two/a"),
        ("two", "-> real"),
        ("real/a/file", ""),
        ("real/a/more", "-> ../b.txt"),
        ("real/a/x.test.ts", "-> ../c.txt"),
        ("real/b.txt", ""),
        ("real/c.txt", ""),
    ];
    assert_eq!(targets(&files), ["real/a", "real/b.txt", "two"]);
    let linked = [("linked/package.json", "{}"), ("linked/a", "-> ../a.txt"), ("a.txt", "")];
    assert_eq!(targets(&linked), ["a.txt"]);
    let in_root_file = [("docs/a", "-> ../a.txt"), ("docs/x.test.ts", "-> ../b.txt"), ("a.txt", ""), ("b.txt", "")];
    assert_eq!(targets(&in_root_file), ["a.txt", "b.txt"], "a root folder is read whole");
    let root_file = [("docs", "-> documents"), ("documents/a.md", "")];
    assert_eq!(targets(&root_file), ["documents"]);
}

#[test]
fn what_is_a_source_already_is_not_added() {
    assert!(targets(&[("apps/web/src/a", "-> ../b"), ("apps/web/b/c.ts", "")]).is_empty());
    assert!(targets(&[("apps/web/src/up", "-> ..")]).is_empty());
    // A rule excludes the target, and not the link.
    let excluded = [("apps/web/src/fixtures", "-> ../test/fixtures"), ("apps/web/test/fixtures/a", "")];
    assert_eq!(targets(&excluded), ["apps/web/test/fixtures"]);
    assert_eq!(
        targets(&[("apps/web/src/a.md", "-> ../README.md"), ("apps/web/README.md", "")]),
        ["apps/web/README.md"]
    );
}

#[test]
fn a_link_that_is_no_source_brings_nothing() {
    let shared = ("shared/a.ts", "");
    assert!(targets(&[("apps/web/README.md", "-> ../../README.md"), ("README.md", "")]).is_empty());
    assert!(targets(&[("apps/web/test/shared", "-> ../../../shared"), shared]).is_empty());
    assert!(targets(&[("apps/web/node_modules/shared", "-> ../../../shared"), shared]).is_empty());
    assert!(targets(&[("scripts/shared", "-> ../shared"), shared]).is_empty());
    let checks = ("splitter.json", r#"{"checks": ["test"]}"#);
    assert_eq!(targets(&[("apps/web/test/shared", "-> ../../../shared"), shared, checks]), ["shared"]);
    let excluded = ("splitter.json", r#"{"workspaces": {"apps/web": {"exclude": ["src/shared"]}}}"#);
    assert!(targets(&[("apps/web/src/shared", "-> ../../../shared"), shared, excluded]).is_empty());
    let included = ("splitter.json", r#"{"workspaces": {"apps/web": {"include": ["test/**"]}}}"#);
    assert_eq!(targets(&[("apps/web/test/shared", "-> ../../../shared"), shared, included]), ["shared"]);
}

#[test]
fn exclude_for_the_root_removes_a_target() {
    let excluded = ("splitter.json", r#"{"workspaces": {".": {"exclude": ["shared"]}}}"#);
    assert!(targets(&[("apps/web/src/shared", "-> ../../../shared"), ("shared/a.ts", ""), excluded]).is_empty());
}

#[test]
fn a_target_in_another_workspace_comes_alone_with_its_manifest() {
    let file = ("packages/ui/src/logo.svg", "");
    assert_eq!(
        targets(&[("apps/web/logo.svg", "-> ../../packages/ui/src/logo.svg"), file]),
        ["packages/ui/package.json", "packages/ui/src/logo.svg"]
    );
    // Only a link to all of it is an edge.
    assert_eq!(targets(&[("apps/web/src/ui", "-> ../../../packages/ui")]), ["packages/ui"]);
}

#[test]
fn links_that_a_build_cannot_follow_are_told_by_reason() {
    let files = [
        ("apps/web/a", "-> nowhere"),
        ("apps/web/b", "-> ../nowhere"),
        ("apps/web/c", "-> /etc/hosts"),
        ("apps/web/d", "-> ../../../outside"),
        ("apps/web/e", "-> e"),
        ("apps/web/f", "-> ../../apps"),
        ("apps/web/g", "-> ../.."),
        ("apps/web/h", "-> ../../node_modules/x"),
        ("apps/web/result", "-> /nix/store/x"),
    ];
    assert_eq!(
        warnings(&files).into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([
            "2 links lead to a folder above its workspace, which is not added to the sources: `apps/web/f` -> `../../apps`, `apps/web/g` -> `../..`",
            "2 links lead to a file that does not exist: `apps/web/a` -> `nowhere`, `apps/web/b` -> `../nowhere`",
            "a link leads to an absolute path, which no build can read: `apps/web/c` -> `/etc/hosts`",
            "a link leads to itself: `apps/web/e` -> `e`",
            "a link leads out of the repository, where no build can read: `apps/web/d` -> `../../../outside`",
        ].map(str::to_owned))
    );
    assert!(targets(&files).is_empty());
    let many: Vec<(String, &str)> = (0..5).map(|number| (format!("apps/web/{number}"), "-> gone")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    assert!(warnings(&many)[0].ends_with("`apps/web/2` -> `gone`, and 2 more"), "{:?}", warnings(&many));
}
