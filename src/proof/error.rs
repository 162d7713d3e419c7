//! [`ProofError`].

use std::{io, path::PathBuf};

use super::StateError;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    names::RECORD,
    nix::command::NixError,
    repo::{TreeError, door::DoorError},
};

/// Why Nix could not be asked.
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
    #[error("could not write a scratch copy")]
    Copy(#[from] io::Error),
    /// The repository has a link where a scratch copy would be written.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The folder of temporary files has a name that Nix cannot be told.
    #[error("the path `{}` is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// There is no flake.
    #[error("there is no `flake.nix` for Nix to evaluate")]
    NoFlake,
    /// The record does not fit, so that Nix would build something else than the model says.
    #[error("`{RECORD}` does not fit the repository")]
    Stale,
    /// Nix cannot evaluate the repository as it is.
    #[error("Nix cannot evaluate `{0}` of the repository as it is")]
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
            Self::NoFlake => vec!["run `splitter init`, then `git add` what it wrote".to_owned()],
            Self::Stale => vec!["run `splitter update-hash`; `splitter check` says what differs".to_owned()],
            Self::Evaluation(name) => vec![format!("`nix eval .#{name}.drvPath` says why")],
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}
