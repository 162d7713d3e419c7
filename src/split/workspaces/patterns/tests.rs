//! What the real programs do, in small. `tests/it/workspace_patterns.rs` compares many more with them.

use proptest::prelude::*;

use super::{Dialect::*, *};
use crate::repo::MemoryTree;

const FOLDERS: [&str; 14] = [
    "app",
    "apps/web",
    "apps/web/deep/er",
    "apps/web/.next/standalone/x",
    "lib",
    "packages/.hid",
    "packages/a",
    "packages/a/node_modules/x",
    "packages/a/sub",
    "packages/ab",
    "packages/b",
    "packages/legacy",
    "packages/node_modules/y",
    "real/s",
];

fn tree(links: &[(&str, &str)]) -> MemoryTree {
    let files: Vec<String> = FOLDERS.iter().map(|folder| format!("{folder}/package.json")).collect();
    MemoryTree::with_links(files.iter().map(|file| (file.as_str(), "{}")), links.iter().copied())
}

fn found_in(tree: &MemoryTree, patterns: &[&str], dialect: Dialect) -> String {
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    match expand(tree, &RepoPath::root(), &patterns, dialect) {
        Ok(found) => found.folders.keys().map(RepoPath::as_str).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    }
}

fn found(patterns: &[&str], dialect: Dialect) -> String {
    found_in(&tree(&[]), patterns, dialect)
}

const ALL: [Dialect; 6] = [YarnClassic, Yarn3, Yarn4, Bun12, Bun13, Bun14];

#[test]
fn common_patterns_mean_the_same_to_all() {
    for dialect in ALL {
        assert_eq!(found(&["packages/*"], dialect), "packages/a packages/ab packages/b packages/legacy", "{dialect:?}");
        assert_eq!(found(&["apps/**"], dialect), "apps/web apps/web/deep/er", "{dialect:?}");
        assert_eq!(found(&["./packages/a", "apps/web/"], dialect), "apps/web packages/a", "{dialect:?}");
        assert_eq!(found(&["packages/{a,b}"], dialect), "packages/a packages/b", "{dialect:?}");
        assert_eq!(found(&["packages/[l-z]*"], dialect), "packages/legacy", "{dialect:?}");
        assert_eq!(found(&["packages/?"], dialect), "packages/a packages/b", "{dialect:?}");
        assert_eq!(found(&["packages/**/sub"], dialect), "packages/a/sub", "{dialect:?}");
        assert_eq!(found(&["packages/.hid"], dialect), "packages/.hid", "{dialect:?}");
        assert!(found(&["/packages/*"], dialect).contains("path is absolute"), "{dialect:?}");
        assert!(found(&["../x"], dialect).contains("path leaves the repository"), "{dialect:?}");
    }
}

#[test]
fn extended_globs() {
    for dialect in [YarnClassic, Bun14] {
        assert_eq!(found(&["packages/!(legacy)"], dialect), "packages/a packages/ab packages/b", "{dialect:?}");
    }
    for dialect in [Yarn3, Yarn4] {
        // It matches a name with a dot.
        let expected = "packages/.hid packages/a packages/ab packages/b";
        assert_eq!(found(&["packages/!(legacy)"], dialect), expected, "{dialect:?}");
    }
    for dialect in [YarnClassic, Yarn3, Yarn4, Bun14] {
        assert_eq!(found(&["@(app|lib)"], dialect), "app lib", "{dialect:?}");
        assert_eq!(found(&["+(app|lib)", "packages/a?(b)"], dialect), "app lib packages/a packages/ab", "{dialect:?}");
    }
    for dialect in [Bun12, Bun13] {
        assert!(found(&["@(app|lib)"], dialect).contains("Bun refuses to install"), "{dialect:?}");
        assert_eq!(found(&["?(app|lib)"], dialect), "", "{dialect:?}");
    }
}

#[test]
fn parts_that_start_with_an_exclamation_mark_before_bun_1_4() {
    for dialect in [Bun12, Bun13] {
        // Any name but the two, not any but one of them.
        assert_eq!(found(&["!{apps,packages}/*"], dialect), "real/s", "{dialect:?}");
        assert_eq!(found(&["pack*/!{a,ab}"], dialect), "packages/b packages/legacy", "{dialect:?}");
        // It is a path, because it has no `*`, `?`, `[` or `{`.
        assert!(found(&["packages/!(a)"], dialect).contains("Bun refuses to install"), "{dialect:?}");
    }
}

#[test]
fn a_folder_of_the_root_that_two_patterns_name() {
    let warnings = |patterns: [&str; 2], dialect| {
        let patterns = patterns.map(str::to_owned);
        expand(&tree(&[]), &RepoPath::root(), &patterns, dialect).unwrap().warnings
    };
    let refused = |pattern: &str| {
        format!(
            "workspace pattern `{pattern}`: another pattern also names `app`, and Bun 1.3 refuses to install; remove one of them"
        )
    };
    assert_eq!(warnings(["app", "a*"], Bun13), [refused("a*")]);
    assert_eq!(warnings(["a*", "app"], Bun13), [refused("app")]);
    assert_eq!(warnings(["app", "!x"], Bun13), [refused("!x")]);
    assert!(warnings(["app", "a*"], Bun14).is_empty());
    assert!(warnings(["a*", "*"], Bun13).is_empty());
    assert!(warnings(["packages/a", "packages/*"], Bun13).is_empty());
}

#[test]
fn slashes_in_extended_globs() {
    assert_eq!(found(&["apps/@(web|web/deep)"], YarnClassic), "");
    assert_eq!(found(&["apps/@(web|web/deep)"], Bun14), "");
    for dialect in [Yarn3, Yarn4] {
        assert_eq!(found(&["apps/@(web|web/deep)", "packages/!(a/sub)/sub"], dialect), "apps/web packages/a/sub");
        assert_eq!(found(&["apps/@(web", "apps/@(web/deep/er"], dialect), "", "{dialect:?}");
        let warnings =
            expand(&tree(&[]), &RepoPath::root(), &["apps/@(web|web/deep)".to_owned()], dialect).unwrap().warnings;
        assert!(warnings[0].contains("reads `/` inside `(…)`"), "{warnings:?}");
    }
    assert_eq!(found(&["@(packages/a|app)"], Yarn4), "app");
}

#[test]
fn exclusions() {
    let rest = "packages/a packages/ab packages/b";
    let all = "packages/a packages/ab packages/b packages/legacy";
    let after = ["packages/*", "!packages/legacy"];
    let before = ["!packages/legacy", "packages/*"];
    let kept = |patterns: &[&str]| ALL.map(|dialect| found(patterns, dialect));
    assert_eq!(kept(&after), [all, rest, rest, all, rest, rest]);
    assert_eq!(kept(&before), [all, all, rest, all, all, rest]);
    // Bun keeps what is named without a glob.
    let named = ["packages/a", "!packages/a"];
    assert_eq!(kept(&named), ["packages/a", "", "", "packages/a", "packages/a", "packages/a"]);
    // What excludes a folder excludes everything in it only for Yarn.
    let pruned = ["packages/a/*", "packages/**", "!packages/a"];
    assert_eq!(found(&pruned, Yarn4), "packages/a/sub packages/ab packages/b packages/legacy");
    assert_eq!(found(&pruned[1..], Yarn4), "packages/ab packages/b packages/legacy");
    assert_eq!(found(&pruned[1..], Bun14), "packages/a/sub packages/ab packages/b packages/legacy");
    // Bun before 1.4 looks for them, too: their first name is any other.
    assert_eq!(found(&["packages/*", "!packages/*"], Bun13), "apps/web real/s");
}

#[test]
fn links_are_followed_as_each_does() {
    let tree = tree(&[
        ("packages/s", "../real/s"),
        ("packages/gone", "../none"),
        ("packages/out", "/usr/lib"),
        ("lnk", "real"),
    ]);
    let found = |patterns: &[&str]| ALL.map(|dialect| found_in(&tree, patterns, dialect));
    let with = "packages/a packages/ab packages/b packages/legacy packages/s";
    let without = "packages/a packages/ab packages/b packages/legacy";
    assert_eq!(found(&["packages/*"]), [with, with, with, without, without, with]);
    assert_eq!(found(&["packages/s"]), ["packages/s"; 6]);
    assert_eq!(found(&["lnk/*"]), ["lnk/s", "lnk/s", "lnk/s", "", "", "lnk/s"]);
    assert_eq!(found(&["packages/**/s"]), ["packages/s", "packages/s", "packages/s", "", "", ""]);
}

#[test]
fn links_that_lead_round_in_circles_end() {
    let tree = tree(&[("packages/a/up", ".."), ("packages/x", "y"), ("packages/y", "x"), ("packages/z", "z/z")]);
    for dialect in ALL {
        assert!(found_in(&tree, &["packages/**"], dialect).contains("packages/legacy"), "{dialect:?}");
        assert!(found_in(&tree, &["packages/*/*/*"], dialect).len() < 1_000, "{dialect:?}");
    }
}

#[test]
fn what_names_nothing_is_said() {
    let warnings = |patterns: &[&str], dialect| {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        expand(&tree(&[]), &RepoPath::root(), &patterns, dialect).unwrap().warnings
    };
    assert!(warnings(&["packages/*", "packages/a"], Yarn4).is_empty());
    assert_eq!(
        warnings(&["services/*"], Yarn4),
        ["workspace pattern `services/*` matches no folder with a package.json"]
    );
    assert_eq!(
        warnings(&["packages/*/", "packages/*"], Yarn3),
        [
            "workspace pattern `packages/*/` matches no folder with a package.json; Yarn before 4 matches nothing with a glob that ends with `/`"
        ]
    );
    assert_eq!(
        warnings(&["packages/*", "!packages/legacy"], YarnClassic),
        ["workspace pattern `!packages/legacy`: Yarn 1 does not exclude folders; what it names stays a workspace"]
    );
    assert_eq!(
        warnings(&["packages/*", "?(app)"], Bun13),
        ["workspace pattern `?(app)` matches no folder with a package.json; Bun 1.3 does not read extended globs"]
    );
    assert_eq!(
        warnings(&["gone"], Bun14),
        ["workspace pattern `gone`: there is no package.json, and Bun refuses to install"]
    );
}

proptest! {
    #[test]
    fn no_patterns_panic(patterns in prop::collection::vec("[!@?*+(){}\\[\\]|,/a-c.\\\\^-]{0,16}|\\PC{0,8}", 0..4)) {
        let tree = tree(&[("packages/a/up", ".."), ("packages/x", "packages/y")]);
        for dialect in ALL {
            let _ = expand(&tree, &RepoPath::root(), &patterns, dialect);
        }
    }
}
