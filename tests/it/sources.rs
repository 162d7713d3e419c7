//! Checks that `scan` shows the files that Nix copies. The rules for sources exist in Rust and in Nix, so this test compares both
//! on generated trees. One evaluation covers all trees, because most of its time is the start of Nix.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Permissions,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use camino::Utf8Path;
use fs_err as fs;
use proptest::{prelude::*, sample::select, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::{Value, json};
use splitter::{
    repo::WorkTree,
    scaffold::record::{Known, compose},
    split::{Choices, Split, sources::Sources},
};

use crate::support::{TestContext, stand_in::write_stand_in, succeed};

/// The number of generated trees.
const TREES: usize = 60;

/// The folders of workspaces: one inside another, some with odd names, some whose names a rule excludes elsewhere.
const WORKSPACES: [&str; 7] =
    ["apps/web", "apps/a b", "packages/ui", "packages/ui/plugins/p", "packages/tests", "packages/core", "dist/ü"];

/// Folders. Many match a rule or nearly match one.
const FOLDERS: [&str; 18] = [
    "src",
    "lib",
    "test",
    "tests",
    "__tests__",
    "dist",
    "docs",
    "coverage",
    ".next",
    "node_modules",
    "nix",
    ".git",
    "a b",
    "ü",
    "plugins",
    "x.test.ts",
    "readme.md",
    ".yarn",
];

const FILES: [&str; 24] = [
    "index.ts",
    "a.test.ts",
    "b.spec.jsx",
    "README.md",
    "readme",
    "CHANGELOG.mdx",
    "security.txt",
    "readme.rst",
    ".env.example",
    ".eslintcache",
    "x.nix",
    "a b.ts",
    "ü.ts",
    "$x`'\".ts",
    "*.ts",
    "[a].ts",
    "a\\b.ts",
    "tsconfig.tsbuildinfo",
    ".yarnrc.yml",
    "tests",
    "dist",
    "-dash",
    "node_modules",
    ".git",
];

const GLOBS: [&str; 20] = [
    "src",
    "src/**",
    "tests",
    "tests/**",
    "**/*.md",
    "*.nix",
    "**/dist/**",
    "./docs/",
    "a b/*",
    "?.ts",
    "**",
    "*",
    "src/*.test.ts",
    "dist",
    "**/__tests__/**",
    "**/x.nix",
    ".next/index.ts",
    "*.ts",
    "src**",
    "plugins/p/**",
];

/// Folders that workspaces link to: in the root, in other workspaces, around workspaces, excluded by a rule, and missing.
const LINKED: [&str; 9] = [
    "lib",
    "docs",
    "tests",
    "packages/ui/src",
    "packages/core/dist",
    "packages/ui/plugins",
    "apps/web/tests/lib",
    "gone",
    "x.test.ts",
];

/// Targets of symbolic links: beside them, in other workspaces, around them, and none.
const LINKS: [&str; 12] = [
    "index.ts",
    "../lib",
    "../tests",
    "../../docs",
    "../../lib",
    "../../packages/core/src",
    "../../packages/ui",
    "../../packages/ui/plugins",
    "../../packages/tests/README.md",
    "../../tsconfig.json",
    "/etc/passwd",
    "nowhere",
];

/// What to create at a path of a tree.
#[derive(Debug, Clone)]
enum Made {
    File { executable: bool },
    Link(&'static str),
    EmptyFolder,
}

#[derive(Debug, Clone)]
struct Tree {
    workspaces: BTreeSet<&'static str>,
    /// Dependencies between workspaces, by index in [`WORKSPACES`].
    dependencies: Vec<(usize, usize)>,
    /// Include and exclude globs, by index among the workspaces of the tree.
    globs: Vec<(usize, bool, &'static str)>,
    /// Libraries that expose only their output.
    closed: BTreeSet<&'static str>,
    root_files: Vec<&'static str>,
    /// Linked folders, by index of the linking workspace.
    links: Vec<(usize, &'static str)>,
    /// Whether the root is an app too. Its sources are the files that no other workspace owns.
    root_is_app: bool,
    /// The index of the workspace among those of the tree (`None` for the root), folders, a name, and what to create there.
    things: Vec<(Option<usize>, Vec<&'static str>, &'static str, Made)>,
}

fn trees() -> impl Strategy<Value = Tree> {
    let place = 0..WORKSPACES.len();
    let made = prop_oneof![
        6 => any::<bool>().prop_map(|executable| Made::File { executable }),
        2 => select(LINKS.to_vec()).prop_map(Made::Link),
        1 => Just(Made::EmptyFolder),
    ];
    let folders = proptest::collection::vec(select(FOLDERS.to_vec()), 0..4);
    let thing = (proptest::option::weighted(0.9, place.clone()), folders, select(FILES.to_vec()), made);
    (
        proptest::collection::btree_set(select(WORKSPACES.to_vec()), 1..WORKSPACES.len()),
        proptest::collection::vec((place.clone(), place.clone()), 0..7),
        proptest::collection::vec((place, any::<bool>(), select(GLOBS.to_vec())), 0..5),
        proptest::collection::btree_set(select(vec!["packages/ui", "packages/core"]), 0..2),
        proptest::collection::vec(
            select(vec![
                "docs",
                "tsconfig.base.json",
                "packages/core/src",
                "nix/extra.nix",
                "**/index.ts",
                "lib/*.ts",
                "packages/core/**/*.md",
                "docs?/**",
            ]),
            0..2,
        ),
        proptest::collection::vec((0..WORKSPACES.len(), select(LINKED.to_vec())), 0..3),
        any::<bool>(),
        proptest::collection::vec(thing, 25..60),
    )
        .prop_map(|(workspaces, dependencies, globs, closed, root_files, links, root_is_app, things)| {
            let closed = closed.intersection(&workspaces).copied().collect();
            Tree { workspaces, dependencies, globs, closed, root_files, links, root_is_app, things }
        })
}

/// Writes a tree as a repository of Bun.
fn write(tree: &Tree, root: &Utf8Path) {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let name = |path: &str| format!("w{}", WORKSPACES.iter().position(|workspace| *workspace == path).unwrap());
    let mut locked = json!({ "": { "name": "root" } });
    for path in &tree.workspaces {
        let dependencies = tree.dependencies.iter().filter(|(from, to)| WORKSPACES[*from] == *path && from != to);
        let mut dependencies: BTreeMap<_, _> = dependencies
            .map(|(_, to)| WORKSPACES[*to])
            .filter(|to| tree.workspaces.contains(to))
            .map(|to| (name(to), "workspace:*".to_owned()))
            .collect();
        let links = tree.links.iter().filter(|(at, _)| tree.workspaces.iter().cycle().nth(*at) == Some(path));
        let up = "../".repeat(path.split('/').count());
        dependencies.extend(
            links.map(|(_, folder)| (format!("to-{}", folder.replace('/', "-")), format!("link:{up}{folder}"))),
        );
        locked[path] = json!({ "name": name(path), "dependencies": dependencies });
        let manifest = json!({
            "name": name(path), "dependencies": dependencies, "main": "dist/index.js", "scripts": { "build": "tsc" },
        });
        put(&format!("{path}/package.json"), &manifest.to_string());
    }
    let paths: Vec<_> = tree.workspaces.iter().collect();
    put("package.json", &json!({ "name": "root", "packageManager": "bun@1.4.4", "workspaces": paths }).to_string());
    put("bun.lock", &json!({ "lockfileVersion": 1, "workspaces": locked, "packages": {} }).to_string());
    put("tsconfig.json", "{\"extends\": \"./config/base\"}");
    put("config/base.json", "{}");
    let mut choices = json!({ "workspaces": {}, "rootFiles": tree.root_files });
    for path in tree.root_files.iter().filter(|path| !path.contains(['*', '?'])) {
        let file = if path.contains('.') { (*path).to_owned() } else { format!("{path}/of-the-root.txt") };
        put(&file, "of the root");
    }
    for path in &tree.workspaces {
        let globs = |include: bool| -> Vec<&str> {
            let is_own = |at: usize| tree.workspaces.iter().cycle().nth(at) == Some(path);
            let own = tree.globs.iter().filter(|(at, kind, _)| is_own(*at) && *kind == include);
            own.map(|(_, _, glob)| *glob).collect()
        };
        choices["workspaces"][path] = json!({ "include": globs(true), "exclude": globs(false) });
        choices["workspaces"][path]["kind"] = if path.starts_with("packages/") { "library" } else { "app" }.into();
        if tree.closed.contains(path) {
            choices["workspaces"][path]["exposes"] = "output".into();
        }
    }
    if tree.root_is_app {
        choices["workspaces"]["."] = json!({ "kind": "app", "build": "true", "output": "src/out" });
    }
    put("splitter.json", &choices.to_string());
    for (workspace, folders, name, made) in &tree.things {
        let workspace = workspace.and_then(|at| tree.workspaces.iter().cycle().nth(at));
        let mut path = workspace.map_or_else(|| root.to_owned(), |path| root.join(path));
        path.extend(folders);
        // A file may exist where a folder is needed. Such paths are skipped.
        if fs::create_dir_all(&path).is_err() {
            continue;
        }
        let path = path.join(name);
        if path.symlink_metadata().is_ok() {
            continue;
        }
        let _ = match made {
            Made::File { executable } => fs::write(&path, path.as_str()).and_then(|()| {
                fs::set_permissions(&path, Permissions::from_mode(if *executable { 0o755 } else { 0o644 }))
            }),
            Made::Link(target) => symlink(target, &path),
            Made::EmptyFolder => fs::create_dir(&path),
        };
    }
}

/// Adds the contents of a part of a source set, by path from the root of the repository.
fn contents_in(part: &Value, found: &mut BTreeMap<String, String>) {
    let mut inner = BTreeMap::new();
    contents(part["source"].as_str().unwrap().into(), "", &mut inner);
    let folder = part["path"].as_str().unwrap();
    let path = |inner: String| if folder.is_empty() { inner } else { format!("{folder}/{inner}") };
    found.extend(inner.into_iter().map(|(inner, what)| (path(inner), what)));
}

/// Adds the contents below a folder, by path, as a copy in the store must have them.
fn contents(root: &Utf8Path, folder: &str, found: &mut BTreeMap<String, String>) {
    let mut is_empty = true;
    for entry in root.join(folder).read_dir_utf8().unwrap().map(Result::unwrap) {
        is_empty = false;
        let path =
            if folder.is_empty() { entry.file_name().to_owned() } else { format!("{folder}/{}", entry.file_name()) };
        if entry.file_type().unwrap().is_dir() {
            contents(root, &path, found);
        } else {
            let what = what_is(&root.join(&path));
            found.insert(path, what);
        }
    }
    if is_empty && !folder.is_empty() {
        found.insert(folder.to_owned(), "an empty folder".to_owned());
    }
}

fn what_is(path: &Utf8Path) -> String {
    let metadata = path.symlink_metadata().unwrap();
    if metadata.is_symlink() {
        return format!("a link to {}", path.read_link_utf8().unwrap());
    }
    let executable = if metadata.permissions().mode() & 0o111 == 0 { "file" } else { "program" };
    format!("a {executable} with {}", fs::read_to_string(path).unwrap())
}

/// Returns the source sets that Rust finds in a tree, by workspace. Writes the record next to the tree.
fn source_sets(root: &Utf8Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let tree = WorkTree::at(root);
    let split = Split::read(&tree, &Choices::default()).unwrap();
    fs::create_dir_all(root.parent().unwrap().join("records")).unwrap();
    let record = root.parent().unwrap().join("records").join(format!("{}.json", root.file_name().unwrap()));
    fs::write(record, compose(&split, Known::default()).render()).unwrap();
    let files = tree.source_files().unwrap();
    let sources = Sources::sort(&files, &split.graph, &split.config, &split.root_files);
    let built = split.graph.apps().chain(split.graph.libraries());
    let sets = built.map(|(_, workspace)| {
        let set = sources.of(&workspace.path, &split.graph.closure(&workspace.path));
        let files = set.files.iter().map(|path| (path.to_string(), what_is(&root.join(path.as_str()))));
        (workspace.path.as_str().to_owned(), files.collect())
    });
    sets.collect()
}

/// Returns the store paths of each source set, by tree and workspace.
const EXPRESSION: &str = r#"
{ folder, lib, templates, paths }:
let
  libFunctions = import lib;
  recordOf = tree: builtins.fromJSON (builtins.readFile (folder + "/records/${tree}.json"));
  scopeOf = tree: rec {
    lib = libFunctions;
    record = recordOf tree;
    root = folder + "/${tree}";
    files = { };
    plan = import (templates + "/plan.nix") { inherit lib record; };
  };
  setsOf = tree: import (templates + "/source.nix") (scopeOf tree);
in
builtins.mapAttrs (
  tree: workspaces: libFunctions.genAttrs workspaces (
    path: map (part: { inherit (part) path; source = "${part.source}"; }) ((setsOf tree).sourcesOf { } path)
  )
) (builtins.fromJSON paths)
"#;

#[test]
fn scan_shows_the_files_that_nix_copies_from_any_tree() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let Some(()) = write_stand_in(&context) else { return };
    let folder = context.folder("trees");
    let mut runner = TestRunner::deterministic();
    let mut expected: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
    for number in 0..TREES {
        let tree = trees().new_tree(&mut runner).unwrap().current();
        let root = folder.join(number.to_string());
        fs::create_dir_all(&root).unwrap();
        write(&tree, &root);
        expected.insert(number.to_string(), source_sets(&root));
    }
    fs::write(folder.join("sets.nix"), EXPRESSION).unwrap();
    let paths: BTreeMap<_, Vec<_>> = expected.iter().map(|(tree, sets)| (tree, sets.keys().collect())).collect();
    let templates = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("nix-templates");
    let call = format!(
        "import {folder}/sets.nix {{ folder = {folder}; lib = {}/nixpkgs/lib.nix; templates = {templates}; \
         paths = builtins.readFile {folder}/paths.json; }}",
        context.folder("stand-in")
    );
    fs::write(folder.join("paths.json"), serde_json::to_string(&paths).unwrap()).unwrap();
    let said = succeed(&mut nix.command(&context, &["eval", "--impure", "--json", "--expr", &call]));
    let copied: Value = serde_json::from_str(&said).unwrap();
    let mut compared = 0;
    let mut differing = Vec::new();
    for (tree, sets) in &expected {
        for (workspace, files) in sets {
            let mut found = BTreeMap::new();
            for part in copied[tree][workspace].as_array().unwrap() {
                contents_in(part, &mut found);
            }
            for path in files.keys().chain(found.keys()).filter(|path| files.get(*path) != found.get(*path)) {
                let (ours, theirs) = (files.get(path), found.get(path));
                differing.push(format!("{tree}, {workspace}: {path}: {ours:?} in Rust, {theirs:?} in Nix"));
            }
            compared += files.len();
        }
    }
    let choices = |line: &String| {
        let tree = line.split(',').next().unwrap_or_default();
        format!("{line}\n  {}", fs::read_to_string(folder.join(tree).join("splitter.json")).unwrap())
    };
    assert!(differing.is_empty(), "{}", differing.iter().map(choices).collect::<Vec<_>>().join("\n"));
    assert!(compared > 10 * TREES, "the trees have files: {compared}");
}
