//! A stale record stops the build, with a hint.

use crate::support::{BUN_VERSIONS, NixMonorepo, Package, Project as _, fail, splitter_snapshot, succeed};

#[test]
fn e2e_a_lock_edit_without_new_hashes_fails_by_name_and_builds_after_update_hash() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    nix.monorepo.registry.publish(Package::new("newcomer", "1.0.0"));
    nix.monorepo.add("apps/api", "newcomer@1.0.0");
    let source = context.read("apps/api/src/index.ts");
    context.write("apps/api/src/index.ts", format!("import newcomer from \"newcomer\";\n{source}log(newcomer);\n"));
    splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      packages
        + newcomer 1.0.0
      files
        ~ apps/api/package.json
        ~ bun.lock
    run `splitter update-hash`
    ----- stderr
    ");
    let output = fail(&mut nix.build_command("api"));
    assert!(output.contains("newcomer@1.0.0") && output.contains("run `splitter update-hash`"), "{output}");
    // The shell adds no message of its own after the error.
    assert!(!output.contains("pop_var_context"), "{output}");
    nix.monorepo.registry.take_requests();
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @"
    exit: 0
    ----- stdout
      packages
        + newcomer 1.0.0
    wrote nix/splitter/splitter.lock.json: 19 packages (1 added), in [TIME]
    ----- stderr
    downloading 1 package (the changed part has 15, 14 of them in the cache)
      downloaded 1 (231 B), reused 14 (3.9 kB) from the cache
      deps-common         sha256-[HASH] (15 packages, 4.2 kB)
    ");
    assert_eq!(nix.monorepo.registry.take_requests(), ["GET /newcomer/-/newcomer-1.0.0.tgz"]);
    let api = nix.build("api");
    let printed = succeed(context.command("node").arg(api.join("index.js")));
    assert!(printed.ends_with("newcomer@1.0.0"), "{printed}");
    succeed(&mut context.splitter(&["check"]));
}

#[test]
fn e2e_another_graph_of_workspaces_fails_evaluation_with_the_remedy() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let context = nix.context();
    let mut manifest: serde_json::Value = serde_json::from_str(&context.read("apps/api/package.json")).unwrap();
    manifest["dependencies"]["@acme/ui"] = "workspace:*".into();
    context.write("apps/api/package.json", manifest.to_string());
    let output = fail(&mut nix.build_command("api"));
    for words in [
        "splitter.lock.json is stale, the workspaces changed",
        "apps/api: the workspace dependencies changed: recorded packages/logger, packages/stamp, found packages/logger, packages/stamp, packages/ui",
        "hint: run `splitter update-hash`",
    ] {
        assert!(output.contains(words), "{words} is not in\n{output}");
    }
    context.git(&["checkout", "--quiet", "."]);
    context.remove("packages/ui/package.json");
    let output = fail(&mut nix.build_command("web"));
    assert!(output.contains("packages/ui: package.json is missing"), "{output}");
}

#[test]
fn e2e_a_record_of_a_newer_format_is_refused_by_nix() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let path = "nix/splitter/splitter.lock.json";
    let newer = nix.context().read(path).replace("\"formatVersion\": 3", "\"formatVersion\": 99");
    nix.context().write(path, newer);
    let output = fail(&mut nix.build_command("deps"));
    assert!(output.contains("has format 99") && output.contains("splitter init"), "{output}");
}
