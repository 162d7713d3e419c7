//! The error of reading a plan.

use camino::Utf8PathBuf;

use crate::diagnostic::{Category, Diagnose, Location, Position};

/// Why a plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("cannot read the plan of an image: {why}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// The reason.
        why: String,
    },
    /// It is not the JSON of a plan.
    #[error("the plan of an image is not valid: {message}")]
    Syntax {
        /// The place in the file.
        position: Position,
        /// What is wrong there.
        message: String,
    },
    /// Another version of splitter wrote it.
    #[error("the plan of an image has version {found}; this splitter reads version 1")]
    Version {
        /// The version in the file.
        found: u64,
    },
    /// A value is not what it should be.
    #[error("`{at}` in the plan of an image: expected {expected}, found `{found}`")]
    Value {
        /// The key, such as `layers[2].paths[0].path`.
        at: String,
        /// What should be there.
        expected: &'static str,
        /// What is there, shortened.
        found: String,
    },
    /// A list is too long.
    #[error("`{at}` in the plan of an image has {found} entries; the most are {most}")]
    TooMany {
        /// The key.
        at: String,
        /// The number of entries.
        found: usize,
        /// The most that are accepted.
        most: usize,
    },
    /// A store path is in two places of the plan, so that it would be sent twice.
    #[error("the plan of an image has `{path}` twice: in the layers `{first}` and `{second}`")]
    Twice {
        /// The store path.
        path: String,
        /// The name of the first layer.
        first: String,
        /// The name of the second layer.
        second: String,
    },
}

impl Diagnose for PlanError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Read { path, .. } => Some(Location::file(path.clone())),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Version { .. } => vec!["use the splitter that wrote nix/splitter, or run `splitter init`".to_owned()],
            Self::Twice { .. } => {
                vec!["a path belongs to the first layer that needs it; build the plan again".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
