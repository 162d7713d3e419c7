//! Why a `splitter.lock.json` was refused.

use super::{FORMAT_VERSION, PATH};
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    repo::TreeError,
};

/// Why a `splitter.lock.json` was refused.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Reading it failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// There is none.
    #[error("`{PATH}` is not there")]
    Absent,
    /// It is not what splitter writes.
    #[error("{0}")]
    Json(serde_json::Error),
    /// Git left conflict markers in it.
    #[error("merge conflict markers")]
    Conflict {
        /// The first of them.
        line: usize,
    },
    /// A newer splitter wrote it.
    #[error("expected format version {FORMAT_VERSION}, found {found}: this splitter is too old for it")]
    TooNew {
        /// Its format version.
        found: u64,
    },
    /// A splitter wrote it that is no longer supported.
    #[error("written by an older splitter: expected format version {FORMAT_VERSION}, found {found}")]
    TooOld {
        /// Its format version.
        found: u64,
    },
    /// It has no format version.
    #[error("expected `formatVersion`, found none")]
    NoVersion,
}

impl Diagnose for RecordError {
    fn category(&self) -> Category {
        match self {
            Self::Tree(error) => error.category(),
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Tree(error) => error.location(),
            Self::Absent => None,
            Self::Json(error) => {
                Some(Location::at(PATH, Position { line: error.line().max(1), column: error.column().max(1) }))
            }
            Self::Conflict { line } => Some(Location::at(PATH, Position { line: *line, column: 1 })),
            Self::TooNew { .. } | Self::TooOld { .. } | Self::NoVersion => Some(Location::file(PATH)),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Tree(_) => return Vec::new(),
            Self::Absent => "run `splitter init`",
            Self::TooNew { .. } => "use the splitter that the team uses, or a later one",
            Self::TooOld { .. } => "run `splitter init`: it writes the record and the Nix files anew",
            Self::Json(_) | Self::NoVersion | Self::Conflict { .. } => {
                "run `splitter update-hash`: it writes the file anew from the lockfile"
            }
        };
        vec![hint.to_owned()]
    }
}
