//! Completes a failed download with what the lockfile knows: who needs each package, on which systems, and whether fewer
//! systems would do.

use std::collections::BTreeSet;

use super::UpdateError;
use crate::{
    fetch::{Failure, FetchError},
    split::{
        Split, System,
        askers::Askers,
        lock::dependencies::{Dependency, Scope, path},
    },
};

/// How many askers of a package a message names.
const NAMED: usize = 4;

/// Completes the error of an update.
pub(super) fn completed(split: &Split, error: UpdateError) -> UpdateError {
    let UpdateError::Fetch(FetchError::Failed { mut failures, wanted }) = error else { return error };
    let askers = Askers::of(split);
    let mut needing = Some(BTreeSet::new());
    for failure in &mut failures {
        let dependency = split.dependencies.iter().find(|dependency| dependency.label == failure.label);
        let systems = dependency.and_then(|dependency| only_for(split, dependency));
        needing = needing.zip(systems).map(|(needing, systems)| needing.union(systems).copied().collect());
        if let Some(dependency) = dependency.filter(|_| failure.reason.is_of_file()) {
            failure.needed = needed(split, &askers, dependency);
        }
    }
    let rest = needing.filter(|_| failures.iter().all(is_of_file)).map(|needing| others(split, &needing));
    let error = Box::new(FetchError::Failed { failures, wanted });
    UpdateError::Packages { error, enough: rest.unwrap_or_default() }
}

fn is_of_file(failure: &Failure) -> bool {
    failure.reason.is_of_file()
}

/// Returns the systems that a package is for, if it is not for all.
fn only_for<'a>(split: &Split, dependency: &'a Dependency) -> Option<&'a BTreeSet<System>> {
    match &dependency.scope {
        Some(Scope::Systems(systems)) if systems.len() < split.systems.len() => Some(systems),
        _ => None,
    }
}

fn others(split: &Split, systems: &BTreeSet<System>) -> Vec<System> {
    split.systems.iter().copied().filter(|system| !systems.contains(system)).collect()
}

/// Returns who needs a package: `required by chokidar@3.6.0 (in apps/web), only on aarch64-darwin`.
fn needed(split: &Split, askers: &Askers<'_>, dependency: &Dependency) -> Option<String> {
    let (mut by, mut users) = (BTreeSet::new(), BTreeSet::new());
    let folder = |path: &crate::repo::RepoPath| if path.is_root() { "the root".to_owned() } else { path.to_string() };
    for (index, package) in split.lockfile.packages.iter().enumerate() {
        if path(package, &split.registries, split.lockfile.format).as_ref() == Some(&dependency.path) {
            let asked = askers.get(index);
            by.extend(asked.workspaces.iter().map(folder));
            by.extend(asked.packages);
            users.extend(askers.users(index).into_iter().map(folder));
        }
    }
    let is_direct = users.is_subset(&by);
    let (by, users) = (listed(&by), listed(&users));
    let by = match (by, users) {
        (None, _) => None,
        (Some(by), Some(users)) if !is_direct => Some(format!("required by {by} (in {users})")),
        (Some(by), _) => Some(format!("required by {by}")),
    };
    let systems = only_for(split, dependency).map(|systems| {
        let names: Vec<&str> = systems.iter().map(|system| system.name()).collect();
        format!("only on {}", names.join(", "))
    });
    let parts: Vec<String> = by.into_iter().chain(systems).collect();
    Some(parts.join(", ")).filter(|text| !text.is_empty())
}

/// Joins the first names, and adds the number of the others.
fn listed(names: &BTreeSet<String>) -> Option<String> {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!shown.is_empty()).then(|| shown.join(", ") + &more)
}
