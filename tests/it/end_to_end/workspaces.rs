//! Workspaces behind links, the root as an app, and globs in `splitter.json`.

use fs_err as fs;
use serde_json::{Value, json};

use super::verify::splitter;
use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Project, Registry, TestContext, YARN_VERSIONS, YarnMonorepo,
    monorepo::packages, succeed,
};

/// The root's build reads the sources of all workspaces, so an edit of any of them rebuilds it.
#[test]
fn e2e_the_root_as_an_app_has_the_sources_of_all_workspaces() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let command = "mkdir -p dist && cat apps/*/src/index.ts packages/*/src/index.ts > dist/all.txt";
    let root = json!({ "kind": "app", "app": "whole", "build": command, "output": "dist" });
    context.write("splitter.json", json!({ "workspaces": { ".": root } }).to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let all = fs::read_to_string(nix.build("whole").join("all.txt")).unwrap();
    for path in ["apps/web", "apps/api", "packages/ui", "packages/logger"] {
        assert!(all.contains(&context.read(&format!("{path}/src/index.ts"))), "{path}");
    }
    context.commit_all("the root is an app");
    let before = nix.derivations();
    let source = context.read("packages/logger/src/index.ts");
    context.write("packages/logger/src/index.ts", source + "// more\n");
    context.git(&["add", "--all"]);
    assert_ne!(before["whole"], nix.derivations()["whole"]);
    let explained: Value = serde_json::from_str(&succeed(&mut context.splitter(&["explain", "--json"]))).unwrap();
    assert!(explained.to_string().contains("whole"), "{explained}");
    succeed(&mut splitter(&nix, &["verify"]));
}

/// Two keys that are globs, and `uses` with one.
#[test]
fn e2e_globs_in_the_settings_of_workspaces() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    context.write("docs/one.md", "one\n");
    context.write("docs/app/[slug]/two.mdx", "two\n");
    context.write("docs/three.txt", "three\n");
    let apps = json!({
        "uses": ["packages/{ui,stamp}"],
        "rootFiles": ["docs/**/*.{md,mdx}", "docs/app/[slug]"],
        "exclude": ["src/[x-z]*"],
    });
    context.write("apps/web/src/zebra.ts", "");
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        let look = "ls src > dist/src.txt && (cd ../.. && find docs -type f | sort) > dist/docs.txt";
        manifest["scripts"]["build"] = format!("{build} && {look}").into();
    });
    context.write("splitter.json", json!({ "workspaces": { "apps/*": apps } }).to_string());
    succeed(&mut context.splitter(&["update-hash"]));
    context.git(&["add", "--all"]);
    let web = nix.build("web");
    assert_eq!(fs::read_to_string(web.join("docs.txt")).unwrap(), "docs/app/[slug]/two.mdx\ndocs/one.md\n");
    assert!(!fs::read_to_string(web.join("src.txt")).unwrap().contains("zebra"));
    succeed(&mut splitter(&nix, &["verify"]));
}

/// Adds a library and an app behind links to a repository, and has `web` depend on the library.
fn add_linked_workspaces(context: &TestContext, range: &str) {
    let library = json!({ "name": "@acme/linked", "version": "1.0.0", "main": "index.js" });
    context.write("real/linked/package.json", library.to_string());
    // It finds a file from where it really is.
    context.write("real/linked/index.js", "module.exports = require('../shared.js');\n");
    context.write("real/shared.js", "module.exports = 'shared';\n");
    let build = "mkdir -p dist && node -p \"require('@acme/linked')\" > dist/said.txt";
    let app = json!({
        "name": "far", "version": "1.0.0", "private": true, "scripts": { "build": build },
        "dependencies": { "@acme/linked": range },
    });
    context.write("real/far/package.json", app.to_string());
    context.write("real/far/main.js", "");
    let link = |target: &str, path: &str| std::os::unix::fs::symlink(target, context.repo().join(path)).unwrap();
    link("../real/linked", "packages/linked");
    link("../real/far", "apps/far");
    // What the library reads beside itself is no part of its folder.
    let settings = json!({ "workspaces": { "packages/linked": { "rootFiles": ["real/shared.js"] } } });
    context.write("splitter.json", settings.to_string());
}

fn a_workspace_behind_a_link_is_built(nix: &NixMonorepo<impl Project>) {
    let context = nix.context();
    succeed(&mut context.splitter(&["update-hash"]));
    context.commit_all("workspaces behind links");
    let record: Value = serde_json::from_str(&context.read("nix/splitter/splitter.lock.json")).unwrap();
    let far =
        record["workspaces"].as_array().unwrap().iter().find(|workspace| workspace["path"] == "apps/far").unwrap();
    assert_eq!((&far["real"], &far["rootFiles"]), (&json!("real/far"), &json!(["apps/far", "tsconfig.json"])));
    assert_eq!(fs::read_to_string(nix.build("far").join("said.txt")).unwrap(), "shared\n");
    succeed(&mut context.splitter(&["check"]));
    succeed(&mut splitter(nix, &["verify"]));

    // Git lists the files where they really are.
    let before = nix.derivations();
    context.write("real/linked/index.js", "module.exports = 'edited ' + require('../shared.js');\n");
    context.git(&["add", "--all"]);
    let after = nix.derivations();
    assert!(before["far"] != after["far"] && before["api"] == after["api"]);
    let explained = succeed(&mut context.splitter(&["explain"]));
    assert!(explained.contains("far") && explained.contains("real/linked/index.js"), "{explained}");

    // A dependency of a staged manifest behind a link is seen.
    context.edit_manifest("real/far/package.json", |manifest| manifest["name"] = "farther".into());
    context.git(&["add", "--all"]);
    assert!(!context.splitter(&["check", "--staged"]).output().unwrap().status.success());
}

#[test]
fn e2e_with_bun_a_workspace_behind_a_link_is_built() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], Registry::start(packages()), |monorepo| {
        add_linked_workspaces(&monorepo.context, "workspace:*");
    });
    if let Some(nix) = monorepo.and_then(NixMonorepo::of) {
        a_workspace_behind_a_link_is_built(&nix);
    }
}

fn with_yarn_a_workspace_behind_a_link_is_built(version: &str, range: &str) {
    let monorepo = YarnMonorepo::with_linker(version, "node-modules", |monorepo| {
        add_linked_workspaces(&monorepo.context, range);
    });
    if let Some(nix) = monorepo.and_then(NixMonorepo::of) {
        a_workspace_behind_a_link_is_built(&nix);
    }
}

#[test]
fn e2e_with_yarn_1_a_workspace_behind_a_link_is_built() {
    with_yarn_a_workspace_behind_a_link_is_built(YARN_VERSIONS[0], "1.0.0");
}

#[test]
fn e2e_with_yarn_4_a_workspace_behind_a_link_is_built() {
    with_yarn_a_workspace_behind_a_link_is_built(YARN_VERSIONS[2], "workspace:*");
}
