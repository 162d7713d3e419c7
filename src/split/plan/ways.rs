//! Finds the workspaces between a workspace and one that it depends on.

use std::collections::VecDeque;

use super::parts::Parts;
use crate::repo::RepoPath;

/// The shortest ways from one workspace to everything that it depends on.
pub(super) struct Ways<'a> {
    parts: &'a Parts,
    start: &'a RepoPath,
    /// For each part the previous one on the way. For the start it is the start itself, and `None` for parts out of reach.
    before: Vec<Option<usize>>,
    /// For each part the number of parts before it on the way.
    distance: Vec<usize>,
}

impl<'a> Ways<'a> {
    pub(super) fn from(parts: &'a Parts, start: &'a RepoPath) -> Self {
        let mut ways =
            Self { parts, start, before: vec![None; parts.folders.len()], distance: vec![0; parts.folders.len()] };
        let mut open: VecDeque<usize> = parts.number(start).into_iter().collect();
        for start in &open {
            ways.before[*start] = Some(*start);
        }
        while let Some(part) = open.pop_front() {
            for next in &parts.folders[part].next {
                if ways.before[*next].is_none() {
                    ways.before[*next] = Some(part);
                    ways.distance[*next] = ways.distance[part] + 1;
                    open.push_back(*next);
                }
            }
        }
        ways
    }

    /// Returns the folders from the start to `end`, including both. Empty if there is no way.
    pub(super) fn to(&self, end: &RepoPath) -> Vec<RepoPath> {
        match self.parts.number(end).filter(|end| self.before[*end].is_some()) {
            Some(end) => self.to_number(end),
            None if end == self.start => vec![end.clone()],
            None => Vec::new(),
        }
    }

    /// Returns the folders from the start to the nearest of `ends`, or to the first of several equally near ones.
    pub(super) fn to_nearest(&self, ends: impl Iterator<Item = usize>) -> Vec<RepoPath> {
        let nearest = ends.filter(|end| self.before[*end].is_some()).min_by_key(|end| self.distance[*end]);
        nearest.map(|end| self.to_number(end)).unwrap_or_default()
    }

    fn to_number(&self, end: usize) -> Vec<RepoPath> {
        let mut way = vec![end];
        let mut last = end;
        while let Some(before) = self.before[last].filter(|before| *before != last) {
            way.push(before);
            last = before;
        }
        way.iter().rev().map(|part| self.parts.folders[*part].path.clone()).collect()
    }
}
