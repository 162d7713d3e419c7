//! Why a `bun.lock` was refused.

use super::FILE;
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    lockfile::json::{Document, JsonError, shorten},
    repo::RepoPathError,
};

/// Why a `bun.lock` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BunLockError {
    /// It is not the JSON that Bun writes.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A path in it does not stay in the repository.
    #[error("wrong path `{path}`: {reason}")]
    Path {
        /// Where it stands.
        position: Position,
        /// The path as written.
        path: String,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// The first element of an entry is not `<name>@<resolution>`.
    #[error("package `{key}`: expected `<name>@<resolution>`, found `{found}`")]
    Entry {
        /// Where it stands.
        position: Position,
        /// The entry's key.
        key: String,
        /// What stands there.
        found: String,
    },
    /// A package name that no registry could have.
    #[error("package `{key}`: `{name}` is not a package name")]
    Name {
        /// Where it stands.
        position: Position,
        /// The entry's key.
        key: String,
        /// The name as written.
        name: String,
    },
    /// A resolution that names no known kind of source.
    #[error("package `{key}`: cannot tell what `{resolution}` is")]
    Resolution {
        /// Where it stands.
        position: Position,
        /// The entry's key.
        key: String,
        /// The resolution as written.
        resolution: String,
    },
}

impl BunLockError {
    pub(super) fn path(document: &Document<'_>, offset: usize, path: &str, reason: RepoPathError) -> Self {
        Self::Path { position: document.position(offset), path: shorten(path).into_owned(), reason }
    }
}

impl Diagnose for BunLockError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Json(error) => error.location(),
            Self::Path { position, .. }
            | Self::Entry { position, .. }
            | Self::Name { position, .. }
            | Self::Resolution { position, .. } => Some(Location::at(FILE, *position)),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Json(error @ JsonError::Conflict { .. }) => error.hints(),
            Self::Json(_) => vec!["`bun install` writes the file anew where it is damaged".to_owned()],
            Self::Resolution { .. } => {
                vec![
                    "known are versions, URLs, tarballs, `workspace:`, `file:`, `link:`, `git+` and `github:`"
                        .to_owned(),
                ]
            }
            Self::Path { .. } => vec!["move what lies outside into the repository".to_owned()],
            Self::Entry { .. } | Self::Name { .. } => Vec::new(),
        }
    }
}
