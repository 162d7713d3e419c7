//! Errors of evaluating states of a repository with Nix.

use std::{io, path::PathBuf};

use super::StateError;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    names::RECORD,
    nix::command::NixError,
    repo::{TreeError, door::DoorError},
};

/// Why states of a repository could not be evaluated with Nix.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// A state could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file to copy could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Nix failed, or is missing.
    #[error(transparent)]
    Nix(#[from] NixError),
    /// A copy could not be written.
    #[error("could not write a scratch copy of the repository")]
    Copy(#[from] io::Error),
    /// The repository has a link in the path of a file to write.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The path of the temporary folder is not UTF-8, so Nix cannot use it.
    #[error("the path of the temporary folder is not UTF-8: `{}`", .0.display())]
    NotUtf8(PathBuf),
    /// The repository has no flake.
    #[error("`flake.nix` is missing at the root of the repository")]
    NoFlake,
    /// The record is missing or stale, so Nix would build something else than the model says.
    #[error("`{RECORD}` is missing or stale")]
    Stale,
    /// Nix cannot evaluate the repository before any edit.
    #[error("Nix cannot evaluate the package `{0}`, even without an edit")]
    Evaluation(String),
}

impl ProofError {
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::State(error) => Some(error),
            Self::Tree(error) => Some(error),
            Self::Nix(error) => Some(error),
            Self::Door(error) => Some(error),
            Self::Copy(_) | Self::NotUtf8(_) | Self::NoFlake | Self::Stale | Self::Evaluation(_) => None,
        }
    }
}

impl Diagnose for ProofError {
    fn category(&self) -> Category {
        match self {
            Self::Copy(_) | Self::NotUtf8(_) => Category::Environment,
            Self::NoFlake | Self::Stale | Self::Evaluation(_) => Category::Input,
            Self::State(_) | Self::Tree(_) | Self::Nix(_) | Self::Door(_) => {
                self.inner().map_or(Category::Environment, Diagnose::category)
            }
        }
    }

    fn location(&self) -> Option<Location> {
        self.inner().and_then(Diagnose::location)
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoFlake => vec!["run `splitter init`, then `git add` the files that it wrote".to_owned()],
            Self::Stale => vec!["run `splitter update-hash`; `splitter check` shows what differs".to_owned()],
            Self::Evaluation(name) => vec![format!("run `nix eval .#{name}.drvPath` to see why")],
            Self::NotUtf8(_) => vec!["set `TMPDIR` to a folder whose path is UTF-8".to_owned()],
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}
