//! Errors of `splitter stats`.

use std::io;

use camino::Utf8PathBuf;

use crate::diagnostic::{Category, Diagnose, Location};

/// Why a history cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum StatsError {
    /// Nothing was built.
    #[error("the history has no run{}", of(files))]
    Empty { files: Vec<Utf8PathBuf> },
    /// No line is a run of this version.
    #[error("no line can be read as a run{}", of(files))]
    Unreadable { files: Vec<Utf8PathBuf> },
    /// A file that the user named is not there.
    #[error("`{0}` is no file")]
    NoHistory(Utf8PathBuf),
    #[error("could not read the history")]
    Read { path: Utf8PathBuf, source: io::Error },
    #[error("could not write `{path}`")]
    Write { path: Utf8PathBuf, source: io::Error },
    /// There is no history to add to.
    #[error("there is no history to add to: SPLITTER_HISTORY is `off`, or HOME is not set")]
    Off,
    /// Git does not know the commit.
    #[error("git has no commit `{0}`")]
    NoCommit(String),
    /// The branches have no commit in common.
    #[error("git finds no commit that HEAD and `{0}` have in common")]
    NoBase(String),
    /// Nothing was built on this branch, or nothing before it.
    #[error("the history has no run {0}")]
    OneSide(String),
}

fn of(files: &[Utf8PathBuf]) -> String {
    files.first().map(|file| format!(": {file}")).unwrap_or_default()
}

impl Diagnose for StatsError {
    fn category(&self) -> Category {
        match self {
            Self::Read { .. } | Self::Write { .. } | Self::Off => Category::Environment,
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Read { path, .. } => Some(Location::file(path.clone())),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Empty { .. } => {
                vec!["`splitter build` and `splitter cache push` add to it: run one of them".to_owned()]
            }
            Self::Unreadable { .. } => {
                vec!["name a file that SPLITTER_HISTORY named in an earlier run, or update splitter".to_owned()]
            }
            Self::NoHistory(_) => vec!["name a file that SPLITTER_HISTORY named in an earlier run".to_owned()],
            Self::NoBase(_) | Self::NoCommit(_) => {
                vec!["a shallow clone lacks commits: fetch the whole history (`fetch-depth: 0`)".to_owned()]
            }
            Self::OneSide(_) => vec![
                "run `splitter build` on both branches. In CI, set SPLITTER_HISTORY to a file that is kept between runs"
                    .to_owned(),
            ],
            Self::Off => vec!["set SPLITTER_HISTORY to a file".to_owned()],
            Self::Read { .. } | Self::Write { .. } => Vec::new(),
        }
    }
}
