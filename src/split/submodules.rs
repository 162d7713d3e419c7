//! Git submodules that a build needs. Nix does not see their files unless the flake asks for them.

use std::collections::BTreeSet;

use super::{Split, Workspaces};
use crate::repo::{RepoPath, Tree, TreeError};

/// The submodules of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Submodules {
    /// Those that hold a workspace or another file that an install or a build reads.
    pub needed: BTreeSet<RepoPath>,
    /// Those that are not checked out.
    pub absent: BTreeSet<RepoPath>,
}

impl Submodules {
    /// Reads which submodules there are. All count as needed until [`Self::keep_needed`].
    pub(super) fn read(tree: &dyn Tree) -> Result<Self, TreeError> {
        let mut submodules = Self::default();
        for path in tree.submodules()? {
            if tree.list(&path)?.is_empty() {
                submodules.absent.insert(path);
            } else {
                submodules.needed.insert(path);
            }
        }
        Ok(submodules)
    }

    /// Drops those that hold nothing that a build reads.
    pub(super) fn keep_needed(&mut self, split: &Split) {
        self.needed.retain(|submodule| is_needed(submodule, split));
    }

    /// Says what to do about those that are not checked out, if their files may be missed.
    pub fn warning(&self, split: &Split) -> Option<String> {
        // A repository may have large submodules that no build reads.
        let is_missed = |path: &&RepoPath| !split.drift.is_empty() || is_in_workspace(path, &split.manifests);
        let names: Vec<String> = self.absent.iter().filter(is_missed).map(|path| format!("`{path}`")).collect();
        let what = match names.as_slice() {
            [] => return None,
            [one] => format!("the git submodule {one} is not checked out"),
            names => format!("the git submodules {} are not checked out", names.join(", ")),
        };
        Some(format!("{what}, so its files are missing; run `git submodule update --init`"))
    }
}

fn is_needed(submodule: &RepoPath, split: &Split) -> bool {
    let is_in = |path: &RepoPath| path.is_within(submodule);
    let holds = |paths: &BTreeSet<RepoPath>| paths.iter().any(|path| is_in(path) || submodule.is_within(path));
    let reads = split.graph.workspaces().any(|workspace| {
        let targets = [&workspace.root_files, &workspace.links, &workspace.link_targets];
        targets.into_iter().any(holds)
    });
    split.manifests.keys().any(is_in)
        || split.lock_set.files.keys().any(is_in)
        || holds(&split.lock_set.local)
        || holds(&split.root_files)
        || reads
        || is_in_workspace(submodule, &split.manifests)
}

/// Returns the submodule that is not checked out and that a path is in.
pub(super) fn absent_around(tree: &dyn Tree, path: &RepoPath) -> Result<Option<RepoPath>, TreeError> {
    for submodule in tree.submodules()?.into_iter().filter(|submodule| path.is_within(submodule)) {
        if tree.list(&submodule)?.is_empty() {
            return Ok(Some(submodule));
        }
    }
    Ok(None)
}

/// Whether a submodule lies in the folder of a workspace. The root of a monorepo holds the sources of no build.
fn is_in_workspace(submodule: &RepoPath, workspaces: &Workspaces) -> bool {
    workspaces.len() == 1 || submodule.upwards().any(|folder| !folder.is_empty() && workspaces.contains_key(folder))
}
