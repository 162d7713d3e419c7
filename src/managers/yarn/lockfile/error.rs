//! Errors in a `yarn.lock`.

use super::FILE;
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    lockfile::{IntegrityError, hints},
    repo::RepoPathError,
};

/// Why `yarn.lock` is invalid. Quoted text from the file is shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YarnLockError {
    /// It is the JSON lockfile of Yarn 6.
    #[error("`yarn.lock` is the JSON lockfile of Yarn 6, which is not supported")]
    Json,
    /// It is in no format of any Yarn.
    #[error("not a lockfile of Yarn: expected `# yarn lockfile v1` or `__metadata:`, found neither")]
    Unknown {
        /// The first line that is neither blank nor a comment.
        position: Position,
    },
    /// The header gives a version other than 1.
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
    /// A control character. No lockfile has any, and it must not reach a terminal or a path.
    #[error("control character in `yarn.lock`")]
    Control {
        /// The place in the file.
        position: Position,
    },
    /// The text does not follow the format.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// The place in the file.
        position: Position,
        /// What the format requires.
        expected: &'static str,
        /// The text found.
        found: String,
    },
    /// A key or a descriptor appears twice.
    #[error("duplicate key `{key}`; the first is on line {}", first.line)]
    Duplicate {
        /// The second occurrence.
        position: Position,
        /// The first occurrence.
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
    /// The name is not a valid package name.
    #[error("package `{key}`: `{name}` is not a package name")]
    Name {
        /// The entry.
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
    /// A virtual package. Yarn keeps these in memory and never writes them to the file.
    #[error("package `{key}`: virtual packages cannot be in a lockfile")]
    Virtual {
        /// The place in the file.
        position: Position,
        /// The entry's key.
        key: String,
    },
    /// A path leaves the repository.
    #[error("package `{key}`: wrong path `{path}`: {reason}")]
    Path {
        /// The place in the file.
        position: Position,
        /// The entry's key.
        key: String,
        /// The path as written.
        path: String,
        /// The reason.
        reason: RepoPathError,
    },
    /// A malformed integrity.
    #[error("package `{key}`: {reason}")]
    Integrity {
        /// The place in the file.
        position: Position,
        /// The entry's key.
        key: String,
        /// The reason.
        reason: IntegrityError,
    },
    /// The conditions are not an expression over `os`, `cpu` and `libc`.
    #[error("package `{key}`: cannot read the conditions `{conditions}`")]
    Conditions {
        /// The place in the file.
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
                "pin Yarn 4 with `packageManager` in package.json, then run `yarn install` to write `yarn.lock` again"
            }
            Self::Conflict { .. } => {
                "resolve the conflicts in the `package.json` files, then run `yarn install` to resolve those in `yarn.lock`"
            }
            Self::Version { .. } => "use a lockfile of Yarn 1 (version 1) or of a later Yarn (`__metadata:`)",
            Self::Unknown { .. } | Self::Control { .. } | Self::Unexpected { .. } | Self::Missing { .. } => {
                return vec![hints::damaged("yarn")];
            }
            Self::Duplicate { .. } => "remove one of the two (a merge may have kept both), then run `yarn install`",
            Self::Resolution { .. } => {
                "use a version, a URL, a tarball, `workspace:`, `file:`, `link:`, `portal:`, `patch:`, git or GitHub"
            }
            Self::Path { .. } => "move the file or folder into the repository",
            Self::Name { .. } | Self::Virtual { .. } | Self::Integrity { .. } | Self::Conditions { .. } => {
                return Vec::new();
            }
        };
        vec![hint.to_owned()]
    }
}
