use proptest::prelude::*;

use super::*;
use crate::{
    diagnostic::Diagnose,
    lockfile::{Platforms, Resolution},
};

const SHA512: &str = "sha512-3xFfwExwIbZyBLq5+Qh8pEPpmSIWfrUPqvH2Go7D9xkWFBKHyg9Z5g5+oO3zkYqmmgNMlOh1JtNYsb0eFZBl7A==";

fn lock(workspaces: &str, packages: &str) -> String {
    format!(
        "{{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {{\n{workspaces}\n  }},\n  \"packages\": {{\n{packages}\n  }}\n}}\n"
    )
}

fn error(text: &str) -> String {
    let error = parse(text).unwrap_err();
    format!("{}: {error}", error.location().unwrap())
}

#[test]
fn every_entry_shape_is_told_by_its_resolution() {
    let text = lock(
        r#""": { "name": "acme", "dependencies": { "t": "file:./t.tgz" } },
           "packages/a": { "name": "@acme/a", "dependencies": { "v": "vendor/v.tgz" } },"#,
        &format!(
            r#""react": ["react@19.0.0", "", {{ "bin": "x" }}, "{SHA512}"],
            "alias": ["@real/name@1.0.0-rc.1", "https://mirror.example/x.tgz", {{ "os": [ "linux", "!win32", ], "cpu": "x64", }}, "{SHA512}"],
            "old": ["old@1.0.0", "", {{}}, ""],
            "@acme/a": ["@acme/a@workspace:packages/a"],
            "t": ["t@./t.tgz", {{}}, "{SHA512}"],
            "@acme/a/v": ["v@vendor/v.tgz", {{}}],
            "u": ["u@https://cdn.example/u-1.tgz", {{}}, "{SHA512}"],
            "g": ["g@git+https://host.example/g.git#abc", {{}}, "abc", "{SHA512}"],
            "h": ["h@github:o/r#abc", {{}}, "o-r-abc", "{SHA512}"],
            "f": ["f@file:lib/f", {{}}],
            "l": ["l@link:../l", {{}}],
            "r": ["acme@root:", {{}}],
            "b": ["b@1.0.0", "", {{ "bundled": true }}, "{SHA512}"],"#
        ),
    );
    let lock = parse(&text).unwrap();
    let of = |key: &str| lock.packages.iter().find(|package| package.key == key).unwrap();
    assert_eq!(of("react").label(), "react@19.0.0");
    assert_eq!(of("react").integrity.as_ref().unwrap().to_string(), SHA512);
    assert_eq!(of("react").position.line, 8);
    assert_eq!(of("alias").name, "@real/name");
    assert!(matches!(&of("alias").resolution, Resolution::Registry { url: Some(_), .. }));
    assert!(matches!(&of("alias").platforms, Platforms::Listed(lists) if (lists.os.len(), lists.cpu.len()) == (2, 1)));
    assert_eq!(of("alias").position, crate::diagnostic::Position { line: 9, column: 13 });
    assert!(of("old").integrity.is_none());
    assert_eq!(of("@acme/a").resolution, Resolution::Workspace("packages/a".parse().unwrap()));
    assert_eq!(of("t").resolution, Resolution::LocalTarball("t.tgz".parse().unwrap()));
    assert_eq!(of("@acme/a/v").resolution, Resolution::LocalTarball("packages/a/vendor/v.tgz".parse().unwrap()));
    assert!(matches!(of("u").resolution, Resolution::RemoteTarball(_)) && of("u").integrity.is_some());
    assert!(matches!(of("g").resolution, Resolution::Git(_)) && of("g").integrity.is_none());
    assert!(matches!(of("h").resolution, Resolution::GitHub(_)));
    assert_eq!(of("f").resolution, Resolution::Folder("lib/f".parse().unwrap()));
    assert_eq!(of("l").resolution, Resolution::Link("../l".into()));
    assert_eq!(of("r").resolution, Resolution::Root);
    assert!(of("b").bundled);
}

#[test]
fn wrong_files_are_refused_with_line_and_column() {
    let entry = |entry: &str| error(&lock("", entry));
    assert_eq!(
        entry(r#"    "x": ["x@file:../x", {}],"#),
        "bun.lock:7:11: wrong path `file:../x`: path leaves the repository"
    );
    assert_eq!(
        entry(r#"    "x": ["x@/abs/x.tgz", {}],"#),
        "bun.lock:7:11: wrong path `/abs/x.tgz`: path is absolute; expected one relative to the repository"
    );
    assert_eq!(entry(r#"    "x": ["x"],"#), "bun.lock:7:10: package `x`: expected `<name>@<resolution>`, found `x`");
    assert_eq!(entry(r#"    "x": [],"#), "bun.lock:7:10: package `x`: expected `<name>@<resolution>`, found ``");
    assert_eq!(entry(r#"    "x": ["../x@1.0.0"],"#), "bun.lock:7:10: package `x`: `../x` is not a package name");
    assert_eq!(entry(r#"    "x": ["x@what"],"#), "bun.lock:7:11: package `x`: unknown resolution `what`");
    assert_eq!(entry(r#"    "x": 1,"#), "bun.lock:7:10: expected an array, found the number 1");
    assert_eq!(entry("    \"a\": [\"a@1.0.0\"],\n    \"a\": [\"a@1.0.1\"],"), "bun.lock:8:5: duplicate key `a`");
    assert_eq!(
        entry(r#"    "x": ["x@1.0.0", "ftp://h/x.tgz"],"#),
        "bun.lock:7:22: expected an http or https URL, found the string \"ftp://h/x.tgz\""
    );
    assert_eq!(
        error(&lock("    \"../out\": {},", "")),
        "bun.lock:4:5: wrong path `../out`: path leaves the repository"
    );
    assert_eq!(error("{}"), "bun.lock:1:1: expected `lockfileVersion`, found none");
    assert!(error(&lock("", "")[..40]).starts_with("bun.lock:3:"));
}

#[test]
fn conflict_markers_say_what_to_do() {
    let error = parse("{\n<<<<<<< HEAD\n=======\n>>>>>>> b\n}").unwrap_err();
    assert_eq!(error.location().unwrap().to_string(), "bun.lock:2:1");
    assert!(error.hints()[0].contains("bun install"));
}

#[test]
fn a_newer_version_is_a_warning() {
    let lock = parse("{ \"lockfileVersion\": 9, \"futureKey\": {}, \"packages\": {} }").unwrap();
    assert_eq!(lock.format, Format::Bun(9));
    assert!(lock.warnings[0].contains("lockfileVersion 9"));
    assert!(parse("{ \"lockfileVersion\": 3 }").unwrap().warnings.is_empty());
}

#[test]
fn a_malformed_integrity_is_a_warning() {
    let text = lock("", r#""x": ["x@1.0.0", "", {}, "sha512-short"], "old": ["old@1.0.0", "", {}, ""]"#);
    let lock = parse(&text).unwrap();
    assert_eq!(lock.warnings.len(), 1);
    assert!(lock.warnings[0].starts_with("package `x`: ignoring the malformed integrity `sha512-short`"));
}

#[test]
fn the_digest_is_of_what_matters() {
    let digest = |text: &str| parse(text).unwrap().digest;
    let base = lock(r#""a": { "name": "a", "version": "1.0.0" }"#, r#""x": ["x@1.0.0", "", {}, ""], "y": ["y@1.0.0"]"#);
    let bumped = base.replace("\"version\": \"1.0.0\"", "\"version\": \"2.0.0\"");
    let unversioned = base.replace(", \"version\": \"1.0.0\"", "");
    let reordered =
        lock(r#""a": { "version": "1.0.0", "name": "a" }"#, r#""y": ["y@1.0.0"],   "x": ["x@1.0.0", "", {}, ""]"#);
    let changed = base.replace("y@1.0.0", "y@1.0.1");
    assert_eq!(digest(&base), digest(&bumped));
    assert_eq!(digest(&base), digest(&unversioned));
    assert_eq!(digest(&base), digest(&reordered));
    assert_ne!(digest(&base), digest(&changed));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_entry_panics(key in "\\PC{0,20}", first in "[a@/:.#+g0-9-]{0,24}", second in "[a-z:/.]{0,12}") {
        let entry = serde_json::json!({ key: [first, second, {}, "sha512-x"] });
        let _ = parse(&serde_json::json!({ "lockfileVersion": 2, "packages": entry }).to_string());
    }

    #[test]
    fn no_mutation_of_a_lockfile_panics(at in 0_usize..300, byte in any::<char>()) {
        let text = lock(r#""a": { "name": "a" }"#, &format!(r#""x": ["x@1.0.0", "", {{ "os": "linux" }}, "{SHA512}"],"#));
        let mut characters: Vec<char> = text.chars().collect();
        let at = at % characters.len();
        characters[at] = byte;
        let _ = parse(&characters.into_iter().collect::<String>());
    }
}
