use crate::{
    managers::yarn_lock,
    repo::MemoryTree,
    split::{lock::drift, workspaces},
};

/// A lockfile of Yarn 4.18, shortened.
const LOCK: &str = r#"__metadata:
  version: 10
  cacheKey: 10c0

"a@workspace:^, a@workspace:packages/a":
  version: 0.0.0-use.local
  resolution: "a@workspace:packages/a"
  dependencies:
    debug: "npm:^4.0.0"
    ms: "catalog:"
  peerDependencies:
    react: "*"
  bin:
    a: ./a.js
  languageName: unknown
  linkType: soft

"debug@npm:^4.0.0":
  version: 4.4.0
  resolution: "debug@npm:4.4.0"
  dependencies:
    ms: "npm:^2.1.1"
  checksum: 10c0/00
  languageName: node
  linkType: hard

"ms@npm:2.1.3":
  version: 2.1.3
  resolution: "ms@npm:2.1.3"
  checksum: 10c0/00
  languageName: node
  linkType: hard

"ms@npm:^2.0.0":
  version: 2.1.2
  resolution: "ms@npm:2.1.2"
  checksum: 10c0/00
  languageName: node
  linkType: hard

"root@workspace:.":
  version: 0.0.0-use.local
  resolution: "root@workspace:."
  dependencies:
    a: "workspace:^"
  dependenciesMeta:
    ms:
      built: true
  languageName: unknown
  linkType: soft
"#;
const ROOT: &str = r#"{"name": "root", "workspaces": ["packages/*"], "dependencies": {"a": "workspace:^"},
    "dependenciesMeta": {"ms": {"built": true}}, "resolutions": {"debug/ms": "2.1.3"}}"#;
const A: &str = r#"{"name": "a", "version": "1.0.0", "dependencies": {"debug": "^4.0.0", "ms": "catalog:"},
    "peerDependencies": {"react": "workspace"}, "bin": "./a.js"}"#;
const SETTINGS: &str = "catalog:\n  ms: ^2.0.0\n";

fn drift_of(lock: &str, root: &str, a: &str, settings: &str) -> Vec<String> {
    let tree = MemoryTree::new([("package.json", root), ("packages/a/package.json", a), (".yarnrc.yml", settings)]);
    let lock = yarn_lock::parse(lock).unwrap();
    let workspaces = workspaces::read(&tree).unwrap();
    let drifts = drift::find(&tree, &workspaces, &workspaces::Workspaces::new(), &lock, "4.18.1").unwrap();
    drifts.iter().map(ToString::to_string).collect()
}

/// The drift after one replacement in all files.
fn after(from: &str, to: &str) -> Vec<String> {
    let edited: Vec<String> = [LOCK, ROOT, A, SETTINGS].iter().map(|text| text.replace(from, to)).collect();
    assert!(edited.concat() != [LOCK, ROOT, A, SETTINGS].concat(), "{from}");
    drift_of(&edited[0], &edited[1], &edited[2], &edited[3])
}

#[test]
fn what_yarn_would_write_is_no_drift() {
    assert_eq!(drift_of(LOCK, ROOT, A, SETTINGS), [""; 0]);
    assert_eq!(after("\"version\": \"1.0.0\"", "\"version\": \"3.0.0\", \"license\": \"MIT\""), [""; 0]);
}

/// The plugin of Backstage writes what it decided behind the range.
#[test]
fn a_protocol_of_a_plugin_is_no_drift() {
    let lock = LOCK
        .replace("debug: \"npm:^4.0.0\"", "debug: \"backstage:^\"")
        .replace("\"debug@npm:^4.0.0\":", "\"debug@backstage:^::backstage=1.54.0&npm=4.4.0\":");
    let a = A.replace("^4.0.0", "backstage:^");
    let plugin = |name: &str| format!("{SETTINGS}plugins:\n  - .yarn/plugins/@yarnpkg/plugin-{name}.cjs\n");
    assert_eq!(drift_of(&lock, ROOT, &a, &plugin("backstage")), [""; 0]);
    let changed = a.replace("backstage:^", "backstage:~");
    assert_eq!(drift_of(&lock, ROOT, &changed, &plugin("backstage")).len(), 1);
    // Without a plugin, nothing knows the protocol.
    assert_eq!(drift_of(&lock, ROOT, &a, &plugin("workspace-tools")).len(), 1);
}

#[test]
fn a_changed_setting_is_named_with_both_values() {
    for (from, to, expected) in [
        (
            "\"debug/ms\": \"2.1.3\"",
            "\"debug/ms\": \"2.1.0\"",
            "package.json: `resolutions.debug/ms` is `2.1.0`, but the lockfile was written for `npm:2.1.3`",
        ),
        (
            ", \"resolutions\": {\"debug/ms\": \"2.1.3\"}",
            "",
            "`debug@npm:4.4.0` depends on `ms@npm:^2.1.1`, but the lockfile has `npm:2.1.3`",
        ),
        (
            "ms: ^2.0.0\n",
            "ms: ^2.1.0\n",
            ".yarnrc.yml: `catalog.ms` is `^2.1.0`, but the lockfile was written for `npm:^2.0.0`",
        ),
        (
            "catalog:\n  ms: ^2.0.0\n",
            "",
            ".yarnrc.yml: `catalog.ms` is not set, but the lockfile was written for `npm:^2.0.0`",
        ),
        (
            "catalog:\n  ms",
            "compressionLevel: mixed\ncatalog:\n  ms",
            ".yarnrc.yml: `compressionLevel (cacheKey)` is `10`, but the lockfile was written for `10c0`",
        ),
        (
            "catalog:\n  ms",
            "packageExtensions:\n  debug@*:\n    dependencies:\n      react: ^19\ncatalog:\n  ms",
            ".yarnrc.yml: `packageExtensions.debug@*.dependencies.react` is `^19`, but the lockfile was written without it",
        ),
        (
            "{\"built\": true}",
            "{\"built\": false}",
            "package.json: `dependenciesMeta.ms.built` is `false`, but the lockfile was written for `true`",
        ),
        (
            "\"./a.js\"",
            "{\"b\": \"./a.js\", \"a\": \"./a.js\"}",
            "packages/a/package.json: `bin.b` is `./a.js`, but the lockfile was written without it",
        ),
        (
            "\"react\": \"workspace\"",
            "\"react\": \"^19.0.0\"",
            "packages/a/package.json: `react` is locked for `*`, but the manifest has `^19.0.0`",
        ),
        (
            "\"name\": \"root\"",
            "\"name\": \"r\"",
            "package.json: `name` is `r`, but the lockfile was written for `root`",
        ),
        (
            "\"ms@npm:2.1.3\":",
            "\"ms@npm:2.1.3, ms@npm:^1.0.0\":",
            "`ms@npm:^1.0.0` is in the lockfile, but nothing asks for it",
        ),
    ] {
        assert_eq!(after(from, to), [expected], "{from} -> {to}");
    }
}

#[test]
fn a_workspace_must_still_fit_its_range() {
    let transparent =
        |text: &str| text.replace("workspace:^,", "npm:^1.0.0,").replace("\"workspace:^\"", "\"npm:^1.0.0\"");
    let root = ROOT.replace("workspace:^", "^1.0.0");
    assert_eq!(drift_of(&transparent(LOCK), &root, A, SETTINGS), [""; 0]);
    let expected = "`root@workspace:.` depends on `a@npm:^1.0.0`, but the lockfile has `workspace:packages/a`";
    let a = A.replace("1.0.0", "2.0.0");
    let settings = [SETTINGS, "enableTransparentWorkspaces: false\n"].concat();
    for (a, settings) in [(a.as_str(), SETTINGS), (A, settings.as_str())] {
        assert_eq!(drift_of(&transparent(LOCK), &root, a, settings), [expected]);
    }
}
