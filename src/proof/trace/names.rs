//! The builds that the user names: packages, libraries and checks by name, workspaces by folder.

use std::collections::BTreeSet;

use super::TraceError;
use crate::{
    repo::RepoPath,
    split::{
        Split,
        plan::{Derivations, Id},
        workspaces::graph::{Role, Workspace},
    },
};

/// Returns the named builds, in the order in which they depend on each other. No name means all packages, and the libraries
/// that they need.
pub(super) fn chosen(derivations: &Derivations, split: &Split, names: &[String]) -> Result<Vec<Id>, TraceError> {
    let mut chosen = BTreeSet::new();
    if names.is_empty() {
        let apps = derivations.iter().map(|(id, _)| id).filter(|id| matches!(id, Id::App(_)));
        chosen.extend(apps.flat_map(|id| derivations.with_libraries(id)).cloned());
    }
    for name in names {
        let found = find(derivations, split, name);
        let Some(id) = found else { return Err(unknown(derivations, name)) };
        chosen.insert(id);
    }
    // An id sorts after those that it can need.
    Ok(chosen.into_iter().collect())
}

fn find(derivations: &Derivations, split: &Split, name: &str) -> Option<Id> {
    let is_build = |id: &Id| matches!(id, Id::App(_) | Id::Library(_) | Id::Check(_));
    let mut ids = derivations.iter().map(|(id, _)| id).filter(|id| is_build(id));
    if let Some(id) = ids.find(|id| id.package() == name) {
        return Some(id.clone());
    }
    let folder: RepoPath = name.parse().ok()?;
    let workspace = split.graph.workspaces().find(|workspace| workspace.path == folder || workspace.name == name)?;
    id_of(workspace).filter(|id| derivations.get(id).is_some())
}

fn id_of(workspace: &Workspace) -> Option<Id> {
    match &workspace.role {
        Role::App { name, .. } => Some(Id::App(name.clone())),
        Role::Library => workspace.library.clone().map(Id::Library),
    }
}

fn unknown(derivations: &Derivations, name: &str) -> TraceError {
    let known = derivations.iter().filter(|(id, _)| matches!(id, Id::App(_) | Id::Library(_) | Id::Check(_)));
    TraceError::Unknown { name: name.to_owned(), known: known.map(|(id, _)| id.package()).collect() }
}
