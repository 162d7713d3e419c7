//! An app as a monorepo of its own, in a scratch folder, installed by a real package manager.

use std::{env, process::Command, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use super::{
    apps::{self, App, Manager},
    bounded,
};
use crate::{Result, paths, tools};

const INSTALL: Duration = Duration::from_mins(10);
const INIT: Duration = Duration::from_mins(5);
const BUILD: Duration = Duration::from_mins(10);
const GIT: Duration = Duration::from_mins(1);

/// Variables of the machine that clients of a registry need.
const KEPT: [&str; 10] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "NIX_SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// The folders of one run: `repo`, `elsewhere`, `logs` and the like are below `root`, caches below `shared`.
pub(super) struct Project<'a> {
    pub(super) app: &'a App,
    pub(super) manager: Manager,
    pub(super) root: Utf8PathBuf,
    shared: &'a Utf8Path,
    node: &'a Utf8Path,
}

impl<'a> Project<'a> {
    /// Copies the app and the shared files, and makes a folder with the programs that the run may use.
    pub(super) fn make(
        app: &'a App,
        manager: Manager,
        root: Utf8PathBuf,
        shared: &'a Utf8Path,
        node: &'a Utf8Path,
    ) -> Result<Self> {
        let project = Self { app, manager, root, shared, node };
        for folder in ["elsewhere", "logs", "bin", "tmp"] {
            fs::create_dir_all(project.root.join(folder))?;
        }
        fs::write(project.root.join("elsewhere/name.txt"), "Ada\n")?;
        copy_folder(&apps::folder().join("shared"), &project.repo())?;
        copy_folder(&apps::folder().join(&app.name), &project.repo().join("apps").join(&app.name))?;
        project.write_programs()?;
        project.write_settings()?;
        Ok(project)
    }

    pub(super) fn repo(&self) -> Utf8PathBuf {
        self.root.join("repo")
    }

    /// Where the log of a step goes.
    pub(super) fn log(&self, step: &str) -> Utf8PathBuf {
        self.root.join("logs").join(step)
    }

    /// Installs from the registry. This writes the lockfile.
    pub(super) fn install(&self) -> Result<()> {
        bounded::run("the install", self.tool().arg("install"), INSTALL, &self.log("install")).map(drop)
    }

    /// Builds the library and the app as a developer would, without Nix.
    pub(super) fn build_plainly(&self) -> Result<()> {
        for workspace in [Utf8PathBuf::from("packages/greeting"), self.workspace()] {
            let folder = self.repo().join(&workspace);
            let manifest: Value = serde_json::from_str(&fs::read_to_string(folder.join("package.json"))?)?;
            if manifest["scripts"]["build"].is_string() {
                let mut build = self.tool();
                build.current_dir(&folder).args(["run", "build"]);
                bounded::run(&format!("the build of {workspace}"), &mut build, BUILD, &self.log("build"))?;
            }
        }
        Ok(())
    }

    /// The folder of the app in the repository.
    pub(super) fn workspace(&self) -> Utf8PathBuf {
        Utf8Path::new("apps").join(&self.app.name)
    }

    /// Makes it a git repository and runs `splitter init`.
    pub(super) fn split(&self, splitter: &Utf8Path) -> Result<()> {
        self.git(&["init", "--quiet", "--initial-branch=main"])?;
        self.git(&["add", "--all"])?;
        bounded::run("`splitter init`", self.command(splitter).arg("init"), INIT, &self.log("init"))?;
        self.git(&["add", "--all"])
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        bounded::run("git", self.command("git").args(args), GIT, &self.log("git")).map(drop)
    }

    /// The package manager, in the repository.
    pub(super) fn tool(&self) -> Command {
        self.command(self.root.join("bin").join(self.manager.tool().0))
    }

    /// A program in the repository that sees nothing of the machine but its registry settings.
    pub(super) fn command(&self, program: impl AsRef<Utf8Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.repo()).env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((*name, env::var_os(name)?))));
        let home = self.shared.join("home");
        command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", self.root.join("bin")));
        command.env("HOME", &home).env("XDG_CACHE_HOME", home.join(".cache")).env("TMPDIR", self.root.join("tmp"));
        command.env("BUN_INSTALL_CACHE_DIR", home.join(".bun/cache"));
        command.env("YARN_ENABLE_TELEMETRY", "0").env("DO_NOT_TRACK", "1").env("NEXT_TELEMETRY_DISABLED", "1");
        // A run is no contribution: its lockfile is made here.
        command.env("YARN_ENABLE_IMMUTABLE_INSTALLS", "0");
        command
    }

    /// `bin/` with Node.js and the package manager: `PATH` must find these, at these versions.
    fn write_programs(&self) -> Result<()> {
        let bin = self.root.join("bin");
        let (tool, version) = self.manager.tool();
        let folder = paths::tools_dir().join(format!("{tool}-{version}"));
        link(&self.node.join("bin/node"), &bin.join("node"))?;
        if self.manager == Manager::Bun {
            return link(&folder.join("bin/bun"), &bin.join("bun"));
        }
        let script = format!("#!/bin/sh\nexec {} {} \"$@\"\n", bin.join("node"), folder.join("bin/yarn.js"));
        write_program(&bin.join("yarn"), &script)
    }

    /// The settings of the package manager. They depend on the machine's registry, so none are committed.
    fn write_settings(&self) -> Result<()> {
        let repo = self.repo();
        let manifest = repo.join("package.json");
        let mut json: Value = serde_json::from_str(&fs::read_to_string(&manifest)?)?;
        let (tool, version) = self.manager.tool();
        json["packageManager"] = format!("{tool}@{version}").into();
        fs::write(manifest, format!("{json:#}\n"))?;
        let registry = tools::registry();
        let (file, text) = match self.manager {
            Manager::Bun | Manager::Yarn => (".npmrc", format!("registry={registry}\n")),
            Manager::YarnBerry => (
                ".yarnrc.yml",
                format!(
                    "nodeLinker: node-modules\nenableGlobalCache: true\nnpmRegistryServer: \"{}\"\n",
                    registry.trim_end_matches('/')
                ),
            ),
        };
        Ok(fs::write(repo.join(file), text)?)
    }
}

/// Copies a folder. Folders that builds make in a checkout are left out.
pub(super) fn copy_folder(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()? {
            kind if kind.is_dir() && entry.file_name() != "node_modules" => copy_folder(entry.path(), &target)?,
            kind if kind.is_file() => drop(fs::copy(entry.path(), target)?),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(to: &Utf8Path, at: &Utf8Path) -> Result<()> {
    if !to.is_file() {
        return Err(format!("{to} is missing: run `cargo xtask setup`").into());
    }
    Ok(fs::os::unix::fs::symlink(to, at)?)
}

fn write_program(file: &Utf8Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(file, text)?;
    Ok(fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?)
}
