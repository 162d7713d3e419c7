use crate::{
    managers::bun::lockfile as bun,
    repo::MemoryTree,
    split::{lock::drift, workspaces},
};

const LOCK: &str = r#"{"lockfileVersion": 1,
    "workspaces": {
        "": {"dependencies": {"one": "^1.0.0", "gone": "1"}},
        "a": {"name": "a", "version": "1.0.0", "dependencies": {"b": "^1.0.0", "two": "catalog:"}},
        "b": {"name": "b", "version": "1.0.0", "dependencies": {"one": "^2.0.0"}, "peerDependencies": {"two": "*"}}
    },
    "overrides": {"three": "1.0.0"},
    "catalog": {"two": "^1.0.0"},
    "packages": {
        "a": ["a@workspace:a"],
        "b": ["b@workspace:b"],
        "gone": ["gone@1.0.0", "", {}, ""],
        "one": ["one@1.2.0", "", {}, ""],
        "three": ["three@1.0.0", "", {}, ""],
        "two": ["two@1.1.0", "", {"dependencies": {"three": "^1.0.0"}}, ""],
        "b/one": ["one@2.0.0", "", {}, ""]
    }
}"#;

const ROOT: &str = r#"{"workspaces": {"packages": ["*"], "catalog": {"two": "^1.0.0"}}, "overrides": {"three": "1.0.0"},
    "dependencies": {"one": "^1.0.0", "gone": "1"}}"#;
const A: &str = r#"{"name": "a", "version": "1.0.0", "dependencies": {"b": "^1.0.0", "two": "catalog:"}}"#;
const B: &str =
    r#"{"name": "b", "version": "1.0.0", "dependencies": {"one": "^2.0.0"}, "peerDependencies": {"two": "*"}}"#;

fn drift_of(root: &str, a: &str, b: &str, lock: &str, version: &str) -> Vec<String> {
    let tree = MemoryTree::new([("package.json", root), ("a/package.json", a), ("b/package.json", b)]);
    let lock = bun::parse(lock).unwrap();
    let drifts =
        drift::find(&tree, &workspaces::read(&tree).unwrap(), &workspaces::Workspaces::new(), &lock, version).unwrap();
    drifts.iter().map(ToString::to_string).collect()
}

/// The drift after replacing a text in all manifests, for Bun 1.3 and 1.4.
fn replaced(from: &str, to: &str) -> [Vec<String>; 2] {
    let edit = |text: &str| if from.is_empty() { text.to_owned() } else { text.replace(from, to) };
    ["1.3.11", "1.4.4"].map(|version| drift_of(&edit(ROOT), &edit(A), &edit(B), LOCK, version))
}

/// The same drift for both.
#[track_caller]
fn both(from: &str, to: &str, expected: &[&str]) {
    for drift in replaced(from, to) {
        assert_eq!(drift, expected, "{from} -> {to}");
    }
}

#[test]
fn a_range_that_allows_the_locked_version_is_no_drift() {
    both("", "", &[]);
    both(r#""one": "^1.0.0""#, r#""one": "^1.1.0""#, &[]);
    both(r#""one": "^1.0.0""#, r#""one": "1.2.0""#, &[]);
    // Bun 1.2 and 1.3 warn of an incorrect peer dependency.
    let [old, new] = replaced(r#""two": "*""#, r#""two": "^9.0.0""#);
    assert_eq!(old, [""; 0]);
    assert_eq!(new, ["b/package.json: `two` is locked for `*`, but the manifest has `^9.0.0`"]);
    both(
        r#""one": "^1.0.0""#,
        r#""one": "~1.1.0""#,
        &["package.json: `one` is locked for `^1.0.0`, but the manifest has `~1.1.0`"],
    );
}

/// Bun 1.2 and 1.3 leave the old range in `bun.lock`, so no command could mend this drift.
#[test]
fn a_bumped_workspace_with_its_range_is_no_drift() {
    let a = A.replace("^1.0.0", "^2.0.0");
    let b = B.replace("\"1.0.0\"", "\"2.0.0\"");
    for version in ["1.2.23", "1.3.11", "1.4.4"] {
        assert_eq!(drift_of(ROOT, &a, &b, LOCK, version), [""; 0]);
        let out = "a/package.json: asks for `b` (`^1.0.0`), but the workspace `b` has the version 2.0.0; change one of \
                   them first";
        assert_eq!(drift_of(ROOT, A, &b, LOCK, version), [out]);
    }
}

#[test]
fn what_changes_the_packages_is_drift() {
    both(r#", "gone": "1""#, "", &["package.json: `gone` is in the lockfile, but not in the manifest"]);
    both(r#""gone": "1""#, r#""gone": "1", "two": "^1.0.0""#, &[]);
    both(r#""gone": "1""#, r#""gone": "1", "new": "2""#, &["package.json: `new` (`2`) is not in the lockfile"]);
    for drift in replaced(r#""name": "b""#, r#""name": "c""#) {
        let renamed = "b/package.json: the workspace is locked as `b`, but the manifest has the name `c`";
        assert!(drift.contains(&renamed.to_owned()), "{drift:?}");
    }
}

#[test]
fn bun_1_4_refuses_every_change_of_overrides_and_used_catalogs() {
    let [old, new] = replaced(r#""three": "1.0.0""#, r#""three": "~1.0.0""#);
    assert_eq!(old, [""; 0]);
    assert_eq!(new, ["package.json: the override of `three` is locked as `1.0.0`, but the manifest has `~1.0.0`"]);
    both(
        r#""three": "1.0.0""#,
        r#""three": "2.0.0""#,
        &["package.json: the override of `three` is locked as `1.0.0`, but the manifest has `2.0.0`"],
    );
    let [old, new] = replaced(r#""catalog": {"two": "^1.0.0"}"#, r#""catalog": {"two": "^1.1.0"}"#);
    assert_eq!(old, [""; 0]);
    let expected = "package.json: `two` in the default catalog is locked as `^1.0.0`, but the manifest has `^1.1.0`";
    assert_eq!(new, [expected]);
    both(r#""catalog": {"#, r#""catalog": {"unused": "3", "#, &[]);
}

#[test]
fn what_a_merge_leaves_in_the_lockfile_is_drift() {
    let without = LOCK.replace(r#""three": ["three@1.0.0", "", {}, ""],"#, "");
    let missing = "the lockfile has no `three` (`^1.0.0`), which `two` needs";
    assert_eq!(drift_of(ROOT, A, B, &without, "1.4.4"), [missing]);
    let more = LOCK.replace(r#""three": ["#, r#""more": ["more@1.0.0", "", {}, ""], "three": ["#);
    assert_eq!(drift_of(ROOT, A, B, &more, "1.3.11"), ["the lockfile has `more`, which nothing needs"]);
    let other = LOCK.replace("one@1.2.0", "one@2.2.0");
    let out = "package.json: `one` is locked at 2.2.0, but the manifest has `^1.0.0`";
    assert_eq!(drift_of(ROOT, A, B, &other, "1.3.11"), [out]);
}

#[test]
fn workspaces_come_and_go() {
    let locked = LOCK.replace(r#""b": {"name": "b""#, r#""c": {"name": "c""#);
    let added = "workspace `b` is not in the lockfile".to_owned();
    let removed = "workspace `c` is in the lockfile, but has no package.json".to_owned();
    let drift = drift_of(ROOT, A, B, &locked, "1.3.11");
    assert!(drift.contains(&added) && drift.contains(&removed), "{drift:?}");
    // Bun 1.4 takes it for a checkout without that workspace.
    let drift = drift_of(ROOT, A, B, &locked, "1.4.4");
    assert!(drift.contains(&added) && !drift.contains(&removed), "{drift:?}");
}

#[test]
fn a_peer_that_no_workspace_satisfies_is_no_drift_unless_something_changes() {
    let root = r#"{"workspaces": ["*"]}"#;
    let a = |version: &str| format!(r#"{{"name": "a", "version": "{version}"}}"#);
    let b = |more: &str| format!(r#"{{"name": "b", "version": "1.0.0", "peerDependencies": {{"a": "^3.0.0"}}{more}}}"#);
    let lock = |version: &str| {
        format!(
            r#"{{"lockfileVersion": 1, "workspaces": {{"": {{}}, "a": {{"name": "a", "version": "{version}"}},
                "b": {{"name": "b", "version": "1.0.0", "peerDependencies": {{"a": "^3.0.0"}}}}}},
                "packages": {{"a": ["a@workspace:a"], "b": ["b@workspace:b"]}}}}"#
        )
    };
    for bun in ["1.2.23", "1.3.14", "1.4.4"] {
        assert_eq!(drift_of(root, &a("15.0.0"), &b(""), &lock("15.0.0"), bun), [""; 0], "{bun}");
    }
    let bumped = drift_of(root, &a("15.0.0"), &b(""), &lock("3.0.0"), "1.3.14");
    assert!(bumped.iter().any(|drift| drift.contains("the version 15.0.0")), "{bumped:?}");
}
