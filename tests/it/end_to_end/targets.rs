//! Programs that Bun compiles for other systems.

use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, Registry, fail, monorepo::packages, programs::bun_as, stand_in::system,
    succeed,
};

/// Bun takes the other system's Bun from its cache. Here that is this machine's, so that the program can be run.
fn compiles_for_another_system(version: &str) {
    let is_arm = system().starts_with("aarch64");
    let (platform, target) = if is_arm { ("linux-x64", "bun-linux-x64") } else { ("linux-aarch64", "bun-linux-arm64") };
    let monorepo = Monorepo::with_registry(version, Registry::start(packages()), |monorepo| {
        monorepo.registry.publish(bun_as(platform, version, &monorepo.bun));
        monorepo.context.edit_manifest("apps/api/package.json", |manifest| {
            let build = format!("bun build src/index.ts --compile --target={target} --outfile dist/other");
            manifest["scripts"]["build"] = build.into();
        });
        monorepo.context.edit_manifest("apps/web/package.json", |manifest| {
            let build = "bun build src/index.ts --compile --target=bun-windows-x64 --outfile dist/other";
            manifest["scripts"]["build"] = build.into();
        });
    });
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let api = nix.build("api");
    let printed = succeed(&mut context.command(api.join("other").as_str()));
    assert!(printed.contains("api: cataloged@1.1.0"), "{printed}");
    let scan = succeed(&mut context.splitter(&["scan"]));
    let warning = "warning: it compiles for `bun-windows-x64`, and splitter.lock.json has no Bun for that target";
    assert!(scan.contains(warning) && scan.matches("it compiles for").count() == 1, "{scan}");
    let said = fail(&mut nix.build_command("web"));
    let error = "the build of web compiles for bun-windows-x64, but splitter.lock.json has no Bun for that target";
    assert!(said.contains(error), "{said}");
}

#[test]
fn e2e_bun_1_3_compiles_for_another_system() {
    compiles_for_another_system(BUN_VERSIONS[1]);
}

#[test]
fn e2e_bun_1_4_compiles_for_another_system() {
    compiles_for_another_system(BUN_VERSIONS[2]);
}
