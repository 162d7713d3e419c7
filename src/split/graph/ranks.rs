//! How many builds come before each, at most: what a build needs has a lower rank than the build.

use std::collections::BTreeMap;

use super::Workspace;
use crate::repo::RepoPath;

/// The rank of each workspace: the longest way along the builds that it waits for. Edges that close a cycle are cut before, so
/// that there is one.
pub(super) fn ranks(workspaces: &BTreeMap<RepoPath, Workspace>) -> BTreeMap<&RepoPath, usize> {
    let awaited = |workspace: &Workspace| -> Vec<&RepoPath> {
        workspace.build_edges().filter_map(|path| workspaces.get_key_value(path)).map(|(path, _)| path).collect()
    };
    let mut waiting: BTreeMap<&RepoPath, usize> = BTreeMap::new();
    let mut dependants: BTreeMap<&RepoPath, Vec<&RepoPath>> = BTreeMap::new();
    for (path, workspace) in workspaces {
        let awaited = awaited(workspace);
        waiting.insert(path, awaited.len());
        for needed in awaited {
            dependants.entry(needed).or_default().push(path);
        }
    }
    let mut ranks: BTreeMap<&RepoPath, usize> = workspaces.keys().map(|path| (path, 0)).collect();
    let mut ready: Vec<&RepoPath> = waiting.iter().filter(|(_, count)| **count == 0).map(|(path, _)| *path).collect();
    while let Some(path) = ready.pop() {
        let next = ranks[path] + 1;
        for dependant in dependants.get(path).into_iter().flatten() {
            if let Some(rank) = ranks.get_mut(dependant) {
                *rank = next.max(*rank);
            }
            if let Some(count) = waiting.get_mut(dependant) {
                *count -= 1;
                if *count == 0 {
                    ready.push(dependant);
                }
            }
        }
    }
    ranks
}
