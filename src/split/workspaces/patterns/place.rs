//! Where a folder really is, if its path leads through links.

use crate::repo::{RepoPath, Tree, TreeError};

/// The most links on the way to a folder, as in Linux.
const MOST: usize = 40;

/// A folder, with links resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) struct Place {
    /// The folder.
    pub(in crate::split) real: RepoPath,
    /// The links that its path leads through, in order.
    pub(in crate::split) links: Vec<RepoPath>,
}

/// The result of one step.
pub(in crate::split) enum Step {
    /// An entry of this place, if there is one. `by_link` says that the last name is a link.
    To { place: Place, by_link: bool },
    /// A link leads out of the repository.
    Outside,
    /// Too many links.
    Endless,
}

impl Place {
    /// Resolves a path. Returns `None` if a link on the way leads out of the repository.
    pub(in crate::split) fn of(tree: &dyn Tree, path: &RepoPath) -> Result<Option<Self>, TreeError> {
        let mut place = Self { real: RepoPath::root(), links: Vec::new() };
        for name in path.parts() {
            let Step::To { place: next, .. } = place.step(tree, name)? else { return Ok(None) };
            place = next;
        }
        Ok(Some(place))
    }

    /// Goes to an entry.
    pub(in crate::split) fn step(&self, tree: &dyn Tree, name: &str) -> Result<Step, TreeError> {
        let mut place = self.clone();
        let mut todo = vec![name.to_owned()];
        let mut by_link = false;
        while let Some(name) = todo.pop() {
            if name == ".." {
                if place.real.is_root() {
                    return Ok(Step::Outside);
                }
                place.real = place.real.parent();
                continue;
            }
            let entry = place.real.child(&name);
            let Some(target) = tree.link(&entry)? else {
                place.real = entry;
                continue;
            };
            by_link = true;
            if target.starts_with('/') || target.chars().any(char::is_control) {
                return Ok(Step::Outside);
            }
            if place.links.len() >= MOST {
                return Ok(Step::Endless);
            }
            place.links.push(entry);
            todo.extend(target.split('/').rev().filter(|part| !matches!(*part, "" | ".")).map(str::to_owned));
        }
        Ok(Step::To { place, by_link })
    }

    /// Goes to an entry that is no link.
    pub(super) fn enter(&self, name: &str) -> Self {
        Self { real: self.real.child(name), links: self.links.clone() }
    }
}
