//! Dependencies that are not plain packages from the registry: patches, `file:` folders and tarballs, tarball URLs.

use serde_json::{Value, json};

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project as _, succeed};

/// Returns the monorepo with an `api` that depends on each kind.
fn with_local_packages(version: &str) -> Option<NixMonorepo> {
    NixMonorepo::of(local_monorepo(version)?)
}

/// The same before `splitter init`.
pub(super) fn local_monorepo(version: &str) -> Option<Monorepo> {
    let monorepo = Monorepo::with_bun_and_mirror(version)?;
    let context = &monorepo.context;
    let tarball = Package::new("packed", "1.0.0").tarball();
    context.write("vendor/packed-1.0.0.tgz", tarball);
    context.write(
        "apps/api/vendor/folder/package.json",
        r#"{ "name": "in-folder", "version": "1.0.0", "main": "index.js" }"#,
    );
    context.write("apps/api/vendor/folder/index.js", "module.exports = \"in-folder\";\n");
    let remote = Package::new("remote", "1.0.0");
    monorepo.registry.serve("/files/remote.tgz", remote.tarball());
    context.write(
        "patches/native@2.0.0.patch",
        "diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1 +1 @@\n\
         -module.exports = \"native@2.0.0\";\n+module.exports = \"native, patched\";\n",
    );
    edit(&monorepo, "package.json", |manifest| {
        manifest["patchedDependencies"] = json!({ "native@2.0.0": "patches/native@2.0.0.patch" });
        // Bun resolves the path of a tarball from the root, not from the workspace that names it.
        manifest["dependencies"] = json!({ "packed": "file:vendor/packed-1.0.0.tgz" });
    });
    let url = format!("{}files/remote.tgz", monorepo.registry.url());
    edit(&monorepo, "apps/api/package.json", |manifest| {
        manifest["dependencies"]["in-folder"] = "file:./vendor/folder".into();
        manifest["dependencies"]["remote"] = url.clone().into();
    });
    context.write(
        "apps/api/src/index.ts",
        "import native from \"native\";\nimport folder from \"in-folder\";\nimport remote from \"remote\";\n\
         import packed from \"packed\";\nconsole.log(native, folder, remote, packed);\n",
    );
    monorepo.name_registry();
    succeed(&mut monorepo.bun(&["install", "--lockfile-only"]));
    context.commit_all("local packages");
    Some(monorepo)
}

fn edit(monorepo: &Monorepo, path: &str, change: impl FnOnce(&mut Value)) {
    let mut manifest = serde_json::from_str(&monorepo.context.read(path)).unwrap();
    change(&mut manifest);
    monorepo.context.write(path, format!("{manifest:#}\n"));
}

fn are_installed(version: &str) {
    let Some(nix) = with_local_packages(version) else { return };
    let context = nix.context();
    succeed(&mut context.splitter(&["check"]));
    let api = nix.build("api");
    let printed = succeed(context.command("node").arg(api.join("index.js")));
    assert_eq!(printed, "native, patched in-folder remote@1.0.0 packed@1.0.0");
    // A changed patch makes the record stale. Builds use the new patch even before `update-hash`.
    let patch = "patches/native@2.0.0.patch";
    context.write(patch, context.read(patch).replace("native, patched", "native, patched again"));
    crate::support::fail(&mut context.splitter(&["check"]));
    let api = nix.build("api");
    let printed = succeed(context.command("node").arg(api.join("index.js")));
    assert!(printed.starts_with("native, patched again "), "{printed}");
}

#[test]
fn e2e_bun_1_2_installs_patches_and_local_and_remote_tarballs() {
    are_installed(BUN_VERSIONS[0]);
}

#[test]
fn e2e_bun_1_3_installs_patches_and_local_and_remote_tarballs() {
    are_installed(BUN_VERSIONS[1]);
}

#[test]
fn e2e_bun_1_4_installs_patches_and_local_and_remote_tarballs() {
    are_installed(BUN_VERSIONS[2]);
}
