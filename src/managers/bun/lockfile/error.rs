//! Errors in a `bun.lock`.

use super::FILE;
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    lockfile::{
        hints,
        json::{Document, JsonError, shorten},
    },
    repo::RepoPathError,
};

/// Why `bun.lock` is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BunLockError {
    /// The file is not the JSON that Bun writes.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A path leaves the repository.
    #[error("wrong path `{path}`: {reason}")]
    Path {
        /// The place in the file.
        position: Position,
        /// The path as written.
        path: String,
        /// The reason.
        reason: RepoPathError,
    },
    /// The first element of an entry is not `<name>@<resolution>`.
    #[error("package `{key}`: expected `<name>@<resolution>`, found `{found}`")]
    Entry {
        /// The place in the file.
        position: Position,
        /// The entry's key.
        key: String,
        /// The first element as written.
        found: String,
    },
    /// The name is not a valid package name.
    #[error("package `{key}`: `{name}` is not a package name")]
    Name {
        /// The place in the file.
        position: Position,
        /// The entry's key.
        key: String,
        /// The name as written.
        name: String,
    },
    /// The resolution is of no known kind.
    #[error("package `{key}`: unknown resolution `{resolution}`")]
    Resolution {
        /// The place in the file.
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
            Self::Json(JsonError::Duplicate { .. }) => {
                vec!["remove one of the two (a merge may have kept both), then run `bun install`".to_owned()]
            }
            Self::Json(_) => vec![hints::damaged("bun")],
            Self::Resolution { .. } => {
                vec!["use a version, a URL, a tarball, `workspace:`, `file:`, `link:`, `git+` or `github:`".to_owned()]
            }
            Self::Path { .. } => vec!["move the file or folder into the repository".to_owned()],
            Self::Entry { .. } | Self::Name { .. } => Vec::new(),
        }
    }
}
