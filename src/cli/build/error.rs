//! The error of `splitter build` before anything is built.

use crate::diagnostic::{Category, Diagnose};

/// Why nothing can be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    /// Files of splitter that git does not track.
    #[error("git does not track {}, so Nix does not see {}", files.join(", "), if files.len() == 1 { "it" } else { "them" })]
    Untracked { files: Vec<String> },
    /// Git failed.
    #[error("could not run `git {command}`: {reason}")]
    Git { command: String, reason: String },
}

impl Diagnose for BuildError {
    fn category(&self) -> Category {
        match self {
            Self::Untracked { .. } => Category::Input,
            Self::Git { .. } => Category::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Untracked { files } => {
                vec![format!("run `git add --intent-to-add {}` (it stages no content)", files.join(" "))]
            }
            Self::Git { .. } => Vec::new(),
        }
    }
}
