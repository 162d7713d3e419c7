//! Which workspace depends on which: by manifests, by links, by what `splitter.json` adds.

use std::collections::{BTreeMap, BTreeSet};

use super::cycles::{Bond, Bonds};
use crate::{
    lockfile::DependencyGroup,
    repo::RepoPath,
    split::{
        Manifest, Workspaces,
        config::Config,
        links::{Linked, Links},
    },
};

/// The workspaces that each depends on directly.
pub(super) type Edges = BTreeMap<RepoPath, BTreeSet<RepoPath>>;

/// Who depends on whom: a dependency that has a workspace's name is that workspace, whatever its specifier. No
/// dependency means the root, which may share its name with a workspace. `lock-set.nix` has the same rule.
pub(super) fn edges(workspaces: &Workspaces) -> Edges {
    let by_name: BTreeMap<&str, &RepoPath> = workspaces
        .iter()
        .filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty())
        .map(|(path, manifest)| (manifest.name.as_str(), path))
        .collect();
    let targets = |path: &RepoPath, manifest: &Manifest| {
        let names = manifest.dependencies.values().flat_map(|specifiers| specifiers.keys());
        let found = names.filter_map(|name| by_name.get(name.as_str()).map(|target| (*target).clone()));
        found.filter(|target| target != path).collect()
    };
    workspaces.iter().map(|(path, manifest)| (path.clone(), targets(path, manifest))).collect()
}

/// The same with the workspaces that are linked to.
pub(super) fn with_links(edges: &Edges, links: &Links) -> Edges {
    let mut edges = edges.clone();
    for (from, linked) in &links.by_workspace {
        edges.entry(from.clone()).or_default().extend(linked.workspaces.iter().cloned());
    }
    edges
}

/// How the workspaces depend on each other, with what they link to and what `splitter.json` adds.
pub(super) fn bonds(workspaces: &Workspaces, edges: &Edges, links: &Links, config: &Config) -> Bonds {
    let nothing = Linked::default();
    let bonds = |from: &RepoPath, targets: &BTreeSet<RepoPath>| {
        let linked = links.by_workspace.get(from).unwrap_or(&nothing);
        let is_runtime = |to: &RepoPath| {
            let groups =
                DependencyGroup::AT_RUNTIME.iter().filter_map(|group| workspaces[from].dependencies.get(group));
            linked.at_runtime.contains(to) || groups.into_iter().any(|names| names.contains_key(&workspaces[to].name))
        };
        let bond = |to: &RepoPath| (to.clone(), if is_runtime(to) { Bond::Runtime } else { Bond::Loose });
        let uses = config.workspaces.get(from).into_iter().flat_map(|choice| &choice.uses);
        let uses = uses.filter(|used| *used != from).map(|used| (used.clone(), Bond::Runtime));
        targets.iter().chain(&linked.workspaces).map(bond).chain(uses).collect()
    };
    edges.iter().map(|(from, targets)| (from.clone(), bonds(from, targets))).collect()
}
