//! Outputs in the store: building them from derivations, and asking for what they need.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde_json::Value;

use super::{Nix, NixError, log, preload::nix_store_beside, run::run};

/// The option that later versions of Nix require together with `--json`. Earlier ones do not have it.
const JSON_FORMAT: &str = "--json-format";

/// An output of a derivation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Output {
    /// The path of the derivation.
    pub derivation: String,
    /// The name of the output, usually `out`.
    pub name: String,
}

impl Nix {
    /// Builds outputs and returns their paths, in the order of the outputs. Passes each line of stderr to `watch`.
    pub fn build_outputs(&self, outputs: &[Output], watch: &mut dyn FnMut(&str)) -> Result<Vec<Utf8PathBuf>, NixError> {
        if outputs.is_empty() {
            return Ok(Vec::new());
        }
        let installables: BTreeSet<String> =
            outputs.iter().map(|output| format!("{}^{}", output.derivation, output.name)).collect();
        let mut arguments = vec!["build", "--no-link", "--json", "--"];
        arguments.extend(installables.iter().map(String::as_str));
        let answer = run(&mut self.nix_command(arguments), watch)?;
        let built = answer.json()?;
        let paths: Option<Vec<_>> = outputs.iter().map(|output| path_of(&built, output)).collect();
        paths.ok_or_else(|| answer.unexpected("a path for each output"))
    }

    /// Builds outputs as `nix build` does, with links to them, and goes on when one fails. Passes each event of Nix's log to
    /// `watch`. `links` are options about links: none for `result`, or `--no-link`.
    pub fn build_products(
        &self,
        outputs: &[Output],
        links: &[String],
        watch: &mut dyn FnMut(log::Event),
    ) -> Result<(), NixError> {
        let installables = outputs.iter().map(|output| format!("{}^{}", output.derivation, output.name));
        let installables: Vec<String> = installables.collect();
        let mut arguments = vec!["build", "--keep-going", "--log-format", "internal-json"];
        arguments.extend(links.iter().map(String::as_str));
        arguments.push("--");
        arguments.extend(installables.iter().map(String::as_str));
        let mut each = |line: &str| {
            if let Some(event) = log::parse(line) {
                watch(event);
            }
        };
        run(&mut self.nix_command(arguments), &mut each).map(|_| ())
    }

    /// Builds derivations of this store again and compares the results, as `nix build --rebuild` does. Goes on when one differs.
    /// Passes each event of Nix's log to `watch`.
    pub fn rebuild(&self, outputs: &[Output], watch: &mut dyn FnMut(log::Event)) -> Result<(), NixError> {
        self.build_products(outputs, &["--no-link".to_owned(), "--rebuild".to_owned()], watch)
    }

    /// Returns the sizes and references of store paths and of everything that they need, in the JSON of this version of
    /// Nix.
    pub fn path_info(&self, paths: &[&str]) -> Result<Value, NixError> {
        self.path_info_with(&["--recursive"], paths)
    }

    /// Like [`Nix::path_info`], but of the paths alone, with the size of each together with everything that it refers to. All
    /// must be valid.
    pub fn closure_sizes(&self, paths: &[&str]) -> Result<Value, NixError> {
        self.path_info_with(&["--closure-size"], paths)
    }

    /// Like [`Nix::path_info`], for every path of the store.
    pub fn all_paths(&self) -> Result<Value, NixError> {
        self.path_info_with(&["--all"], &[])
    }

    /// Returns the paths that a garbage collection would delete. Nothing is deleted.
    pub fn dead_paths(&self) -> Result<BTreeSet<String>, NixError> {
        let mut command = self.command(nix_store_beside(self.program()));
        command.args(["--gc", "--print-dead"]);
        Ok(run(&mut command, &mut |_| {})?.text()?.lines().map(str::to_owned).collect())
    }

    fn path_info_with(&self, options: &[&str], paths: &[&str]) -> Result<Value, NixError> {
        let ask = |format: &[&str]| {
            let arguments =
                ["path-info", "--json"].iter().chain(options).chain(format).chain(&["--"]).chain(paths).copied();
            self.nix(arguments)?.json()
        };
        match ask(&[]) {
            Err(NixError::Failed { last_lines, .. }) if last_lines.iter().any(|line| line.contains(JSON_FORMAT)) => {
                ask(&[JSON_FORMAT, "2"])
            }
            answer => answer,
        }
    }

    /// Returns the paths that the store lacks. Nothing is downloaded.
    pub fn missing(&self, paths: &[&str]) -> Result<BTreeSet<String>, NixError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut command = self.command(nix_store_beside(self.program()));
        command.args(["--check-validity", "--print-invalid"]).args(paths);
        Ok(run(&mut command, &mut |_| {})?.text()?.lines().map(str::to_owned).collect())
    }
}

/// Finds the path of an output in the JSON of `nix build`.
fn path_of(built: &Value, output: &Output) -> Option<Utf8PathBuf> {
    let is_wanted = |entry: &&Value| {
        let path = entry["drvPath"].as_str().unwrap_or_default();
        // A version of Nix may print base names, as `path-info` does.
        !path.is_empty() && (path == output.derivation || output.derivation.ends_with(&format!("/{path}")))
    };
    let outputs = built.as_array()?.iter().filter(is_wanted);
    outputs.filter_map(|entry| entry["outputs"][&output.name].as_str()).map(Utf8PathBuf::from).next()
}
