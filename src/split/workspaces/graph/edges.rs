//! Which workspace depends on which: by manifests, by links, by what `splitter.json` adds.

use std::collections::{BTreeMap, BTreeSet};

use super::cycles::{Bond, Bonds};
use crate::{
    lockfile::DependencyGroup,
    repo::RepoPath,
    split::{
        Manifest, Workspaces,
        config::Config,
        workspaces::links::{Linked, Links},
    },
};

/// The workspaces that each depends on directly.
pub(super) type Edges = BTreeMap<RepoPath, BTreeSet<RepoPath>>;

/// Who depends on whom: a dependency that has a workspace's name is that workspace, whatever its specifier. No
/// dependency means the root, which may share its name with a workspace. `lock-set.nix` has the same rule.
pub(super) fn edges(workspaces: &Workspaces) -> Edges {
    let by_name = by_name(workspaces);
    workspaces.iter().map(|(path, manifest)| (path.clone(), targets(&by_name, path, manifest, |_| true))).collect()
}

/// The workspaces that each depends on for development alone.
pub(super) fn development_edges(workspaces: &Workspaces, edges: &Edges) -> Edges {
    let by_name = by_name(workspaces);
    let development = |path: &RepoPath, manifest: &Manifest| {
        let others = targets(&by_name, path, manifest, |group| group != DependencyGroup::Development);
        edges[path].difference(&others).cloned().collect()
    };
    workspaces.iter().map(|(path, manifest)| (path.clone(), development(path, manifest))).collect()
}

/// The workspaces by their names.
fn by_name(workspaces: &Workspaces) -> BTreeMap<&str, &RepoPath> {
    let named = workspaces.iter().filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty());
    named.map(|(path, manifest)| (manifest.name.as_str(), path)).collect()
}

/// The workspaces that a manifest names in these groups.
fn targets(
    by_name: &BTreeMap<&str, &RepoPath>,
    path: &RepoPath,
    manifest: &Manifest,
    is_asked: impl Fn(DependencyGroup) -> bool,
) -> BTreeSet<RepoPath> {
    let groups = manifest.dependencies.iter().filter(|(group, _)| is_asked(**group));
    let names = groups.flat_map(|(_, specifiers)| specifiers.keys());
    let found = names.filter_map(|name| by_name.get(name.as_str()).map(|target| (*target).clone()));
    found.filter(|target| target != path).collect()
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
        let all = workspaces
            .keys()
            .filter(|path| config.uses_all(from) && !path.is_root())
            .map(|path| (path.clone(), Bond::Loose));
        all.chain(targets.iter().chain(&linked.workspaces).map(bond)).chain(uses).collect()
    };
    edges.iter().map(|(from, targets)| (from.clone(), bonds(from, targets))).collect()
}

/// The same with the workspaces that a task runner builds first.
pub(super) fn with_needs(mut bonds: Bonds, needs: &Edges) -> Bonds {
    for (from, needed) in needs {
        let of_one = bonds.entry(from.clone()).or_default();
        of_one.extend(needed.iter().map(|to| (to.clone(), Bond::Runtime)));
    }
    bonds
}
