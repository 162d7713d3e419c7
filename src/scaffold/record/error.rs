//! Errors of reading `splitter.lock.json`.

use super::{FORMAT_VERSION, PATH};
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    repo::TreeError,
};

/// A `splitter.lock.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The file does not exist.
    #[error("no record yet: `{PATH}` not found")]
    Absent,
    /// The JSON is invalid, or does not have the fields of a record.
    #[error("{0}")]
    Json(serde_json::Error),
    /// The file contains git's conflict markers.
    #[error("merge conflict markers")]
    Conflict {
        /// The line of the first marker.
        line: usize,
    },
    /// A newer splitter wrote the file.
    #[error("expected format version {FORMAT_VERSION}, found {found}: a newer splitter wrote the file")]
    TooNew {
        /// The format version of the file.
        found: u64,
    },
    /// An older splitter wrote the file.
    #[error("expected format version {FORMAT_VERSION}, found {found}: an older splitter wrote the file")]
    TooOld {
        /// The format version of the file.
        found: u64,
    },
    /// The file has no format version.
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
            Self::TooNew { .. } => "install the version of splitter that your team uses, or a later one",
            Self::TooOld { .. } => "run `splitter init` to rewrite the file and the Nix files beside it",
            Self::Json(_) | Self::NoVersion | Self::Conflict { .. } => {
                "run `splitter update-hash` to rewrite the file from the lockfile"
            }
        };
        vec![hint.to_owned()]
    }
}
