//! By which workspaces one depends on another.

use std::collections::VecDeque;

use super::parts::Parts;
use crate::repo::RepoPath;

/// The shortest ways from one workspace to all that it leads to.
pub(super) struct Ways<'a> {
    parts: &'a Parts,
    start: &'a RepoPath,
    /// For each part the one before it on the way, itself for the start, none for what is not led to.
    before: Vec<Option<usize>>,
    /// How many parts lie before it on the way.
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

    /// The folders from the start to another one, both included; none where there is no way.
    pub(super) fn to(&self, end: &RepoPath) -> Vec<RepoPath> {
        match self.parts.number(end).filter(|end| self.before[*end].is_some()) {
            Some(end) => self.to_number(end),
            None if end == self.start => vec![end.clone()],
            None => Vec::new(),
        }
    }

    /// The folders from the start to the nearest of some parts; of several as near, to the first.
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
