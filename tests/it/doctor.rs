//! `doctor`: with a stand-in for Nix that prints what Nix 2.34.8 prints, without Nix, and with the real one.

use fs_err as fs;
use serde_json::Value;

use crate::{
    harness::{NIX_BUILD, derivation},
    support::{Registry, Small, TestContext, run, splitter_snapshot, succeed},
};

/// The settings that Nix 2.34.8 prints, without descriptions.
const SETTINGS: &str = include_str!("../nix-settings/nix-2.34.8.json");

/// Writes a program that answers as Nix does, with changed settings, and lets splitter use it.
fn use_stand_in(context: &mut TestContext, set: &[(&str, Value)]) {
    let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
    for (name, value) in set {
        settings[name]["value"] = value.clone();
    }
    let folder = context.folder("nix-program");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("settings.json"), settings.to_string()).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*--version) echo 'nix (Nix) 2.34.8' ;;\n*'config show --json') cat {folder}/settings.json ;;\n\
         *'store info --json') echo '{{\"trusted\":false,\"url\":\"daemon\",\"version\":\"2.34.8\"}}'\n\
         echo \"warning: ignoring the client-specified setting 'extra-sandbox-paths', because it is a restricted setting and you are not a \
         trusted user\" >&2 ;;\n*) exit 1 ;;\nesac\n"
    );
    use_program(context, &script);
}

pub(crate) fn use_program(context: &mut TestContext, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = context.folder("nix-program");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("nix");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    context.set_env("SPLITTER_NIX", program.into_string());
    context.set_env("NIX_CONF_DIR", context.folder("nix-conf").into_string());
}

/// Runs doctor, and returns its JSON.
#[track_caller]
fn report(context: &TestContext, arguments: &[&str]) -> Value {
    let output = context.splitter(&[&["doctor", "--json"], arguments].concat()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Returns the findings of a check: what is wrong.
fn found<'a>(report: &'a Value, check: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["check"] == check).map(|finding| finding["what"].as_str().unwrap()).collect()
}

#[test]
fn a_symptom_shows_the_checks_that_explain_it() {
    let mut small = Small::new();
    small.init();
    let context = &mut small.context;
    use_stand_in(context, &[("sandbox", false.into()), ("experimental-features", ["flakes", "nix-command"].into())]);
    context.write("splitter.json", r#"{ "caches": ["cachix:acme"] }"#);
    context.write("nix/image.nix", "{ self }: { tag = self.shortRev; }\n");
    succeed(&mut context.splitter(&["update-hash", "--offline"]));
    splitter_snapshot!(context, context.splitter(&["doctor", "cache-misses", "--offline"]), @"
    exit: 1
    ----- stdout
    [REPO], Nix 2.34.8

    Nix
      problem: the sandbox is off: `sandbox = false` [sandbox]
        Builds see the network, the programs and the files of this machine. They work here and fail in CI, or give other results that are then shared through caches.
        -> write `sandbox = true` into [ROOT]/nix-conf/nix.conf, and start the daemon again
      problem: the daemon ignores what this user set: `extra-sandbox-paths` [ignored-settings]
        Only the system's settings and trusted users may set these. What the lines should do does not happen.
        -> let an administrator write the lines into [ROOT]/nix-conf/nix.conf
        -> do not add yourself to `trusted-users` for it: that gives the rights of root
      advice: Nix remembers for an hour that a cache lacks a path [remembered-misses]
        If CI or a colleague pushes a build in that time, this machine builds it again although the cache has it.
        -> write `narinfo-cache-negative-ttl = 60` into [ROOT]/nix-conf/nix.conf, and start the daemon again
      fine: Nix is [ROOT]/nix-program/nix [nix-installed]
      fine: the store answers (daemon) [daemon]
      fine: the daemon does not trust this user: caches and most settings count only in the system's nix.conf. That is safe [trusted-user]
      fine: Nix reads its settings [nix-settings]
      fine: Nix asks caches before it builds: https://cache.nixos.org/ [substitution]

    binary caches
      problem: Nix does not ask the cache cachix:acme [team-caches]
        splitter.json names it, but the settings of Nix do not. What CI and colleagues pushed there is built here again.
        -> write `extra-substituters = https://acme.cachix.org` into [ROOT]/nix-conf/nix.conf, and start the daemon again
      not checked: `--offline` asks no cache [cache-answers]

    this machine
      fine: no proxy is set [proxy]

    this repository
      problem: git does not track a file that Nix needs: splitter.json [tracked-files]
        Nix copies only what git tracks, so it does not see them: `nix build` fails, or builds without them.
        -> run `git add splitter.json`
      problem: flake.lock is missing [flake-lock]
        Every machine takes the newest nixpkgs of its day. All 6 builds differ between machines, and no cache has them.
        -> run `nix flake lock`
        -> run `git add flake.lock`
      advice: Nix code uses `self.shortRev` (nix/image.nix:1) [impure-code]
        Every commit has another value, so what uses it is built again for every commit, also without a change.
        -> put the revision where nothing is built with it, such as a file beside the image or a variable at start
      fine: the files in nix/splitter are as splitter wrote them [generated-files]
      fine: no app reads most of the repository (at most 5 of 133 files) [sources]
      fine: 2 files differ from the last commit, and change no build [uncommitted-changes]
      fine: Nix can read flake.nix [flake-files]

    what matters most, of 7 findings
      1. git does not track a file that Nix needs: splitter.json
         -> run `git add splitter.json`
      2. flake.lock is missing
         -> run `nix flake lock`
      3. the sandbox is off: `sandbox = false`
         -> write `sandbox = true` into [ROOT]/nix-conf/nix.conf, and start the daemon again
    ----- stderr
    ");
}

#[test]
fn a_repository_with_stale_hashes_needs_no_nix_to_say_so() {
    let mut small = Small::new();
    small.init();
    small.publish(crate::support::Package::new("delta", "1.0.0"));
    let delta = crate::support::Package::new("delta", "1.0.0");
    small.lock(&[crate::support::small::packages(), vec![delta]].concat());
    let context = &mut small.context;
    // A PATH with git alone.
    let git = which::which("git").unwrap();
    let programs = context.folder("programs");
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(git, programs.join("git")).unwrap();
    context.set_env("PATH", programs.into_string());
    let report = report(context, &["hash-mismatch"]);
    assert_eq!(report["nix"], Value::Null);
    assert_eq!(report["repository"], context.repo().as_str());
    assert_eq!(found(&report, "nix-installed").len(), 1, "{report:#}");
    let record = found(&report, "record");
    assert!(record.len() == 1 && record[0].contains("+ delta 1.0.0"), "{report:#}");
    let remedies = &report["findings"][1]["remedies"];
    assert_eq!(remedies[0]["run"], "splitter update-hash", "{report:#}");
}

#[test]
fn outside_of_a_repository_the_machine_is_checked_alone() {
    let mut context = TestContext::new();
    use_stand_in(&mut context, &[]);
    context.add_filter("(?s)\nNix\n.*", "\n…");
    splitter_snapshot!(context, context.splitter(&["doctor", "--offline"]), @"
    exit: 1
    ----- stdout
    this machine, Nix 2.34.8 (there is no `bun.lock` or `yarn.lock` here, so no repository is checked)

    …
    ");
}

#[test]
fn a_nix_without_an_answer_is_an_error_of_the_environment() {
    let mut context = TestContext::new();
    use_program(&mut context, "#!/bin/sh\nexit 1\n");
    let output = run(&mut context.splitter(&["doctor", "--offline", "--quiet"]));
    assert!(output.starts_with("exit: 3\n"), "{output}");
    assert!(
        output.contains("error: nothing is known of the installed Nix: `nix --version` failed without a message"),
        "{output}"
    );
}

#[test]
fn a_program_that_is_no_nix_is_a_finding() {
    let mut context = TestContext::new();
    for program in ["/bin/cat", "/bin/echo", "/nowhere/nix"] {
        context.set_env("SPLITTER_NIX", program.to_owned());
        let output = run(&mut context.splitter(&["doctor", "--offline", "--quiet"]));
        assert!(output.starts_with("exit: 1\n") && output.contains("-> set SPLITTER_NIX"), "{output}");
        let report = report(&context, &["--offline"]);
        let installed = found(&report, "nix-installed");
        assert!(installed.len() == 1 && installed[0].contains(program), "{report:#}");
    }
}

#[test]
fn a_flake_that_nix_cannot_read_is_a_finding() {
    let mut small = Small::new();
    small.init();
    let context = &mut small.context;
    use_stand_in(context, &[]);
    context.write("flake.lock", "{\n<<<<<<< HEAD\n");
    context.write("flake.nix", "{ outputs = _: {\n");
    let broken = report(context, &["--offline"]);
    assert_eq!(
        found(&broken, "flake-files"),
        ["flake.nix is not Nix (line 2)", "flake.lock has conflict markers of git (line 2)"],
        "{broken:#}"
    );
    assert_eq!(found(&broken, "flake-lock"), [""; 0], "{broken:#}");
    context.remove("flake.nix");
    fs::create_dir(context.repo().join("flake.nix")).unwrap();
    context.remove("flake.lock");
    std::os::unix::fs::symlink("nowhere", context.repo().join("flake.lock")).unwrap();
    let odd = report(context, &["--offline", "slow-ci"]);
    assert_eq!(
        found(&odd, "flake-files"),
        ["flake.nix is a folder", "flake.lock is a link to a file that does not exist"],
        "{odd:#}"
    );
}

#[test]
fn a_mistake_in_the_settings_is_a_finding() {
    let mut context = TestContext::new();
    use_program(
        &mut context,
        "#!/bin/sh\necho \"error: syntax error in configuration line 'a=b' in \\\"NIX_CONFIG\\\"\" >&2\nexit 1\n",
    );
    let report = report(&context, &["--offline"]);
    let settings = found(&report, "nix-settings");
    assert!(settings[0].starts_with("Nix cannot read its settings: syntax error"), "{report:#}");
}

/// A path of the test's store lies in a cache on the loopback, signed with a key that nobody trusts.
#[test]
fn e2e_bad_settings_and_a_cache_with_an_unknown_key_are_found() {
    let mut context = TestContext::new();
    let Some(nix) = context.nix() else { return };
    context.write("default.nix", derivation("echo a >$out", ""));
    let path = succeed(&mut nix.command(&context, &NIX_BUILD));
    let (key, cache) = (context.folder("key"), context.folder("cache"));
    let secret = succeed(&mut nix.command(&context, &["key", "generate-secret", "--key-name", "other-1"]));
    fs::write(&key, &secret).unwrap();
    succeed(&mut nix.command(&context, &["copy", "--to", &format!("file://{cache}?secret-key={key}"), &path]));
    let server = Registry::start([]);
    for entry in fs::read_dir(&cache).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let name = entry.file_name().into_string().unwrap();
        server.serve(&format!("/{name}"), fs::read(entry.path()).unwrap());
    }
    let conf = context.folder("nix/conf/nix.conf");
    let settings = fs::read_to_string(&conf).unwrap();
    let url = server.url();
    let bad = format!("{settings}parallel-builds = 4\nrequire-sigs = false\nextra-substituters = {url}\n");
    fs::write(&conf, &bad).unwrap();
    context.set_env("SPLITTER_NIX", nix.program.to_string());
    for (name, value) in nix.environment(&context) {
        context.set_env(name, value);
    }

    let first = report(&context, &[]);
    let line = bad.lines().position(|line| line.starts_with("parallel-builds")).unwrap() + 1;
    assert_eq!(
        found(&first, "unknown-settings"),
        [format!("this Nix does not know the setting `parallel-builds` ({conf}:{line})")],
        "{first:#}"
    );
    assert!(found(&first, "dangerous-settings")[0].contains("require-sigs"), "{first:#}");
    let keys = found(&first, "cache-keys");
    assert!(keys.len() == 1 && keys[0].contains("all 1 paths") && keys[0].contains("other-1"), "{first:#}");

    // With the key, Nix takes the path.
    let mut convert = nix.command(&context, &["key", "convert-secret-to-public"]);
    let public = succeed(convert.stdin(fs::File::open(&key).unwrap().into_parts().0));
    fs::write(&conf, format!("{settings}extra-substituters = {url}\nextra-trusted-public-keys = {public}\n")).unwrap();
    let second = report(&context, &[]);
    for check in ["unknown-settings", "dangerous-settings", "cache-keys", "cache-answers"] {
        assert!(found(&second, check).is_empty(), "{second:#}");
    }
}
