//! The installs that programs run with: splitter's model and the real Nix agree on them.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, succeed};

/// Returns a splitter command with the test's Nix, and with the stand-in as the input of the flake.
fn splitter(nix: &NixMonorepo<Monorepo>, args: &[&str]) -> Command {
    let mut command = nix.context().splitter(args);
    command.env("SPLITTER_NIX", &nix.nix.program).envs(nix.nix.environment(nix.context()));
    let stand_in = format!("path:{}", nix.context().folder("stand-in").join("nixpkgs"));
    command.args(["--", "--override-input", "nixpkgs", &stand_in]);
    command
}

/// Writes choices for `web`, which runs what it builds, and for `api`. Then updates the record.
fn choose(nix: &NixMonorepo<Monorepo>, web: &Value, api: &Value) {
    let mut web = web.clone();
    web["start"] = "dist/index.js".into();
    let config = json!({ "workspaces": { "apps/web": web, "apps/api": api } });
    nix.context().write("splitter.json", format!("{config:#}\n"));
    succeed(&mut nix.context().splitter(&["update-hash"]));
    nix.context().git(&["add", "--all"]);
}

/// Commits the choices before, makes those after, and returns what Nix and the model say of both.
fn explained(nix: &NixMonorepo<Monorepo>, before: [&Value; 2], after: [&Value; 2]) -> String {
    choose(nix, before[0], before[1]);
    nix.context().commit_all("before");
    choose(nix, after[0], after[1]);
    let report: Value = serde_json::from_str(&succeed(&mut splitter(nix, &["explain", "--nix", "--json"]))).unwrap();
    let packages = report["nix"].as_object().unwrap();
    assert!(packages.values().all(|found| found["agrees"] == true), "{report:#}");
    let changed = packages.iter().filter(|(_, found)| found["model"] != "kept");
    changed.map(|(name, found)| format!("{name} {}", found["model"].as_str().unwrap())).collect::<Vec<_>>().join(", ")
}

#[test]
fn e2e_the_model_knows_the_installs_that_programs_run_with() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let none = json!({});
    choose(&nix, &none, &none);
    let report: Value = serde_json::from_str(&succeed(&mut splitter(&nix, &["verify", "--json"]))).unwrap();
    assert_eq!(report["surprises"], 0, "{report:#}");
    assert_eq!(report["packages"], json!(["api", "deps", "installs.web.production", "nodeModules", "web"]));
    let rebuilt = |edit: &str, path: &str| {
        let edits = report["edits"].as_array().unwrap();
        let row = edits.iter().find(|row| row["edit"] == edit && row["path"] == path).unwrap();
        let cells = row["packages"].as_object().unwrap().iter().filter(|(_, cell)| cell["changed"] == true);
        cells.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rebuilt("source of an app", "apps/web/src/index.ts"), "web");
    assert_eq!(rebuilt("version", "apps/api/package.json"), "api installs.web.production nodeModules web");
    assert_eq!(rebuilt("a locked package", "bun.lock"), "api deps installs.web.production nodeModules web");

    let install = |kind: &str| json!({ "runtime": { "install": kind } });
    assert_eq!(
        explained(&nix, [&install("production"), &none], [&install("own"), &none]),
        "installs.web.own added, installs.web.production removed, web rebuilt"
    );
    assert_eq!(
        explained(&nix, [&install("production"), &none], [&install("shared"), &none]),
        "installs.web.production removed, web rebuilt"
    );
    // The build's install is also that of the program then.
    let own = json!({ "install": "own", "runtime": { "install": "own" } });
    assert_eq!(
        explained(&nix, [&install("own"), &none], [&own, &none]),
        "installs.web.own removed, nodeModules-web added, web rebuilt"
    );
    assert_eq!(
        explained(&nix, [&none, &none], [&json!({ "runtime": { "directory": "workspace" } }), &none]),
        "web rebuilt"
    );
    // A workspace that is used is installed for too.
    let (alone, using) = (json!({ "install": "own" }), json!({ "install": "own", "uses": ["packages/ui"] }));
    assert_eq!(explained(&nix, [&none, &alone], [&none, &using]), "api rebuilt, nodeModules-api rebuilt");
}
