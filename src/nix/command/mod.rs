//! Finding and running the real `nix`.
//!
//! Splitter's own work needs no Nix. It runs Nix to prove the invariants, to build, and to put the dependencies into
//! the store. Every program runs with the same precautions:
//!
//! - Without git's variables. A hook inherits `GIT_DIR` and `GIT_INDEX_FILE`, and Nix calls git for flakes and fetches.
//!   Git would then read the wrong repository (<https://github.com/NixOS/nix/issues/12325>).
//! - With flakes enabled for this one call, whatever the user's configuration says.
//! - With the last lines of output in the error, because Nix puts the reason there.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::nar::{NarDigest, NarError};

mod caches;
mod chroot;
mod error;
mod known;
pub(crate) mod limited;
pub mod log;
mod preload;
mod run;
mod scratch;
mod store;
#[cfg(test)]
mod tests;

pub use error::NixError;
pub use known::Known;
pub use run::run_program;
use run::{Answer, run};
pub use store::Output;

/// The environment variable with the path of the `nix` to use.
pub const NIX_VARIABLE: &str = "SPLITTER_NIX";

/// Arguments before every command of `nix`.
const FEATURES: [&str; 2] = ["--extra-experimental-features", "nix-command flakes"];

/// The `nix` program of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nix {
    program: PathBuf,
    options: Vec<OsString>,
    folder: Option<Utf8PathBuf>,
}

impl Nix {
    /// Returns the `nix` in [`NIX_VARIABLE`], else the first one in PATH.
    pub fn find() -> Option<Self> {
        Self::find_in(env::var_os(NIX_VARIABLE).as_deref(), env::var_os("PATH").as_deref())
    }

    /// Like [`Nix::find`], but a missing `nix` is an error.
    pub fn require() -> Result<Self, NixError> {
        Self::find().ok_or(NixError::Missing)
    }

    /// Like [`Nix::find`], with the values of both variables. A program named by the first is always used. If it is
    /// missing, running it fails; no other program replaces it.
    pub fn find_in(named: Option<&OsStr>, path: Option<&OsStr>) -> Option<Self> {
        match named.filter(|named| !named.is_empty()) {
            Some(named) => Some(Self::at(named)),
            None => which::which_in("nix", Some(path?), env::current_dir().unwrap_or_default()).ok().map(Self::at),
        }
    }

    /// Uses this program: a path relative to the current folder, or a bare name to look up in PATH.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        let given: PathBuf = program.into();
        let is_bare = given.parent().is_none_or(|folder| folder.as_os_str().is_empty());
        // The program may run in another folder, where a relative path would mean another file.
        let program = if is_bare { given } else { std::path::absolute(&given).unwrap_or(given) };
        Self { program, options: Vec::new(), folder: None }
    }

    /// Adds arguments after the verb of every command of `nix`, such as `["--option", "substitute", "false"]`.
    #[must_use]
    pub fn with_options<O: Into<OsString>>(mut self, options: impl IntoIterator<Item = O>) -> Self {
        self.options.extend(options.into_iter().map(Into::into));
        self
    }

    /// Runs in `folder`. Relative installables such as `.#web` refer to it.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<Utf8PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Returns the path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the version as Nix prints it, such as `nix (Nix) 2.34.8`.
    pub fn version(&self) -> Result<String, NixError> {
        Ok(self.nix(["--version"])?.text()?.trim().to_owned())
    }

    /// Evaluates an installable to a string, such as `.#packages.x86_64-linux.web.drvPath`.
    pub fn eval_raw(&self, installable: &str) -> Result<String, NixError> {
        self.nix(["eval", "--raw", "--", installable])?.text()
    }

    /// Evaluates an installable to a value.
    pub fn eval_json(&self, installable: &str) -> Result<serde_json::Value, NixError> {
        self.nix(["eval", "--json", "--", installable])?.json()
    }

    /// Evaluates an expression to a value. The expression may read files by their paths.
    pub fn eval_expression(&self, expression: &str) -> Result<serde_json::Value, NixError> {
        self.nix(["eval", "--impure", "--json", "--expr", expression])?.json()
    }

    /// Applies the Nix function `apply` to an installable and returns the value. One call for many derivations, such as
    /// `builtins.mapAttrs (_: p: p.drvPath)`, evaluates the flake only once.
    pub fn eval_json_applied(&self, installable: &str, apply: &str) -> Result<serde_json::Value, NixError> {
        self.nix(["eval", "--json", "--apply", apply, "--", installable])?.json()
    }

    /// Builds installables and returns their outputs. Nix's messages are kept for an error and not shown.
    pub fn build(&self, installables: &[&str]) -> Result<Vec<Utf8PathBuf>, NixError> {
        self.build_watched(installables, &mut |_| {})
    }

    /// Like [`Nix::build`], but passes each line of stderr to `watch` as it is written.
    pub fn build_watched(
        &self,
        installables: &[&str],
        watch: &mut dyn FnMut(&str),
    ) -> Result<Vec<Utf8PathBuf>, NixError> {
        let mut arguments = vec!["build", "--no-link", "--print-out-paths", "--"];
        arguments.extend(installables);
        let answer = run(&mut self.nix_command(arguments), watch)?.text()?;
        Ok(answer.lines().map(Utf8PathBuf::from).collect())
    }

    /// Runs the program of an installable instead of this one, with the terminal. Returns only if that failed.
    pub fn become_program<S: AsRef<OsStr>>(
        &self,
        installable: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> NixError {
        let mut command = self.nix_command(["run", installable, "--"]);
        command.args(arguments);
        for variable in crate::repo::GIT_VARIABLES {
            command.env_remove(variable);
        }
        let source = replace_process(&mut command);
        NixError::Start { program: self.program.clone(), source }
    }

    /// Returns Nix's own hash of the folder, file or link at `path`. It equals [`nar::hash`](super::nar::hash()) of
    /// [`nar::tree_of_folder`](super::nar::tree_of_folder).
    pub fn hash_path(&self, path: &Utf8Path) -> Result<NarDigest, NixError> {
        let path = camino::absolute_utf8(path).map_err(NarError::Disk)?;
        let answer = self.nix(["hash", "path", "--", path.as_str()])?;
        answer.text()?.trim().parse().map_err(|_| answer.unexpected("sha256 hash"))
    }

    fn nix<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Answer, NixError> {
        run(&mut self.nix_command(arguments), &mut |_| {})
    }

    fn nix_command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        // All options come after the verb, because some verbs lack options such as `--override-input`.
        let mut arguments = arguments.into_iter();
        let mut command = self.command(&self.program);
        command.args(FEATURES).args(arguments.next()).args(&self.options).args(arguments);
        command
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

#[cfg(unix)]
fn replace_process(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn replace_process(_: &mut Command) -> std::io::Error {
    std::io::ErrorKind::Unsupported.into()
}
