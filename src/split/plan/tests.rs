//! Edits each kind of input in a repository in memory, and checks what the model says.

mod products;

use super::*;
use crate::{
    repo::{
        MemoryTree,
        states::{FileKind, FileState},
    },
    split::Choices,
};

const LOCK: &str = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "acme" },
    "apps/api": { "name": "api" },
    "apps/web": { "name": "web", "dependencies": { "ui": "workspace:*", "react": "^18.0.0" } },
    "packages/ui": { "name": "ui" },
  },
  "packages": {
    "react": ["react@18.0.0", "", { "dependencies": { "loose": "1" } }, "sha512-AAAA"],
    "loose": ["loose@1.0.0", "", {}, "sha512-AAAA"],
    "native": ["native@1.0.0", "", { "os": "darwin" }, "sha512-AAAA"],
    "ui": ["ui@workspace:packages/ui"],
  }
}
"#;

pub(super) type Files<'a> = BTreeMap<&'a str, &'a str>;

fn files() -> Files<'static> {
    BTreeMap::from([
        (
            "package.json",
            r#"{"name": "acme", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"], "scripts": {}}"#,
        ),
        ("bun.lock", LOCK),
        (
            "apps/web/package.json",
            r#"{"name": "web", "scripts": {"build": "x"}, "dependencies": {"ui": "workspace:*", "react": "^18.0.0"}}"#,
        ),
        ("apps/web/index.ts", "1"),
        ("apps/web/index.test.ts", "1"),
        ("apps/api/package.json", r#"{"name": "api", "scripts": {"build": "x"}}"#),
        ("packages/ui/package.json", r#"{"name": "ui"}"#),
        ("packages/ui/index.ts", "1"),
        ("tsconfig.json", "{}"),
        ("README.md", "1"),
        (".npmrc", "registry=https://registry.example/\n"),
        ("nix/splitter/package.nix", "{ }"),
        ("nix/splitter/dev-shell.nix", "{ }"),
        ("nix/splitter/tools/app.mjs", "1"),
        ("flake.nix", "{ }"),
    ])
}

pub(super) fn derivations(files: &Files<'_>) -> Derivations {
    let tree = MemoryTree::new(files.iter().map(|(path, text)| (*path, *text)));
    let split = Split::read(&tree, &Choices::default()).unwrap();
    let state = |text: &str| FileState::new(text.as_bytes(), FileKind::Plain, false);
    let states = files.iter().map(|(path, text)| (path.parse().unwrap(), state(text))).collect();
    Derivations::of(&split, states, &Recorded::default(), System::X8664Linux)
}

/// Returns the derivations that an edit changes, each with its causes as JSON.
fn edit(path: &str, text: &str) -> Vec<(String, Effect, String)> {
    edit_of(&files(), path, text)
}

fn edit_of<'a>(files: &Files<'a>, path: &'a str, text: &'a str) -> Vec<(String, Effect, String)> {
    let mut edited = files.clone();
    edited.insert(path, text);
    let comparison = compare(&derivations(files), &derivations(&edited));
    assert_eq!(comparison.files.keys().map(RepoPath::as_str).collect::<Vec<_>>(), [path]);
    let changed = comparison.verdicts.iter().filter(|(_, verdict)| verdict.effect != Effect::Kept);
    let shown = |verdict: &Verdict| serde_json::to_string(&verdict.causes).unwrap();
    let changed: Vec<_> = changed.map(|(id, verdict)| (id.to_string(), verdict.effect, shown(verdict))).collect();
    assert_eq!(comparison.idle.is_empty(), !changed.is_empty());
    changed
}

/// Returns the causes of one derivation.
fn causes_of<'a>(changed: &'a [(String, Effect, String)], name: &str) -> &'a str {
    changed.iter().find(|(found, ..)| found == name).map_or("", |(.., causes)| causes)
}

fn names(changed: &[(String, Effect, String)]) -> Vec<&str> {
    changed.iter().map(|(name, ..)| name.as_str()).collect()
}

/// Returns the names of the derivations that a derivation is built from.
fn needs_of(state: &Derivations, id: &Id) -> Vec<String> {
    let derivation = &state.all[id];
    let libraries = derivation.libraries.ones().map(|number| &state.parts.libraries[number].id);
    derivation.needs.iter().chain(libraries).map(ToString::to_string).collect()
}

#[test]
fn a_source_file_changes_the_apps_that_are_built_with_it() {
    let changed = edit("packages/ui/index.ts", "2");
    assert_eq!(names(&changed), ["web"]);
    assert_eq!(
        changed[0].2,
        r#"[{"kind":"source","path":"packages/ui/index.ts","change":"changed","way":["apps/web","packages/ui"]}]"#
    );
    assert_eq!(names(&edit("apps/web/other.ts", "2")), ["web"]);
    let changed = edit("tsconfig.json", "{ }");
    assert_eq!(names(&changed), ["api", "web"]);
    assert!(changed[0].2.contains("rootFile"), "{changed:?}");
}

#[test]
fn what_no_build_reads_changes_nothing() {
    for (path, text) in [
        ("README.md", "2"),
        ("apps/web/index.test.ts", "2"),
        ("other.nix", "{ }"),
        ("nix/splitter/.gitattributes", "*"),
        ("nix/splitter/dev-shell.nix", "{ x = 1; }"),
        ("nix/splitter/outputs.nix", "{ }"),
        (".npmrc", "registry=https://registry.example/\n//registry.example/:_authToken=secret\n"),
        (
            "package.json",
            r#"{"scripts": {"a": "b"}, "name": "acme", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"]}"#,
        ),
    ] {
        assert_eq!(names(&edit(path, text)), [""; 0], "{path}");
    }
}

#[test]
fn a_locked_package_changes_downloads_install_and_apps() {
    let lock = LOCK.replace("loose@1.0.0", "loose@1.1.0").replace("react@18.0.0", "react@18.2.0");
    let changed = edit("bun.lock", &lock);
    assert_eq!(names(&changed), ["deps-common", "nodeModules", "api", "web"]);
    assert_eq!(
        changed[0].2,
        r#"[{"kind":"package","name":"loose","from":["1.0.0"],"to":["1.1.0"],"workspaces":[],"packages":["react@18.2.0"]},{"kind":"package","name":"react","from":["18.0.0"],"to":["18.2.0"],"workspaces":["apps/web"],"packages":[]}]"#
    );
    assert_eq!(
        changed[1].2,
        r#"[{"kind":"derivation","name":"deps-common"},{"kind":"file","path":"bun.lock","change":"changed"}]"#
    );
    assert_eq!(changed[2].2, r#"[{"kind":"derivation","name":"nodeModules"}]"#);
    // Tarballs of another system are no input of this system's install, but the lockfile is.
    let changed = edit("bun.lock", &LOCK.replace("native@1.0.0", "native@1.1.0"));
    assert_eq!(names(&changed), ["deps-aarch64-darwin", "deps-x86_64-darwin", "nodeModules", "api", "web"]);
}

#[test]
fn fields_of_manifests_are_told_apart() {
    let manifest =
        r#"{"name": "web", "scripts": {"build": "y"}, "dependencies": {"ui": "workspace:*", "react": "^18.0.0"}}"#;
    assert_eq!(names(&edit("apps/web/package.json", manifest)), ["web"]);
    let manifest = manifest.replace("^18.0.0", "^18.2.0").replace("{\"name", "{\"version\": \"2\", \"name");
    let changed = edit("apps/web/package.json", &manifest);
    assert_eq!(names(&changed), ["nodeModules", "api", "web"]);
    assert_eq!(
        changed[0].2,
        r#"[{"kind":"manifest","path":"apps/web/package.json","fields":["dependencies: react ^18.0.0 -> ^18.2.0","version"]}]"#
    );
    let manifest = r#"{"name": "api", "scripts": {"build": "x"}, "dependencies": {"ui": "workspace:*"}}"#;
    let changed = edit("apps/api/package.json", manifest);
    assert!(changed[1].2.contains(r#""kind":"workspace","path":"packages/ui","change":"added""#), "{changed:?}");
}

#[test]
fn of_nix_files_only_nix_can_tell() {
    let changed = edit("nix/splitter/package.nix", "{ x = 1; }");
    assert_eq!(names(&changed), ["api", "web"]);
    assert!(changed.iter().all(|(_, effect, _)| *effect == Effect::Unsure));
    let changed = edit("flake.nix", "{ x = 1; }");
    assert_eq!(changed.len(), 6);
    assert!(changed.iter().all(|(_, effect, _)| *effect == Effect::Unsure));
    let changed = edit("nix/splitter/network.nix", "{ }");
    assert_eq!(changed.len(), 6);
    // Every derivation reads the programs.
    let changed = edit("nix/splitter/tools/app.mjs", "2");
    assert_eq!(changed.len(), 6);
    assert!(changed.iter().all(|(_, effect, _)| *effect == Effect::Rebuilt));
}

#[test]
fn the_executable_bit_is_told_apart_from_the_content() {
    let before = derivations(&files());
    let mut after = before.clone();
    let path: RepoPath = "packages/ui/index.ts".parse().unwrap();
    for states in [after.sources.get_mut("packages/ui").unwrap(), &mut after.files] {
        states.get_mut(&path).unwrap().kind = FileKind::Executable;
    }
    let comparison = compare(&before, &after);
    assert_eq!(comparison.files, BTreeMap::from([(path, Change::Mode)]));
    assert_eq!(comparison.effect(&Id::App("web".to_owned())), Effect::Rebuilt);
    assert_eq!(comparison.effect(&Id::App("api".to_owned())), Effect::Kept);
}

/// The same files with `ui` as a library with a build. `web` is its only user.
fn with_built_library() -> Files<'static> {
    let mut files = files();
    files.extend([
        ("packages/ui/package.json", r#"{"name": "ui", "main": "dist/index.js", "scripts": {"build": "tsc"}}"#),
        ("packages/ui/tsconfig.json", r#"{"extends": "../../tsconfig.base.json"}"#),
        ("tsconfig.base.json", "{}"),
        ("nix/splitter/library.nix", "{ }"),
    ]);
    files
}

#[test]
fn a_library_that_is_built_by_itself_changes_those_that_need_it() {
    let files = with_built_library();
    let changed = edit_of(&files, "packages/ui/index.ts", "2");
    assert_eq!(names(&changed), ["library-ui", "web"]);
    let source =
        |way: &str| format!(r#"{{"kind":"source","path":"packages/ui/index.ts","change":"changed","way":[{way}]}}"#);
    assert_eq!(changed[0].2, format!("[{}]", source(r#""packages/ui""#)));
    assert_eq!(
        changed[1].2,
        format!(r#"[{{"kind":"derivation","name":"library-ui"}},{}]"#, source(r#""apps/web","packages/ui""#))
    );
    assert_eq!(names(&edit_of(&files, "apps/web/index.ts", "2")), ["web"]);
    assert_eq!(names(&edit_of(&files, "nix/splitter/library.nix", "{ x = 1; }")), ["library-ui", "web"]);
    let changed = edit_of(&files, "nix/splitter/package.nix", "{ x = 1; }");
    assert_eq!(names(&changed), ["api", "web"]);
}

#[test]
fn of_a_library_that_exposes_its_output_others_see_the_manifest() {
    let mut files = with_built_library();
    let config = r#"{"workspaces": {"packages/ui": {"exposes": "output"}}}"#;
    let changed = edit_of(&files, "splitter.json", config);
    assert_eq!(names(&changed), ["library-ui", "web"]);
    assert!(changed[1].2.contains(r#""kind":"workspace","path":"packages/ui","change":"changed""#), "{changed:?}");
    files.insert("splitter.json", config);
    let changed = edit_of(&files, "packages/ui/index.ts", "2");
    assert_eq!(changed[1].2, r#"[{"kind":"derivation","name":"library-ui"}]"#);
    let manifest = r#"{"name": "ui", "main": "dist/index.js", "scripts": {"build": "tsc", "x": "y"}}"#;
    let changed = edit_of(&files, "packages/ui/package.json", manifest);
    assert!(causes_of(&changed, "web").contains(r#""path":"packages/ui/package.json""#), "{changed:?}");
}

#[test]
fn a_root_file_changes_those_that_are_built_with_a_workspace_that_reads_it() {
    let changed = edit_of(&with_built_library(), "tsconfig.base.json", "{ }");
    assert_eq!(names(&changed), ["library-ui", "web"]);
    let root_file =
        |way: &str| format!(r#"{{"kind":"rootFile","path":"tsconfig.base.json","change":"changed","way":[{way}]}}"#);
    assert_eq!(changed[0].2, format!("[{}]", root_file(r#""packages/ui""#)));
    assert!(changed[1].2.ends_with(&format!("{}]", root_file(r#""apps/web","packages/ui""#))), "{changed:?}");
    let mut files = with_built_library();
    files.extend([("splitter.json", r#"{"rootFiles": ["data"]}"#), ("data/y.json", "1")]);
    let changed = edit_of(&files, "data/x.json", "{}");
    assert_eq!(names(&changed), ["library-ui", "api", "web"]);
    assert!(changed[1].2.contains(r#""path":"data/x.json","change":"added","way":[]"#), "{changed:?}");
}

#[test]
fn builds_of_libraries_come_in_the_order_of_their_needs() {
    let manifest = |name: &str, uses: &str| {
        format!(
            r#"{{"name": "{name}", "main": "dist/i.js", "scripts": {{"build": "tsc"}}, "dependencies": {{{uses}}}}}"#
        )
    };
    let (ui, base) = (manifest("ui", r#""base": "*""#), manifest("base", ""));
    let mut files = files();
    files.extend([("packages/ui/package.json", ui.as_str()), ("packages/base/package.json", base.as_str())]);
    let built = derivations(&files);
    let needs = |id: Id| needs_of(&built, &id);
    assert_eq!(needs(Id::App("web".to_owned())), ["nodeModules", "library-base", "library-ui"]);
    assert_eq!(needs(Id::Library("ui".to_owned())), ["nodeModules", "library-base"]);
    let order = built.parts.in_order(&built.all[&Id::App("web".to_owned())].libraries);
    assert_eq!(order.iter().map(|path| path.as_str()).collect::<Vec<_>>(), ["packages/base", "packages/ui"]);
    // In a ring one build does not wait, and gets no output of the other.
    let ring = manifest("base", "").replace("\"dependencies\": {}", r#""devDependencies": {"ui": "*"}"#);
    files.insert("packages/base/package.json", &ring);
    let built = derivations(&files);
    let needs = |id: Id| needs_of(&built, &id);
    assert_eq!(needs(Id::Library("base".to_owned())), ["nodeModules"]);
    assert_eq!(needs(Id::Library("ui".to_owned())), ["nodeModules", "library-base"]);
}

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Returns the lockfile with one more package.
fn lock_with(entry: &str) -> String {
    LOCK.replace("    \"loose\":", &format!("    {entry},\n    \"loose\":"))
}

#[test]
fn a_commit_or_an_archive_of_a_repository_is_a_package_by_its_name() {
    let entry = |id: &str| format!(r#""r": ["r@git+https://git.example/o/r.git#{id}", {{}}, "{id}"]"#);
    let (lock, other) = (lock_with(&entry(COMMIT)), lock_with(&entry(&COMMIT.replace("0123", "4567"))));
    let changed = edit("bun.lock", &lock);
    assert_eq!(names(&changed), ["deps-common", "nodeModules", "api", "web"]);
    assert_eq!(
        changed[0].2,
        r#"[{"kind":"package","name":"r","from":[],"to":["0123456789ab"],"workspaces":[],"packages":[]}]"#
    );
    // The install now needs git, and finds the commit by its id.
    assert_eq!(
        changed[1].2,
        r#"[{"kind":"derivation","name":"deps-common"},{"kind":"file","path":"bun.lock","change":"changed"},{"kind":"setting","name":"programs for git dependencies","from":null,"to":"git"}]"#
    );
    let mut files = files();
    files.insert("bun.lock", &lock);
    let changed = edit_of(&files, "bun.lock", &other);
    assert!(changed[0].2.contains(r#""name":"r","from":["0123456789ab"],"to":["456745678"#), "{changed:?}");
    assert!(!changed[1].2.contains("setting"), "{changed:?}");
    // The files of an archive are repacked, and the install gets its URL.
    let changed = edit("bun.lock", &lock_with(r#""a": ["a@github:o/a#552b355", {}, "o-a-552b355"]"#));
    let package = r#"{"kind":"package","name":"a","from":[],"to":["552b355"],"workspaces":[],"packages":[]}"#;
    assert!(changed[0].2.contains(package) && changed[1].2.contains(package), "{changed:?}");
}

#[test]
fn an_app_with_an_install_of_its_own_is_built_with_that() {
    let config = r#"{"workspaces": {"apps/web": {"install": "own"}}}"#;
    let changed = edit("splitter.json", config);
    assert_eq!(names(&changed), ["nodeModules-web", "web"]);
    assert_eq!(changed[0].1, Effect::Added);
    let setting = |from: &str, to: &str| {
        format!(r#"{{"kind":"setting","name":"installed dependencies","from":{from},"to":{to}}}"#)
    };
    let own = r#""of the app""#;
    let need = r#"{"kind":"derivation","name":"nodeModules-web"}"#;
    assert_eq!(changed[1].2, format!("[{need},{}]", setting("null", own)));
    let mut files = files();
    files.insert("splitter.json", config);
    let production = config.replace("own", "production");
    let changed = edit_of(&files, "splitter.json", &production);
    assert_eq!(names(&changed), ["nodeModules-web", "web"]);
    let without = r#""of the app, without development dependencies""#;
    assert_eq!(changed[0].2, format!("[{}]", setting(own, without)));
    // Manifests and lockfile are inputs of each install, even if the change is in another workspace.
    let changed =
        edit_of(&files, "apps/api/package.json", r#"{"name": "api", "scripts": {"build": "x"}, "version": "2"}"#);
    assert_eq!(names(&changed), ["nodeModules", "nodeModules-web", "api", "web"]);
    assert_eq!(causes_of(&changed, "web"), r#"[{"kind":"derivation","name":"nodeModules-web"}]"#);
    let everywhere = edit("splitter.json", r#"{"install": "own"}"#);
    assert_eq!(names(&everywhere), ["nodeModules-api", "nodeModules-web", "api", "web"]);
}

#[test]
fn another_registry_to_ask_changes_the_downloads() {
    let url = "https://old.example/npm/react/-/react-18.0.0.tgz";
    let lock = LOCK.replace(r#"["react@18.0.0", """#, &format!(r#"["react@18.0.0", "{url}""#));
    let mut files = files();
    files.insert("bun.lock", &lock);
    let npmrc = format!("{}replace-registry-host=always\n", files[".npmrc"]);
    let changed = edit_of(&files, ".npmrc", &npmrc);
    let setting = r#"[{"kind":"setting","name":"replaced registries","from":null,"to":"https://old.example/npm/"}]"#;
    assert_eq!(causes_of(&changed, "deps-common"), setting);
    assert_eq!(changed[3].2, r#"[{"kind":"derivation","name":"deps-common"}]"#, "{changed:?}");
}

#[test]
fn scripts_and_their_downloads_change_the_install() {
    let config = r#"{"scripts": ["loose", "react"]}"#;
    let changed = edit("splitter.json", config);
    assert_eq!(names(&changed), ["nodeModules", "api", "web"]);
    assert!(changed[0].2.contains(r#""to":"loose, react""#), "{changed:?}");
    let mut files = files();
    files.insert("splitter.json", config);
    // Scripts of packages with downloads run anyway, so the list of packages whose scripts run does not change.
    let both = r#"{"scripts": ["loose", "react"], "downloads": {"react": ["https://files.example/a.gz"]}}"#;
    let changed = edit_of(&files, "splitter.json", both);
    assert_eq!(names(&changed), ["deps-common", "nodeModules", "api", "web"]);
    let package = r#"{"kind":"package","name":"react","from":[],"to":["files.example/a.gz"],"workspaces":["apps/web"],"packages":[]}"#;
    assert_eq!(changed[0].2, format!("[{package}]"));
    assert_eq!(
        changed[1].2,
        format!(
            r#"[{{"kind":"derivation","name":"deps-common"}},{package},{{"kind":"setting","name":"packages whose install scripts download","from":null,"to":"react"}}]"#
        )
    );
    files.insert("splitter.json", both);
    let moved = r#"{"scripts": ["loose"], "downloads": {"react": ["https://files.example/a.gz"]}}"#;
    assert_eq!(names(&edit_of(&files, "splitter.json", moved)), [""; 0]);
}

#[test]
fn a_linked_folder_is_a_source_and_its_manifest_part_of_the_install() {
    let manifest = r#"{"name": "web", "scripts": {"build": "x"},
        "dependencies": {"ui": "workspace:*", "react": "^18.0.0", "l": "link:../../lib/l", "own": "link:./own"}}"#;
    let changed = edit("apps/web/package.json", manifest);
    assert_eq!(
        causes_of(&changed, "web"),
        r#"[{"kind":"derivation","name":"nodeModules"},{"kind":"source","path":"apps/web/package.json","change":"changed","way":["apps/web"]},{"kind":"workspace","path":"apps/web/own","change":"added","way":["apps/web","apps/web/own"]},{"kind":"workspace","path":"lib/l","change":"added","way":["apps/web","lib/l"]}]"#
    );
    let mut files = files();
    files.extend([
        ("apps/web/package.json", manifest),
        ("apps/web/own/index.js", "1"),
        ("lib/l/package.json", r#"{"name": "l"}"#),
        ("lib/l/index.js", "1"),
        ("lib/other.js", "1"),
    ]);
    let changed = edit_of(&files, "lib/l/index.js", "2");
    assert_eq!(names(&changed), ["web"]);
    assert_eq!(
        changed[0].2,
        r#"[{"kind":"source","path":"lib/l/index.js","change":"changed","way":["apps/web","lib/l"]}]"#
    );
    // This folder also belongs to the workspace.
    let changed = edit_of(&files, "apps/web/own/index.js", "2");
    assert_eq!(
        causes_of(&changed, "web"),
        r#"[{"kind":"source","path":"apps/web/own/index.js","change":"changed","way":["apps/web"]}]"#
    );
    for (path, text, expected) in [
        ("lib/l/index.test.js", "2", &[][..]),
        ("lib/other.js", "2", &[]),
        ("lib/l/package.json", r#"{"name": "l", "scripts": {}}"#, &["web"]),
        ("lib/l/package.json", r#"{"name": "l", "bin": "b.js"}"#, &["nodeModules", "api", "web"]),
        ("apps/web/own/package.json", "{}", &["nodeModules", "api", "web"]),
    ] {
        assert_eq!(names(&edit_of(&files, path, text)), expected, "{path}: {text}");
    }
}

#[test]
fn patches_of_patch_package_are_part_of_the_install() {
    let root = |script: &str| {
        files()["package.json"].replace(r#""scripts": {}"#, &format!(r#""scripts": {{"postinstall": "{script}"}}"#))
    };
    let (usual, elsewhere) = (root("patch-package"), root("patch-package --patch-dir tools"));
    let mut files = files();
    files.extend([("patches/react+18.0.0.patch", "1"), ("tools/react+18.0.0.patch", "1")]);
    let changed = edit_of(&files, "package.json", &usual);
    assert_eq!(names(&changed), ["nodeModules", "api", "web"]);
    assert!(
        changed[0].2.contains(r#""name":"patches of patch-package","from":null,"to":"patches applied by the root""#),
        "{changed:?}"
    );
    files.insert("package.json", &usual);
    let changed = edit_of(&files, "patches/react+18.0.0.patch", "2");
    assert_eq!(names(&changed), ["nodeModules", "api", "web"]);
    assert_eq!(changed[0].2, r#"[{"kind":"file","path":"patches/react+18.0.0.patch","change":"changed"}]"#);
    assert_eq!(names(&edit_of(&files, "tools/react+18.0.0.patch", "2")), [""; 0]);
    assert_eq!(names(&edit_of(&files, "package.json", &elsewhere)), ["nodeModules", "api", "web"]);
}

#[test]
fn a_program_that_makes_a_package_is_part_of_the_install() {
    let lock = "__metadata:\n  version: 8\n  cacheKey: 10\n\n\
        \"acme@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"acme@workspace:.\"\n  \
        dependencies:\n    made: \"exec:./make.js\"\n  languageName: unknown\n  linkType: soft\n\n\
        \"made@exec:./make.js::locator=acme%40workspace%3A.\":\n  version: 0.0.0\n  \
        resolution: \"made@exec:./make.js#./make.js::hash=0a&locator=acme%40workspace%3A.\"\n  \
        languageName: node\n  linkType: hard\n";
    let files = BTreeMap::from([
        (
            "package.json",
            r#"{"name": "acme", "packageManager": "yarn@4.9.1", "scripts": {"build": "x"}, "dependencies": {"made": "exec:./make.js"}}"#,
        ),
        ("yarn.lock", lock),
        ("make.js", "1"),
    ]);
    let changed = edit_of(&files, "make.js", "2");
    assert_eq!(causes_of(&changed, "nodeModules"), r#"[{"kind":"file","path":"make.js","change":"changed"}]"#);
}

#[test]
fn a_check_is_run_again_for_what_it_reads_and_for_tests_of_its_workspace() {
    let mut files = files();
    files.insert("splitter.json", r#"{"checks": ["test"]}"#);
    files.insert(
        "apps/web/package.json",
        r#"{"name": "web", "scripts": {"build": "x", "test": "vitest"}, "dependencies": {"ui": "workspace:*", "react": "^18.0.0"}}"#,
    );
    files.insert("vitest.config.ts", "1");
    assert_eq!(names(&edit_of(&files, "apps/web/index.test.ts", "2")), ["web-test"]);
    assert_eq!(names(&edit_of(&files, "vitest.config.ts", "2")), ["web-test"]);
    assert_eq!(names(&edit_of(&files, "packages/ui/index.ts", "2")), ["web", "web-test"]);
    assert_eq!(
        names(&edit_of(&files, "apps/api/package.json", r#"{"name": "api", "scripts": {"build": "y"}}"#)),
        ["api"]
    );
    let changed = edit_of(&files, "apps/web/index.test.ts", "2");
    assert!(changed[0].2.contains(r#""path":"apps/web/index.test.ts""#), "{}", changed[0].2);
}

#[test]
fn what_has_something_to_run_may_be_built_for_others_too() {
    let mut files = files();
    files.insert("splitter.json", r#"{"workspaces": {"apps/web": {"uses": ["apps/api"]}}}"#);
    files.insert("apps/api/index.ts", "1");
    let all = derivations(&files);
    assert!(all.get(&Id::App("api".to_owned())).is_some());
    let changed = edit_of(&files, "apps/api/index.ts", "2");
    assert_eq!(names(&changed), ["api", "web"]);
    assert!(changed[1].2.contains(r#"{"kind":"derivation","name":"api"}"#), "{}", changed[1].2);
}
