//! Whose a file is, and the rule that leaves it out: for one file, where [`super::Sources`] sorts all of a repository.

use std::collections::BTreeMap;

use super::{Rules, SOURCE_FILTER, owner};
use crate::{
    repo::RepoPath,
    split::{
        config::{Config, Exposes},
        workspaces::graph::Graph,
    },
};

/// The rules of all workspaces.
pub(in crate::split) struct Ownership<'a> {
    rules: BTreeMap<&'a RepoPath, Rules>,
    /// The workspaces by the folder that holds their files.
    by_folder: BTreeMap<&'a RepoPath, &'a RepoPath>,
}

impl<'a> Ownership<'a> {
    pub(in crate::split) fn of(graph: &'a Graph, config: &Config) -> Self {
        let rules = graph.workspaces().map(|workspace| (&workspace.path, Rules::of(workspace, config))).collect();
        let by_folder = graph.workspaces().map(|workspace| (workspace.folder(), &workspace.path)).collect();
        Self { rules, by_folder }
    }

    /// Returns the nearest workspace that holds a path: the path itself, if it is the folder of one.
    pub(in crate::split) fn owner(&self, path: &RepoPath) -> RepoPath {
        let folder = owner(path, |folder| self.by_folder.contains_key(folder));
        self.by_folder.get(&folder).map_or(folder.clone(), |path| (*path).clone())
    }

    /// Returns the part of a path below the folder of its workspace.
    pub(in crate::split) fn inner<'p>(&self, workspace: &RepoPath, path: &'p RepoPath) -> &'p str {
        let folder =
            self.by_folder.iter().find(|(_, path)| **path == workspace).map_or(workspace, |(folder, _)| folder);
        path.below(folder).unwrap_or_default()
    }

    /// Whether others see only the output of a workspace.
    pub(in crate::split) fn shows_only_output(&self, workspace: &RepoPath) -> bool {
        self.rules.get(workspace).is_some_and(|rules| rules.exposes == Exposes::Output)
    }

    /// Returns the glob of `exclude` in `splitter.json` that leaves a file of a workspace out.
    pub(in crate::split) fn exclude(&self, workspace: &RepoPath, inner: &str) -> Option<String> {
        self.rules.get(workspace)?.exclude.find(inner).map(str::to_owned)
    }

    /// Returns the rule that leaves a file of a workspace out of builds.
    pub(in crate::split) fn rule(&self, workspace: &RepoPath, inner: &str) -> Option<String> {
        self.rules.get(workspace)?.leave_out(inner, &SOURCE_FILTER)
    }
}
