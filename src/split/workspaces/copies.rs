//! The builds that get copies of packages instead of links into the store, and why.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use crate::split::{
    SplitError, Workspaces,
    config::{Config, NodeModules},
    workspaces::detect,
    workspaces::graph::{Closures, Graph, Workspace},
};
use crate::{
    lockfile::Lockfile,
    repo::{RepoPath, Tree},
};

/// The reason if the user chose copies.
pub const CHOSEN: &str = "splitter.json says so";

/// The apps and libraries whose builds get copies, by folder, each with the reason in words.
pub(in crate::split) fn find(
    tree: &dyn Tree,
    graph: &Graph,
    workspaces: &Workspaces,
    config: &Config,
    lockfile: &Lockfile,
) -> Result<BTreeMap<RepoPath, String>, SplitError> {
    let closures = Closures::of(graph);
    let mut schemas = Schemas { tree, workspaces, closures: &closures, without: FixedBitSet::new() };
    schemas.without.grow(closures.workspaces().len());
    let mut copies = BTreeMap::new();
    for (_, built) in graph.apps().chain(graph.libraries()) {
        let reason = match config.workspaces.get(&built.path).and_then(|choice| choice.node_modules) {
            Some(NodeModules::Link) => None,
            Some(NodeModules::Copy) => Some(CHOSEN.to_owned()),
            None => detected(&mut schemas, built, lockfile)?,
        };
        copies.extend(reason.map(|reason| (built.path.clone(), reason)));
    }
    Ok(copies)
}

fn detected(
    schemas: &mut Schemas<'_>,
    workspace: &Workspace,
    lockfile: &Lockfile,
) -> Result<Option<String>, SplitError> {
    if let [name, ..] = workspace.root_scripts.as_slice() {
        return Ok(Some(format!("the root's `{name}` runs before its build and may change packages")));
    }
    let Some(manifest) = schemas.workspaces.get(&workspace.path) else { return Ok(None) };
    let build = workspace.build.as_ref().map(|build| build.command.as_str());
    match detect::copies::reason(manifest, build, lockfile) {
        None => schemas.reason(workspace),
        reason => Ok(reason),
    }
}

/// Looks for Prisma's schemas in what workspaces are built from, in each workspace once.
struct Schemas<'a> {
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    closures: &'a Closures<'a>,
    /// The workspaces that were looked at and have no schema of the kind.
    without: FixedBitSet,
}

impl Schemas<'_> {
    /// Why a workspace needs copies by a schema of its own, or of one that it depends on.
    fn reason(&mut self, workspace: &Workspace) -> Result<Option<String>, SplitError> {
        let Some(number) = self.closures.number(&workspace.path) else { return Ok(None) };
        let unknown: Vec<usize> = self.closures.members(number).difference(&self.without).collect();
        for member in unknown {
            let path = &self.closures.workspaces()[member].path;
            let Some(manifest) = self.workspaces.get(path) else { continue };
            let reason = detect::copies::reason_of_schema(self.tree, path, manifest)?;
            if reason.is_some() {
                return Ok(reason);
            }
            self.without.insert(member);
        }
        Ok(None)
    }
}
