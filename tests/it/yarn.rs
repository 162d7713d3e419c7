//! Repositories of Yarn, locked by the real Yarn, without Nix.

use serde_json::{Value, json};

use crate::support::{Package, Project as _, TestContext, YARN_VERSIONS, YarnMonorepo, splitter_snapshot, succeed};

const RECORD: &str = "nix/splitter/splitter.lock.json";

/// Returns the monorepo after `splitter init`.
fn initialised(version: &str) -> Option<YarnMonorepo> {
    let monorepo = YarnMonorepo::with_yarn(version)?;
    monorepo.registry.publish(monorepo.program());
    monorepo.name_registry();
    succeed(&mut monorepo.context.splitter(&["init"]));
    monorepo.context.commit_all("splitter init");
    monorepo.registry.take_requests();
    Some(monorepo)
}

#[test]
fn a_scan_of_yarn_1() {
    let Some(monorepo) = YarnMonorepo::with_yarn(YARN_VERSIONS[0]) else { return };
    splitter_snapshot!(monorepo.context, monorepo.context.splitter(&["scan"]), @"
    exit: 0
    ----- stdout
    repository  [REPO]
    manager     yarn 1.22.22 (packageManager in package.json), yarn.lock version 1
    packages    19: 13 for every system, 6 whose systems `update-hash` reads from the tarballs

    lock set    7 files; a change to any of them makes the hashes stale
      yarn.lock
      6 package.json files (only the fields that an install reads)

    workspaces  6: 2 apps, 3 libraries, the root
      .                library (is the workspace root)
      apps/api         app api (has a build script and is in apps/)
                       build: `yarn run build` -> dist? (a guess; `output` in splitter.json sets it)
                       files: the output of the build, no program
      apps/web         app web (has a build script and is in apps/)
                       build: `yarn run build` -> dist? (a guess; `output` in splitter.json sets it)
                       files: the output of the build, no program
      packages/logger  library (its package.json has no `build`, `start` or `dev` script)
      packages/stamp   library (apps/api depends on it)
      packages/ui      library (its package.json has no `build`, `start` or `dev` script)

    source sets 2 apps; editing a file outside an app's source set does not rebuild that app
      api  7 files, 1.1 kB, from apps/api, packages/logger, packages/stamp
      web  7 files, 1.1 kB, from apps/web, packages/logger, packages/ui
        excluded: README.md (1 file)
      files ignored by git are never included
    ----- stderr
    ");
}

#[test]
fn a_scan_of_yarn_4() {
    let Some(monorepo) = YarnMonorepo::with_yarn(YARN_VERSIONS[2]) else { return };
    splitter_snapshot!(monorepo.context, monorepo.context.splitter(&["scan"]), @"
    exit: 0
    ----- stdout
    repository  [REPO]
    manager     yarn 4.18.1 (packageManager in package.json), yarn.lock version 10
    packages    17: 13 for every system, 4 for some systems only (aarch64-darwin 1, aarch64-linux 1, x86_64-darwin 1, x86_64-linux 1)

    lock set    8 files; a change to any of them makes the hashes stale
      .yarnrc.yml
      yarn.lock
      6 package.json files (only the fields that an install reads)

    workspaces  6: 2 apps, 3 libraries, the root
      .                library (is the workspace root)
      apps/api         app api (has a build script and is in apps/)
                       build: `yarn run build` -> dist? (a guess; `output` in splitter.json sets it)
                       files: the output of the build, no program
      apps/web         app web (has a build script and is in apps/)
                       build: `yarn run build` -> dist? (a guess; `output` in splitter.json sets it)
                       files: the output of the build, no program
      packages/logger  library (its package.json has no `build`, `start` or `dev` script)
      packages/stamp   library (apps/api depends on it)
      packages/ui      library (its package.json has no `build`, `start` or `dev` script)

    source sets 2 apps; editing a file outside an app's source set does not rebuild that app
      api  7 files, 1.1 kB, from apps/api, packages/logger, packages/stamp
      web  7 files, 1.1 kB, from apps/web, packages/logger, packages/ui
        excluded: README.md (1 file)
      files ignored by git are never included
    ----- stderr
    ");
}

/// Upgrades a dependency as developers do: `check` reports it, `update-hash` downloads one tarball, and `check` passes
/// again.
fn an_upgrade_downloads_what_is_new(version: &str, command: &[&str]) {
    let Some(monorepo) = initialised(version) else { return };
    let context = &monorepo.context;
    succeed(&mut context.splitter(&["check"]));
    monorepo.registry.publish(Package::new("host", "1.5.0"));
    succeed(monorepo.yarn(command).current_dir(context.repo().join("apps/web")));
    context.git(&["clean", "--quiet", "--force", "-dX"]);
    monorepo.registry.take_requests();
    assert!(crate::support::fail(&mut context.splitter(&["check"])).contains("~ host 1.4.0 -> 1.5.0"));
    // Only the network is missing, and the message says so.
    assert!(crate::support::fail(&mut context.splitter(&["update-hash", "--offline"])).contains("host@1.5.0"));
    assert_eq!(monorepo.registry.take_requests(), [""; 0]);
    succeed(&mut context.splitter(&["update-hash"]));
    assert_eq!(monorepo.registry.take_requests(), ["GET /host/-/host-1.5.0.tgz"]);
    succeed(&mut context.splitter(&["check"]));
    succeed(&mut context.splitter(&["update-hash", "--offline"]));
    assert_eq!(context.git(&["status", "--porcelain", RECORD]), format!(" M {RECORD}"));
}

#[test]
fn an_upgrade_by_yarn_1_downloads_what_is_new() {
    an_upgrade_downloads_what_is_new(YARN_VERSIONS[0], &["upgrade", "--ignore-scripts"]);
}

#[test]
fn an_upgrade_by_yarn_3_downloads_what_is_new() {
    an_upgrade_downloads_what_is_new(YARN_VERSIONS[1], &["up", "--recursive", "host", "--mode=skip-build"]);
}

#[test]
fn an_upgrade_by_yarn_4_downloads_what_is_new() {
    an_upgrade_downloads_what_is_new(YARN_VERSIONS[2], &["up", "--recursive", "host", "--mode=skip-build"]);
}

/// Each version's record lists the packages of one system for that system alone. The lockfile of Yarn 1 does not say
/// which they are.
#[test]
fn packages_for_a_system_are_recorded_for_it_alone() {
    for version in YARN_VERSIONS {
        let Some(monorepo) = initialised(version) else { return };
        let record: Value = serde_json::from_str(&monorepo.context.read(RECORD)).unwrap();
        let systems = |name: &str| {
            let mut entries = record["dependencies"].as_array().unwrap().iter();
            entries.find(|entry| entry["path"].as_str().unwrap().contains(name)).map(|entry| entry["systems"].clone())
        };
        assert_eq!(systems("@native/linux-x64/"), Some(json!(["x86_64-linux"])), "{version}");
        assert_eq!(systems("@native/darwin-arm64/"), Some(json!(["aarch64-darwin"])), "{version}");
        assert_eq!(systems("/colour/"), Some(Value::Null), "{version}");
        // With Yarn 1, packages for unsupported systems are downloaded too, to find out their platforms.
        let is_classic = monorepo.is_classic();
        assert_eq!(systems("@native/win32-x64/"), is_classic.then(|| json!([])), "{version}");
        assert_eq!(systems("@native/linux-x64-musl/"), is_classic.then(|| json!([])), "{version}");
    }
}

/// Yarn 1 accepts a frozen lockfile whatever the manifests of workspaces say.
#[test]
fn a_dependency_that_yarn_1_does_not_miss_is_drift() {
    let Some(monorepo) = initialised(YARN_VERSIONS[0]) else { return };
    monorepo.registry.publish(Package::new("newcomer", "1.0.0"));
    monorepo.context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["dependencies"]["newcomer"] = "^1.0.0".into();
        manifest["dependencies"]["host"] = "^1.2.0".into();
    });
    monorepo.install();
    splitter_snapshot!(monorepo.context, monorepo.context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      files
        ~ apps/web/package.json
    drift: yarn.lock does not match the package.json files
        apps/web/package.json: `host` (`^1.2.0`) is not in the lockfile
        apps/web/package.json: `newcomer` (`^1.0.0`) is not in the lockfile
    run `yarn install`, then `splitter update-hash`
    ----- stderr
    ");
}

#[test]
fn a_dependency_that_was_not_installed_is_drift_with_yarn_4() {
    let Some(monorepo) = initialised(YARN_VERSIONS[2]) else { return };
    monorepo.context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["dependencies"]["newcomer"] = "^1.0.0".into();
        manifest["dependencies"]["host"] = "^1.2.0".into();
    });
    splitter_snapshot!(monorepo.context, monorepo.context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      files
        ~ apps/web/package.json
    drift: yarn.lock does not match the package.json files
        apps/web/package.json: `newcomer` (`^1.0.0`) is not in the lockfile
        apps/web/package.json: `host` is locked for `npm:^1.0.0`, but the manifest has `^1.2.0`
    run `yarn install`, then `splitter update-hash`
    ----- stderr
    ");
}

/// Yarn refuses such a repository with `--immutable`, and no manifest of a workspace differs.
#[test]
fn a_resolution_that_was_not_installed_is_drift_with_yarn_4() {
    let Some(monorepo) = initialised(YARN_VERSIONS[2]) else { return };
    monorepo.context.edit_manifest("package.json", |manifest| {
        manifest["resolutions"] = json!({ "native": "1.0.0" });
    });
    splitter_snapshot!(monorepo.context, monorepo.context.splitter(&["check"]), @r"
    exit: 1
    ----- stdout
    stale: nix/splitter/splitter.lock.json does not match this repository
      files
        ~ package.json
    drift: yarn.lock does not match the package.json files
        package.json: `resolutions.native` is `1.0.0`, but the lockfile was written for `npm:^2.0.0`
    run `yarn install`, then `splitter update-hash`
    ----- stderr
    ");
    // A new record does not make the lockfile right.
    let update = monorepo.context.splitter(&["update-hash"]).output().unwrap();
    let warning = "yarn.lock does not match the package.json files: package.json: `resolutions.native` is `1.0.0`";
    assert!(String::from_utf8_lossy(&update.stderr).contains(warning), "{update:?}");
    let check = monorepo.context.splitter(&["check"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1), "{check:?}");
}

/// Creates a repository of Yarn that was never installed.
fn written(files: &[(&str, &str)]) -> TestContext {
    let context = TestContext::new();
    for (path, text) in files {
        context.write(path, text);
    }
    context
}

const MANIFEST: &str = "{ \"name\": \"acme\", \"packageManager\": \"yarn@4.18.1\", \"workspaces\": [\"apps/*\"] }\n";
const BERRY: &str = "__metadata:\n  version: 10\n  cacheKey: 10c0\n\n\"acme@workspace:.\":\n  version: 0.0.0-use.local\n  \
                     resolution: \"acme@workspace:.\"\n  languageName: unknown\n  linkType: soft\n";
const CLASSIC: &str = "# yarn lockfile v1\n\n\n";

#[test]
fn a_json_lockfile_is_refused() {
    let context =
        written(&[("package.json", MANIFEST), ("yarn.lock", "{\"__metadata\":{\"version\":9},\"entries\":{}}\n")]);
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `yarn.lock` is the JSON lockfile of Yarn 6, which is not supported
      at yarn.lock:1:1
    hint: pin Yarn 4 with `packageManager` in package.json, then run `yarn install` to write `yarn.lock` again
    ");
}

#[test]
fn conflict_markers_in_a_yarn_lock_are_named() {
    let lock = format!("{BERRY}\n<<<<<<< HEAD\n=======\n>>>>>>> theirs\n");
    let context = written(&[("package.json", MANIFEST), ("yarn.lock", &lock)]);
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: merge conflict markers in `yarn.lock`
      at yarn.lock:11:1
    hint: resolve the conflicts in the `package.json` files, then run `yarn install` to resolve those in `yarn.lock`
    ");
}

#[test]
fn another_managers_pin_is_refused() {
    let context = written(&[("package.json", &MANIFEST.replace("yarn@4.18.1", "bun@1.4.4")), ("yarn.lock", BERRY)]);
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `packageManager` is `bun@1.4.4`, but the lockfile is `yarn.lock`
      at package.json
    hint: correct `packageManager`, or remove the lockfile that is not in use
    ");
}

#[test]
fn a_yarn_that_writes_another_lockfile_is_refused() {
    let context = written(&[("package.json", MANIFEST), ("yarn.lock", CLASSIC)]);
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `packageManager` pins Yarn 4.18.1, but Yarn 1 wrote `yarn.lock`
      at package.json
    hint: run `yarn install` to migrate the lockfile, or pin the Yarn 1 that wrote it
    ");
    context.write("package.json", MANIFEST.replace("4.18.1", "1.22.22"));
    context.write("yarn.lock", BERRY);
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: Yarn 1.22.22 would rewrite `yarn.lock`, whose version 10 needs Yarn 4.15.0 or later
      at yarn.lock
    hint: run `yarn install` to update the lockfile, or pin the Yarn that wrote it
    ");
    context.write("package.json", MANIFEST.replace("4.18.1", "3.8.7"));
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: Yarn 3.8.7 would rewrite `yarn.lock`, whose version 10 needs Yarn 4.15.0 or later
      at yarn.lock
    hint: run `yarn install` to update the lockfile, or pin the Yarn that wrote it
    ");
}

#[test]
fn settings_that_nix_would_read_otherwise_are_refused() {
    let context = written(&[("package.json", MANIFEST), ("yarn.lock", BERRY)]);
    context.write(".yarnrc.yml", "{ nodeLinker: pnp }\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `nodeLinker` is not written in the plain form that the Nix build can read
      at .yarnrc.yml:1:3
    hint: write it as plain block YAML: the key at the start of a line, its value after it or indented below, without `#` or empty lines inside a string
    ");
    context.write(".yarnrc.yml", "nodeLinker: [pnp\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: malformed YAML: unclosed bracket '['
      at .yarnrc.yml:1:13
    ");
}

#[test]
fn a_program_that_is_not_there_is_refused() {
    let context = written(&[("package.json", MANIFEST), ("yarn.lock", BERRY)]);
    context.write(".yarnrc.yml", "yarnPath: .yarn/releases/yarn-4.18.1.cjs\n");
    splitter_snapshot!(context, context.splitter(&["scan"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: `.yarn/releases/yarn-4.18.1.cjs` is missing; the path of Yarn in the rc file refers to it
    hint: restore it, or remove the reference to it
    ");
}
