//! Finds the packages to build in the flake.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    closure::{ClosureError, Evaluated, Evaluation, evaluate},
    nix::command::Nix,
    proof::State,
    split::{
        plan::Id,
        workspaces::graph::{Role, Workspace},
    },
};

/// A package of the flake to build.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Product {
    /// The name in the flake, or the name of a library.
    pub(in crate::cli) name: String,
    /// The derivation, if it is one of splitter's.
    pub(in crate::cli) id: Option<Id>,
    pub(in crate::cli) evaluated: Evaluated,
}

/// Evaluates the named packages, libraries and checks. Without names: all packages of splitter, or the install if there are none.
pub(in crate::cli) fn products(nix: &Nix, state: &State, names: &[String]) -> Result<Vec<Product>, ClosureError> {
    let ids = ids(state);
    let names: Vec<String> = names.iter().map(|name| named(state, &ids, name)).collect();
    let wanted: Vec<String> = if names.is_empty() { all(state) } else { unique(&names) };
    let packages = evaluation(nix, state, "packages", &wanted)?;
    let mut products: Vec<Product> =
        packages.chosen.into_iter().map(|(name, found)| product(name, found, &ids)).collect();
    let is_left = |name: &&String| !products.iter().any(|product| product.name == **name);
    let left: Vec<String> = wanted.iter().filter(is_left).cloned().collect();
    if left.is_empty() || names.is_empty() {
        return Ok(products);
    }
    // Libraries and scripts are among the checks of the flake.
    let library = |name: &String| format!("library-{}", name.strip_prefix("library-").unwrap_or(name));
    let asked: Vec<String> = left.iter().flat_map(|name| [library(name), name.clone()]).collect();
    let mut checks = evaluation(nix, state, "checks", &asked)?;
    for name in left {
        let found = [library(&name), name.clone()].into_iter().find_map(|key| checks.chosen.remove_entry(&key));
        match found {
            Some((key, evaluated)) => products.push(Product { id: ids.get(&key).cloned(), name, evaluated }),
            None => return Err(unknown(name, packages.all, &checks.all)),
        }
    }
    Ok(products)
}

/// Returns splitter's derivations by the names of their packages.
pub(in crate::cli) fn ids(state: &State) -> BTreeMap<String, Id> {
    state.derivations.iter().map(|(id, _)| (id.package(), id.clone())).collect()
}

/// Returns the package of the workspace with this folder or name, if no package has the name.
pub(in crate::cli) fn named(state: &State, ids: &BTreeMap<String, Id>, name: &str) -> String {
    let folder = name.trim_start_matches("./").trim_end_matches('/');
    let is_meant = |workspace: &&Workspace| workspace.path.as_str() == folder || workspace.name == name;
    let workspace = if ids.contains_key(name) { None } else { state.split.graph.workspaces().find(is_meant) };
    let package = workspace.and_then(|workspace| match &workspace.role {
        Role::App { name, .. } => Some(name.clone()),
        Role::Library => workspace.library.clone(),
    });
    package.unwrap_or_else(|| name.to_owned())
}

fn unknown(name: String, packages: Vec<String>, checks: &[String]) -> ClosureError {
    let libraries = checks.iter().filter_map(|name| name.strip_prefix("library-")).map(str::to_owned);
    let known: BTreeSet<String> = packages.into_iter().chain(libraries).collect();
    ClosureError::UnknownPackage { name, known: known.into_iter().collect() }
}

fn product(name: String, evaluated: Evaluated, ids: &BTreeMap<String, Id>) -> Product {
    Product { id: ids.get(&name).cloned(), name, evaluated }
}

fn all(state: &State) -> Vec<String> {
    let apps = state.derivations.iter().filter(|(id, _)| matches!(id, Id::App(_)));
    let apps: Vec<String> = apps.map(|(id, _)| id.package()).collect();
    if apps.is_empty() { vec![Id::NodeModules.package()] } else { apps }
}

fn unique(names: &[String]) -> Vec<String> {
    names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

fn evaluation(nix: &Nix, state: &State, output: &str, names: &[String]) -> Result<Evaluation, ClosureError> {
    let attribute = format!("{output}.{}", state.system());
    let place = || state.place.clone();
    let found = evaluate(nix, ".", &attribute, names)
        .map_err(|source| ClosureError::Nix { place: place(), source: Box::new(source) })?;
    let expected = "names and derivations of packages";
    found.ok_or_else(|| ClosureError::Answer { place: place(), command: "eval", expected })
}
