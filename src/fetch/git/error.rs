//! Errors of fetching a git commit, classified by git's messages.

use std::io;

use url::Url;

use crate::{diagnostic::Category, fetch::archive::ArchiveError, secrets::masked};

/// The longest part of git's message that is shown, in characters.
const LONGEST: usize = 600;

/// Why a commit could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchGitError {
    /// Git is not installed.
    #[error("git is not installed, or not in PATH")]
    NotInstalled,
    /// Git cannot reach the host.
    #[error("git could not reach the host: {said}")]
    Unreachable {
        /// What git said.
        said: String,
    },
    /// The host refuses access.
    #[error("the host refused access to git: {said}")]
    Denied {
        /// What git said.
        said: String,
        /// Whether git uses ssh.
        by_ssh: bool,
    },
    /// The repository does not exist, or it is private and the host hides it.
    #[error("git repository not found: {said}")]
    NoRepository {
        /// What git said.
        said: String,
    },
    /// The repository exists, but the commit is missing.
    #[error("the repository no longer has the commit {id}")]
    Vanished {
        /// The commit's id.
        id: String,
    },
    /// Git failed for another reason.
    #[error("git failed: {said}")]
    Failed {
        /// What git said.
        said: String,
    },
    /// Git makes no progress.
    #[error("git made no progress in {} s", after.as_secs())]
    Stalled {
        /// How long it made none.
        after: std::time::Duration,
    },
    /// The repository, or a part of it, is too large.
    #[error("the repository is too large: {what}")]
    TooMuch {
        /// What is too large.
        what: &'static str,
    },
    /// Git's output has an unknown format.
    #[error("unexpected output of `git {asked}`")]
    Answer {
        /// The subcommand.
        asked: &'static str,
    },
    /// The commit holds something that a package cannot.
    #[error("the commit cannot be packed: {0}")]
    Content(#[from] ArchiveError),
    /// A folder or a process could not be created.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Parts of untranslated messages of git, curl and ssh.
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
    /// Makes an error from git's stderr, for commands other than `git fetch`.
    pub(super) fn failed(stderr: &str) -> Self {
        Self::Failed { said: shown(stderr) }
    }

    /// Makes an error from the stderr of `git fetch` from `url`.
    pub(super) fn of_fetch(stderr: &str, url: &Url) -> Self {
        let said = shown(stderr);
        let says = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
        // Order matters: a refused ssh key also says that the repository may not exist.
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

    /// Returns the part of this error that is true for all repositories of the host, if there is one. Git's words name the
    /// repository.
    pub(in crate::fetch) fn of_host(&self) -> Option<Self> {
        match self {
            Self::Stalled { after } => Some(Self::Stalled { after: *after }),
            Self::Unreachable { said } => Some(Self::Unreachable { said: without_repository(said) }),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    pub(in crate::fetch) fn is_transient(&self) -> bool {
        // After a stall it is not asked again, because each attempt takes a minute.
        matches!(self, Self::Unreachable { .. })
    }

    pub(in crate::fetch) fn category(&self) -> Category {
        match self {
            Self::Vanished { .. } | Self::NoRepository { .. } | Self::TooMuch { .. } => Category::Input,
            Self::Content(error) => error.category(),
            _ => Category::Environment,
        }
    }

    /// Returns the hint, if any. `host` is the repository's host.
    pub(in crate::fetch) fn hint(&self, host: &str) -> Option<String> {
        match self {
            Self::NotInstalled => Some("install git; a dependency comes from a git repository".to_owned()),
            Self::Unreachable { .. } | Self::Stalled { .. } => Some(format!("check the network, and that git can reach `{host}`")),
            Self::Denied { by_ssh: true, .. } => Some(format!(
                "set up a key for `{host}` that ssh uses without a prompt (in an agent), and accept its host key once"
            )),
            Self::Denied { .. } => Some(format!(
                "set up a git credential helper for `{host}`, or rewrite the URL with `url.….insteadOf` in your git \
                 configuration; git must get credentials without a prompt"
            )),
            Self::NoRepository { .. } => {
                Some("check whether the repository moved or was deleted; if it is private, give git credentials".to_owned())
            }
            Self::Vanished { .. } => Some(
                "update the dependency to an existing commit, or restore the old one under a tag; its branch was probably \
                 rewritten or deleted"
                    .to_owned(),
            ),
            Self::Failed { .. } | Self::TooMuch { .. } | Self::Answer { .. } | Self::Content(_) | Self::Io(_) => None,
        }
    }
}

/// Returns the part of git's words that says why a host cannot be reached: `Could not resolve host: h` of
/// `fatal: unable to access 'https://h/a.git/': Could not resolve host: h`.
fn without_repository(said: &str) -> String {
    let reason = said.split("; ").find(|part| UNREACHABLE.iter().any(|word| part.contains(word))).unwrap_or(said);
    reason.rsplit_once("': ").map_or(reason, |(_, reason)| reason).to_owned()
}

/// Whether a line is a step of git's progress, such as `remote: Counting objects:  50% (1/2)`. Steps end in a carriage return,
/// and only the last one of a line counts.
fn is_progress(line: &str) -> bool {
    let last = line.rsplit('\r').find(|step| !step.trim().is_empty()).unwrap_or(line);
    let last = last.trim_start_matches("remote: ");
    let steps = ["Enumerating", "Counting", "Compressing", "Receiving", "Resolving", "Unpacking", "Total", "Checking"];
    steps.iter().any(|step| last.starts_with(step))
}

/// Returns git's message on one line, with secrets masked: it names the URL, to which the user's `insteadOf` may add a
/// token.
fn shown(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("hint:") && !is_progress(line));
    let said = masked(&lines.collect::<Vec<_>>().join("; "));
    let said: String = said.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if said.is_empty() { "no reason given".to_owned() } else { said }
}
