//! Links in outputs: those of Next.js to packages lead to what the package has at run time, and those that lead nowhere are named.

use serde_json::json;

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, Package, Registry, monorepo::packages, succeed};

/// Builds as Next.js 16 does for packages that are not bundled: the output links to them under a name with a hash. `next start`
/// loads one through its link.
const NEXT: &str = r#"#!/usr/bin/env node
const fs = require("fs");
const path = require("path");
if (process.argv[2] === "build") {
  fs.mkdirSync(".next/node_modules", { recursive: true });
  fs.writeFileSync(".next/BUILD_ID", "x");
  const real = fs.realpathSync(path.dirname(require.resolve("colour/package.json", { paths: [process.cwd()] })));
  fs.symlinkSync(path.relative(path.resolve(".next/node_modules"), real), ".next/node_modules/colour-abc123");
} else {
  console.log(`served with ${require(path.join(process.cwd(), ".next/node_modules/colour-abc123"))}`);
}
"#;

#[test]
fn e2e_links_of_an_output_to_packages_lead_to_those_at_run_time() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        let next = Package::new("next", "16.0.0").field("bin", json!({ "next": "next.js" }));
        monorepo.registry.publish(next.executable("next.js", NEXT));
        let shop = json!({
            "name": "shop", "private": true, "scripts": { "build": "next build", "start": "next start" },
            "dependencies": { "next": "^16.0.0", "colour": "^1.0.0" },
        });
        monorepo.context.write("apps/shop/package.json", shop.to_string());
        monorepo.context.edit_manifest("apps/web/package.json", |manifest| {
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] = format!("{build} && ln -s nowhere dist/link").into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let shop = nix.build("shop");
    let mut program = nix.context().command(shop.join("bin/shop").as_str());
    let printed = succeed(program.env_clear().current_dir("/"));
    assert_eq!(printed, "served with colour@1.2.0");
    let output = nix.build_command("web").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("link -> nowhere, which does not exist"), "{said}");
}
