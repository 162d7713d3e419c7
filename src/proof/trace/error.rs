//! The errors of traces.

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location, did_you_mean},
    nix::command::NixError,
    proof::{ProofError, StateError},
    system::System,
};

/// Why builds could not be traced.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The repository could not be read, copied or evaluated.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Nix failed. The command of a build is never the reason.
    #[error(transparent)]
    Nix(#[from] NixError),
    /// Nothing that splitter builds has this name.
    #[error("nothing that splitter builds is named `{name}`; it builds {}", list(known))]
    Unknown {
        /// The name that the user gave.
        name: String,
        /// The names of all builds.
        known: Vec<String>,
    },
    /// The repository is built for no system with Linux.
    #[error("a trace needs Linux, and this repository is built for {}", list(systems))]
    NoLinux {
        /// Its systems.
        systems: Vec<String>,
    },
    /// Nix could not build for Linux on another system.
    #[error("{source}")]
    NoLinuxBuilder {
        /// The system of the build.
        system: System,
        /// Nix's reason.
        source: NixError,
    },
    /// The flake has no traces.
    #[error("the flake has no trace of {}", list(names))]
    NoTraces {
        /// The builds without a trace.
        names: Vec<String>,
    },
    /// The output of a traced build is not in the expected form.
    #[error("`{path}` is no trace that this version of splitter reads")]
    Note {
        /// The output.
        path: Utf8PathBuf,
    },
}

impl From<StateError> for TraceError {
    fn from(error: StateError) -> Self {
        Self::Proof(error.into())
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

impl TraceError {
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::Proof(error) => Some(error),
            Self::Nix(error) | Self::NoLinuxBuilder { source: error, .. } => Some(error),
            Self::Unknown { .. } | Self::NoLinux { .. } | Self::NoTraces { .. } | Self::Note { .. } => None,
        }
    }
}

impl Diagnose for TraceError {
    fn category(&self) -> Category {
        match self {
            Self::Unknown { .. } | Self::NoTraces { .. } | Self::Note { .. } => Category::Input,
            Self::NoLinux { .. } => Category::Environment,
            Self::Proof(_) | Self::Nix(_) | Self::NoLinuxBuilder { .. } => {
                self.inner().map_or(Category::Environment, Diagnose::category)
            }
        }
    }

    fn location(&self) -> Option<Location> {
        self.inner().and_then(Diagnose::location)
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { name, known } => did_you_mean(known.iter().map(String::as_str), name).into_iter().collect(),
            Self::NoLinux { .. } => {
                vec!["add a Linux system to `systems` in splitter.json, and run `splitter update-hash`".to_owned()]
            }
            Self::NoLinuxBuilder { system, .. } => vec![format!(
                "a trace runs strace, so it needs a Linux builder: set up one for {system} in `builders` of nix.conf, or trace on Linux"
            )],
            Self::NoTraces { .. } => vec![
                "run `splitter init`, which rewrites older Nix files".to_owned(),
                "if your flake wraps these packages, keep their attribute `traced`".to_owned(),
            ],
            Self::Note { .. } => {
                vec!["run `splitter init`, which rewrites the Nix files of another version".to_owned()]
            }
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}
