//! A monorepo that a real Nix builds. `tests/nix-stand-in` replaces nixpkgs and flake-parts, so the templates are built in a
//! real sandbox, but no test needs nixpkgs or its binary cache.

use std::{collections::BTreeMap, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use super::{
    Monorepo, Project, TestContext, YarnMonorepo,
    sandbox::{Nix, copy_folder, succeed},
    tools::{self, skip},
};

/// The inputs of a flake that have a stand-in.
pub(crate) const INPUTS: [&str; 3] = ["nixpkgs", "flake-parts", "nix2container"];

/// The monorepo after `splitter init`, tracked by git, and a Nix with the test's own store.
pub(crate) struct NixMonorepo<P = Monorepo> {
    pub(crate) monorepo: P,
    pub(crate) nix: Nix,
}

impl NixMonorepo {
    /// Returns the monorepo with a lockfile from this version of Bun. If a tool is missing, records a skip and returns `None`.
    #[track_caller]
    pub(crate) fn with_bun(version: &str) -> Option<Self> {
        Self::of(Monorepo::with_bun(version)?)
    }

    /// Like [`Self::with_bun`], but the lockfile contains the URL of each tarball.
    #[track_caller]
    pub(crate) fn with_bun_and_mirror(version: &str) -> Option<Self> {
        Self::of(Monorepo::with_bun_and_mirror(version)?)
    }
}

impl NixMonorepo<YarnMonorepo> {
    /// Returns the monorepo with a lockfile from this version of Yarn.
    #[track_caller]
    pub(crate) fn with_yarn(version: &str) -> Option<Self> {
        Self::of(YarnMonorepo::with_yarn(version)?)
    }
}

impl<P: Project> NixMonorepo<P> {
    /// Wraps a monorepo that a test has changed. Its lockfile must be up to date.
    #[track_caller]
    pub(crate) fn of(monorepo: P) -> Option<Self> {
        let context = monorepo.context();
        let nix = context.nix()?;
        write_stand_in(context)?;
        monorepo.registry().publish(monorepo.program());
        monorepo.name_registry();
        succeed(&mut context.splitter(&["init"]));
        context.commit_all("splitter init");
        monorepo.registry().take_requests();
        Some(Self { monorepo, nix })
    }

    pub(crate) fn context(&self) -> &TestContext {
        self.monorepo.context()
    }

    /// Returns a `nix` command for the repository's flake, with the stand-ins as inputs.
    pub(crate) fn nix(&self, args: &[&str]) -> Command {
        let mut command = self.nix.command(self.context(), args);
        // Nix warns about an override of an input that the flake does not have.
        let flake = fs::read_to_string(self.context().repo().join("flake.nix")).unwrap_or_default();
        for input in INPUTS.into_iter().filter(|input| flake.contains(input)) {
            let folder = self.context().folder("stand-in").join(input);
            command.args(["--override-input", input, &format!("path:{folder}")]);
        }
        command.arg("--no-write-lock-file");
        command
    }

    /// Builds an output of the flake, such as `api`, and returns its store path.
    #[track_caller]
    pub(crate) fn build(&self, output: &str) -> Utf8PathBuf {
        succeed(&mut self.build_command(output)).into()
    }

    /// Returns the command that builds an output of the flake.
    pub(crate) fn build_command(&self, output: &str) -> Command {
        self.nix(&["build", "--no-link", "--print-out-paths", "--print-build-logs", &format!(".#{output}")])
    }

    /// Evaluates an attribute path of the flake, as JSON.
    #[track_caller]
    pub(crate) fn eval(&self, attribute: &str, apply: &str) -> Value {
        let json = succeed(&mut self.nix(&["eval", "--json", &format!(".#{attribute}"), "--apply", apply]));
        serde_json::from_str(&json).unwrap()
    }

    /// Returns the derivation of each package for this system, by name, without images.
    #[track_caller]
    pub(crate) fn derivations(&self) -> BTreeMap<String, String> {
        let apply = "builtins.mapAttrs (_: package: package.drvPath)";
        let all: BTreeMap<String, String> =
            serde_json::from_value(self.eval(&format!("packages.{}", system()), apply)).unwrap();
        all.into_iter().filter(|(name, _)| !name.ends_with("-image")).collect()
    }
}

/// Returns Nix's name of this machine's system.
pub(crate) fn system() -> String {
    let os = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    format!("{}-{os}", std::env::consts::ARCH)
}

/// Copies the stand-ins into the test's folder, where the test can write this machine's programs into them.
#[track_caller]
pub(crate) fn write_stand_in(context: &TestContext) -> Option<()> {
    let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nix-stand-in");
    let target = context.folder("stand-in");
    for folder in INPUTS {
        copy_folder(&source.join(folder), &target.join(folder));
    }
    let host = target.join("nixpkgs/host.json");
    let mut settings: Value = serde_json::from_str(&fs::read_to_string(&host).unwrap()).unwrap();
    for name in ["node", "patchelf", "curl", "git", "env"] {
        let Some(program) = tools::program(name) else { return skip(&format!("no {name}")) };
        settings[name] = program.as_str().into();
    }
    // Only images need them.
    for (name, program) in [("tini", "tini-static"), ("caddy", "caddy"), ("skopeo", "skopeo"), ("busybox", "busybox")] {
        if let Some(program) = tools::program(program) {
            settings[name] = program.as_str().into();
        }
    }
    if let Some(folder) = tools::postgresql() {
        settings["services"]["postgresql"] = serde_json::json!([format!("{folder}/*")]);
    }
    // Only traces need it, and only Linux has it.
    if let Some(strace) = tools::program("strace") {
        settings["strace"] = strace.as_str().into();
    }
    let node = Utf8Path::new(settings["node"].as_str().unwrap()).parent().and_then(Utf8Path::parent).unwrap();
    let node = node.to_owned();
    settings["nodeVersion"] = tools::node_version().into();
    settings["npm"] = node.join("lib/node_modules/npm").as_str().into();
    settings["headers"] = node.join("include/node").as_str().into();
    fs::write(host, settings.to_string()).unwrap();
    Some(())
}
