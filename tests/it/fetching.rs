//! Tests of failing registries. Each error names the package and what to do, and leaves no half-written file.

use std::{
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{Fault, Package, Registry, Small, TestContext, run, small, splitter_snapshot, succeed};

const ALPHA: &str = "/alpha/-/alpha-1.0.0.tgz";

/// The package of Bun's program for any system. The order of the requests is random.
const A_PROGRAM: &str = r"@oven(/|%2f)bun-\w+-\w+";

/// Runs `splitter init` with a fault, and checks that the repository is unchanged.
fn init_fails_with(fault: Fault) -> (Small, String) {
    let small = Small::new();
    small.registry.fail(ALPHA, fault, usize::MAX);
    let output = run(&mut small.context.splitter(&["init"]));
    assert_eq!(small.context.git(&["status", "--porcelain", "--ignored"]), "", "no half-written files");
    (small, output)
}

#[test]
fn wrong_bytes_name_package_url_expected_and_found() {
    let (small, _) = init_fails_with(Fault::WrongBytes);
    small.registry.take_requests();
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    downloading 1 package (2 of 3 in the cache)
    error: 1 of 3 packages could not be downloaded
      alpha@1.0.0 from http://127.0.0.1:[PORT]/alpha/-/alpha-1.0.0.tgz: wrong content: expected sha512-[HASH], found sha512-[HASH]
        required by apps/web
    hint: find out why before you install it: the registry, a mirror or a proxy serves different content than when the lockfile was written
    ");
    // The other packages are in the cache. The wrong one is requested twice, since a proxy may have damaged it.
    let again = format!("GET {ALPHA}");
    assert_eq!(small.registry.take_requests(), [again.clone(), again]);
}

#[test]
fn a_truncated_download_is_tried_again() {
    let small = Small::new();
    small.registry.fail(ALPHA, Fault::Truncated, 1);
    succeed(&mut small.context.splitter(&["init"]));
    let asked = small.registry.take_requests().iter().filter(|request| request.ends_with(ALPHA)).count();
    assert_eq!(asked, 2);
}

#[test]
fn a_server_error_is_tried_again() {
    let small = Small::new();
    small.registry.fail(ALPHA, Fault::Status(500), 2);
    succeed(&mut small.context.splitter(&["init"]));
    let asked = small.registry.take_requests().iter().filter(|request| request.ends_with(ALPHA)).count();
    assert_eq!(asked, 3);
}

#[test]
fn a_server_that_never_recovers_is_given_up_with_its_status() {
    let (_, output) = init_fails_with(Fault::Status(503));
    assert!(output.starts_with("exit: 3"), "{output}");
    assert!(output.contains("alpha@1.0.0") && output.contains("the registry answered 503"), "{output}");
}

#[test]
fn a_package_that_is_not_there_is_not_asked_for_again() {
    let (small, _) = init_fails_with(Fault::Status(404));
    small.registry.take_requests();
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    downloading 1 package (2 of 3 in the cache)
    error: 1 of 3 packages could not be downloaded
      alpha@1.0.0 from http://127.0.0.1:[PORT]/alpha/-/alpha-1.0.0.tgz: the registry answered 404
        required by apps/web
    hint: check that `127.0.0.1:[PORT]` has this package and this version, or lock another version; if the package is private, set the registry in .npmrc or bunfig.toml and add a token
    ");
    assert_eq!(small.registry.take_requests(), [format!("GET {ALPHA}")]);
}

/// Case X4.
#[test]
fn all_packages_that_are_not_there_are_named_with_who_needs_them() {
    let small = Small::new();
    small.registry.fail("/gamma-linux/-/gamma-linux-3.0.0.tgz", Fault::Status(404), usize::MAX);
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    downloading 3 packages (0 of 3 in the cache)
    error: 1 of 3 packages could not be downloaded
      gamma-linux@3.0.0 from http://127.0.0.1:[PORT]/gamma-linux/-/gamma-linux-3.0.0.tgz: the registry answered 404
        only on x86_64-linux
    hint: check that `127.0.0.1:[PORT]` has this package and this version, or lock another version; if the package is private, set the registry in .npmrc or bunfig.toml and add a token
    hint: if you build on none of the systems that need this, record the others alone: `splitter init --system aarch64-darwin --system aarch64-linux --system x86_64-darwin`
    ");
    // The advice helps.
    let others = ["aarch64-linux", "x86_64-darwin", "aarch64-darwin"].map(|system| ["--system", system]).concat();
    succeed(&mut small.context.splitter(&[&["init"][..], &others].concat()));
    // A package that every system needs.
    small.context.remove("splitter.json");
    small.context.remove("nix");
    small.registry.fail(ALPHA, Fault::Status(404), usize::MAX);
    fs_err::remove_dir_all(small.context.home().join(".cache")).unwrap();
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("error: 2 of 3 packages could not be downloaded"), "{output}");
    assert!(output.contains("answered 404\n    required by apps/web\n") && !output.contains("--system"), "{output}");
}

#[test]
fn a_registry_that_wants_a_token_says_where_to_put_it() {
    let mut small = Small::new();
    small.registry.require_token("sesame");
    small.context.add_filter(A_PROGRAM, "@oven/bun-[PLATFORM]");
    splitter_snapshot!(small.context, small.context.splitter(&["init"]), @"
    exit: 3
    ----- stdout
    ----- stderr
    error: could not find the package manager's program: 1 of 1 package could not be downloaded
      @oven/bun-[PLATFORM]@1.4.4 from http://127.0.0.1:[PORT]/@oven/bun-[PLATFORM]/1.4.4: the registry answered 401
    hint: add a token for `127.0.0.1:[PORT]` to ~/.npmrc (`//127.0.0.1:[PORT]/:_authToken=${NPM_TOKEN}`) or to ~/.bunfig.toml
    ");
}

#[test]
fn the_token_of_the_users_npmrc_is_sent_and_shown_nowhere() {
    let mut small = Small::new();
    small.registry.require_token("sesame");
    let host = small.registry.url().replace("http:", "");
    let npmrc = |token: &str| {
        fs_err::write(small.context.home().join(".npmrc"), format!("{host}:_authToken={token}\n")).unwrap();
    };
    npmrc("wrong-token");
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 3") && output.contains("check the credentials"), "{output}");
    assert!(!output.contains("wrong-token"), "{output}");
    npmrc("${THE_TOKEN}");
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("set `THE_TOKEN`"), "{output}");
    small.context.set_env("THE_TOKEN", "sesame");
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 0"), "{output}");
    assert!(!output.contains("sesame"), "{output}");
    assert!(!small.context.read("nix/splitter/splitter.lock.json").contains("sesame"));
}

/// Creates a Yarn repository with this pin and lockfile. Its registry requires the token `sesame` and has the package
/// of Yarn's program.
fn yarn_that_wants_a_token(pin: &str, lock: impl FnOnce(&Registry) -> String) -> Small {
    let (program, version) = if pin.starts_with("1.") { ("yarn", pin) } else { ("@yarnpkg/cli-dist", pin) };
    let packages = small::packages().into_iter().chain([Package::new(program, version)]);
    let small = Small { context: TestContext::new(), registry: Registry::start(packages) };
    let manifest = serde_json::json!({
        "name": "acme", "private": true, "packageManager": format!("yarn@{pin}"),
        "dependencies": { "alpha": "1.0.0", "@scope/beta": "2.1.0-rc.1" },
    });
    small.context.write("package.json", manifest.to_string());
    small.context.write("yarn.lock", lock(&small.registry));
    small.registry.require_token("sesame");
    small
}

/// Runs `splitter init` with a wrong token, with an unset variable, and with the right token. No output or record shows
/// a token.
fn the_token_is_sent_and_shown_nowhere(small: &mut Small, file: &str, rc: impl Fn(&str) -> String) {
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.starts_with("exit: 3") && output.contains(&format!("to ~/{file}")), "{output}");
    let write = |small: &Small, token| fs_err::write(small.context.home().join(file), rc(token)).unwrap();
    write(small, "wrong-token");
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 3") && output.contains(&format!("check the credentials in {file}")), "{output}");
    assert!(!output.contains("wrong-token"), "{output}");
    write(small, "${THE_TOKEN}");
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("set `THE_TOKEN`"), "{output}");
    small.context.set_env("THE_TOKEN", "sesame");
    let output = run(&mut small.context.splitter(&["-vv", "init"]));
    assert!(output.starts_with("exit: 0"), "{output}");
    assert!(!output.contains("sesame"), "{output}");
    assert!(!small.context.read("nix/splitter/splitter.lock.json").contains("sesame"));
}

fn berry_lock(_: &Registry) -> String {
    let metadata = "__metadata:\n  version: 8\n  cacheKey: 10c0\n";
    let package = |name: &str, version: &str| {
        format!(
            "\n\"{name}@npm:{version}\":\n  version: {version}\n  resolution: \"{name}@npm:{version}\"\n  \
             languageName: node\n  linkType: hard\n"
        )
    };
    let root = "\n\"acme@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"acme@workspace:.\"\n  dependencies:\n    \
                \"@scope/beta\": \"npm:2.1.0-rc.1\"\n    alpha: \"npm:1.0.0\"\n  languageName: unknown\n  linkType: soft\n";
    [metadata, &package("@scope/beta", "2.1.0-rc.1"), root, &package("alpha", "1.0.0")].concat()
}

fn classic_lock(registry: &Registry) -> String {
    let entry = |package: &Package, name: &str, version: &str| {
        let url = format!("{}{}", registry.url(), package.tarball_path().trim_start_matches('/'));
        let integrity = package.integrity();
        format!("\"{name}@{version}\":\n  version \"{version}\"\n  resolved \"{url}\"\n  integrity {integrity}\n\n")
    };
    let packages = small::packages();
    let (alpha, beta) = (entry(&packages[0], "alpha", "1.0.0"), entry(&packages[1], "@scope/beta", "2.1.0-rc.1"));
    ["# yarn lockfile v1\n\n\n", &beta, &alpha].concat()
}

#[test]
fn later_yarn_has_its_token_in_the_users_yarnrc_yml() {
    let mut small = yarn_that_wants_a_token("4.9.1", berry_lock);
    let url = small.registry.url();
    small.context.write(".yarnrc.yml", format!("nodeLinker: node-modules\nnpmRegistryServer: {url}\n"));
    let host = url.replace("http:", "");
    the_token_is_sent_and_shown_nowhere(&mut small, ".yarnrc.yml", |token| {
        format!("npmRegistries:\n  {host}:\n    npmAlwaysAuth: true\n    npmAuthToken: {token}\n")
    });
}

#[test]
fn yarn_1_has_its_token_in_the_users_npmrc_and_its_registry_in_the_lockfile() {
    let mut small = yarn_that_wants_a_token("1.22.22", classic_lock);
    let url = small.registry.url();
    let host = url.replace("http:", "");
    the_token_is_sent_and_shown_nowhere(&mut small, ".npmrc", |token| format!("{host}:_authToken={token}\n"));
    let record = small.context.read("nix/splitter/splitter.lock.json");
    assert!(record.contains(&format!("\"registry\": \"{url}\"")), "{record}");
    assert_eq!(record.matches(&url).count(), 2, "only the registry and the program have this URL: {record}");
}

#[test]
fn a_registry_that_is_gone_is_one_error_and_not_one_a_package() {
    let small = Small::new();
    let Small { mut context, registry } = small;
    drop(registry);
    context.add_filter(r"os error \d+", "os error");
    context.add_filter(A_PROGRAM, "@oven/bun-[PLATFORM]");
    splitter_snapshot!(context, context.splitter(&["init"]), @"
    exit: 3
    ----- stdout
    ----- stderr
    error: could not find the package manager's program: 1 of 1 package could not be downloaded
      @oven/bun-[PLATFORM]@1.4.4 from http://127.0.0.1:[PORT]/@oven/bun-[PLATFORM]/1.4.4: no connection: Connection refused (os error)
    hint: check the network and HTTPS_PROXY (host `127.0.0.1:[PORT]`), then run again; finished downloads stay in the cache
    ");
    assert_eq!(context.git(&["status", "--porcelain", "--ignored"]), "");
}

#[test]
fn redirects_are_followed() {
    let small = Small::new();
    small.registry.serve("/elsewhere.tgz", small::packages()[0].tarball());
    small.registry.redirect(ALPHA, "/elsewhere.tgz");
    succeed(&mut small.context.splitter(&["init"]));
}

#[test]
fn a_tarball_from_another_url_is_locked_and_fetched_from_there() {
    let small = Small::new();
    let other = Package::new("elsewhere", "1.0.0");
    small.registry.serve("/files/elsewhere.tgz", other.tarball());
    let url = format!("{}files/elsewhere.tgz", small.registry.url());
    let lock = small.context.read("bun.lock");
    let line =
        format!("  \"packages\": {{\n    \"elsewhere\": [\"elsewhere@{url}\", {{}}, \"{}\"],\n", other.integrity());
    small.context.write("bun.lock", lock.replace("  \"packages\": {\n", &line));
    succeed(&mut small.context.splitter(&["init"]));
    assert!(small.registry.take_requests().contains(&"GET /files/elsewhere.tgz".to_owned()));
    let record = small.context.read("nix/splitter/splitter.lock.json");
    assert!(
        record.contains(&format!("\"url\":\"{url}\"")) || record.contains(&format!("\"url\": \"{url}\"")),
        "{record}"
    );
}

/// Creates a repository, with a record, that locks a tarball URL without integrity.
fn with_tarball_of_first_sight() -> Small {
    let small = Small::new();
    small.registry.serve("/files/elsewhere.tgz", Package::new("elsewhere", "1.0.0").tarball());
    let url = format!("{}files/elsewhere.tgz", small.registry.url());
    let lock = small.context.read("bun.lock");
    let line = format!("  \"packages\": {{\n    \"elsewhere\": [\"elsewhere@{url}\", {{}}],\n");
    small.context.write("bun.lock", lock.replace("  \"packages\": {\n", &line));
    small.init();
    small
}

/// Checks a machine with an empty cache and the committed record.
#[test]
fn a_tarball_that_changed_since_the_first_sight_is_refused_with_what_changed_and_the_remedy() {
    let small = with_tarball_of_first_sight();
    let mut context = small.context;
    let record = "nix/splitter/splitter.lock.json";
    small.registry.serve("/files/elsewhere.tgz", Package::new("elsewhere", "1.0.1").tarball());
    small.registry.publish(Package::new("delta", "1.0.0"));
    let entry = crate::support::small::entry(&Package::new("delta", "1.0.0"));
    context.write(
        "bun.lock",
        context.read("bun.lock").replace("  \"packages\": {\n", &format!("  \"packages\": {{\n{entry}")),
    );
    context.set_env("XDG_CACHE_HOME", context.folder("another-cache").as_str());
    splitter_snapshot!(context, context.splitter(&["update-hash"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    downloading 4 packages (the changed part has 4, 0 of them in the cache)
    error: 1 of 4 packages could not be downloaded
      elsewhere (http://127.0.0.1:[PORT]/files/elsewhere.tgz) from http://127.0.0.1:[PORT]/files/elsewhere.tgz: the content changed since the first download: expected sha512-[HASH], found sha512-[HASH]
    hint: if you expect this change, remove its line from `nix/splitter/splitter.lock.json` and run again
    ");
    let kept: Vec<_> =
        context.read(record).lines().filter(|line| !line.contains("elsewhere")).map(str::to_owned).collect();
    context.write(record, kept.join("\n").replace("},\n  ]", "}\n  ]"));
    succeed(&mut context.splitter(&["update-hash"]));
    succeed(&mut context.splitter(&["check"]));
}

/// Checks that the cache keeps the first download: a new record gets the same hash without a request.
#[test]
fn the_cache_remembers_the_first_sight_of_a_tarball() {
    let small = with_tarball_of_first_sight();
    let context = &small.context;
    let record = context.read("nix/splitter/splitter.lock.json");
    small.registry.serve("/files/elsewhere.tgz", Package::new("elsewhere", "1.0.1").tarball());
    context.remove("nix/splitter/splitter.lock.json");
    succeed(&mut context.splitter(&["update-hash"]));
    assert_eq!(context.read("nix/splitter/splitter.lock.json"), record);
}

/// Waits up to 20 seconds for a condition.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "timed out waiting for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Sends Ctrl-C.
fn interrupt(small: &Small, child: &Child) {
    succeed(small.context.command("sh").args(["-c", &format!("kill -INT {}", child.id())]));
}

#[test]
fn an_interrupted_run_changes_nothing_and_the_next_goes_on() {
    let small = Small::new();
    small.registry.fail(ALPHA, Fault::Stalled, 1);
    let mut child = small.context.splitter(&["init"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let cache = small.context.home().join(".cache/splitter/tarballs");
    let cached =
        || run(small.context.command("find").args([cache.as_str(), "-type", "f"])).matches(cache.as_str()).count();
    let mut requests = Vec::new();
    wait_until("the request for alpha", || {
        requests.extend(small.registry.take_requests());
        requests.contains(&format!("GET {ALPHA}"))
    });
    wait_until("the other two packages", || cached() == 2);
    interrupt(&small, &child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(small.context.git(&["status", "--porcelain", "--ignored"]), "");
    small.registry.take_requests();
    succeed(&mut small.context.splitter(&["init"]));
    let tarballs: Vec<_> =
        small.registry.take_requests().into_iter().filter(|request| request.contains("/-/")).collect();
    assert_eq!(tarballs, [format!("GET {ALPHA}")]);
}
