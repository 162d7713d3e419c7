//! Follows links as a file system does: name by name, through links on the way.

use std::collections::{BTreeMap, VecDeque};

use super::from_text;
use crate::repo::{Link, RepoPath, Tree, TreeError};

/// The number of links on a way, after which the kernel gives up too.
const HOPS: usize = 40;

/// All links of a repository.
#[derive(Debug, Default)]
pub(super) struct Index(BTreeMap<RepoPath, String>);

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// To a file or folder.
    To {
        /// The links on the way.
        passed: Vec<RepoPath>,
        /// The file or folder. No part of its path is a link.
        end: RepoPath,
    },
    /// To nothing in the repository.
    Nowhere(Trouble),
}

/// Why a build cannot have what a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) enum Trouble {
    /// The target is missing.
    Missing,
    /// The target is an absolute path.
    Absolute,
    /// The target is outside of the repository.
    Outside,
    /// The links lead in a circle.
    Circle,
    /// The target is a folder that holds the workspace.
    Around,
    /// Git ignores the target.
    Ignored {
        /// The target.
        end: RepoPath,
    },
}

impl Trouble {
    /// The end of the sentence that begins with "a link leads".
    pub(super) const fn words(&self) -> &'static str {
        match self {
            Self::Missing => "to a file that does not exist",
            Self::Absolute => "to an absolute path, which no build can read",
            Self::Outside => "out of the repository, where no build can read",
            Self::Circle => "to itself",
            Self::Around => "to a folder above its workspace, which is not added to the sources",
            Self::Ignored { .. } => "to a file that git ignores, which other machines and builds lack",
        }
    }
}

impl Index {
    pub(super) fn of(links: Vec<Link>) -> Self {
        Self(links.into_iter().map(|link| (link.path, link.target)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.0.keys()
    }

    pub(super) fn is_link(&self, path: &RepoPath) -> bool {
        self.0.contains_key(path)
    }

    pub(super) fn target(&self, link: &RepoPath) -> Option<&str> {
        self.0.get(link).map(String::as_str)
    }

    /// Iterates over the links at a path and below it.
    pub(super) fn below<'s>(&'s self, folder: &'s RepoPath) -> impl Iterator<Item = &'s RepoPath> {
        let near = from_text(&self.0, folder.as_str()).map(|(path, _)| path);
        near.take_while(|path| path.as_str().starts_with(folder.as_str())).filter(|path| path.is_within(folder))
    }

    /// Follows a path from a folder that is not behind a link.
    pub(super) fn follow(&self, from: &RepoPath, text: &str, tree: &dyn Tree) -> Result<Lead, TreeError> {
        let mut current = from.clone();
        let mut passed = Vec::new();
        let mut open = VecDeque::new();
        if let Some(trouble) = push(&mut open, text) {
            return Ok(Lead::Nowhere(trouble));
        }
        while let Some(part) = open.pop_front() {
            if part == ".." {
                if current.is_root() {
                    return Ok(Lead::Nowhere(Trouble::Outside));
                }
                current = current.parent();
                continue;
            }
            let path = current.child(&part);
            let Some(target) = self.target(&path) else {
                current = path;
                continue;
            };
            if passed.len() == HOPS {
                return Ok(Lead::Nowhere(Trouble::Circle));
            }
            passed.push(path);
            if let Some(trouble) = push(&mut open, target) {
                return Ok(Lead::Nowhere(trouble));
            }
        }
        // What is installed is in builds, though perhaps not in this checkout.
        let is_installed = current.parts().any(|part| part == "node_modules");
        let exists = is_installed || current.is_root() || tree.is_file(&current)? || !tree.list(&current)?.is_empty();
        Ok(if exists { Lead::To { passed, end: current } } else { Lead::Nowhere(Trouble::Missing) })
    }
}

/// Puts the parts of a path before the others. Returns why that is not possible.
fn push(open: &mut VecDeque<String>, text: &str) -> Option<Trouble> {
    if text.starts_with('/') {
        return Some(Trouble::Absolute);
    }
    // No path of a repository has such characters.
    if text.chars().any(char::is_control) {
        return Some(Trouble::Missing);
    }
    for part in text.split('/').rev().filter(|part| !matches!(*part, "" | ".")) {
        open.push_front(part.to_owned());
    }
    None
}
