//! Errors in the files that name registries.

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    managers::yarn::rc::YarnRcError,
};

/// Why the registries could not be read. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A `bunfig.toml` is not TOML.
    #[error("malformed TOML in `{path}`: {message}")]
    Toml {
        /// The file.
        path: Utf8PathBuf,
        /// The place in the file.
        position: Option<Position>,
        /// The TOML reader's message, without text from the file.
        message: String,
    },
    /// A registry in a `bunfig.toml` is neither a string nor a table.
    #[error("`{key}` in `{path}` is of type {found}; expected a URL or a table with `url`")]
    NotARegistry {
        /// The file.
        path: Utf8PathBuf,
        /// The dotted key.
        key: String,
        /// Its TOML type.
        found: &'static str,
    },
    /// A registry is not an absolute `http:` or `https:` URL.
    #[error("`{key}` in `{path}` is not a registry: expected an `https:` or `http:` URL, found `{found}`")]
    Url {
        /// The file or the variable.
        path: Utf8PathBuf,
        /// The key.
        key: String,
        /// The value, without credentials.
        found: String,
    },
    /// A registry URL in the repository depends on the environment.
    #[error("`{key}` in `{path}` depends on the environment: expected a URL without variables, found `{found}`")]
    Variable {
        /// The file.
        path: Utf8PathBuf,
        /// The key.
        key: String,
        /// The value as written.
        found: String,
        /// The line, if known.
        position: Option<Position>,
    },
    /// A variable in a user's registry URL is not set.
    #[error("`{key}` in `{path}` uses the variable `{variable}`, which is not set")]
    Unset {
        /// The file.
        path: Utf8PathBuf,
        /// The key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// An rc file of Yarn is invalid.
    #[error(transparent)]
    YarnRc(#[from] YarnRcError),
    /// A settings file is no regular file, or too large.
    #[error("could not read `{path}`: {why}")]
    Refused {
        /// The file.
        path: Utf8PathBuf,
        /// What it is.
        why: crate::reading::Refused,
    },
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A `.npmrc` could not be read.
    #[error("cannot read `{path}`: {source}")]
    Npmrc {
        /// The file, or the level of settings.
        path: Utf8PathBuf,
        /// The reason.
        source: Box<npmrc_config_rs::Error>,
    },
}

impl Diagnose for RegistryError {
    fn category(&self) -> Category {
        match self {
            Self::Io(_) | Self::Unset { .. } => Category::Environment,
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Toml { path, position, .. } | Self::Variable { path, position, .. } => {
                Some(Location { path: path.clone(), position: *position })
            }
            Self::NotARegistry { path, .. }
            | Self::Url { path, .. }
            | Self::Unset { path, .. }
            | Self::Npmrc { path, .. } => Some(Location::file(path.clone())),
            Self::YarnRc(error) => error.location(),
            Self::Refused { .. } | Self::Io(_) => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Variable { .. } => vec![
                "write the URL itself into the file, so that splitter.lock.json is the same on every machine; tokens \
                 may stay variables"
                    .to_owned(),
                "set a personal mirror in your own ~/.npmrc, ~/.bunfig.toml or ~/.yarnrc.yml".to_owned(),
            ],
            Self::YarnRc(error) => error.hints(),
            Self::Unset { variable, .. } => vec![format!("set `{variable}`, or write the URL into the file")],
            _ => Vec::new(),
        }
    }
}
