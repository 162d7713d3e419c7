//! The error of measuring closures.

use std::{fmt, io};

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location, did_you_mean},
    names::SETTINGS,
    nix::command::NixError,
    proof::{Place, ProofError, StateError},
};

/// Why closures could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum ClosureError {
    /// A state of the repository could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A scratch copy could not be made.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The state has no flake.
    #[error("`flake.nix` is missing at the root of the repository in {place}")]
    NoFlake {
        /// The place of the state.
        place: Place,
    },
    /// Nix failed.
    #[error("in {place}: {source}")]
    Nix {
        /// The place of the state.
        place: Place,
        /// The reason.
        source: Box<NixError>,
    },
    /// Nix printed something else than expected.
    #[error("unexpected output of `nix {command}` in {place}: expected {expected}")]
    Answer {
        /// The place of the state.
        place: Place,
        /// The command.
        command: &'static str,
        /// The expected kind of output.
        expected: &'static str,
    },
    /// The files of an output could not be read.
    #[error("could not search `{output}` for references")]
    Scan {
        /// The output.
        output: Utf8PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The flake has no such package.
    #[error("package `{name}` not found in the flake; it has {}", List(known))]
    UnknownPackage {
        /// The name that the user gave.
        name: String,
        /// The packages of the flake.
        known: Vec<String>,
    },
    /// A budget is for a package that the flake does not have.
    #[error("`sizeBudget` has the package `{name}`, which the flake does not have; it has {}", List(known))]
    UnknownBudget {
        /// The name in `sizeBudget`.
        name: String,
        /// The packages of the flake.
        known: Vec<String>,
    },
    /// The user named more than one pair of commits.
    #[error("expected one range of commits, found `{first}` and `{second}`")]
    TwoRanges {
        /// The first range.
        first: String,
        /// The second range.
        second: String,
    },
}

/// Names, separated by commas.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("none") } else { f.write_str(&self.0.join(", ")) }
    }
}

impl ClosureError {
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::State(error) => Some(error),
            Self::Proof(error) => Some(error),
            Self::Nix { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl Diagnose for ClosureError {
    fn category(&self) -> Category {
        match self {
            Self::State(_) | Self::Proof(_) | Self::Nix { .. } => {
                self.inner().map_or(Category::Environment, Diagnose::category)
            }
            Self::Answer { .. } | Self::Scan { .. } => Category::Environment,
            Self::NoFlake { .. }
            | Self::UnknownPackage { .. }
            | Self::UnknownBudget { .. }
            | Self::TwoRanges { .. } => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::UnknownBudget { .. } => Some(Location::file(SETTINGS)),
            _ => self.inner().and_then(Diagnose::location),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoFlake { place: Place::Commit { .. } } => {
                vec!["name a commit that has `flake.nix` and `nix/splitter`".to_owned()]
            }
            Self::NoFlake { .. } => {
                vec!["run `splitter init`, then `git add` the files that it wrote".to_owned()]
            }
            Self::UnknownPackage { name, known } => {
                did_you_mean(known.iter().map(String::as_str), name).into_iter().collect()
            }
            Self::UnknownBudget { .. } => {
                vec!["use the name of a package, or `*` for every app without a budget of its own".to_owned()]
            }
            Self::TwoRanges { .. } => vec!["use `A..B`, or `--from A --to B`".to_owned()],
            Self::Scan { .. } => vec!["run it on the machine that has the Nix store".to_owned()],
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}
