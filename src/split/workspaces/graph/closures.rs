//! What every workspace is built from, worked out for all of them at once.

use fixedbitset::FixedBitSet;

use super::{Graph, Workspace, reach::Reach};
use crate::repo::RepoPath;

/// The closures of all workspaces. A workspace's number is its place in the order of folders.
#[derive(Debug)]
pub struct Closures<'a> {
    workspaces: Vec<&'a Workspace>,
    reach: Reach,
}

impl<'a> Closures<'a> {
    /// Those of a graph.
    pub fn of(graph: &'a Graph) -> Self {
        let workspaces: Vec<&Workspace> = graph.workspaces().collect();
        let mut closures = Self { workspaces, reach: Reach::default() };
        closures.reach = Reach::of(&closures.edges(Workspace::source_edges));
        closures
    }

    /// The numbers of those that each workspace leads to by some of its edges.
    pub(crate) fn edges<'w, I: Iterator<Item = &'w RepoPath>>(
        &self,
        next: impl Fn(&'a Workspace) -> I,
    ) -> Vec<Vec<usize>> {
        self.workspaces.iter().map(|found| next(found).filter_map(|path| self.number(path)).collect()).collect()
    }

    /// All workspaces, by number.
    pub fn workspaces(&self) -> &[&'a Workspace] {
        &self.workspaces
    }

    /// The number of the workspace in a folder.
    pub fn number(&self, path: &RepoPath) -> Option<usize> {
        self.workspaces.binary_search_by(|found| found.path.cmp(path)).ok()
    }

    /// The numbers of a workspace and of all that it depends on, directly or not.
    pub fn members(&self, number: usize) -> &FixedBitSet {
        self.reach.from(number)
    }
}
