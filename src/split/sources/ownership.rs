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
pub(in crate::split) struct Ownership<'a>(BTreeMap<&'a RepoPath, Rules>);

impl<'a> Ownership<'a> {
    pub(in crate::split) fn of(graph: &'a Graph, config: &Config) -> Self {
        Self(graph.workspaces().map(|workspace| (&workspace.path, Rules::of(workspace, config))).collect())
    }

    /// Returns the nearest workspace that holds a path: the path itself, if it is the folder of one.
    pub(in crate::split) fn owner(&self, path: &RepoPath) -> RepoPath {
        owner(path, |folder| self.0.contains_key(folder))
    }

    /// Whether others see only the output of a workspace.
    pub(in crate::split) fn shows_only_output(&self, workspace: &RepoPath) -> bool {
        self.0.get(workspace).is_some_and(|rules| rules.exposes == Exposes::Output)
    }

    /// Returns the glob of `exclude` in `splitter.json` that leaves a file of a workspace out.
    pub(in crate::split) fn exclude(&self, workspace: &RepoPath, inner: &str) -> Option<String> {
        self.0.get(workspace)?.exclude.find(inner).map(str::to_owned)
    }

    /// Returns the rule that leaves a file of a workspace out of builds.
    pub(in crate::split) fn rule(&self, workspace: &RepoPath, inner: &str) -> Option<String> {
        self.0.get(workspace)?.leave_out(inner, &SOURCE_FILTER)
    }
}
