//! What can be wrong with an rc file of Yarn.

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    repo::RepoPathError,
};

/// Why an rc file of Yarn was refused. No message holds a value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YarnRcError {
    /// A `.yarnrc.yml` is not YAML, or YAML that Yarn does not read.
    #[error("malformed YAML: {message}")]
    Yaml {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// What is wrong, without the text of the file.
        message: String,
    },
    /// A setting is of another kind than Yarn has it.
    #[error("`{key}` is {found}; expected {expected}")]
    Kind {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// The dotted key.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// `nodeLinker` names a linker that does not exist.
    #[error("`nodeLinker` is `{found}`; expected `pnp`, `pnpm` or `node-modules`")]
    NodeLinker {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// What it is.
        found: String,
    },
    /// A path does not stay in the repository.
    #[error("wrong path `{text}` in `{key}`: {reason}")]
    Path {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// The dotted key.
        key: String,
        /// The path as written.
        text: String,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// A setting of the lock set depends on the environment.
    #[error("`{key}` names the variable `{variable}` without a default, so that an install depends on the environment")]
    Variable {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// The top-level key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// Cut at its lines, the file says something else of a setting than read as YAML.
    #[error("`{key}` is not written in the plain form that the Nix build can read")]
    TwoReadings {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// The top-level key.
        key: String,
    },
    /// A line of a `.yarnrc` is not of its format.
    #[error("expected {expected}")]
    Line {
        /// The file.
        path: Utf8PathBuf,
        /// Where in it.
        position: Position,
        /// What should stand there.
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
            Self::Variable { variable, .. } => format!("write the value itself, or a default: `${{{variable}:-…}}`"),
            Self::TwoReadings { path, .. } if path.extension() == Some("yml") => {
                "write it as plain block YAML: the key at the start of a line, its value behind it or indented below, \
                 no `#` and no empty line inside of a text"
                    .to_owned()
            }
            Self::TwoReadings { .. } => "write it as one line, `key value`".to_owned(),
            Self::Line { .. } => {
                "a line is `key value`, and what is neither a word nor a number is in double quotes".to_owned()
            }
            Self::Path { .. } => "move the file into the repository, so that a build can have it".to_owned(),
            Self::Yaml { .. } | Self::Kind { .. } | Self::NodeLinker { .. } => return Vec::new(),
        };
        vec![hint]
    }
}
