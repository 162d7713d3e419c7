//! Stores in folders of their own, beside the store of this machine.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::{Nix, NixError, log, preload::nix_store_beside, run::run};

impl Nix {
    /// Uses the store in this folder instead of the one of this machine. Nix creates it.
    #[must_use]
    pub fn with_store(self, folder: &Utf8Path) -> Self {
        self.with_options(["--store", folder.as_str()])
    }

    /// Returns the paths of all outputs of derivations that the store in a folder has.
    pub fn outputs_in(&self, folder: &Utf8Path, derivations: &[&str]) -> Result<Vec<String>, NixError> {
        if derivations.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self.command(nix_store_beside(self.program()));
        command.args(["--store", folder.as_str(), "--query", "--outputs"]).args(derivations);
        Ok(run(&mut command, &mut |_| {})?.text()?.lines().map(str::to_owned).collect())
    }

    /// Returns the paths that the store in a folder lacks.
    pub fn missing_in(&self, folder: &Utf8Path, paths: &[&str]) -> Result<BTreeSet<String>, NixError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut command = self.command(nix_store_beside(self.program()));
        command.args(["--store", folder.as_str(), "--check-validity", "--print-invalid"]).args(paths);
        Ok(run(&mut command, &mut |_| {})?.text()?.lines().map(str::to_owned).collect())
    }

    /// Builds an expression that needs nothing, to see whether builds work.
    pub fn build_expression(&self, expression: &str) -> Result<(), NixError> {
        self.nix(["build", "--no-link", "--impure", "--expr", expression]).map(|_| ())
    }

    /// Builds installables, and passes each event of Nix's log to `watch` when it arrives.
    pub fn build_followed(&self, installables: &[String], watch: &mut dyn FnMut(log::Event)) -> Result<(), NixError> {
        let mut arguments = vec!["build", "--no-link", "--log-format", "internal-json", "--"];
        arguments.extend(installables.iter().map(String::as_str));
        let mut each = |line: &str| {
            if let Some(event) = log::parse(line) {
                watch(event);
            }
        };
        run(&mut self.nix_command(arguments), &mut each).map(|_| ())
    }
}
