//! Why a record could not be brought up to date.

use crate::{
    diagnostic::{Category, Diagnose, Location},
    fetch::{FetchError, ManifestError, MetadataError},
    nix::nar::{NarError, TreeError},
};

/// Why a record could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Tarballs could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The package manager's program could not be found.
    #[error("could not find the program of the package manager: {0}")]
    Program(#[from] MetadataError),
    /// A tarball could not be read for hashing.
    #[error(transparent)]
    Nar(#[from] NarError),
    /// Two tarballs want places that exclude each other.
    #[error("`{label}` cannot be placed among the tarballs: {source}")]
    Tree {
        /// The package.
        label: String,
        /// Why.
        source: TreeError,
    },
    /// What systems a package is for is not known.
    #[error("the manifest of `{label}` cannot be read: {source}")]
    Manifest {
        /// The package.
        label: String,
        /// Why.
        source: ManifestError,
    },
    /// A tarball was neither found nor reported missing.
    #[error("a tarball is neither there nor missing")]
    Incomplete,
}

impl Diagnose for UpdateError {
    fn category(&self) -> Category {
        match self {
            Self::Fetch(error) => error.category(),
            Self::Program(error) => error.category(),
            Self::Nar(_) => Category::Environment,
            Self::Tree { .. } | Self::Manifest { .. } => Category::Input,
            Self::Incomplete => Category::Bug,
        }
    }

    fn location(&self) -> Option<Location> {
        None
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Fetch(error) => error.hints(),
            Self::Program(error) => error.hints(),
            Self::Nar(_) | Self::Tree { .. } | Self::Manifest { .. } | Self::Incomplete => Vec::new(),
        }
    }
}
