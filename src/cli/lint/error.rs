//! Why `lint` cannot run.

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location, Position, did_you_mean},
    lint::rules::RULES,
    names::SETTINGS,
};

/// Why `lint` cannot run.
#[derive(Debug, thiserror::Error)]
pub(super) enum LintError {
    /// A path that the user named does not exist.
    #[error("`{0}` does not exist")]
    NoSuchPath(Utf8PathBuf),
    /// A path that the user named is not in the repository.
    #[error("`{path}` is not in `{root}`")]
    Outside {
        /// The path.
        path: Utf8PathBuf,
        /// The repository.
        root: Utf8PathBuf,
    },
    /// splitter.json is a folder, or a link to nothing.
    #[error("`{0}` is no file")]
    NoFile(Utf8PathBuf),
    /// The repository could not be found.
    #[error("could not open the folder `{path}`")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// splitter.json has a choice for a rule that does not exist.
    #[error("no rule `{name}`")]
    UnknownRule {
        /// The name.
        name: String,
        /// Its place.
        position: Position,
    },
    /// `--explain` names a rule that does not exist.
    #[error("no rule `{0}`")]
    NoRule(String),
    /// splitter.json has a glob that cannot be read.
    #[error("could not read a glob of `lint`")]
    Glob(#[from] globset::Error),
}

impl Diagnose for LintError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::UnknownRule { position, .. } => Some(Location::at(SETTINGS, *position)),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownRule { name, .. } | Self::NoRule(name) => {
                did_you_mean(RULES.iter().map(|rule| rule.name), name).into_iter().collect()
            }
            Self::NoFile(_) => vec!["remove it, or write the settings into a file of this name".to_owned()],
            Self::Outside { .. } => vec!["pass `--repo DIR` with the repository of these files".to_owned()],
            _ => Vec::new(),
        }
    }
}
