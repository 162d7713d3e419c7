//! Which builds get copies of packages in place of links into the store, and why.

use std::collections::BTreeMap;

use super::{
    SplitError, Workspaces,
    config::{Config, NodeModules},
    detect,
    graph::{Graph, Workspace},
};
use crate::{
    lockfile::Lockfile,
    repo::{RepoPath, Tree},
};

/// The apps and libraries whose builds get copies, by folder, each with the reason in words.
pub(super) fn find(
    tree: &dyn Tree,
    graph: &Graph,
    workspaces: &Workspaces,
    config: &Config,
    lockfile: &Lockfile,
) -> Result<BTreeMap<RepoPath, String>, SplitError> {
    let mut copies = BTreeMap::new();
    for (_, built) in graph.apps().chain(graph.libraries()) {
        let reason = match config.workspaces.get(&built.path).and_then(|choice| choice.node_modules) {
            Some(NodeModules::Link) => None,
            Some(NodeModules::Copy) => Some("chosen in splitter.json".to_owned()),
            None => detected(tree, graph, workspaces, built, lockfile)?,
        };
        copies.extend(reason.map(|reason| (built.path.clone(), reason)));
    }
    Ok(copies)
}

fn detected(
    tree: &dyn Tree,
    graph: &Graph,
    workspaces: &Workspaces,
    workspace: &Workspace,
    lockfile: &Lockfile,
) -> Result<Option<String>, SplitError> {
    let Some(manifest) = workspaces.get(&workspace.path) else { return Ok(None) };
    let closure = graph.closure(&workspace.path);
    let closure: Vec<_> = closure.iter().filter_map(|path| workspaces.get_key_value(path)).collect();
    let build = workspace.build.as_ref().map(|build| build.command.as_str());
    detect::copies::reason(tree, manifest, build, &closure, lockfile)
}
