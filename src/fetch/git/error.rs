//! Why a commit could not be had, as far as what git says tells.

use std::io;

use url::Url;

use crate::{diagnostic::Category, fetch::archive::ArchiveError, secrets::masked};

/// How much of what git says is shown.
const LONGEST: usize = 600;

/// Why a commit could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchGitError {
    /// There is no git.
    #[error("git is not installed, or not in PATH")]
    NotInstalled,
    /// No connection.
    #[error("git could not reach the host: {said}")]
    Unreachable {
        /// What git said.
        said: String,
    },
    /// The host wants to know who asks.
    #[error("git was refused: {said}")]
    Denied {
        /// What git said.
        said: String,
        /// Whether the repository is reached with a key of ssh.
        by_ssh: bool,
    },
    /// There is no such repository, or the host says so to those who may not see it.
    #[error("there is no such repository: {said}")]
    NoRepository {
        /// What git said.
        said: String,
    },
    /// The repository is there, the commit is not.
    #[error("the repository no longer has the commit {id}")]
    Vanished {
        /// The commit's id.
        id: String,
    },
    /// Git failed otherwise.
    #[error("git failed: {said}")]
    Failed {
        /// What git said.
        said: String,
    },
    /// What git gave is not what it is known to give.
    #[error("git answered something unexpected to `{asked}`")]
    Answer {
        /// The command.
        asked: &'static str,
    },
    /// The commit holds what a package cannot.
    #[error("the commit cannot be packed: {0}")]
    Content(#[from] ArchiveError),
    /// A folder or process could not be had.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What git says, in the words of its untranslated messages and of those of curl and ssh.
const UNREACHABLE: [&str; 9] = [
    "Could not resolve host",
    "Failed to connect",
    "Couldn't connect",
    "Connection refused",
    "Connection timed out",
    "Operation timed out",
    "Operation too slow",
    "Network is unreachable",
    "No route to host",
];
const DENIED: [&str; 6] = [
    "Authentication failed",
    "terminal prompts disabled",
    "could not read Username",
    "Permission denied",
    "Host key verification failed",
    "The requested URL returned error: 403",
];
const NO_REPOSITORY: [&str; 4] =
    ["not found", "does not appear to be a git repository", "does not exist", "The requested URL returned error: 404"];

impl FetchGitError {
    /// Of what git wrote to stderr while it did anything else than fetch.
    pub(super) fn failed(stderr: &str) -> Self {
        Self::Failed { said: shown(stderr) }
    }

    /// Of what git wrote to stderr while it fetched from `url`.
    pub(super) fn of_fetch(stderr: &str, url: &Url) -> Self {
        let said = shown(stderr);
        let says = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
        // A refusal of a key names the repository that may not exist, too.
        if says(&UNREACHABLE) {
            Self::Unreachable { said }
        } else if says(&DENIED) {
            Self::Denied { said, by_ssh: url.scheme() == "ssh" }
        } else if says(&NO_REPOSITORY) && !stderr.contains("remote ref") {
            Self::NoRepository { said }
        } else {
            Self::Failed { said }
        }
    }

    /// Whether it may be otherwise soon.
    pub(in crate::fetch) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    pub(in crate::fetch) fn category(&self) -> Category {
        match self {
            Self::Vanished { .. } | Self::NoRepository { .. } | Self::Content(_) => Category::Input,
            _ => Category::Environment,
        }
    }

    /// What to do about it; `host` is the repository's.
    pub(in crate::fetch) fn hint(&self, host: &str) -> Option<String> {
        match self {
            Self::NotInstalled => Some("install git: a dependency comes from a git repository".to_owned()),
            Self::Unreachable { .. } => Some(format!("check the network, and whether git reaches `{host}`")),
            Self::Denied { by_ssh: true, .. } => Some(format!(
                "give `{host}` a key of yours that ssh uses without asking (an agent), and accept its host key once"
            )),
            Self::Denied { .. } => Some(format!(
                "git must get credentials for `{host}` without asking: from a credential helper, or rewrite the URL with \
                 `url.….insteadOf` in your git configuration"
            )),
            Self::NoRepository { .. } => {
                Some("the repository was moved or deleted, or it is private and git has no credentials for it".to_owned())
            }
            Self::Vanished { .. } => Some(
                "its branch was rewritten or deleted: update the dependency to a commit that is there, or put the old one \
                 back under a tag"
                    .to_owned(),
            ),
            Self::Failed { .. } | Self::Answer { .. } | Self::Content(_) | Self::Io(_) => None,
        }
    }
}

/// What git said on one line. It names the URL that it asked, which the user's `insteadOf` may have given a token.
fn shown(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    let said = masked(&lines.collect::<Vec<_>>().join("; "));
    let said: String = said.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if said.is_empty() { "it gave no reason".to_owned() } else { said }
}
