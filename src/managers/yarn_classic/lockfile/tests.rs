use super::*;
use crate::{
    diagnostic::Diagnose,
    lockfile::{LockedDescriptors, LockedPackage, Platforms, Resolution},
};

const GOLDEN: &str = include_str!("golden/classic.lock");

fn error(text: &str) -> String {
    let error = parse(&format!("# yarn lockfile v1\n{text}")).unwrap_err();
    format!("{}: {error}", error.location().unwrap())
}

fn package(lock: &Lockfile, key: &str) -> LockedPackage {
    lock.packages.iter().find(|package| package.key == key).unwrap_or_else(|| panic!("{key}")).clone()
}

fn one(entry: &str) -> LockedPackage {
    parse(entry).unwrap().packages.remove(0)
}

#[test]
fn a_lockfile_by_yarn_1_is_read() {
    let lock = parse(GOLDEN).unwrap();
    assert_eq!((lock.format, lock.packages.len(), lock.warnings.len()), (Format::YarnClassic, 15, 0));
    let of = |key: &str| package(&lock, key);
    let registry = |version: &str, url: &str| Resolution::Registry {
        version: version.to_owned(),
        url: Some(format!("https://registry.example/{url}").parse().unwrap()),
    };
    let babel = of("@babel/code-frame@^7.0.0");
    assert_eq!((babel.label().as_str(), babel.position.line), ("@babel/code-frame@7.29.7", 5));
    assert_eq!(babel.resolution, registry("7.29.7", "@babel/code-frame/-/code-frame-7.29.7.tgz"));
    assert_eq!(
        babel.integrity.unwrap().to_string(),
        "sha512-Aup7aUOfpbAUg2ROOJN6Iw5f9DMBlzu0mIkm/malLQFN/YQgO48wCj0Kxa3sEHJvPVFg7siR+qRInwXd2qhQKw=="
    );
    let alias = of("lodash-alias@npm:lodash@^4.17.0");
    assert_eq!((alias.name.as_str(), alias.resolution), ("lodash", registry("4.18.1", "lodash/-/lodash-4.18.1.tgz")));
    let ms = of("ms@https://registry.example/ms/-/ms-2.1.3.tgz");
    assert_eq!(ms.integrity.unwrap().to_string(), "sha1-V0yBOM4dK1hh8LRFedut1gxmFbI=");
    assert_eq!(of("f@file:lib/f").resolution, Resolution::Folder("lib/f".parse().unwrap()));
    assert_eq!(of("l@link:./lib/f").resolution, Resolution::Link("./lib/f".to_owned()));
    let tarball = of("t@file:./packages/a/vendor/t.tgz");
    assert_eq!(tarball.resolution, Resolution::LocalTarball("packages/a/vendor/t.tgz".parse().unwrap()));
    assert_eq!(tarball.integrity.unwrap().to_string(), "sha1-frtZM9IwVpsQPRpQ3189sekluT8=");
}

#[test]
fn what_nothing_needs_may_be_bound_to_platforms() {
    let lock = parse(GOLDEN).unwrap();
    let in_tarball: Vec<_> = lock
        .packages
        .iter()
        .filter(|package| package.platforms == Platforms::InTarball)
        .map(|package| package.key.as_str())
        .collect();
    assert_eq!(
        in_tarball,
        [
            "@babel/code-frame@^7.0.0",
            "@rollup/rollup-darwin-arm64@4.20.0",
            "@rollup/rollup-linux-x64-musl@4.20.0",
            "is-odd@3.0.1 || ^3.0.0",
            "left-pad@latest",
            "lodash-alias@npm:lodash@^4.17.0",
            "ms@https://registry.example/ms/-/ms-2.1.3.tgz",
        ]
    );
    let text = "a@1:\n  version \"1.0.0\"\n  optionalDependencies:\n    b \"1 || 2\"\n  dependencies:\n    c \"\"\n\n\
                b@1, \"b@1 || 2\":\n  version \"1.0.0\"\n\nc@:\n  version \"1.0.0\"\n";
    let platforms: Vec<_> = parse(text).unwrap().packages.into_iter().map(|package| package.platforms).collect();
    assert_eq!(platforms, [Platforms::InTarball, Platforms::InTarball, Platforms::Any]);
}

#[test]
fn every_descriptor_leads_to_its_package() {
    let lock = parse("b@1, \"b@1 || 2\":\n  version \"1.0.0\"\n\"a@npm:c@1\":\n  version \"1.0.0\"\n").unwrap();
    let Requests::ByDescriptor(LockedDescriptors { descriptors, .. }) = &lock.requests else { panic!("{lock:?}") };
    let expected = [("a@npm:c@1", 1), ("b@1", 0), ("b@1 || 2", 0)];
    assert!(descriptors.iter().map(|(key, index)| (key.as_str(), *index)).eq(expected));
    assert_eq!(lock.packages[0].key, "b@1, b@1 || 2");
    assert_eq!(lock.packages[1].name, "c");
}

#[test]
fn every_way_to_write_a_value_is_read() {
    let plain = one("a@1:\n  version \"1.0.0\"\n  resolved \"https://registry.example/a/-/a-1.0.0.tgz#\"\n");
    for other in [
        "\"a@1\":\n  \"version\" \"1.0.0\"\n  \"resolved\": \"https://registry.example/a/-/a-1.0.0.tgz\"\n",
        "a@1:   # a comment\n  version: \"1.0.0\"\n  # another\n  uid 1\n  unknown true\n  resolved \"https:\\/\\/registry.example/a/-/a-1.0.0.tgz\"",
        "a@1:\n  permissions:\n    a: true\n    b:\n      c d\n  version \"1.0.0\" # a\n  resolved \"https://registry.example/a/-/a-1.0.0.tgz\"",
    ] {
        assert_eq!(one(other), plain, "{other}");
    }
}

#[test]
fn a_name_is_that_of_the_entry_where_it_has_one() {
    let resolved = "  version \"1.0.0\"\n  resolved \"https://host.example/x.tgz\"\n";
    let of = |key: &str, field: &str| one(&format!("{key}:\n{field}{resolved}")).name;
    assert_eq!(of("\"a@https://host.example/x.tgz\"", "  name \"@b/real\"\n"), "@b/real");
    assert_eq!(of("\"a@https://host.example/x.tgz\"", ""), "a");
    assert_eq!(of("\"a@npm:@b/real@1\"", "  name other\n"), "@b/real");
}

#[test]
fn several_hashes_are_one_integrity() {
    let sha1 = "sha1-V0yBOM4dK1hh8LRFedut1gxmFbI=";
    let sha512 = "sha512-Aup7aUOfpbAUg2ROOJN6Iw5f9DMBlzu0mIkm/malLQFN/YQgO48wCj0Kxa3sEHJvPVFg7siR+qRInwXd2qhQKw==";
    let entry = |integrity: &str| format!("a@1:\n  version \"1.0.0\"\n  integrity {integrity}\n");
    let read = |integrity: &str| one(&entry(integrity)).integrity.unwrap().to_string();
    assert_eq!(read(sha1), sha1);
    assert_eq!(read(&format!("\"{sha1} {sha512}\"")), sha512);
}

#[test]
fn wrong_files_are_refused_with_line_and_column() {
    let version = "version \"1.0.0\"";
    assert_eq!(
        error("a@1:\n  version 1.0.0\n"),
        "yarn.lock:3:11: expected a value, or `:` before nested lines, found `1.0.0`"
    );
    assert_eq!(
        error("a@1:\n   version \"1\"\n"),
        "yarn.lock:3:4: expected an indent of two spaces per level, found `version \"1\"`"
    );
    assert_eq!(error("a@1:\n\tversion \"1\"\n"), "yarn.lock:3:1: control character in `yarn.lock`");
    assert_eq!(error("a@1 b@1\n"), "yarn.lock:2:1: expected nested keys, found `b@1`");
    assert_eq!(
        error("a@1\n"),
        "yarn.lock:2:4: expected a value, or `:` before nested lines, found the end of the line"
    );
    assert_eq!(error("a@1, :\n"), "yarn.lock:2:5: expected another key after `,`, found ` :`");
    assert_eq!(
        error(&format!("a@1:\n  {version}\n\n  uid 1\n")),
        "yarn.lock:5:3: expected no blank line or comment within an entry (Yarn 1 would stop reading there), found `uid 1`"
    );
    assert_eq!(
        error(&format!("a@1:\n  {version}\n    uid 1\n")),
        "yarn.lock:4:5: expected a smaller indent, found `uid 1`"
    );
    assert_eq!(
        error(&format!("a@1:\n  {version}\na@2, a@1:\n  {version}\n")),
        "yarn.lock:4:1: duplicate key `a@1`; the first is on line 2"
    );
    assert_eq!(
        error(&format!("a@1:\n  {version}\n  {version}\n")),
        "yarn.lock:4:3: duplicate key `version`; the first is on line 3"
    );
    assert_eq!(error("a@1:\n  uid 1\n"), "yarn.lock:2:1: package `a@1`: expected `version`, found none");
    assert_eq!(
        error(&format!("\"a@github:o/r\":\n  {version}\n")),
        "yarn.lock:2:1: package `a@github:o/r`: expected `resolved`, found none"
    );
    assert_eq!(
        error(&format!("../a@1:\n  {version}\n")),
        "yarn.lock:2:1: package `../a@1`: `../a` is not a package name"
    );
    assert_eq!(
        error(&format!("a@1:\n  {version}\n  resolved \"ftp://host.example/a.tgz\"\n")),
        "yarn.lock:4:3: package `a@1`: unknown resolution `ftp://host.example/a.tgz`"
    );
    assert_eq!(
        error(&format!("\"a@file:../a\":\n  {version}\n")),
        "yarn.lock:2:1: package `a@file:../a`: wrong path `file:../a`: path leaves the repository"
    );
    assert_eq!(
        error(&format!("a@1:\n  {version}\n  integrity sha512-short\n")),
        "yarn.lock:4:3: package `a@1`: malformed integrity `sha512-short`; expected `sha512-<base64>`"
    );
    assert_eq!(error("a@1:\n  version:\n    b c\n"), "yarn.lock:3:3: expected a string, found nested keys");
    assert_eq!(error("a@1:\n  version:\n"), "yarn.lock:3:3: expected a string, found none");
}

#[test]
fn the_digest_is_of_what_matters() {
    let digest = |text: &str| parse(text).unwrap().digest;
    let base = "a@1, a@2:\n  version \"1.0.0\"\n  dependencies:\n    b \"1\"\n    c \"1\"\n\nb@1:\n  version \"1.0.0\"\n\nc@1:\n  version \"1.0.0\"\n";
    let reordered = "# c\nc@1:\n  version: \"1.0.0\"\n\"b@1\":\n  version \"1.0.0\"\n\
                     a@2, a@1:\n  dependencies:\n    c \"1\"\n    b 1\n  version \"1.0.0\"";
    assert_eq!(digest(base), digest(reordered));
    for (old, new) in [
        ("a@1, a@2", "a@1"),
        ("1.0.0", "1.0.1"),
        ("    c \"1\"\n", ""),
        ("b \"1\"", "b \"2\""),
        ("dependencies", "optionalDependencies"),
    ] {
        assert_ne!(digest(base), digest(&base.replacen(old, new, 1)), "{old}");
    }
}
