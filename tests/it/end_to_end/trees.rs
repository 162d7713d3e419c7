//! A build installs the same files as the package manager in a full checkout. The reduced manifests, the loopback registry
//! and the missing sources make no difference. With Yarn, lifecycle scripts are skipped, because it runs all of them or
//! none.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use splitter::lockfile::Algorithm;

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project, YARN_VERSIONS, YarnMonorepo};

/// The files by path, each with a description of its kind and content.
pub(super) type Tree = BTreeMap<String, String>;

/// Files in which package managers note the time and the place of an install.
const NOTES: [&str; 3] = [".yarn-integrity", ".yarn-state.yml", ".modules.yaml"];

/// Returns the files of an install below a folder: `node_modules`, and the files of Plug'n'Play with its cache.
fn installed_in(root: &Utf8Path) -> Tree {
    let mut tree = Tree::new();
    walk(root, "", &mut tree);
    if !tree.contains_key(".pnp.cjs") {
        tree.retain(|path, _| !path.starts_with(".yarn/cache/"));
    }
    tree
}

fn walk(root: &Utf8Path, folder: &str, tree: &mut Tree) {
    for entry in root.join(folder).read_dir_utf8().unwrap().map(Result::unwrap) {
        let path =
            if folder.is_empty() { entry.file_name().to_owned() } else { format!("{folder}/{}", entry.file_name()) };
        if path == ".git" || NOTES.contains(&entry.file_name()) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(root, &path, tree);
        } else if is_of_an_install(&path) {
            let what = if kind.is_symlink() { link(folder, entry.path()) } else { file(entry.path()) };
            tree.insert(without_zip_tails(&path), what);
        }
    }
}

fn is_of_an_install(path: &str) -> bool {
    path.split('/').any(|part| part == "node_modules")
        || path.starts_with(".pnp.")
        || path.starts_with(".yarn/unplugged/")
        || path.starts_with(".yarn/cache/")
}

/// Describes a symbolic link by its resolved target.
fn link(folder: &str, path: &Utf8Path) -> String {
    format!("link to {}", resolved(folder, path.read_link_utf8().unwrap().as_str()))
}

fn resolved(folder: &str, target: &str) -> Utf8PathBuf {
    let mut path = Utf8PathBuf::from(folder);
    for part in target.split('/') {
        match part {
            ".." => assert!(path.pop(), "{target} in {folder} leads out"),
            "." | "" => {}
            part => path.push(part),
        }
    }
    path
}

/// Removes the suffixes from names of Yarn's zips. With a mirror of the cache, as developers have it, the suffix is the
/// start of the checksum. Without a mirror it is the key of the cache.
fn without_zip_tails(text: &str) -> String {
    let parts: Vec<_> = text.split(".zip").collect();
    let last = parts.len() - 1;
    let cut = |(index, part): (usize, &&str)| {
        let kept = if index < last { part.rsplit_once('-').map_or(*part, |(name, _)| name) } else { part };
        kept.to_owned()
    };
    parts.iter().enumerate().map(cut).collect::<Vec<_>>().join(".zip")
}

/// Describes a file by content and executable bit. The first line of scripts is ignored, because builds replace the
/// interpreter.
fn file(path: &Utf8Path) -> String {
    let mut content = fs::read(path).unwrap();
    if content.starts_with(b"#!") {
        let end = content.iter().position(|byte| *byte == b'\n').unwrap_or(content.len());
        content.drain(..end);
    }
    if path.file_name().is_some_and(|name| name.starts_with(".pnp.")) {
        content = without_zip_tails(&String::from_utf8(content).unwrap()).into_bytes();
    }
    let is_executable = fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0;
    let kind = if is_executable { "program" } else { "file" };
    format!("{kind} of {} bytes, {}", content.len(), Algorithm::Sha256.digest(&content))
}

/// Returns the files of the built install, with its links to workspaces.
pub(super) fn built<P: Project>(nix: &NixMonorepo<P>) -> Tree {
    built_as(nix, "nodeModules")
}

/// Returns the files of this install, with its links to workspaces.
pub(super) fn built_as<P: Project>(nix: &NixMonorepo<P>, output: &str) -> Tree {
    let output = nix.build(output);
    let mut tree = installed_in(&output);
    let links = fs::read_to_string(output.join("workspace-links.json")).unwrap();
    for (path, target) in serde_json::from_str::<BTreeMap<String, String>>(&links).unwrap() {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        tree.insert(path.clone(), format!("link to {}", resolved(folder, &target)));
    }
    tree
}

#[track_caller]
pub(super) fn is_the_same<P: Project>(nix: &NixMonorepo<P>) {
    is_the_same_but(nix, |_path| false);
}

/// Whether a path belongs to a package for musl. Only checkouts have it, because Yarn 1 ignores `libc`.
pub(super) fn is_of_musl(path: &str) -> bool {
    path.contains("/@native/linux-x64-musl/")
}

/// Compares the built install with the checkout, except for these paths.
#[track_caller]
pub(super) fn is_the_same_but<P: Project>(nix: &NixMonorepo<P>, is_left_out: impl Fn(&str) -> bool) {
    is_the_same_as_here(nix, &built(nix), is_left_out);
}

/// Installs in the checkout and compares, except for these paths.
#[track_caller]
pub(super) fn is_the_same_as_here<P: Project>(nix: &NixMonorepo<P>, built: &Tree, is_left_out: impl Fn(&str) -> bool) {
    nix.monorepo.install();
    is_what_is_here(nix, built, is_left_out);
}

/// Compares with the existing install in the checkout, except for these paths.
#[track_caller]
pub(super) fn is_what_is_here<P: Project>(nix: &NixMonorepo<P>, built: &Tree, is_left_out: impl Fn(&str) -> bool) {
    let mut expected = installed_in(&nix.context().repo());
    expected.retain(|path, _| !is_left_out(path));
    assert!(!expected.is_empty());
    let differing = |path: &&String| built.get(*path) != expected.get(*path);
    let paths: Vec<_> = built.keys().chain(expected.keys()).filter(differing).collect();
    let lines: Vec<_> = paths
        .iter()
        .map(|path| format!("{path}: {:?} in the build, {:?} here", built.get(*path), expected.get(*path)))
        .collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// The lockfile has URLs. Without them, Bun 1.2 ignores the configured registry and asks the default one.
#[test]
fn e2e_bun_1_2_installs_the_same_tree() {
    let Some(nix) = NixMonorepo::<Monorepo>::with_bun_and_mirror(BUN_VERSIONS[0]) else { return };
    is_the_same(&nix);
}

#[test]
fn e2e_bun_1_4_installs_the_same_tree() {
    let Some(nix) = NixMonorepo::<Monorepo>::with_bun(BUN_VERSIONS[2]) else { return };
    is_the_same(&nix);
}

/// A package whose command is not executable in its tarball. Package managers set the executable bit.
fn with_plain_command(package: Package) -> Package {
    let script = "#!/usr/bin/env node\nconsole.log(1);\n";
    package.field("bin", serde_json::json!({ "plain": "plain.js" })).file("plain.js", script)
}

/// Some packages are not hoisted. One of them is for a single system.
#[test]
fn e2e_yarn_1_installs_the_same_tree_with_nohoist() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[0], "", |monorepo| {
        monorepo.registry.publish(with_plain_command(Package::new("commander", "1.0.0")));
        monorepo.context.write(
            "splitter.json",
            "{}
",
        );
        monorepo.context.edit_manifest("package.json", |manifest| {
            manifest["devDependencies"]["commander"] = "^1.0.0".into();
            manifest["workspaces"] =
                serde_json::json!({ "packages": ["apps/*", "packages/*"], "nohoist": ["**/native", "**/native/**"] });
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    is_the_same_but(&nix, is_of_musl);
    assert!(nix.context().repo().join("apps/api/node_modules/native").is_dir(), "nohoist had an effect");
}

/// The repository has two patches: the user's, for a package with peers, and one built into Yarn, for a package for another
/// system.
fn berry_installs_the_same_tree(version: &str, linker: &str) {
    let monorepo = YarnMonorepo::with_linker(version, linker, |monorepo| {
        monorepo.registry.publish(Package::new("fsevents", "2.3.2").os("darwin"));
        monorepo.registry.publish(with_plain_command(Package::new("watcher", "1.0.0").optional("fsevents", "^2.3.0")));
        monorepo.context.write("patches/plugin.patch", PATCH);
        monorepo.context.edit_manifest("package.json", |manifest| {
            manifest["dependenciesMeta"] = serde_json::json!({});
            manifest["resolutions"] = serde_json::json!({ "plugin": "patch:plugin@npm:1.0.0#./patches/plugin.patch" });
            manifest["devDependencies"]["watcher"] = "^1.0.0".into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    assert!(
        nix.context().read("yarn.lock").contains("builtin<compat/fsevents>"),
        "Yarn patches as it does for developers"
    );
    is_the_same(&nix);
    let web = nix.build("web");
    let printed = crate::support::succeed(nix.context().command("node").arg(web.join("index.js")));
    assert_eq!(
        printed,
        "[colour@1.2.0, old-library@0.1.0] web: plugin, patched, aliased@1.5.0: @scope/util@3.1.0, release-candidate@1.0.0-rc.2"
    );
}

const PATCH: &str = "diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1 +1 @@\n\
                     -module.exports = \"plugin@1.0.0\";\n+module.exports = \"plugin, patched\";\n";

#[test]
fn e2e_yarn_3_installs_the_same_tree_in_node_modules() {
    berry_installs_the_same_tree(YARN_VERSIONS[1], "node-modules");
}

#[test]
fn e2e_yarn_4_installs_the_same_tree_in_node_modules() {
    berry_installs_the_same_tree(YARN_VERSIONS[2], "node-modules");
}

#[test]
fn e2e_yarn_4_installs_the_same_tree_with_the_linker_pnpm() {
    berry_installs_the_same_tree(YARN_VERSIONS[2], "pnpm");
}

#[test]
fn e2e_yarn_3_installs_the_same_tree_with_plug_n_play() {
    berry_installs_the_same_tree(YARN_VERSIONS[1], "pnp");
}

#[test]
fn e2e_yarn_4_installs_the_same_tree_with_plug_n_play() {
    berry_installs_the_same_tree(YARN_VERSIONS[2], "pnp");
}
