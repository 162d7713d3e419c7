//! Symbolic links among sources: a build has what they lead to, and is rebuilt with it.

use std::{collections::BTreeMap, os::unix::fs::symlink};

use camino::Utf8Path;
use fs_err as fs;
use serde_json::Value;

use super::{
    local::local_monorepo,
    verify::{rebuilds, splitter},
};
use crate::support::{BUN_VERSIONS, Monorepo, NixMonorepo, TestContext, YARN_VERSIONS, YarnMonorepo, succeed};

fn link(context: &TestContext, path: &str, target: &str) {
    let place = context.repo().join(path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    symlink(target, place).unwrap();
}

/// Makes the build of `apps/web` read files through links.
fn add_links(context: &TestContext) {
    link(context, "apps/web/src/shared", "../../../shared");
    link(context, "apps/web/.env", "../../.env");
    link(context, "apps/web/logo.txt", "../../packages/brand/art/logo.txt");
    link(context, "apps/web/data", "../../vendor/current");
    link(context, "vendor/current", "v2");
    context.write("vendor/v2/data.txt", "data of vendor\n");
    context.write("vendor/v1/data.txt", "old\n");
    context.write("packages/brand/package.json", r#"{ "name": "brand", "version": "1.0.0", "private": true }"#);
    context.write("packages/brand/art/logo.txt", "logo of brand\n");
    context.write("packages/brand/art/other.txt", "other\n");
    link(context, "shared/more.txt", "../config/more.txt");
    context.write("config/more.txt", "more of config\n");
    context.write("shared/value.txt", "value of shared\n");
    context.write("shared/value.test.ts", "// a test\n");
    context.write(".env", "KEY=of the root\n");
    context.edit_manifest("apps/web/package.json", |manifest| {
        let build = manifest["scripts"]["build"].as_str().unwrap();
        let files = ".env logo.txt data/data.txt src/shared/value.txt src/shared/more.txt";
        manifest["scripts"]["build"] = format!("{build} && cat {files} > dist/links.txt").into();
    });
}

const READ: &str = "KEY=of the root\nlogo of brand\ndata of vendor\nvalue of shared\nmore of config\n";

fn bun() -> Option<NixMonorepo> {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry(), |monorepo| add_links(&monorepo.context));
    monorepo.and_then(NixMonorepo::of)
}

fn registry() -> crate::support::Registry {
    crate::support::Registry::start(crate::support::monorepo::packages())
}

fn links_of(output: &Utf8Path) -> String {
    fs::read_to_string(output.join("links.txt")).unwrap()
}

/// Returns the packages that differ after an edit of a file, which is taken back.
fn changed(nix: &NixMonorepo, before: &BTreeMap<String, String>, path: &str) -> Vec<String> {
    let text = nix.context().read(path);
    nix.context().write(path, format!("{text}more\n"));
    let after = nix.derivations();
    nix.context().write(path, text);
    after.iter().filter(|(name, derivation)| before[*name] != **derivation).map(|(name, _)| name.clone()).collect()
}

#[test]
fn e2e_a_build_has_what_links_lead_to_and_is_rebuilt_with_it() {
    let Some(nix) = bun() else { return };
    let context = nix.context();
    let record: Value = serde_json::from_str(&context.read("nix/splitter/splitter.lock.json")).unwrap();
    let web = record["workspaces"].as_array().unwrap().iter().find(|found| found["path"] == "apps/web").unwrap();
    let targets = [
        ".env",
        "config/more.txt",
        "packages/brand/art/logo.txt",
        "packages/brand/package.json",
        "shared",
        "tsconfig.json",
        "vendor/current",
        "vendor/v2",
    ];
    assert_eq!(web["linkTargets"], serde_json::json!(targets));
    succeed(&mut context.splitter(&["check"]));
    assert_eq!(links_of(&nix.build("web")), READ);
    let before = nix.derivations();
    for path in ["shared/value.txt", ".env", "packages/brand/art/logo.txt", "vendor/v2/data.txt", "config/more.txt"] {
        assert_eq!(changed(&nix, &before, path), ["web"], "{path}");
    }
    for path in ["shared/value.test.ts", "vendor/v1/data.txt", "packages/brand/art/other.txt"] {
        assert_eq!(changed(&nix, &before, path), [""; 0], "{path}");
    }
    context.write("shared/value.txt", "another value\n");
    let explained = succeed(&mut context.splitter(&["explain", "HEAD"]));
    assert!(explained.contains("~ shared/value.txt (through the link apps/web/src/shared)"), "{explained}");
    assert_eq!(links_of(&nix.build("web")), READ.replace("value of shared", "another value"));
}

#[test]
fn e2e_verify_proves_the_targets_of_links() {
    let Some(nix) = bun() else { return };
    let report: Value = serde_json::from_str(&succeed(&mut splitter(&nix, &["verify", "--json"]))).unwrap();
    assert_eq!(report["surprises"], 0, "{report:#}");
    let edits = rebuilds(&report);
    let of_target = |path: &str| edits.get(&format!("source behind a link {path}")).map(String::as_str);
    assert_eq!(of_target("shared/value.txt"), Some("web"), "{edits:#?}");
    assert_eq!(of_target("packages/brand/art/logo.txt"), Some("web"));
}

#[test]
fn e2e_yarn_builds_have_what_links_lead_to() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[2], "node-modules", |monorepo| add_links(&monorepo.context));
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    assert_eq!(links_of(&nix.build("web")), READ);
}

/// A link to the whole folder of a workspace is an edge, and its code finds its packages.
#[test]
fn e2e_a_link_to_a_whole_workspace_is_an_edge() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry(), |monorepo| {
        let context = &monorepo.context;
        context.write(
            "packages/extra/package.json",
            r#"{ "name": "extra", "version": "1.0.0", "dependencies": { "colour": "^0.9.0" } }"#,
        );
        context.write("packages/extra/index.js", "console.log(require('colour'));\n");
        link(context, "apps/web/extra", "../../packages/extra");
        context.edit_manifest("apps/web/package.json", |manifest| {
            let build = manifest["scripts"]["build"].as_str().unwrap();
            manifest["scripts"]["build"] = format!("{build} && node extra/index.js > dist/links.txt").into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    succeed(&mut nix.context().splitter(&["check"]));
    assert_eq!(links_of(&nix.build("web")), "colour@0.9.0\n");
    assert_eq!(changed(&nix, &nix.derivations(), "packages/extra/index.js"), ["web"]);
}

/// Nix copies links of the lock set as they are, so what they lead to belongs to it too.
#[test]
fn e2e_an_install_has_what_its_links_lead_to() {
    let Some(monorepo) = local_monorepo(BUN_VERSIONS[2]) else { return };
    let context = &monorepo.context;
    fs::create_dir_all(context.repo().join("kept")).unwrap();
    for (from, to) in [("patches", "kept/patches"), ("vendor/packed-1.0.0.tgz", "kept/packed.tgz")] {
        fs::rename(context.repo().join(from), context.repo().join(to)).unwrap();
    }
    link(context, "patches", "kept/patches");
    link(context, "vendor/packed-1.0.0.tgz", "../kept/packed.tgz");
    context.commit_all("links");
    let Some(nix) = NixMonorepo::of(monorepo) else { return };
    succeed(&mut nix.context().splitter(&["check"]));
    let api = nix.build("api");
    let printed = succeed(nix.context().command("node").arg(api.join("index.js")));
    assert!(printed.contains("native, patched") && printed.contains("packed@1.0.0"), "{printed}");
}

/// A package of sources has the targets of links beside them, also those in workspaces that it does not depend on.
#[test]
fn e2e_a_program_reads_through_links() {
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry(), |monorepo| {
        let context = &monorepo.context;
        context.write("packages/brand/package.json", r#"{ "name": "brand", "version": "1.0.0", "private": true }"#);
        context.write("packages/brand/art/logo.txt", "logo of brand\n");
        context.write("shared/value.txt", "value of shared\n");
        context.write("apps/run/package.json", r#"{ "name": "run", "scripts": { "start": "node src/main.js" } }"#);
        let read = |name: &str| format!("fs.readFileSync(`${{__dirname}}/{name}`, 'utf8')");
        let main =
            format!("const fs = require('fs');\nconsole.log({} + {});\n", read("logo.txt"), read("shared/value.txt"));
        context.write("apps/run/src/main.js", main);
        link(context, "apps/run/src/logo.txt", "../../../packages/brand/art/logo.txt");
        link(context, "apps/run/src/shared", "../../../shared");
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let program = nix.build("run").join("bin/run");
    let printed = succeed(nix.context().command(program.as_str()).env_clear().current_dir("/"));
    assert_eq!(printed, "logo of brand\nvalue of shared");
}
