//! A build that reads the root's `package.json` gets all of it, and another one is not rebuilt by a release.

use std::collections::BTreeMap;

use fs_err as fs;
use serde_json::{Value, json};

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Project, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages,
    stand_in::system, succeed,
};

/// What the root's manifest says beside what an installer reads.
fn write_root(monorepo: &impl Project) {
    monorepo.context().edit_manifest("package.json", |manifest| {
        manifest["version"] = "7.7.7".into();
        manifest["homepage"] = "https://acme.example".into();
        manifest["config"] = json!({ "port": 80 });
        manifest["engines"] = json!({ "node": ">=1" });
    });
}

/// `api` reads it in a program that its build runs, and `web` does not.
fn write_reader(monorepo: &impl Project) {
    write_root(monorepo);
    let context = monorepo.context();
    let program = "const fs = require('fs');\nconst path = require('path');\n\
        const root = JSON.parse(fs.readFileSync(path.join(__dirname, '..', '..', '..', 'package.json'), 'utf8'));\n\
        fs.mkdirSync('dist', { recursive: true });\n\
        fs.writeFileSync('dist/root.json', JSON.stringify([root.version, root.homepage, root.config, root.engines]));\n";
    context.write("apps/api/tools/about.js", program);
    context.edit_manifest("apps/api/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        manifest["scripts"]["build"] = format!("{build} && node tools/about.js").into();
    });
}

fn derivations<P: Project>(nix: &NixMonorepo<P>) -> BTreeMap<String, String> {
    let apply = "builtins.mapAttrs (_: package: package.drvPath)";
    serde_json::from_value(nix.eval(&format!("checks.{}", system()), apply)).unwrap()
}

fn reads_it<P: Project>(nix: &NixMonorepo<P>) {
    let built = |app: &str| nix.build(app);
    let root: Value = serde_json::from_str(&fs::read_to_string(built("api").join("root.json")).unwrap()).unwrap();
    assert_eq!(root, json!(["7.7.7", "https://acme.example", { "port": 80 }, { "node": ">=1" }]));
    let before = derivations(nix);
    nix.context().edit_manifest("package.json", |manifest| manifest["version"] = "7.7.8".into());
    succeed(&mut nix.context().splitter(&["check"]));
    let after = derivations(nix);
    let changed: Vec<_> = before.keys().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert_eq!(changed, ["api"]);
    let root: Value = serde_json::from_str(&fs::read_to_string(built("api").join("root.json")).unwrap()).unwrap();
    assert_eq!(root[0], "7.7.8");
}

#[test]
fn e2e_bun_a_build_reads_the_roots_manifest() {
    let edit = |monorepo: &Monorepo| write_reader(monorepo);
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), edit);
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    reads_it(&nix);
    succeed(&mut super::verify::splitter(&nix, &["verify"]));
}

fn yarn(version: &str) {
    let monorepo = YarnMonorepo::with_linker(version, "node-modules", write_reader);
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    reads_it(&nix);
}

#[test]
fn e2e_yarn_1_a_build_reads_the_roots_manifest() {
    yarn(YARN_VERSIONS[0]);
}

#[test]
fn e2e_yarn_4_a_build_reads_the_roots_manifest() {
    yarn(YARN_VERSIONS[2]);
}
