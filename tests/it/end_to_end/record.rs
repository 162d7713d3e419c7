//! The hashes that splitter computes without Nix equal those of Nix.

use serde_json::Value;

use crate::support::{BUN_VERSIONS, NixMonorepo, Small, fail, splitter_snapshot, stand_in::system, succeed};

#[test]
fn e2e_the_hashes_written_are_those_of_a_cold_store() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let record: Value = serde_json::from_str(&nix.context().read("nix/splitter/splitter.lock.json")).unwrap();
    let deps = nix.build("deps");
    assert!(!nix.monorepo.registry.take_requests().is_empty(), "the store was cold");
    for part in ["common".to_owned(), system()] {
        let recorded = &record["deps"][&part];
        let name = format!("deps-{part}-{}", recorded["fingerprint"].as_str().unwrap());
        let output =
            deps.read_dir_utf8().unwrap().map(Result::unwrap).find(|entry| entry.path().as_str().contains(&name));
        let output = output.unwrap_or_else(|| panic!("{name} is not in {deps}")).path().canonicalize_utf8().unwrap();
        let hash = succeed(&mut nix.nix.command(nix.context(), &["hash", "path", output.as_str()]));
        assert_eq!(recorded["hash"], hash, "{part}");
    }
    // Nix refuses a wrong hash, so the comparison above is meaningful.
    let text = nix.context().read("nix/splitter/splitter.lock.json");
    let right = record["deps"]["common"]["hash"].as_str().unwrap();
    nix.context().write(
        "nix/splitter/splitter.lock.json",
        text.replace(right, "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    );
    assert!(fail(&mut nix.build_command("deps")).contains("hash mismatch"));
}

#[test]
fn e2e_after_preload_the_build_asks_no_registry() {
    let Some(mut nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    nix.nix.in_chroot = true;
    let mut preload = nix.context().splitter(&["update-hash", "--preload"]);
    preload.envs(nix.nix.environment(nix.context())).env("SPLITTER_NIX", &nix.nix.program);
    splitter_snapshot!(nix.context(), preload, @"
    exit: 0
    ----- stdout
    unchanged nix/splitter/splitter.lock.json: 18 packages, in [TIME]
    ----- stderr
    downloading 1 package (0 of 1 in the cache)
      downloaded 1 (107.3 MB), reused 15 (4.3 kB) from the cache
      added to the Nix store: /nix/store/[HASH]-deps-common-1f9b641602c855f0e8449ddd11f3ec73
      added to the Nix store: /nix/store/[HASH]-deps-x86_64-linux-fe522e2ca7ded419ec3be657c752672e
      added to the Nix store: /nix/store/[HASH]-bun-linux-x64-1.4.4.tgz
    ");
    nix.monorepo.registry.take_requests();
    nix.build("nodeModules");
    assert_eq!(nix.monorepo.registry.take_requests(), [""; 0]);
}

#[test]
fn preloading_without_nix_says_so_before_anything_is_downloaded() {
    let small = Small::new();
    small.init();
    let mut command = small.context.splitter(&["update-hash", "--preload"]);
    command.env("PATH", "/nowhere");
    splitter_snapshot!(small.context, command, @r"
    exit: 3
    ----- stdout
    ----- stderr
    error: `nix` was not found in SPLITTER_NIX or PATH
    hint: install Nix from https://nixos.org/download
    hint: or set SPLITTER_NIX=/path/to/nix
    ");
    assert_eq!(small.registry.take_requests(), [""; 0]);
}
