//! Finding and running the real `nix`.
//!
//! Splitter's own work needs no Nix; it is run to prove the invariants, to build, and to put the dependencies into
//! the store. Every program runs with the same care:
//!
//! - Without git's variables. A hook inherits `GIT_DIR` and `GIT_INDEX_FILE`, and Nix calls git for flakes and
//!   fetches, which would then look at the wrong repository (<https://github.com/NixOS/nix/issues/12325>).
//! - With flakes switched on for this one call, whatever the user's configuration says.
//! - With an error that holds the end of what the program wrote, since that is where Nix puts the reason.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::nar::{NarDigest, NarError};

mod error;
mod preload;
mod run;
#[cfg(test)]
mod tests;

pub use error::NixError;
use run::{Answer, run};

/// The environment variable that names the `nix` to use.
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
    /// The `nix` that [`NIX_VARIABLE`] names, else the first in PATH.
    pub fn find() -> Option<Self> {
        Self::find_in(env::var_os(NIX_VARIABLE).as_deref(), env::var_os("PATH").as_deref())
    }

    /// Like [`Nix::find`], where finding none is an error.
    pub fn require() -> Result<Self, NixError> {
        Self::find().ok_or(NixError::Missing)
    }

    /// Like [`Nix::find`], with the two variables given. A named program is taken at its word: where it is missing,
    /// running it says so, rather than another being used in its place.
    pub fn find_in(named: Option<&OsStr>, path: Option<&OsStr>) -> Option<Self> {
        match named.filter(|named| !named.is_empty()) {
            Some(named) => Some(Self::at(named)),
            None => which::which_in("nix", Some(path?), env::current_dir().unwrap_or_default()).ok().map(Self::at),
        }
    }

    /// This very program: by its path, relative to the current folder, or by a bare name that is looked up in PATH.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        let given: PathBuf = program.into();
        let is_bare = given.parent().is_none_or(|folder| folder.as_os_str().is_empty());
        // It may be run in another folder, where a relative path would be another program or none.
        let program = if is_bare { given } else { std::path::absolute(&given).unwrap_or(given) };
        Self { program, options: Vec::new(), folder: None }
    }

    /// The same, with more arguments after the verb of every command of `nix`, such as `["--option", "substitute", "false"]`.
    #[must_use]
    pub fn with_options<O: Into<OsString>>(mut self, options: impl IntoIterator<Item = O>) -> Self {
        self.options.extend(options.into_iter().map(Into::into));
        self
    }

    /// The same, run in `folder`, from which relative installables such as `.#web` are meant.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<Utf8PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What it calls itself, such as `nix (Nix) 2.34.8`.
    pub fn version(&self) -> Result<String, NixError> {
        Ok(self.nix(["--version"])?.text()?.trim().to_owned())
    }

    /// The text that an installable evaluates to, such as `.#packages.x86_64-linux.web.drvPath`.
    pub fn eval_raw(&self, installable: &str) -> Result<String, NixError> {
        self.nix(["eval", "--raw", "--", installable])?.text()
    }

    /// The value that an installable evaluates to.
    pub fn eval_json(&self, installable: &str) -> Result<serde_json::Value, NixError> {
        self.nix(["eval", "--json", "--", installable])?.json()
    }

    /// The value that an expression evaluates to; it may read files by their paths.
    pub fn eval_expression(&self, expression: &str) -> Result<serde_json::Value, NixError> {
        self.nix(["eval", "--impure", "--json", "--expr", expression])?.json()
    }

    /// The value that the Nix function `apply` makes of an installable. One call for many derivations, such as
    /// `builtins.mapAttrs (_: p: p.drvPath)`, saves evaluating the flake once for each.
    pub fn eval_json_applied(&self, installable: &str, apply: &str) -> Result<serde_json::Value, NixError> {
        self.nix(["eval", "--json", "--apply", apply, "--", installable])?.json()
    }

    /// Builds installables, and gives their outputs. What Nix says meanwhile is kept for an error and not shown.
    pub fn build(&self, installables: &[&str]) -> Result<Vec<Utf8PathBuf>, NixError> {
        self.build_watched(installables, &mut |_| {})
    }

    /// Like [`Nix::build`], and `watch` is given each line that Nix writes to stderr when it is written.
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

    /// What Nix itself says is the hash of the folder, file or link at `path`: the one that
    /// [`nar::hash`](super::nar::hash()) gives for [`nar::tree_of_folder`](super::nar::tree_of_folder).
    pub fn hash_path(&self, path: &Utf8Path) -> Result<NarDigest, NixError> {
        let path = camino::absolute_utf8(path).map_err(NarError::Disk)?;
        let answer = self.nix(["hash", "path", "--", path.as_str()])?;
        answer.text()?.trim().parse().map_err(|_| answer.unexpected("sha256 hash"))
    }

    fn nix<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Answer, NixError> {
        run(&mut self.nix_command(arguments), &mut |_| {})
    }

    fn nix_command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        // Options such as `--override-input` are known to some verbs only, so all of them come after the verb.
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
