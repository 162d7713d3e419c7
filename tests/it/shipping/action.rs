//! The steps of the GitHub action and of the GitLab component, run with bash against a release on the loopback.

use std::process::Command;

use camino::Utf8Path;
use data_encoding::HEXLOWER;
use fs_err as fs;
use splitter::lockfile::Algorithm;

use super::{archive, node, of_project};
use crate::support::{Registry, Small, TestContext, run, succeed};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns the target of this machine's archive, and GitHub's names for the machine.
fn machine() -> (&'static str, [&'static str; 2]) {
    match (cfg!(target_os = "macos"), cfg!(target_arch = "aarch64")) {
        (true, true) => ("aarch64-apple-darwin", ["macOS", "ARM64"]),
        (true, false) => ("x86_64-apple-darwin", ["macOS", "X64"]),
        (false, true) => ("aarch64-unknown-linux-musl", ["Linux", "ARM64"]),
        (false, false) => ("x86_64-unknown-linux-musl", ["Linux", "X64"]),
    }
}

/// A release with one archive.
struct Release {
    server: Registry,
    sha256: String,
}

impl Release {
    fn new() -> Self {
        let archive = archive(machine().0);
        let name = &archive.name;
        let sha256 = HEXLOWER.encode(Algorithm::Sha256.digest(&archive.bytes).bytes());
        let release = Self { server: Registry::start([]), sha256 };
        release.server.serve(&format!("/v{VERSION}/{name}"), archive.bytes.clone());
        let other = "0".repeat(64);
        let sums = format!("{other}  nix-{name}\n{}  {name}\n", release.sha256);
        release.server.serve(&format!("/v{VERSION}/SHA256SUMS"), sums);
        release
    }

    fn url(&self) -> String {
        self.server.url().trim_end_matches('/').to_owned()
    }

    /// Returns the step that installs, with the files that a runner has.
    fn install(&self, context: &TestContext) -> Command {
        let [os, cpu] = machine().1;
        let mut command = context.command("bash");
        command.arg(of_project("action/install.sh"));
        command.envs([("VERSION", VERSION), ("SHA256", ""), ("DOWNLOADS", &self.url())]);
        command.envs([("RUNNER_OS", os), ("RUNNER_ARCH", cpu)]);
        for (variable, file) in [("GITHUB_PATH", "path"), ("GITHUB_OUTPUT", "output")] {
            command.env(variable, context.folder(file));
        }
        for (variable, folder) in [("RUNNER_TEMP", "tmp"), ("RUNNER_TOOL_CACHE", "tools")] {
            command.env(variable, context.folder(folder));
        }
        command
    }
}

#[test]
fn e2e_the_action_installs_a_checked_program_and_runs_it() {
    let Some(()) = node() else { return };
    let small = Small::new();
    let context = &small.context;
    let release = Release::new();
    assert_eq!(succeed(&mut release.install(context)), format!("splitter {VERSION}"));
    let read = |file: &str| fs::read_to_string(context.folder(file)).unwrap();
    let output = read("output");
    let program = output.lines().find_map(|line| line.strip_prefix("path=")).unwrap().to_owned();
    assert!(output.contains(&format!("version={VERSION}\n")), "{output}");
    assert_eq!(Utf8Path::new(&program).parent().unwrap(), read("path").trim_end());

    let command = |command: &str, arguments: &str| {
        let mut step = context.command("bash");
        step.arg(of_project("action/run.sh"));
        step.envs([("PROGRAM", program.as_str()), ("COMMAND", command), ("ARGUMENTS", arguments)]);
        run(&mut step)
    };
    // `check` writes annotations, and its exit code is the step's.
    assert!(command("check", "").starts_with("exit: 2\n"));
    succeed(&mut context.splitter(&["init", "--no-hook"]));
    small.lock(&[]);
    let stale = command("check", "");
    assert!(stale.starts_with("exit: 1\n") && stale.contains("\n::error "), "{stale}");
    // No shell reads the words.
    let words = command("scan", "--app\n$(touch injected)");
    assert!(words.contains("injected)") && !context.repo().join("injected").exists(), "{words}");

    // A second job takes the kept archive, and only asks for the checksums.
    release.server.take_requests();
    succeed(&mut release.install(context));
    assert_eq!(release.server.take_requests(), [format!("GET /v{VERSION}/SHA256SUMS")]);
    // With a pinned hash, it asks for nothing. If other bytes are there, it downloads them again.
    succeed(release.install(context).env("SHA256", &release.sha256));
    assert_eq!(release.server.take_requests(), [""; 0]);
    let kept = context.folder("tools").join(format!("splitter/{VERSION}/splitter-{}.tar.gz", machine().0));
    fs::write(kept, "changed").unwrap();
    succeed(&mut release.install(context));
    assert_eq!(release.server.take_requests().len(), 2);
}

#[test]
fn e2e_the_action_refuses_other_bytes_and_wrong_inputs() {
    let Some(()) = node() else { return };
    let context = TestContext::new();
    let release = Release::new();
    let refused = |variable: &str, value: &str, text: &str| {
        let output = run(release.install(&context).env(variable, value));
        assert!(output.starts_with("exit: 1\n") && output.contains("::error::splitter: "), "{output}");
        assert!(output.contains(text), "{output}");
    };
    refused("SHA256", &"0".repeat(64), &format!("is {}; expected 000", release.sha256));
    refused("VERSION", "0.0.1", "could not download");
    refused("VERSION", "../../v1", "expected one such as 1.2.3");
    refused("RUNNER_OS", "Windows", "there is no program for Windows");
    refused("DOWNLOADS", "http://downloads.example", "expected a URL with https://");
    let name = format!("splitter-{}.tar.gz", machine().0);
    release.server.serve(&format!("/v{VERSION}/SHA256SUMS"), format!("{}  other.tar.gz\n", release.sha256));
    refused("SHA256", "", &format!("does not name {name}"));
    assert!(!context.folder("path").exists());
}

/// Runs the script of the component for GitLab.
#[cfg(target_os = "linux")]
#[test]
fn e2e_the_component_for_gitlab_checks_the_hashes() {
    let Some(()) = node() else { return };
    let small = Small::new();
    let context = &small.context;
    let release = Release::new();
    let text = fs::read_to_string(of_project("templates/check.yml")).unwrap();
    let lines = text.split_once("    - |\n").unwrap().1.lines().take_while(|line| line.starts_with("      "));
    let script: Vec<&str> = lines.map(str::trim_start).collect();
    let job = || {
        let mut job = context.command("bash");
        job.args(["-euo", "pipefail", "-c", &script.join("\n")]);
        job.envs([("VERSION", VERSION), ("DOWNLOADS", &release.url()), ("FOLDER", ".")]);
        job.env("CI_PROJECT_DIR", context.repo());
        run(&mut job)
    };
    succeed(&mut context.splitter(&["init", "--no-hook"]));
    let fresh = job();
    assert!(fresh.starts_with("exit: 0\n"), "{fresh}");
    small.lock(&[]);
    let stale = job();
    assert!(stale.starts_with("exit: 1\n"), "{stale}");
    assert!(context.read("splitter.xml").contains("<failure"), "{}", context.read("splitter.xml"));
    let sums = format!("{}  splitter-{}.tar.gz\n", "0".repeat(64), machine().0);
    release.server.serve(&format!("/v{VERSION}/SHA256SUMS"), sums);
    let refused = job();
    assert!(refused.starts_with("exit: 1\n") && refused.contains("FAILED"), "{refused}");
}
