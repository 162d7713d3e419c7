//! Why a `yarn.lock` was refused.

use super::FILE;
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    lockfile::IntegrityError,
    repo::RepoPathError,
};

/// Why a `yarn.lock` was refused. Texts of the file are shortened in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YarnLockError {
    /// It is the JSON of Yarn 6.
    #[error("`yarn.lock` is the JSON lockfile of Yarn 6, which is not supported")]
    Json,
    /// It is of no format that a Yarn has written.
    #[error("not a lockfile of Yarn: neither `# yarn lockfile v1` nor `__metadata:` is in it")]
    Unknown {
        /// The first line that says something.
        position: Position,
    },
    /// The header gives another version than 1.
    #[error("expected `# yarn lockfile v1`, found version {found}")]
    Version {
        /// The header.
        position: Position,
        /// The version as written.
        found: String,
    },
    /// Git left conflict markers in it.
    #[error("merge conflict markers in `yarn.lock`")]
    Conflict {
        /// The first marker.
        position: Position,
    },
    /// A character that no lockfile has, and that must not reach a terminal or a path.
    #[error("control character in `yarn.lock`")]
    Control {
        /// Where it stands.
        position: Position,
    },
    /// Something is not what the format has there.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// Where it stands.
        position: Position,
        /// What the format has there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A key, or a descriptor, stands there twice.
    #[error("duplicate key `{key}`; the first is in line {}", first.line)]
    Duplicate {
        /// The second of the two.
        position: Position,
        /// The first of the two.
        first: Position,
        /// The key.
        key: String,
    },
    /// An entry lacks a field.
    #[error("package `{key}`: expected `{field}`, found none")]
    Missing {
        /// The entry.
        position: Position,
        /// The entry's key.
        key: String,
        /// The field.
        field: &'static str,
    },
    /// A package name that no registry could have.
    #[error("package `{key}`: `{name}` is not a package name")]
    Name {
        /// The entry.
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
    /// A virtual package, which Yarn keeps in memory and never writes down.
    #[error("package `{key}`: a virtual package cannot be locked")]
    Virtual {
        /// Where it stands.
        position: Position,
        /// The entry's key.
        key: String,
    },
    /// A path in it does not stay in the repository.
    #[error("package `{key}`: wrong path `{path}`: {reason}")]
    Path {
        /// Where it stands.
        position: Position,
        /// The entry's key.
        key: String,
        /// The path as written.
        path: String,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// An integrity that is none.
    #[error("package `{key}`: {reason}")]
    Integrity {
        /// Where it stands.
        position: Position,
        /// The entry's key.
        key: String,
        /// What is wrong with it.
        reason: IntegrityError,
    },
    /// Conditions that are no expression over `os`, `cpu` and `libc`.
    #[error("package `{key}`: cannot read the conditions `{conditions}`")]
    Conditions {
        /// Where they stand.
        position: Position,
        /// The entry's key.
        key: String,
        /// The conditions as written.
        conditions: String,
    },
}

impl YarnLockError {
    fn position(&self) -> Position {
        match self {
            Self::Json => Position { line: 1, column: 1 },
            Self::Unknown { position }
            | Self::Version { position, .. }
            | Self::Conflict { position }
            | Self::Control { position }
            | Self::Unexpected { position, .. }
            | Self::Duplicate { position, .. }
            | Self::Missing { position, .. }
            | Self::Name { position, .. }
            | Self::Resolution { position, .. }
            | Self::Virtual { position, .. }
            | Self::Path { position, .. }
            | Self::Integrity { position, .. }
            | Self::Conditions { position, .. } => *position,
        }
    }
}

impl Diagnose for YarnLockError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        Some(Location::at(FILE, self.position()))
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Json => {
                "pin Yarn 4 with `packageManager` in package.json, and let `yarn install` write `yarn.lock` anew"
            }
            Self::Conflict { .. } => {
                "resolve the conflict in the manifests, then run `yarn install`, which resolves it in `yarn.lock`"
            }
            Self::Version { .. } => "Yarn 1 writes version 1, and later Yarn `__metadata:`; no others are known",
            Self::Unknown { .. } | Self::Control { .. } | Self::Unexpected { .. } | Self::Missing { .. } => {
                "`yarn install` writes the file anew where it is damaged"
            }
            Self::Duplicate { .. } => "a merge may have left both; remove one of them and run `yarn install`",
            Self::Resolution { .. } => {
                "known are versions, URLs, tarballs, `workspace:`, `file:`, `link:`, `portal:`, `patch:`, git and GitHub"
            }
            Self::Path { .. } => "move what lies outside into the repository",
            Self::Name { .. } | Self::Virtual { .. } | Self::Integrity { .. } | Self::Conditions { .. } => {
                return Vec::new();
            }
        };
        vec![hint.to_owned()]
    }
}
