//! Work in scratch stores: folders with a store, a database and a state of their own. Nothing of the user's store is touched.

use std::process::Command;

use camino::Utf8Path;

use super::{Nix, NixError, run::run};

impl Nix {
    /// Evaluates an expression to a text. Files that it makes are in the scratch store.
    pub fn scratch_eval(&self, store: &str, expression: &str) -> Result<String, NixError> {
        let mut command = self.scratch_command(&["eval"], store);
        run(command.args(["--raw", "--expr", expression]), &mut |_| {})?.text()
    }

    /// Adds a folder to the scratch store, and returns its path there.
    pub fn scratch_add(&self, store: &str, folder: &Utf8Path) -> Result<String, NixError> {
        let mut command = self.scratch_command(&["store", "add"], store);
        run(command.arg(folder), &mut |_| {})?.text()
    }

    /// Copies paths of a scratch store to a cache.
    pub fn scratch_copy(&self, store: &str, to: &str, paths: &[String]) -> Result<(), NixError> {
        let mut command = self.command(self.program());
        command.args(super::FEATURES).args(["copy", "--no-check-sigs", "--from", store, "--to", to, "--"]).args(paths);
        run(&mut command, &mut |_| {}).map(|_| ())
    }

    /// Builds or downloads something into the scratch store with these settings. `home` gets the caches of Nix, so that each run
    /// knows nothing of the earlier ones.
    pub fn scratch_build(
        &self,
        store: &str,
        home: &Utf8Path,
        settings: &[(&str, &str)],
        arguments: &[&str],
    ) -> Result<(), NixError> {
        let mut command = self.scratch_command(&["build"], store);
        command.env("XDG_CACHE_HOME", home).arg("--no-link");
        for (name, value) in settings {
            command.args(["--option", name, value]);
        }
        run(command.args(arguments), &mut |_| {}).map(|_| ())
    }

    fn scratch_command(&self, words: &[&str], store: &str) -> Command {
        let mut command = self.command(self.program());
        // A scratch store of root would need the group of build users otherwise, which a single-user Nix lacks.
        command.args(super::FEATURES).args(words).args(["--store", store, "--option", "build-users-group", ""]);
        command.env_remove("NIX_REMOTE");
        command
    }
}
