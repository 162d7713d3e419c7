//! Lockfiles that their package manager accepts although something in them does not fit: an install gets them too.

use serde_json::json;

use super::yarn::{RECORD, Yarn, output_of};
use crate::support::{
    BUN_1_3_14, BUN_VERSIONS, Monorepo, NixMonorepo, Package, Project as _, Registry, YARN_VERSIONS, YarnMonorepo,
    monorepo::packages, succeed,
};

/// Bun asks a registry for the name of a workspace whose version does not satisfy a peer, and then takes the workspace.
fn installs_a_workspace_that_no_range_admits(version: &str) {
    let monorepo = Monorepo::with_registry(version, Registry::start(packages()), |monorepo| {
        monorepo.registry.publish(Package::new("ruler", "3.0.1"));
        let ruler = json!({ "name": "ruler", "version": "15.0.0" });
        monorepo.context.write("packages/ruler/package.json", format!("{ruler:#}\n"));
        let ext = json!({ "name": "ext", "version": "1.0.0", "peerDependencies": { "ruler": "^3.0.0" } });
        monorepo.context.write("packages/ext/package.json", format!("{ext:#}\n"));
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    nix.monorepo.install();
    nix.context().git(&["clean", "--quiet", "--force", "-dX"]);
    nix.build("nodeModules");
    succeed(&mut nix.context().splitter(&["check"]));
}

#[test]
fn e2e_bun_1_2_installs_a_workspace_that_no_range_admits() {
    installs_a_workspace_that_no_range_admits(BUN_VERSIONS[0]);
}

#[test]
fn e2e_bun_1_3_installs_a_workspace_that_no_range_admits() {
    installs_a_workspace_that_no_range_admits(BUN_1_3_14);
}

#[test]
fn e2e_bun_1_4_installs_a_workspace_that_no_range_admits() {
    installs_a_workspace_that_no_range_admits(BUN_VERSIONS[2]);
}

/// Yarn 1 writes a lockfile in which the range of a resolution has a version that it does not admit, and accepts it.
#[test]
fn e2e_yarn_1_installs_an_incorrect_entry() {
    let monorepo = YarnMonorepo::with_linker(YARN_VERSIONS[0], "", |monorepo| {
        for package in [
            Package::new("picker", "2.3.2"),
            Package::new("picker", "4.0.7"),
            Package::new("micro", "1.0.0").dependency("picker", "^2.3.1"),
            Package::new("tiny", "1.0.0").dependency("picker", "^4.0.3"),
        ] {
            monorepo.registry.publish(package);
        }
        let context = &monorepo.context;
        context.edit_manifest("apps/api/package.json", |manifest| {
            manifest["dependencies"]["micro"] = "^1.0.0".into();
            manifest["dependencies"]["tiny"] = "^1.0.0".into();
        });
        context.write("apps/api/src/index.js", "console.log(require(\"picker\"));\n");
        // The first pattern that matches counts, so their order matters.
        let resolutions =
            "\"resolutions\": { \"picker\": \"^2.3.2\", \"**/tiny/picker\": \"^4.0.4\" },\n  \"workspaces\"";
        context.write("package.json", context.read("package.json").replace("\"workspaces\"", resolutions));
        context.write("splitter.json", "{}\n");
    });
    let Some(monorepo) = monorepo else { return };
    // Some installs make one entry of both.
    let context = &monorepo.context;
    let lock = context.read("yarn.lock");
    let entry = lock.split("\n\n").find(|entry| entry.trim_start().starts_with("picker@^4")).unwrap().to_owned();
    let lock = lock.replace(&format!("{entry}\n\n"), "");
    let first = "picker@^2.3.1, picker@^2.3.2, picker@^4.0.3:";
    assert!(lock.contains(first), "{lock}");
    context.write("yarn.lock", lock.replace(first, "picker@^2.3.1, picker@^2.3.2, picker@^4.0.3, picker@^4.0.4:"));
    let output = monorepo.yarn(&["install", "--frozen-lockfile"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("incorrect entry for \"picker@^4.0.4\""), "{said}");
    monorepo.forget_install();
    context.commit_all("an incorrect entry");
    let Some(nix) = Yarn::of(monorepo) else { return };
    let record = nix.context().read(RECORD);
    assert!(record.contains("\"unsatisfied\": {\n    \"picker@^4.0.4\": \"4.0.4\"\n  }"), "{record}");
    assert_eq!(output_of(&nix, "api"), "picker@2.3.2");
}

/// Yarn makes an instance of a package with peers for every workspace that has it, and takes one for all that are alike: that of
/// the first workspace, which is not in the build of another one.
fn runs_a_command_with_peers(version: &str, linker: &str) {
    let monorepo = YarnMonorepo::with_linker(version, linker, |monorepo| {
        monorepo.registry.publish(Package::new("lister", "1.0.0"));
        monorepo.registry.publish(Package::new("updater", "1.0.0").peer("lister", "^1.0.0").bin("updater"));
        let context = &monorepo.context;
        for name in ["api", "web"] {
            context.edit_manifest(&format!("apps/{name}/package.json"), |manifest| {
                for tool in ["lister", "updater"] {
                    manifest["devDependencies"][tool] = "^1.0.0".into();
                }
            });
        }
        context.edit_manifest("apps/web/package.json", |manifest| {
            manifest["scripts"]["build"] = "updater && bundle src/index.js dist/index.js".into();
        });
    });
    let Some(nix) = monorepo.and_then(Yarn::of) else { return };
    nix.build("api");
    nix.build("web");
}

#[test]
fn e2e_yarn_3_runs_a_command_with_peers_with_plug_n_play() {
    runs_a_command_with_peers(YARN_VERSIONS[1], "pnp");
}

#[test]
fn e2e_yarn_4_runs_a_command_with_peers_with_plug_n_play() {
    runs_a_command_with_peers(YARN_VERSIONS[2], "pnp");
}

#[test]
fn e2e_yarn_4_runs_a_command_with_peers() {
    runs_a_command_with_peers(YARN_VERSIONS[2], "node-modules");
}

#[test]
fn e2e_yarn_4_runs_a_command_with_peers_with_the_linker_pnpm() {
    runs_a_command_with_peers(YARN_VERSIONS[2], "pnpm");
}
