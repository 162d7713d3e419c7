//! Errors of updating a record.

use crate::{
    diagnostic::{Category, Diagnose, Location},
    fetch::{FetchError, ManifestError, MetadataError},
    nix::nar::{NarError, TreeError},
    split::System,
};

/// Why a record could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Tarballs could not be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Packages of the lockfile could not be downloaded.
    #[error("{error}")]
    Packages {
        /// The failures, with who needs each package.
        error: Box<FetchError>,
        /// The systems that need none of them. Empty if every system needs one.
        enough: Vec<System>,
    },
    /// The registry's entry for the package manager could not be read.
    #[error("could not find the package manager's program: {0}")]
    Program(#[from] MetadataError),
    /// The registry has no program of this version for some systems.
    #[error(
        "{program}{} is not in the registry ({answer})",
        if systems.is_empty() { String::new() } else { format!(" for {}", systems.join(", ")) }
    )]
    NoProgram {
        /// The package manager and its version, such as `Bun 1.2.18`.
        program: String,
        /// The systems that lack it. Empty if it is the same for all systems.
        systems: Vec<&'static str>,
        /// The systems that have it.
        others: Vec<&'static str>,
        /// The place of the pin.
        pin: &'static str,
        /// The registry's answer for the first of them.
        answer: String,
    },
    /// A tarball could not be read for hashing.
    #[error(transparent)]
    Nar(#[from] NarError),
    /// The paths of two tarballs conflict.
    #[error("could not add the tarball of `{label}` to its fixed output: {source}")]
    Tree {
        /// The package.
        label: String,
        /// Why.
        source: TreeError,
    },
    /// The manifest in a tarball could not be read.
    #[error("could not read package.json in the tarball of `{label}`: {source}")]
    Manifest {
        /// The package.
        label: String,
        /// Why.
        source: ManifestError,
    },
    /// A tarball was neither returned nor reported missing.
    #[error("a tarball was neither returned nor reported missing")]
    Incomplete,
}

impl Diagnose for UpdateError {
    fn category(&self) -> Category {
        match self {
            Self::Fetch(error) => error.category(),
            Self::Packages { error, .. } => error.category(),
            Self::Program(error) => error.category(),
            Self::Nar(_) => Category::Environment,
            Self::Tree { .. } | Self::Manifest { .. } | Self::NoProgram { .. } => Category::Input,
            Self::Incomplete => Category::Bug,
        }
    }

    fn location(&self) -> Option<Location> {
        None
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Fetch(error) => error.hints(),
            Self::Packages { error, enough } => {
                let options: Vec<String> = enough.iter().map(|system| format!(" --system {}", system.name())).collect();
                let fewer = (!options.is_empty()).then(|| {
                    let options = options.concat();
                    format!("if you build on none of the systems that need this, record the others alone: `splitter init{options}`")
                });
                error.hints().into_iter().chain(fewer).collect()
            }
            Self::Program(error) => error.hints(),
            Self::NoProgram { others, pin, .. } => {
                let options: Vec<String> = others.iter().map(|system| format!(" --system {system}")).collect();
                let pinned = format!("pin another version ({pin})");
                vec![match options.as_slice() {
                    [] => pinned,
                    options => format!("{pinned}, or leave this system out: `splitter init{}`", options.concat()),
                }]
            }
            Self::Nar(_) | Self::Tree { .. } | Self::Manifest { .. } | Self::Incomplete => Vec::new(),
        }
    }
}
