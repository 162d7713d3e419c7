//! Builds the packages of a repository's state and measures their closures.

use std::{collections::BTreeMap, ffi::OsString};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{Closure, ClosureError, Items, base_name, path_info, scan};
use crate::{
    nix::command::{Nix, NixError, Output},
    proof::{State, evaluation::nix_value, scratch::Scratch},
    repo::RepoPath,
    split::plan::Id,
};

/// What to measure, and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The program.
    pub nix: &'a Nix,
    /// Options for every call of it.
    pub options: &'a [String],
    /// The names of the packages. Empty: all apps and installs.
    pub names: &'a [String],
    /// Whether packages that the store lacks are built.
    pub builds: bool,
}

/// The packages of a state.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    /// The measured packages, by name.
    pub measured: BTreeMap<String, Measured>,
    /// The packages that the store lacks, if nothing is built.
    pub missing: Vec<String>,
    /// The names of all packages of the flake.
    pub all: Vec<String>,
}

/// A measured package.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The workspace, if it is an app.
    pub workspace: Option<RepoPath>,
    /// The folder of the store.
    pub store: Utf8PathBuf,
    /// The closure.
    pub closure: Closure,
}

impl Measured {
    /// Returns the full path of a part of the closure.
    pub fn full_path(&self, part: &str) -> Utf8PathBuf {
        self.store.join(part)
    }
}

/// A package of the flake, evaluated.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The output of the derivation.
    pub output: Output,
    /// The path of the output. For a content-addressed derivation it is a placeholder until it is built.
    pub path: Utf8PathBuf,
}

/// The evaluated packages of an output of a flake.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The names of all packages.
    pub all: Vec<String>,
    /// The chosen packages. Names that the flake does not have are left out.
    pub chosen: BTreeMap<String, Evaluated>,
}

/// Evaluates the named packages of `attribute`, such as `packages.x86_64-linux`. Returns nothing if Nix prints something else
/// than expected.
pub fn evaluate(nix: &Nix, flake: &str, attribute: &str, names: &[String]) -> Result<Option<Evaluation>, NixError> {
    // On one line, because it is part of the message if Nix fails. A set with `outPath` would become a string in JSON.
    let apply = format!(
        "packages: {{ all = builtins.attrNames packages; chosen = builtins.listToAttrs (map (name: {{ inherit name; \
         value = {{ derivation = packages.${{name}}.drvPath; path = packages.${{name}}.outPath; output = packages.${{name}}.outputName or \"out\"; }}; }}) \
         (builtins.filter (name: packages ? ${{name}}) {})); }}",
        nix_value(&names.into())
    );
    Ok(read_evaluation(&nix.eval_json_applied(&format!("{flake}#{attribute}"), &apply)?))
}

/// Measures the packages of a state. A state without a folder of its own is copied to `scratch`, as `name`.
pub fn measure(state: &State, scratch: &Scratch, name: &str, request: &Request<'_>) -> Result<Packages, ClosureError> {
    let copied;
    let (folder, flake) = if let Some(folder) = &state.folder {
        (folder.as_path(), ".")
    } else {
        copied = scratch.copy(name, state.tree.as_ref(), state.derivations.files(), None)?;
        // In a temporary folder that belongs to a git repository, `.` would be that repository.
        (copied.root(), "path:.")
    };
    if !folder.join("flake.nix").is_file() {
        return Err(ClosureError::NoFlake { place: state.place.clone() });
    }
    let options = request.options.iter().map(OsString::from).chain(["--no-write-lock-file".into()]);
    let nix = request.nix.clone().with_options(options).in_folder(folder);
    Gatherer { nix, state }.packages(flake, request)
}

struct Gatherer<'a> {
    nix: Nix,
    state: &'a State,
}

impl Gatherer<'_> {
    fn packages(&self, flake: &str, request: &Request<'_>) -> Result<Packages, ClosureError> {
        let apps = products(self.state);
        let names: Vec<String> =
            if request.names.is_empty() { apps.keys().cloned().collect() } else { request.names.to_vec() };
        let Evaluation { all, chosen: evaluated } = self.evaluate(flake, &names)?;
        let mut packages = Packages { all, ..Packages::default() };
        let (built, missing) = self.outputs(evaluated, request.builds)?;
        packages.missing = missing;
        let paths: Vec<&str> = built.values().map(|path| path.as_str()).collect();
        let items = self.items(&paths)?;
        for (name, path) in &built {
            let measured = Measured {
                workspace: apps.get(name).cloned().flatten(),
                store: path.parent().unwrap_or(Utf8Path::new("/")).to_owned(),
                closure: self.closure(&items, path)?,
            };
            packages.measured.insert(name.clone(), measured);
        }
        Ok(packages)
    }

    fn evaluate(&self, flake: &str, names: &[String]) -> Result<Evaluation, ClosureError> {
        let attribute = format!("packages.{}", self.state.system());
        let evaluation = evaluate(&self.nix, flake, &attribute, names).map_err(|source| self.failed(source))?;
        evaluation.ok_or_else(|| self.unexpected("eval", "names and derivations of packages"))
    }

    /// Returns the path of each output that the store has, after it was built if `builds` is set, and the names of the
    /// others.
    fn outputs(
        &self,
        evaluated: BTreeMap<String, Evaluated>,
        builds: bool,
    ) -> Result<(BTreeMap<String, Utf8PathBuf>, Vec<String>), ClosureError> {
        if builds {
            let outputs: Vec<Output> = evaluated.values().map(|package| package.output.clone()).collect();
            let paths = self
                .nix
                .build_outputs(&outputs, &mut |line| tracing::debug!("{line}"))
                .map_err(|source| self.failed(source))?;
            return Ok((evaluated.into_keys().zip(paths).collect(), Vec::new()));
        }
        let is_path = |package: &Evaluated| package.path.parent().is_some_and(|store| store.parent().is_some());
        let (known, unknown): (BTreeMap<_, _>, BTreeMap<_, _>) =
            evaluated.into_iter().partition(|(_, package)| is_path(package));
        let paths: Vec<&str> = known.values().map(|package| package.path.as_str()).collect();
        let lacking = self.nix.missing(&paths).map_err(|source| self.failed(source))?;
        let (missing, found): (Vec<_>, Vec<_>) = known
            .into_iter()
            .map(|(name, package)| (name, package.path))
            .partition(|(_, path)| lacking.contains(path.as_str()));
        let mut missing: Vec<String> = missing.into_iter().map(|(name, _)| name).chain(unknown.into_keys()).collect();
        missing.sort_unstable();
        Ok((found.into_iter().collect(), missing))
    }

    fn items(&self, paths: &[&str]) -> Result<Items, ClosureError> {
        if paths.is_empty() {
            return Ok(Items::new());
        }
        let answer = self.nix.path_info(paths).map_err(|source| self.failed(source))?;
        path_info::parse(&answer).ok_or_else(|| self.unexpected("path-info", "sizes and references of store paths"))
    }

    /// Measures an output, and searches it for its references.
    fn closure(&self, items: &Items, path: &Utf8Path) -> Result<Closure, ClosureError> {
        let closure = Closure::of(items, base_name(path.as_str()));
        let mut closure = closure.ok_or_else(|| self.unexpected("path-info", "every path of the closure"))?;
        let references: Vec<&str> = closure.references.iter().map(|reference| reference.path.as_str()).collect();
        let holders = scan::holders(path.as_std_path(), &references)
            .map_err(|source| ClosureError::Scan { output: path.to_owned(), source })?;
        for (reference, holders) in closure.references.iter_mut().zip(holders) {
            reference.holders = holders;
        }
        Ok(closure)
    }

    fn failed(&self, source: NixError) -> ClosureError {
        ClosureError::Nix { place: self.state.place.clone(), source: Box::new(source) }
    }

    fn unexpected(&self, command: &'static str, expected: &'static str) -> ClosureError {
        ClosureError::Answer { place: self.state.place.clone(), command, expected }
    }
}

/// Returns the packages to measure when none is named, each with its workspace if it is an app. The flake may have fewer.
fn products(state: &State) -> BTreeMap<String, Option<RepoPath>> {
    let product = |(id, derivation): (&Id, &crate::split::plan::Derivation)| match id {
        Id::App(_) => Some((id.package(), derivation.workspace.clone())),
        Id::NodeModules | Id::OwnInstall(_) => Some((id.package(), None)),
        Id::Deps(_) | Id::Library(_) | Id::Check(_) | Id::RuntimeInstall(..) => None,
    };
    state.derivations.iter().filter_map(product).collect()
}

fn read_evaluation(answer: &Value) -> Option<Evaluation> {
    let all = answer["all"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let package = |(name, value): (&String, &Value)| {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let output = Output { derivation: text("derivation")?, name: text("output")? };
        Some((name.clone(), Evaluated { output, path: text("path")?.into() }))
    };
    let chosen: Option<BTreeMap<_, _>> = answer["chosen"].as_object()?.iter().map(package).collect();
    Some(Evaluation { all, chosen: chosen? })
}
