//! Errors in an rc file of Yarn.

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    repo::RepoPathError,
};

/// Why an rc file of Yarn is invalid. No message contains a value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YarnRcError {
    /// A `.yarnrc.yml` is not YAML, or not YAML that Yarn reads.
    #[error("malformed YAML: {message}")]
    Yaml {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// The reason, without text from the file.
        message: String,
    },
    /// A setting has a value of the wrong kind.
    #[error("`{key}` is {found}; expected {expected}")]
    Kind {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// The dotted key.
        key: String,
        /// The expected kind.
        expected: &'static str,
        /// The kind found.
        found: &'static str,
    },
    /// `nodeLinker` names a linker that does not exist.
    #[error("`nodeLinker` is `{found}`; expected `pnp`, `pnpm` or `node-modules`")]
    NodeLinker {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// The value as written.
        found: String,
    },
    /// A path leaves the repository.
    #[error("wrong path `{text}` in `{key}`: {reason}")]
    Path {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// The dotted key.
        key: String,
        /// The path as written.
        text: String,
        /// The reason.
        reason: RepoPathError,
    },
    /// A setting that an install reads depends on the environment.
    #[error("`{key}` uses the variable `{variable}` without a default, so the install depends on the environment")]
    Variable {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// The top-level key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// The Nix code, which reads lines, and a YAML reader would read different values.
    #[error("`{key}` is not written in the plain form that the Nix build can read")]
    TwoReadings {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// The top-level key.
        key: String,
    },
    /// A line of a `.yarnrc` does not follow the format.
    #[error("expected {expected}")]
    Line {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Position,
        /// What the format requires.
        expected: &'static str,
    },
}

impl Diagnose for YarnRcError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        let (Self::Yaml { path, position, .. }
        | Self::Kind { path, position, .. }
        | Self::NodeLinker { path, position, .. }
        | Self::Path { path, position, .. }
        | Self::Variable { path, position, .. }
        | Self::TwoReadings { path, position, .. }
        | Self::Line { path, position, .. }) = self;
        Some(Location::at(path.clone(), *position))
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Variable { variable, .. } => {
                format!("write the value itself, or add a default: `${{{variable}:-…}}`")
            }
            Self::TwoReadings { path, .. } if path.extension() == Some("yml") => {
                "write it as plain block YAML: the key at the start of a line, its value after it or indented below, \
                 without `#` or empty lines inside a string"
                    .to_owned()
            }
            Self::TwoReadings { .. } => "write it as one line, `key value`".to_owned(),
            Self::Line { .. } => {
                "write `key value` on each line, with double quotes around anything but a word or a number".to_owned()
            }
            Self::Path { .. } => "move the file into the repository, so that a build can read it".to_owned(),
            Self::Yaml { .. } | Self::Kind { .. } | Self::NodeLinker { .. } => return Vec::new(),
        };
        vec![hint]
    }
}
