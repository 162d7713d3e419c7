//! `splitter update-hash`: its requests, its output and the record that it writes.

use fs_err as fs;
use serde_json::Value;

use crate::support::{
    BUN_VERSIONS, Fault, Monorepo, Package, Project as _, Small, copy_folder, run, small, splitter_snapshot, succeed,
};

const RECORD: &str = "nix/splitter/splitter.lock.json";

#[test]
fn an_edit_by_the_real_bun_downloads_only_what_is_new() {
    let Some(monorepo) = Monorepo::with_bun(BUN_VERSIONS[2]) else { return };
    monorepo.name_registry();
    let context = &monorepo.context;
    succeed(&mut context.splitter(&["init"]));
    monorepo.registry.publish(Package::new("newcomer", "1.0.0").dependency("its-dependency", "^1.0.0"));
    monorepo.registry.publish(Package::new("its-dependency", "1.2.0"));
    monorepo.registry.publish(Package::new("colour", "1.3.0"));
    monorepo.registry.claim_to_be(&monorepo.registry.url());
    succeed(monorepo.bun(&["add", "--lockfile-only", "newcomer"]).current_dir(context.repo().join("apps/api")));
    succeed(monorepo.bun(&["update", "--lockfile-only", "colour"]).current_dir(context.repo().join("packages/logger")));
    succeed(monorepo.bun(&["remove", "--lockfile-only", "untrusted"]).current_dir(context.repo().join("apps/api")));
    monorepo.registry.take_requests();
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @"
    exit: 0
    ----- stdout
      packages
        ~ colour 1.2.0 -> 1.3.0
        + its-dependency 1.2.0
        + newcomer 1.0.0
        - untrusted 1.0.0
    wrote nix/splitter/splitter.lock.json: 19 packages (2 added, 1 removed, 1 changed), in [TIME]
    ----- stderr
    downloading 3 packages (the changed part has 15, 12 of them in the cache)
      downloaded 3 (737 B), reused 12 (3.4 kB) from the cache
      deps-common         sha256-[HASH] (15 packages, 4.1 kB)
    ");
    let mut requests = monorepo.registry.take_requests();
    requests.sort();
    insta::assert_snapshot!(requests.join("\n"), @r"
    GET /colour/-/colour-1.3.0.tgz
    GET /its-dependency/-/its-dependency-1.2.0.tgz
    GET /newcomer/-/newcomer-1.0.0.tgz
    ");
    succeed(&mut context.splitter(&["check"]));
    // A second run sends no request and does not touch the file.
    let modified = || fs::metadata(context.repo().join(RECORD)).unwrap().modified().unwrap();
    let before = modified();
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @"
    exit: 0
    ----- stdout
    unchanged nix/splitter/splitter.lock.json: 19 packages, in [TIME]
    ----- stderr
    ");
    assert_eq!(modified(), before);
    assert_eq!(monorepo.registry.take_requests(), [""; 0]);
}

#[test]
fn every_version_of_bun_gives_the_same_hashes() {
    let mut all = Vec::new();
    for version in BUN_VERSIONS {
        let Some(monorepo) = Monorepo::with_bun(version) else { return };
        succeed(&mut monorepo.context.splitter(&["init"]));
        all.push(serde_json::from_str::<Value>(&monorepo.context.read(RECORD)).unwrap());
    }
    for record in &all[1..] {
        assert_eq!(record["workspaces"], all[0]["workspaces"]);
        for part in ["common", "aarch64-darwin", "x86_64-darwin", "aarch64-linux"] {
            assert_eq!(record["deps"][part], all[0]["deps"][part], "{part}");
        }
    }
    // Lockfiles of Bun before 1.4 have no libc, so there the packages for musl count as packages for Linux.
    let packages = all.iter().map(|record| record["deps"]["x86_64-linux"]["packages"].as_u64().unwrap());
    assert_eq!(packages.collect::<Vec<_>>(), [2, 2, 1]);
}

#[test]
fn a_cold_start_writes_the_record_that_init_writes() {
    let small = Small::new();
    small.init();
    let record = small.context.read(RECORD);
    small.context.remove(RECORD);
    fs::remove_dir_all(small.context.home()).unwrap();
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash"]), @r"
    exit: 0
    ----- stdout
    wrote nix/splitter/splitter.lock.json: 3 packages, in [TIME]
    ----- stderr
    downloading 3 packages (0 of 3 in the cache)
      downloaded 3 (739 B), reused 0 (0 B) from the cache
      deps-common         sha256-[HASH] (2 packages, 471 B)
      deps-x86_64-linux   sha256-[HASH] (1 package, 268 B)
    ");
    assert_eq!(small.context.read(RECORD), record);
}

#[test]
fn the_summary_counts_what_changed() {
    let small = Small::new();
    small.init();
    small.lock(&[
        small.publish(Package::new("alpha", "1.1.0")),
        small.publish(Package::new("delta", "0.1.0")),
        Package::new("gamma-linux", "3.0.0").os("linux").cpu("x64"),
    ]);
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash"]), @"
    exit: 0
    ----- stdout
      packages
        - @scope/beta 2.1.0-rc.1
        ~ alpha 1.0.0 -> 1.1.0
        + delta 0.1.0
    wrote nix/splitter/splitter.lock.json: 3 packages (1 added, 1 removed, 1 changed), in [TIME]
    ----- stderr
    downloading 2 packages (the changed part has 2, 0 of them in the cache)
      downloaded 2 (460 B), reused 0 (0 B) from the cache
      deps-common         sha256-[HASH] (2 packages, 460 B)
    ");
    let mut requests = small.registry.take_requests();
    requests.sort();
    assert_eq!(requests, ["GET /alpha/-/alpha-1.1.0.tgz", "GET /delta/-/delta-0.1.0.tgz"]);
    assert_eq!(small.context.git(&["status", "--porcelain"]), " M bun.lock\n M nix/splitter/splitter.lock.json");
}

#[test]
fn a_lockfile_without_packages_is_no_special_case() {
    let small = Small::new();
    small.init();
    small.lock(&[]);
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash"]), @"
    exit: 0
    ----- stdout
      packages
        - @scope/beta 2.1.0-rc.1
        - alpha 1.0.0
        - gamma-linux 3.0.0
    wrote nix/splitter/splitter.lock.json: 0 packages (3 removed), in [TIME]
    ----- stderr
      deps-common         sha256-[HASH] (0 packages, 0 B)
    ");
    succeed(&mut small.context.splitter(&["check"]));
}

#[test]
fn offline_uses_the_cache_and_names_what_it_lacks() {
    let small = Small::new();
    small.init();
    let right = small.context.read(RECORD);
    small.context.remove(RECORD);
    succeed(&mut small.context.splitter(&["update-hash", "--offline"]));
    assert_eq!(small.context.read(RECORD), right);
    let mut more = small::packages();
    more.push(small.publish(Package::new("delta", "0.1.0")));
    small.lock(&more);
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash", "--offline"]), @"
    exit: 3
    ----- stdout
    ----- stderr
    error: 1 of 3 packages is not in the cache
      delta@0.1.0
    hint: run once without `--offline`
    ");
    fs::remove_dir_all(small.context.home()).unwrap();
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash", "--offline"]), @r"
    exit: 3
    ----- stdout
    ----- stderr
    error: 3 of 3 packages are not in the cache
      @scope/beta@2.1.0-rc.1
      alpha@1.0.0
      delta@0.1.0
    hint: run once without `--offline`
    ");
    small.context.remove(RECORD);
    splitter_snapshot!(small.context, small.context.splitter(&["update-hash", "--offline"]), @r"
    exit: 3
    ----- stdout
    ----- stderr
    error: 4 of 4 packages are not in the cache
      @oven/bun-darwin-aarch64@1.4.4
      @oven/bun-darwin-x64@1.4.4
      @oven/bun-linux-aarch64@1.4.4
      @oven/bun-linux-x64@1.4.4
    hint: run once without `--offline`
    ");
    assert_eq!(small.registry.take_requests(), [""; 0]);
}

#[test]
fn a_damaged_file_in_the_cache_is_noticed_and_had_again() {
    let small = Small::new();
    small.init();
    let right = small.context.read(RECORD);
    let cached = cached_tarballs(&small);
    assert_eq!(cached.len(), 3);
    for path in &cached {
        let mut bytes = fs::read(path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    small.context.remove(RECORD);
    succeed(&mut small.context.splitter(&["update-hash"]));
    assert_eq!(small.context.read(RECORD), right);
    assert_eq!(small.registry.take_requests().len(), 3);
    // Offline the file cannot be downloaded again, and the damaged one must not be used.
    fs::write(&cached[0], "short").unwrap();
    small.context.remove(RECORD);
    let output = run(&mut small.context.splitter(&["update-hash", "--offline"]));
    assert!(output.starts_with("exit: 3"), "{output}");
    assert!(!small.context.repo().join(RECORD).exists());
}

fn cached_tarballs(small: &Small) -> Vec<String> {
    let folder = small.context.home().join(".cache/splitter/tarballs");
    let found = succeed(small.context.command("find").args([folder.as_str(), "-type", "f"]));
    found.lines().map(str::to_owned).collect()
}

#[test]
fn two_repositories_share_the_cache() {
    let small = Small::new();
    small.init();
    let other = small.context.folder("other");
    copy_folder(&small.context.repo(), &other);
    fs::remove_dir_all(other.join("nix")).unwrap();
    succeed(&mut small.context.splitter(&["init", "--repo", other.as_str()]));
    assert_eq!(small.registry.take_requests(), [""; 0]);
    assert_eq!(fs::read_to_string(other.join(RECORD)).unwrap(), small.context.read(RECORD));
}

#[test]
fn a_registry_of_the_user_is_asked_and_not_recorded() {
    let mut small = Small::new();
    small.init();
    let right = small.context.read(RECORD);
    let mirror = crate::support::Registry::start(small::packages());
    // The cache keeps the answers of each registry apart, so the mirror needs these packages too.
    crate::support::programs::stubs("1.4.4").for_each(|package| mirror.publish(package));
    small.context.use_registry(&mirror);
    small.context.remove(RECORD);
    fs::remove_dir_all(small.context.home().join(".cache/splitter/tarballs")).unwrap();
    let output = run(&mut small.context.splitter(&["update-hash"]));
    assert!(output.starts_with("exit: 0"), "{output}");
    assert_eq!(small.context.read(RECORD), right, "the record does not depend on the user's mirror");
}

#[test]
fn a_failed_update_leaves_the_record_as_it_was() {
    let small = Small::new();
    small.init();
    small.lock(&[Package::new("alpha", "1.1.0")]);
    small.context.commit_all("a lock");
    small.registry.fail("/alpha/-/alpha-1.1.0.tgz", Fault::Status(404), usize::MAX);
    let output = run(&mut small.context.splitter(&["update-hash"]));
    assert!(output.starts_with("exit: 2"), "{output}");
    assert_eq!(small.context.git(&["status", "--porcelain", "--ignored"]), "");
}
