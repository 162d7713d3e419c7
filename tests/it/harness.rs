//! Tests of the test harness: package managers work with the loopback registry, its faults are real, and Nix builds in the
//! test's own store.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use splitter::lockfile::Algorithm;

use crate::support::{
    BUN_VERSIONS, Fault, Monorepo, Package, Registry, TestContext, YARN_VERSIONS, YarnMonorepo, fail,
    monorepo::PLATFORMS, splitter_snapshot, succeed,
};

/// Returns the whole answer to a GET request.
fn get(registry: &Registry, path: &str, header: &str) -> String {
    let address = registry.url();
    let mut connection = TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nconnection: close\r\n{header}\r\n").unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn tarballs_are_the_same_bytes_each_time() {
    let package = || Package::new("@a/b", "1.0.0").bin("b").dependency("c", "1").field("license", "MIT".into());
    assert_eq!(package().tarball(), package().tarball());
    assert_eq!(package().integrity(), package().integrity());
    assert_eq!(package().tarball_path(), "/@a/b/-/b-1.0.0.tgz");
}

#[test]
fn the_registry_answers_as_registries_do() {
    let registry = Registry::start([
        Package::new("@a/b", "9.0.0"),
        Package::new("@a/b", "10.0.0"),
        Package::new("@a/b", "11.0.0-rc.1").tag("next"),
    ]);
    assert!(get(&registry, "/@a%2fb", "").contains(r#""dist-tags":{"latest":"10.0.0","next":"11.0.0-rc.1"}"#));
    assert!(get(&registry, "/@a/b/next", "").contains(r#""version":"11.0.0-rc.1""#));
    assert!(get(&registry, "/@a/b/9.0.0", "").contains("/@a/b/-/b-9.0.0.tgz"));
    assert!(get(&registry, "/missing", "").starts_with("HTTP/1.1 404"));
    registry.serve("/elsewhere.tgz", "bytes");
    registry.redirect("/old.tgz", "/elsewhere.tgz");
    assert!(get(&registry, "/elsewhere.tgz", "").ends_with("\r\n\r\nbytes"));
    assert!(get(&registry, "/old.tgz", "").contains("location: /elsewhere.tgz"));
    assert_eq!(registry.take_requests().len(), 6);
    assert!(registry.take_requests().is_empty());
}

#[test]
fn the_registry_fails_as_often_as_it_is_told() {
    let registry = Registry::start([]);
    registry.serve("/x", "0123456789");
    registry.fail("/x", Fault::Status(500), 2);
    let statuses: Vec<_> = (0..3).map(|_| get(&registry, "/x", "")[9..12].to_owned()).collect();
    assert_eq!(statuses, ["500", "500", "200"]);
    registry.fail("/x", Fault::Truncated, 1);
    assert!(get(&registry, "/x", "").ends_with("content-length: 10\r\nconnection: close\r\n\r\n01234"));
    registry.fail("/x", Fault::WrongBytes, usize::MAX);
    assert!(!get(&registry, "/x", "").ends_with("0123456789"));
    registry.require_token("secret");
    assert!(get(&registry, "/x", "").starts_with("HTTP/1.1 401"));
    assert!(get(&registry, "/x", "authorization: Bearer secret\r\n").starts_with("HTTP/1.1 200"));
}

#[test]
fn snapshots_hide_what_differs_between_runs() {
    let mut context = TestContext::new();
    context.write("a.sh", "echo $PWD $HOME http://127.0.0.1:4711/; echo took 1.25s >&2; exit 3\n");
    context.add_filter("took", "spent");
    let mut command = context.command("sh");
    splitter_snapshot!(context, command.arg("a.sh"), @r"
    exit: 3
    ----- stdout
    [REPO] [HOME] http://127.0.0.1:[PORT]/
    ----- stderr
    spent [TIME]
    ");
    context.remove("a.sh");
    assert!(!context.repo().join("a.sh").exists());
    assert!(context.home().is_dir());
}

#[test]
fn the_environment_of_programs_is_the_contexts_alone() {
    let mut context = TestContext::new();
    context.set_env("CHOSEN", "here");
    let names = succeed(context.command("sh").args(["-c", "env | cut -d= -f1"]));
    assert!(names.contains("CHOSEN") && names.contains("XDG_CACHE_HOME"), "{names}");
    assert!(!names.contains("CARGO"), "{names}");
    assert!(fail(context.command("git").arg("status")).contains("not a git repository"));
}

#[test]
fn commits_are_the_same_everywhere() {
    let commit = || {
        let context = TestContext::new();
        context.git_init();
        context.write("a/b.txt", "b\n");
        context.commit_all("first");
        context.git(&["rev-parse", "HEAD"])
    };
    assert_eq!(commit(), commit());
}

#[test]
fn the_program_under_test_runs() {
    let context = TestContext::new();
    succeed(&mut context.splitter(&["--help"]));
}

/// Checks that Bun installs without changing the lockfile, and builds apps that run.
fn is_installed_and_built(monorepo: &Monorepo) {
    let context = &monorepo.context;
    let lock = context.read("bun.lock");
    succeed(&mut monorepo.bun(&["install", "--frozen-lockfile"]));
    assert_eq!(context.read("bun.lock"), lock);
    // Bun before 1.3 hoists packages to the root, later versions isolate them.
    let has = |path: &str| ["", "apps/api/"].iter().any(|dir| context.repo().join(dir).join(path).exists());
    assert!(has("node_modules/trusted/built.txt") && has("node_modules/untrusted/index.js"));
    assert!(!has("node_modules/untrusted/built.txt"));
    succeed(&mut monorepo.bun(&["run", "build"]));
    let output = |path| succeed(context.command("node").arg(path));
    assert_eq!(
        output("apps/api/dist/index.js"),
        "[colour@1.2.0, old-library@0.1.0] api: cataloged@1.1.0, native@2.0.0"
    );
    assert_eq!(
        output("apps/web/dist/index.js"),
        "[colour@1.2.0, old-library@0.1.0] web: cataloged@1.1.0, plugin@1.0.0, aliased@1.5.0: @scope/util@3.1.0, \
         release-candidate@1.0.0-rc.2"
    );
    assert_eq!(succeed(&mut monorepo.bun(&["run", "tool"])), "tool 5.0.1");
}

/// The lockfile has URLs. Without them, Bun 1.2 ignores the configured registry and asks the default one.
#[test]
fn bun_1_2_installs_and_builds_the_monorepo() {
    let Some(monorepo) = Monorepo::with_bun_and_mirror(BUN_VERSIONS[0]) else { return };
    is_installed_and_built(&monorepo);
}

#[test]
fn bun_1_3_installs_and_builds_the_monorepo() {
    let Some(monorepo) = Monorepo::with_bun(BUN_VERSIONS[1]) else { return };
    is_installed_and_built(&monorepo);
}

#[test]
fn bun_1_4_installs_and_builds_the_monorepo() {
    let Some(monorepo) = Monorepo::with_bun(BUN_VERSIONS[2]) else { return };
    is_installed_and_built(&monorepo);
}

#[test]
fn locks_of_the_default_registry_hold_no_url() {
    for version in BUN_VERSIONS {
        let Some(monorepo) = Monorepo::with_bun(version) else { return };
        let lock = monorepo.context.read("bun.lock");
        assert!(!lock.contains("://"), "{lock}");
    }
}

#[test]
fn a_mirrors_url_stands_in_the_lock() {
    let Some(monorepo) = Monorepo::with_bun_and_mirror(BUN_VERSIONS[2]) else { return };
    let url = format!("{}native/-/native-2.0.0.tgz", monorepo.registry.url());
    assert!(monorepo.context.read("bun.lock").contains(&url));
    succeed(&mut monorepo.bun(&["install", "--frozen-lockfile"]));
    assert!(monorepo.registry.take_requests().contains(&"GET /native/-/native-2.0.0.tgz".to_owned()));
}

#[test]
fn the_lock_has_every_platform_and_nested_packages() {
    let Some(monorepo) = Monorepo::with_bun(BUN_VERSIONS[2]) else { return };
    let lock = monorepo.context.read("bun.lock");
    for platform in PLATFORMS.map(|(os, cpu, _)| format!("\"os\": \"{os}\", \"cpu\": \"{cpu}\"")) {
        assert!(lock.contains(&platform), "{platform} is not in\n{lock}");
    }
    for part in [r#""old-library/colour": ["colour@0.9.0", "","#, r#""renamed": ["aliased@1.5.0", "","#] {
        assert!(lock.contains(part), "{part} is not in\n{lock}");
    }
}

/// Checks that Yarn installs without changing the lockfile, and builds apps that run.
fn yarn_installs_and_builds(version: &str, frozen: &str) {
    let Some(monorepo) = YarnMonorepo::with_yarn(version) else { return };
    let context = &monorepo.context;
    let lock = context.read("yarn.lock");
    succeed(&mut monorepo.yarn(&["install", frozen]));
    assert_eq!(context.read("yarn.lock"), lock);
    assert_eq!(lock.contains(&monorepo.registry.url()), version == YARN_VERSIONS[0], "{lock}");
    assert_eq!(succeed(&mut context.command("node_modules/.bin/tool")), "tool 5.0.1");
    for (app, says) in [
        ("api", "api: native@2.0.0"),
        ("web", "web: plugin@1.0.0, aliased@1.5.0: @scope/util@3.1.0, release-candidate@1.0.0-rc.2"),
    ] {
        succeed(&mut monorepo.yarn(&["workspace", app, "run", "build"]));
        let output = succeed(context.command("node").arg(format!("apps/{app}/dist/index.js")));
        assert_eq!(output, format!("[colour@1.2.0, old-library@0.1.0] {says}"));
    }
    monorepo.forget_install();
    assert!(!context.repo().join("node_modules").exists());
}

#[test]
fn yarn_1_installs_and_builds_the_monorepo() {
    yarn_installs_and_builds(YARN_VERSIONS[0], "--frozen-lockfile");
}

#[test]
fn yarn_3_installs_and_builds_the_monorepo() {
    yarn_installs_and_builds(YARN_VERSIONS[1], "--immutable");
}

#[test]
fn yarn_4_installs_and_builds_the_monorepo() {
    yarn_installs_and_builds(YARN_VERSIONS[2], "--immutable");
}

/// Returns a Nix expression that runs `script` with the host's programs. `more` are additional attributes.
pub(crate) fn derivation(script: &str, more: &str) -> String {
    let script = format!("export PATH=/usr/bin:/bin; {script}");
    format!(
        "derivation {{ name = \"probe\"; system = builtins.currentSystem; builder = \"/bin/sh\"; \
         args = [ \"-c\" {script:?} ]; {more} }}\n"
    )
}

pub(crate) const NIX_BUILD: [&str; 6] =
    ["build", "--impure", "--no-link", "--print-out-paths", "--file", "default.nix"];

#[test]
fn nix_builds_in_a_store_of_its_own() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    context.write("input", "fine\n");
    context.write("default.nix", derivation("tr a-z A-Z <$input >$out", "input = ./input;"));
    let out = succeed(&mut nix.command(&context, &NIX_BUILD));
    assert_eq!(succeed(context.command("cat").arg(&out)), "FINE");
    splitter_snapshot!(context, nix.command(&context, &NIX_BUILD), @r"
    exit: 0
    ----- stdout
    [ROOT]/nix/store/[HASH]-probe
    ----- stderr
    ");
}

#[test]
fn only_a_fixed_output_build_reaches_the_registry() {
    let context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    let registry = Registry::start([]);
    registry.serve("/x", "bytes");
    let fetch = format!("curl --fail --silent --show-error {}x >$out", registry.url());
    let hash = Algorithm::Sha256.digest(b"bytes");
    context.write("default.nix", derivation(&fetch, &format!("outputHash = \"{hash}\"; outputHashMode = \"flat\";")));
    succeed(&mut nix.command(&context, &NIX_BUILD));
    assert_eq!(registry.take_requests(), ["GET /x"]);
    if nix.sandbox {
        context.write("default.nix", derivation(&fetch, ""));
        fail(&mut nix.command(&context, &NIX_BUILD));
        assert!(registry.take_requests().is_empty());
    }
}
