//! Errors of `splitter reproduce` before anything is compared.

use std::io;

use crate::{
    diagnostic::{Category, Diagnose, Location, did_you_mean},
    fetch::CacheError,
    names::SETTINGS,
};

/// Why nothing can be compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReproduceError {
    /// A store cannot be created.
    #[error("could not create a store for the builds: {0}")]
    Folder(io::Error),
    /// There is no place for the stores.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// What the builds need cannot be built or fetched.
    #[error("could not get what the builds need: {0}")]
    Inputs(String),
    /// Nix printed something else than expected.
    #[error("unexpected output of `nix {command}`: expected {expected}")]
    Answer { command: &'static str, expected: &'static str },
    /// The files of two builds could not be read.
    #[error("could not compare the builds of {name}: {source}")]
    Compare { name: String, source: io::Error },
    /// `knownDifferences` has a package that does not exist.
    #[error("`knownDifferences` has the package `{name}`, which splitter does not build; it builds {}", known.join(", "))]
    UnknownPackage { name: String, known: Vec<String> },
    /// Nix has no chroot stores here.
    #[error("Nix builds in other stores only on Linux")]
    NoStores,
}

impl Diagnose for ReproduceError {
    fn category(&self) -> Category {
        match self {
            Self::UnknownPackage { .. } => Category::Input,
            _ => Category::Environment,
        }
    }

    fn location(&self) -> Option<Location> {
        matches!(self, Self::UnknownPackage { .. }).then(|| Location::file(SETTINGS))
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownPackage { name, known } => {
                did_you_mean(known.iter().map(String::as_str), name).into_iter().collect()
            }
            Self::NoStores => vec!["add `--rebuild` to build again in your own store".to_owned()],
            Self::Inputs(_) => vec!["run `splitter build` first, and mend what fails".to_owned()],
            Self::Cache(error) => error.hints(),
            _ => Vec::new(),
        }
    }
}
