//! Registry packages that depend on a workspace, or have one as a peer. Builds and programs that install such a package get the
//! workspace, for every package manager and linker. Others do not.

use fs_err as fs;
use serde_json::{Value, json};

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project, Registry, YARN_VERSIONS, YarnMonorepo, monorepo::packages,
    succeed,
};

/// Returns a package that prints its name before what `required` exports.
fn with(name: &str, required: &str) -> Package {
    Package::new(name, "1.0.0").file("index.js", format!("module.exports = `{name}, ${{require(\"{required}\")}}`;\n"))
}

/// Publishes the packages. `ruler` is in the registry too.
fn publish(registry: &Registry) {
    for package in [
        Package::new("ruler", "6.0.5"),
        with("odd", "ruler").dependency("ruler", "^6.0.0"),
        with("outer", "odd").dependency("odd", "^1.0.0"),
        with("plugged", "ruler").peer("ruler", "^6.0.0"),
    ] {
        registry.publish(package);
    }
}

/// Adds workspaces: the library `ruler`, apps that get it through packages, and one that names it and installs none of these
/// packages.
fn write_workspaces(monorepo: &impl Project) {
    publish(monorepo.registry());
    let context = monorepo.context();
    let build = "node make.js";
    let manifests = [
        ("packages/ruler", json!({ "version": "6.0.9", "main": "index.js" })),
        ("apps/site", json!({ "scripts": { "build": build }, "devDependencies": { "outer": "^1.0.0" } })),
        ("apps/serve", json!({ "scripts": { "start": "node main.js" }, "dependencies": { "outer": "^1.0.0" } })),
        (
            "apps/peer",
            json!({ "scripts": { "build": build }, "dependencies": { "plugged": "^1.0.0", "ruler": "^6.0.0" } }),
        ),
        ("apps/plain", json!({ "scripts": { "build": build }, "dependencies": { "ruler": "^6.0.0" } })),
    ];
    for (folder, mut manifest) in manifests {
        let name = folder.split('/').next_back().unwrap();
        manifest["name"] = name.into();
        if manifest["version"].is_null() {
            // Yarn 1 passes over workspaces without a version.
            manifest["version"] = "1.0.0".into();
        }
        manifest["private"] = true.into();
        context.write(&format!("{folder}/package.json"), format!("{manifest:#}\n"));
        let required = match name {
            "peer" => "plugged",
            "plain" => "ruler",
            _ => "outer",
        };
        let make = format!(
            "const {{ mkdirSync, writeFileSync }} = require(\"fs\");\nmkdirSync(\"dist\");\n\
             writeFileSync(\"dist/made.txt\", require({required:?}));\n"
        );
        context.write(&format!("{folder}/make.js"), make);
        context.write(&format!("{folder}/main.js"), format!("console.log(require({required:?}));\n"));
    }
    context.write("packages/ruler/index.js", "module.exports = \"ours\";\n");
}

/// Builds all, and checks who gets the workspace.
fn all_get_the_workspace<P: Project>(nix: &NixMonorepo<P>) {
    let context = nix.context();
    succeed(&mut context.splitter(&["check"]));
    let scan = succeed(&mut context.splitter(&["scan"]));
    assert!(scan.contains("packages/ruler: installs outer@1.0.0, which needs odd@1.0.0, which requires it"), "{scan}");
    let made = |app: &str| fs::read_to_string(nix.build(app).join("made.txt")).unwrap();
    for (app, text) in [("site", "outer, odd, ours"), ("peer", "plugged, ours"), ("plain", "ours")] {
        assert_eq!(made(app), text, "{app}");
    }
    // The app that installs no such package has links alone.
    let runs = || {
        let serve = nix.build("serve").join("bin/serve");
        succeed(&mut context.command(&serve))
    };
    assert_eq!(runs(), "outer, odd, ours");
    let before = nix.derivations();
    context.write("packages/ruler/index.js", "module.exports = \"changed\";\n");
    let after = nix.derivations();
    let changed: Vec<_> = before.keys().filter(|name| before[*name] != after[*name]).cloned().collect();
    assert_eq!(changed, ["peer", "plain", "serve", "site"]);
    let explained = succeed(&mut context.splitter(&["explain"]));
    assert!(explained.contains("used by apps/site, which installs outer@1.0.0"), "{explained}");
    assert_eq!(runs(), "outer, odd, changed");
    // Installs of their own have the package and the workspace.
    let choices: Value = json!({ "install": "own", "scripts": ["trusted"] });
    context.write("splitter.json", choices.to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("own installs");
    assert_eq!(made("site"), "outer, odd, changed");
    assert_eq!(made("peer"), "plugged, changed");
}

fn bun(version: &str, linker: &str) {
    let monorepo = Monorepo::with_registry(version, Registry::start(packages()), |monorepo| {
        monorepo.context.write("bunfig.toml", format!("[install]\nlinker = {linker:?}\n"));
        write_workspaces(monorepo);
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    all_get_the_workspace(&nix);
}

fn yarn(version: &str, linker: &str) {
    let monorepo = YarnMonorepo::with_linker(version, linker, write_workspaces);
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    all_get_the_workspace(&nix);
}

#[test]
fn e2e_bun_hoisted_gives_packages_their_workspaces() {
    bun(BUN_VERSIONS[2], "hoisted");
}

#[test]
fn e2e_bun_isolated_gives_packages_their_workspaces() {
    bun(BUN_VERSIONS[2], "isolated");
}

#[test]
fn e2e_yarn_1_gives_packages_their_workspaces() {
    yarn(YARN_VERSIONS[0], "");
}

#[test]
fn e2e_yarn_3_gives_packages_their_workspaces() {
    yarn(YARN_VERSIONS[1], "node-modules");
}

#[test]
fn e2e_yarn_4_gives_packages_their_workspaces() {
    yarn(YARN_VERSIONS[2], "node-modules");
}

#[test]
fn e2e_yarn_4_gives_packages_their_workspaces_with_the_linker_pnpm() {
    yarn(YARN_VERSIONS[2], "pnpm");
}

#[test]
fn e2e_yarn_4_gives_packages_their_workspaces_with_plug_n_play() {
    yarn(YARN_VERSIONS[2], "pnp");
}
