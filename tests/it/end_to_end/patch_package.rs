//! Patches that `patch-package` applies, run by a script of the root.

use serde_json::json;

use super::yarn::{Yarn, output_of};
use crate::support::{Package, YARN_VERSIONS, YarnMonorepo, fail};

/// A minimal `patch-package` for one-line patches of one package.
const PATCH_PACKAGE: &str = r#"const fs = require("fs");
const folder = process.argv[process.argv.indexOf("--patch-dir") + 1];
for (const name of fs.readdirSync(folder)) {
  const lines = fs.readFileSync(`${folder}/${name}`, "utf8").split("\n");
  const [file, from, to] = ["+++ b/", "-module", "+module"].map((start) => lines.find((line) => line.startsWith(start)).slice(start.length));
  const text = fs.readFileSync(file, "utf8");
  if (!text.includes(from)) throw new Error(`${name} does not apply`);
  fs.writeFileSync(file, text.replace(from, to));
}
"#;

/// Returns a monorepo whose root applies a patch. Calls `edit` before the lockfile is written.
#[track_caller]
pub(super) fn patched_monorepo(edit: impl FnOnce(&YarnMonorepo)) -> Option<YarnMonorepo> {
    YarnMonorepo::with_linker(YARN_VERSIONS[0], "", |monorepo| {
        let program = Package::new("patch-package", "8.0.1").field("bin", json!({ "patch-package": "index.js" }));
        let program = program.executable("index.js", format!("#!/usr/bin/env node\n{PATCH_PACKAGE}"));
        monorepo.registry.publish(program);
        monorepo.context.edit_manifest("package.json", |manifest| {
            manifest["scripts"] = json!({ "postinstall": "patch-package --patch-dir tools/patches" });
            manifest["devDependencies"]["patch-package"] = "^8.0.0".into();
        });
        let patch = "diff --git a/node_modules/native/index.js b/node_modules/native/index.js\n\
                     --- a/node_modules/native/index.js\n+++ b/node_modules/native/index.js\n@@ -1 +1 @@\n\
                     -module.exports = \"native@2.0.0\";\n+module.exports = \"native, patched\";\n";
        monorepo.context.write("tools/patches/native+2.0.0.patch", patch);
        edit(monorepo);
    })
}

/// Builds do not run scripts of the root, except for `patch-package`, because sources rely on the patched packages.
#[test]
fn e2e_yarn_1_installs_what_patch_package_patches() {
    let Some(nix) = patched_monorepo(|_| ()).and_then(Yarn::of) else { return };
    let context = nix.context();
    assert!(output_of(&nix, "api").ends_with("api: native, patched"));
    // An install of a single app applies the patches of its packages, and fails without `patch-package`.
    nix.build("installs.web.production");
    let installed = nix.build("installs.api.own").join("node_modules/native/index.js");
    assert_eq!(fs_err::read_to_string(installed).unwrap(), "module.exports = \"native, patched\";\n");
    let said = fail(&mut nix.build_command("installs.api.production"));
    assert!(said.contains("this install excludes development dependencies"), "{said}");
    let patch = "tools/patches/native+2.0.0.patch";
    context.write(patch, context.read(patch).replace("native, patched", "native, patched again"));
    assert!(fail(&mut context.splitter(&["check"])).contains(patch));
    assert!(output_of(&nix, "api").ends_with("api: native, patched again"));
    context
        .write(patch, context.read(patch).replace("-module.exports = \"native@2.0.0\"", "-module.exports = \"other\""));
    let said = fail(&mut nix.build_command("nodeModules"));
    assert!(
        said.contains("native+2.0.0.patch does not apply") && said.contains("patch-package failed for the root"),
        "{said}"
    );
}
