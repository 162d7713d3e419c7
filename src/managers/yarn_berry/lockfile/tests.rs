use super::*;
use crate::{
    diagnostic::Diagnose,
    lockfile::{DependencyGroup, LockedWorkspace, Platforms},
};

const GOLDEN_3: &str = include_str!("golden/berry-3.lock");
const GOLDEN_4: &str = include_str!("golden/berry-4.lock");

fn lock(entries: &str) -> String {
    format!("__metadata:\n  version: 8\n  cacheKey: 10c0\n\n{entries}")
}

fn error(entries: &str) -> String {
    let error = parse(&lock(entries)).unwrap_err();
    format!("{}: {error}", error.location().unwrap())
}

fn package<'l>(lock: &'l Lockfile, key: &str) -> &'l LockedPackage {
    lock.packages.iter().find(|package| package.key == key).unwrap_or_else(|| panic!("{key}"))
}

fn workspaces(lock: &Lockfile) -> &BTreeMap<RepoPath, LockedWorkspace> {
    lock.requests.workspaces().unwrap()
}

fn path(text: &str) -> RepoPath {
    text.parse().unwrap()
}

#[test]
fn a_lockfile_by_yarn_4_is_read() {
    let lock = parse(GOLDEN_4).unwrap();
    assert_eq!((lock.format, lock.packages.len(), lock.warnings.len()), (Format::YarnBerry(10), 22, 0));
    let babel = package(&lock, "@babel/code-frame@npm:7.29.7");
    assert_eq!((babel.label().as_str(), babel.position.line), ("@babel/code-frame@7.29.7", 31));
    assert!(babel.integrity.is_none());
    let checksum = babel.zip_checksum.as_deref().unwrap();
    assert!(checksum.starts_with("10c0/169fc208"));
    assert_eq!(cache_file(&babel.key, checksum).unwrap(), "@babel-code-frame-npm-7.29.7-cc910f9962-169fc20801.zip");
    assert_eq!(package(&lock, "lodash@npm:4.18.1").name, "lodash");
    let url = "https://registry.example/ms/-/ms-2.1.3.tgz";
    let remote = package(&lock, "ms@https://registry.example/ms/-/ms-2.1.3.tgz");
    assert_eq!(remote.resolution, Resolution::RemoteTarball(url.parse().unwrap()));
    let of = |start: &str| {
        let found = lock.packages.iter().find(|package| package.key.starts_with(start));
        found.unwrap_or_else(|| panic!("{start}")).resolution.clone()
    };
    assert_eq!(of("f@file:"), Resolution::Folder(path("lib/f")));
    assert_eq!(of("t@file:"), Resolution::LocalTarball(path("packages/a/vendor/t.tgz")));
    assert_eq!(of("l@link:"), Resolution::Link("./lib/f".into()));
    assert_eq!(of("@acme/a@"), Resolution::Workspace(path("packages/a")));
    assert_eq!(of("typescript@patch:"), Resolution::Patched { source: "typescript@npm:5.4.5".into(), files: vec![] });
    let files = vec![path("patches/one.patch"), path("patches/two.patch")];
    assert_eq!(
        of("is-number@patch:"),
        Resolution::Patched { source: "is-number@npm:6.0.0".into(), files: files.clone() }
    );
    assert_eq!(lock.patches.into_values().collect::<Vec<_>>(), files);
}

#[test]
fn workspaces_say_what_their_manifests_asked_for() {
    let lock = parse(GOLDEN_4).unwrap();
    let workspaces = workspaces(&lock);
    let paths: Vec<_> = workspaces.keys().map(RepoPath::as_str).collect();
    assert_eq!(paths, ["", "packages/a", "packages/b", "packages/noname"]);
    let names: Vec<_> = workspaces.values().map(|workspace| workspace.name.as_str()).collect();
    assert_eq!(names, ["acme", "@acme/a", "@acme/b", ""]);
    let a = &workspaces["packages/a"].dependencies;
    let specifier = |group, name: &str| a[&group][name].as_str();
    assert_eq!(specifier(DependencyGroup::Runtime, "@acme/b"), "workspace:^");
    assert_eq!(specifier(DependencyGroup::Runtime, "f"), "file:../../lib/f");
    assert_eq!(specifier(DependencyGroup::Peer, "react"), ">=16");
    let root = &workspaces[""].dependencies;
    assert_eq!(root.len(), 1);
    assert_eq!(root[&DependencyGroup::Runtime]["is-odd"], "npm:3.0.1 || ^3.0.0");
    assert!(workspaces["packages/b"].dependencies.is_empty());
}

#[test]
fn yarn_3_and_4_say_the_same_of_one_repository() {
    let [three, four] = [GOLDEN_3, GOLDEN_4].map(|text| parse(text).unwrap());
    let said = |lock: &Lockfile| -> Vec<_> {
        let of =
            |package: &LockedPackage| (package.name.clone(), package.resolution.clone(), package.platforms.clone());
        lock.packages.iter().map(of).collect()
    };
    assert_eq!(said(&three), said(&four));
    let asked = |lock: &Lockfile| format!("{:?}", workspaces(lock)).replace("\"npm:", "\"");
    assert_eq!(asked(&three).replace("\"lodash@", "\"npm:lodash@"), asked(&four).replace("\"lodash@", "\"npm:lodash@"));
    assert_ne!(three.digest, four.digest);
}

#[test]
fn conditions_bind_a_package_but_not_the_source_of_a_patch() {
    let lock = parse(GOLDEN_4).unwrap();
    let musl = &package(&lock, "@rollup/rollup-linux-x64-musl@npm:4.20.0").platforms;
    assert!(matches!(musl, Platforms::Conditions(conditions) if conditions.hold("linux", "x64", Some("musl"))));
    assert!(matches!(musl, Platforms::Conditions(conditions) if !conditions.hold("linux", "x64", Some("glibc"))));
    let entry =
        |resolution: &str| format!("\"{resolution}\":\n  resolution: \"{resolution}\"\n  conditions: os=darwin\n\n");
    let patch = "x@patch:x@npm%3A1.0.0#optional!builtin<compat/x>::version=1.0.0&hash=0a";
    let lock = parse(&lock_of(&[entry("x@npm:1.0.0"), entry(patch), entry("y@npm:1.0.0")])).unwrap();
    let any: Vec<_> = lock.packages.iter().map(|package| package.platforms == Platforms::Any).collect();
    assert_eq!(any, [true, false, false]);
}

fn lock_of(entries: &[String]) -> String {
    lock(&entries.concat())
}

#[test]
fn no_patch_file_of_a_locator_is_lost() {
    let one = "x@patch:x@npm%3A1.0.0#~/one.patch::hash=0a";
    let three = "y@patch:y@npm%3A1.0.0#~/one.patch&~/two.patch&~/three.patch::hash=0a";
    let entries: Vec<_> = [one, three].iter().map(|key| format!("\"{key}\":\n  resolution: \"{key}\"\n")).collect();
    let patches = parse(&lock_of(&entries)).unwrap().patches;
    let keys = [one.to_owned(), three.to_owned(), format!("{three} (2)"), format!("{three} (3)")];
    assert!(patches.keys().eq(&keys));
}

#[test]
fn all_versions_of_the_format_are_read() {
    let of = |version: &str| parse(&format!("__metadata:\n  version: {version}\n")).unwrap();
    for version in 4..=10 {
        assert_eq!(
            (of(&version.to_string()).format, of(&version.to_string()).warnings),
            (Format::YarnBerry(version), vec![])
        );
    }
    assert!(
        of("11").warnings[0].starts_with("`yarn.lock` has version 11; this splitter was tested with versions 4 to 10")
    );
    let old = "# This file is generated by running \"yarn install\" inside your project.\n\n__metadata:\n  version: 4\n  \
               cacheKey: 7\n\n\"x@^1.0.0\":\n  version: 1.0.0\n  resolution: \"x@npm:1.0.0\"\n  checksum: 0a1b\n  \
               languageName: node\n  linkType: hard\n";
    assert_eq!(package(&parse(old).unwrap(), "x@npm:1.0.0").zip_checksum.as_deref(), Some("0a1b"));
    for (metadata, found) in [("  version: x", "`x`"), ("  cacheKey: 8", "none"), ("", "none")] {
        let error = parse(&format!("__metadata:\n{metadata}\n")).unwrap_err();
        assert_eq!(error.to_string(), format!("expected a whole number as `version` of `__metadata`, found {found}"));
    }
}

#[test]
fn an_archive_elsewhere_is_a_url() {
    let locator = "@a/x@npm:1.0.0::__archiveUrl=https%3A%2F%2Fhost.example%2F%40a%2Fx%2F-%2Fx-1.0.0.tgz";
    let lock = parse(&lock(&format!("\"@a/x@npm:1.0.0\":\n  resolution: \"{locator}\"\n"))).unwrap();
    let url = "https://host.example/@a/x/-/x-1.0.0.tgz".parse().unwrap();
    let expected = Resolution::Registry { version: "1.0.0".into(), url: Some(url) };
    assert_eq!(package(&lock, locator).resolution, expected);
}

#[test]
fn a_link_may_have_a_name_that_no_registry_takes() {
    let key = "$utils@link:./utils::locator=acme%40workspace%3A.";
    let lock = parse(&lock(&format!("\"{key}\":\n  resolution: \"{key}\"\n"))).unwrap();
    assert_eq!(package(&lock, key).name, "$utils");
}

#[test]
fn wrong_files_are_refused_with_line_and_column() {
    let entry = |resolution: &str| error(&format!("\"x@npm:^1\":\n  version: 1.0.0\n  resolution: {resolution}\n"));
    let start = "yarn.lock:7:3: package `x@npm:^1`: ";
    assert_eq!(entry("\"x@npm:latest\""), format!("{start}unknown resolution `x@npm:latest`"));
    assert_eq!(entry("x"), format!("{start}unknown resolution `x`"));
    assert_eq!(entry("\"x@virtual:0a#npm:1.0.0\""), format!("{start}virtual packages cannot be in a lockfile"));
    assert_eq!(entry("\"x@file:../x\""), format!("{start}wrong path `../x`: path leaves the repository"));
    assert_eq!(entry("\"../x@npm:1.0.0\""), "yarn.lock:5:1: package `x@npm:^1`: `../x` is not a package name");
    assert_eq!(entry("\"$x@npm:1.0.0\""), "yarn.lock:5:1: package `x@npm:^1`: `$x` is not a package name");
    assert_eq!(entry("\"a/b@link:x\""), "yarn.lock:5:1: package `x@npm:^1`: `a/b` is not a package name");
    assert_eq!(entry("[a]"), "yarn.lock:7:15: expected a string, found `[a]`");
    assert_eq!(entry("'x@npm:1.0.0'"), "yarn.lock:7:15: expected a string, found `'x@npm:1.0.0'`");
    assert_eq!(error("a:\n  version: 1.0.0\n"), "yarn.lock:5:1: package `a`: expected `resolution`, found none");
    assert_eq!(error("a: b\n"), "yarn.lock:5:1: expected nested keys, found `b`");
    assert_eq!(error("a:\n  b: c\na:\n  b: c\n"), "yarn.lock:7:1: duplicate key `a`; the first is on line 5");
    assert_eq!(
        error("a:\n  resolution: \"a@npm:1.0.0\"\n  conditions: node=20\n"),
        "yarn.lock:7:3: package `a`: cannot read the conditions `node=20`"
    );
    assert_eq!(
        error("a:\n  resolution: \"a@workspace:a\"\n  dependencies:\n    b:\n      c: d\n"),
        "yarn.lock:8:5: expected a string, found nested keys"
    );
}

#[test]
fn the_digest_is_of_what_matters() {
    let digest = |text: &str| parse(text).unwrap().digest;
    let base = lock(
        "\"a@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"a@workspace:.\"\n  dependencies:\n    b: ^1\n    c: ^1\n\n\
         \"b@npm:^1\":\n  version: 1.0.0\n  resolution: \"b@npm:1.0.0\"\n  checksum: 10c0/0a\n",
    );
    let reordered = "\"b@npm:^1\":\n  resolution: \"b@npm:1.0.0\" # a comment\n  checksum: \"10c0/0a\"\n  version: 1.0.0\n\
         \"a@workspace:.\":\n\n  version: 1.2.3\n  dependencies:\n    \"c\": ^1\n    b: ^1\n  resolution: \"a@workspace:.\"\n\
         __metadata:\n  cacheKey: 10c0\n  version: 8\n";
    assert_eq!(digest(&base), digest(reordered));
    for (old, new) in [
        ("version: 8", "version: 9"),
        ("10c0\n", "10\n"),
        ("    c: ^1\n", ""),
        ("b: ^1", "b: ^2"),
        ("10c0/0a", "10c0/0b"),
        ("version: 1.0.0", "version: 1.0.1"),
        ("\"b@npm:^1\":", "\"b@npm:^1, b@npm:1\":"),
    ] {
        assert_ne!(digest(&base), digest(&base.replacen(old, new, 1)), "{old}");
    }
}
