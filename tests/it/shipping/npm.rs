//! The npm packages: made by `npm/pack.mjs`, installed and started by the real package managers.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{node, npm_packages, platform};
use crate::support::{BUN_VERSIONS, Fault, Package, Registry, Small, TestContext, YARN_VERSIONS, run, succeed, tools};

const NAME: &str = "nix-splitter";

/// Starts `command` in a new folder that is a project.
fn project(context: &TestContext, folder: &str, mut command: Command) -> Command {
    context.write(&format!("{folder}/package.json"), r#"{ "name": "acme", "private": true }"#);
    // Yarn 4 takes the folder as a project of its own, and not as a part of one above.
    context.write(&format!("{folder}/yarn.lock"), "");
    command.current_dir(context.repo().join(folder));
    command
}

/// A package manager, and how it starts.
struct Manager {
    name: &'static str,
    program: Utf8PathBuf,
    install: &'static [&'static str],
    /// Words before the command of a package.
    start: &'static [&'static str],
    /// Words before the name of a package that is not installed.
    once: &'static [&'static str],
}

fn managers() -> Option<Vec<Manager>> {
    let Some(npm) = tools::program("npm") else { return tools::skip("no npm") };
    let (bun, yarn_1) = (tools::bun(BUN_VERSIONS[2])?, tools::yarn(YARN_VERSIONS[0])?);
    let yarn_4 = tools::yarn(YARN_VERSIONS[2])?;
    let yarn = |name, program: &Utf8Path, start, once| Manager {
        name,
        program: program.to_owned(),
        install: &["add", "--dev", NAME],
        start,
        once,
    };
    Some(vec![
        Manager {
            name: "npm",
            program: npm,
            install: &["install", "--save-dev", "--no-audit", NAME],
            start: &["exec", "--"],
            once: &["exec", "--yes", "--"],
        },
        Manager { name: "bun", program: bun, install: &["add", "--dev", NAME], start: &["run"], once: &["x"] },
        yarn("yarn-classic", &yarn_1, &["--silent", "run"], &[]),
        yarn("yarn", &yarn_4, &["run"], &["dlx", "--quiet"]),
        yarn("yarn-pnp", &yarn_4, &["run"], &[]),
    ])
}

impl Manager {
    fn command(&self, context: &TestContext, words: &[&str]) -> Command {
        // Scripts of Yarn and npm start with Node.
        let mut command = context.command(if self.name == "bun" { self.program.as_path() } else { "node".into() });
        if self.name != "bun" {
            command.arg(&self.program);
        }
        command.args(words);
        command
    }
}

#[test]
fn e2e_every_package_manager_installs_and_starts_the_npm_package() {
    let Some(managers) = managers() else { return };
    let mut context = TestContext::new();
    let registry = Registry::start(npm_packages().iter().map(|made| Package::of_tarball(made.bytes.clone())));
    context.use_registry(&registry);
    context.set_env("YARN_NPM_MINIMAL_AGE_GATE", "0");
    let version = format!("splitter {}", env!("CARGO_PKG_VERSION"));
    for manager in managers {
        let name = manager.name;
        let linker = if name == "yarn-pnp" { "pnp" } else { "node-modules" };
        context.write(&format!("{name}/.yarnrc.yml"), format!("nodeLinker: {linker}\n"));
        let command = |words: &[&str]| project(&context, name, manager.command(&context, words));
        succeed(&mut command(manager.install));
        // Further commands must find what the installation wrote.
        let command = |words: &[&str]| {
            let mut command = manager.command(&context, words);
            command.current_dir(context.repo().join(name));
            command
        };
        assert_eq!(succeed(&mut command(&[manager.start, &["splitter", "--version"]].concat())), version, "{name}");
        // The exit code and stderr pass.
        let wrong = run(&mut command(&[manager.start, &["splitter", "check", "--format", "x"]].concat()));
        assert!(wrong.starts_with("exit: 2"), "{name}: {wrong}");
        assert!(wrong.contains("error: invalid value 'x' for '--format"), "{name}: {wrong}");
        if !manager.once.is_empty() {
            let mut once = manager.command(&context, &[manager.once, &[NAME, "--version"]].concat());
            assert_eq!(succeed(once.current_dir(context.home())), version, "{name}");
        }
        fs::remove_dir_all(context.repo().join(name)).unwrap();
    }
}

/// Unpacks the main package and that of this machine into `node_modules`, without a package manager. Returns the launcher.
fn unpack(context: &TestContext) -> Utf8PathBuf {
    let suffix = format!("-{}.tgz", env!("CARGO_PKG_VERSION"));
    for made in npm_packages() {
        let name = made.name.trim_end_matches(&suffix);
        if name != NAME && !name.ends_with(platform()) {
            continue;
        }
        let (folder, tarball) = (context.repo().join("node_modules").join(name), context.folder(&made.name));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&tarball, &made.bytes).unwrap();
        succeed(Command::new("tar").args(["-xzf", tarball.as_str(), "--strip-components=1", "-C", folder.as_str()]));
    }
    context.repo().join("node_modules").join(NAME).join("bin/splitter.cjs")
}

/// Returns the program that the launcher started.
fn program_of(launcher: &Child) -> String {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", launcher.id())).unwrap();
    children.split_whitespace().next().unwrap().to_owned()
}

/// Starts `init` by the launcher, and waits until it asks for this tarball, whose download never ends.
fn start(small: &Small, launcher: &Utf8Path, tarball: &str) -> Child {
    small.registry.take_requests();
    let mut command = small.context.command(launcher);
    let child = command.args(["init", "--no-hook"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while !small.registry.take_requests().contains(&format!("GET {tarball}")) {
        assert!(Instant::now() < until, "nothing is downloaded");
        thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Tests the launcher alone. A package manager that starts it has its own ways to pass signals.
#[cfg(target_os = "linux")]
#[test]
fn e2e_the_launcher_passes_signals_and_names_a_missing_package() {
    let Some(()) = node() else { return };
    let small = Small::new();
    let launcher = unpack(&small.context);
    let alpha = Package::new("alpha", "1.0.0").tarball_path();
    small.registry.fail(&alpha, Fault::Stalled, usize::MAX);
    for (signal, code, ended_by) in [("INT", Some(130), None), ("TERM", Some(143), None), ("KILL", None, Some(9))] {
        let mut process = start(&small, &launcher, &alpha);
        let program = program_of(&process);
        // KILL shows a program that ends by a signal. The launcher itself could not pass it.
        let target = if signal == "KILL" { program.clone() } else { process.id().to_string() };
        succeed(small.context.command("sh").args(["-c", &format!("kill -{signal} {target}")]));
        let status = process.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (code, ended_by), "{signal}");
        assert!(!Utf8Path::new("/proc").join(&program).exists(), "{signal}: the program outlives the launcher");
    }
    let name = format!("{NAME}-{}", platform());
    fs::remove_dir_all(small.context.repo().join("node_modules").join(&name)).unwrap();
    let output = run(small.context.command(&launcher).arg("check"));
    assert!(output.starts_with("exit: 3\n"), "{output}");
    let install = format!("npm install --save-optional {name}@{}", env!("CARGO_PKG_VERSION"));
    for text in [format!("{name} is missing"), "--omit=optional".to_owned(), "another machine".to_owned(), install] {
        assert!(output.contains(&text), "{output}");
    }
}
