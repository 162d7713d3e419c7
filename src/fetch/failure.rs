//! What can go wrong with a download, and what to do about it.

use std::{collections::BTreeSet, fmt, time::Duration};

use url::Url;

use super::{
    archive::ArchiveError, cache::CacheError, client::error::ClientError, credentials::Access, git::FetchGitError,
    hints, retry,
};
use crate::{
    diagnostic::{Category, Diagnose, Location},
    lockfile::{Digest, Format, Integrity},
    managers::registries::without_secrets,
};

/// How many failures a message lists before it counts the rest.
const LISTED: usize = 10;

/// Why one request, or all requests for one file, came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// No connection to the host.
    #[error("no connection: {why}")]
    Connect {
        /// The cause that the system gives.
        why: String,
    },
    /// The host's certificate is not trusted.
    #[error("the host's certificate is not trusted: {why}")]
    Certificate {
        /// The cause.
        why: String,
    },
    /// The host wants a certificate of ours, or another one.
    #[error("the host wants a client certificate: {why}")]
    ClientCertificate {
        /// The cause.
        why: String,
        /// The lockfile's format, which says whose files name certificates.
        format: Format,
    },
    /// The connection is there, and no bytes come.
    #[error("no data came for too long")]
    Stalled,
    /// The transfer broke off.
    #[error("the transfer broke off: {why}")]
    Transfer {
        /// The cause.
        why: String,
    },
    /// A redirect that is not followed.
    #[error("{why}")]
    Redirect {
        /// What is wrong with it.
        why: &'static str,
    },
    /// An answer other than 200.
    #[error("the registry answered {status}")]
    Status {
        /// The status.
        status: u16,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
        /// Whether the request carried credentials.
        access: Access,
        /// The lockfile's format, which says whose files hold credentials.
        format: Format,
    },
    /// The content is not what the lockfile says.
    #[error("wrong content: expected {expected}, found {found}")]
    Mismatch {
        /// What the lockfile says.
        expected: Integrity,
        /// The digest of what came, of the same algorithm.
        found: Digest,
    },
    /// The content of a URL without integrity is not what it was.
    #[error("the content has changed: it was {recorded} when it was first seen, now it is {found}")]
    Changed {
        /// What was recorded.
        recorded: Integrity,
        /// How to accept the change.
        remedy: String,
        /// What came.
        found: Digest,
    },
    /// The files of a repository's archive are not those that were recorded.
    #[error("the files are not those that were seen first: {recorded} is recorded, {found} was found")]
    OtherFiles {
        /// What is recorded of the archive that is made of the files.
        recorded: Integrity,
        /// What to do where the files are meant to be other ones.
        remedy: String,
        /// What would be recorded now.
        found: Digest,
    },
    /// What came is no archive of a repository.
    #[error("what came is not a repository's archive: {0}")]
    Archive(#[from] ArchiveError),
    /// Git could not bring a commit.
    #[error(transparent)]
    Git(#[from] FetchGitError),
    /// The answer has no content at all.
    #[error("the answer is empty")]
    Empty,
    /// The cache cannot be written.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl Reason {
    /// Whether the same request may do better.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Stalled | Self::Transfer { .. } | Self::Empty => true,
            Self::Status { status, .. } => retry::is_transient(*status),
            Self::Git(error) => error.is_transient(),
            Self::Certificate { .. }
            | Self::ClientCertificate { .. }
            | Self::Redirect { .. }
            | Self::Mismatch { .. }
            | Self::Changed { .. }
            | Self::OtherFiles { .. }
            | Self::Archive(_)
            | Self::Cache(_) => false,
        }
    }

    /// The same reason once more, where it is that no connection came about.
    pub(super) fn of_connection(&self) -> Option<Self> {
        match self {
            Self::Connect { why } => Some(Self::Connect { why: why.clone() }),
            Self::Certificate { why } => Some(Self::Certificate { why: why.clone() }),
            Self::Git(FetchGitError::Unreachable { said }) => {
                Some(Self::Git(FetchGitError::Unreachable { said: said.clone() }))
            }
            Self::ClientCertificate { why, format } => {
                Some(Self::ClientCertificate { why: why.clone(), format: *format })
            }
            _ => None,
        }
    }

    fn category(&self) -> Category {
        match self {
            Self::Redirect { .. }
            | Self::Mismatch { .. }
            | Self::Changed { .. }
            | Self::OtherFiles { .. }
            | Self::Archive(_) => Category::Input,
            Self::Git(error) => error.category(),
            Self::Status { status, .. } if !matches!(status, 401 | 403 | 407) && !retry::is_transient(*status) => {
                Category::Input
            }
            _ => Category::Environment,
        }
    }

    fn hint(&self, url: &Url) -> Option<String> {
        // With the port: npm gives the credentials of a host to no other port of it.
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        match self {
            Self::Status { status, access, format, .. } => hints::for_answer(*status, access, *format, host),
            Self::Certificate { .. } => Some(
                "name the certificates of your network in SSL_CERT_FILE, in NODE_EXTRA_CA_CERTS or as `cafile` in .npmrc"
                    .to_owned(),
            ),
            Self::ClientCertificate { format, .. } => Some(hints::for_client_certificate(*format, host)),
            Self::Connect { why } if why.contains("proxy authorization") => Some(hints::for_proxy()),
            Self::Connect { .. } | Self::Stalled => Some(format!(
                "check the network and HTTPS_PROXY; what is downloaded stays in the cache, so that another run goes on \
                 from here (host `{host}`)"
            )),
            Self::Mismatch { .. } => Some(
                "the registry, a mirror or a proxy serves something else than the lockfile was made from; do not install it \
                 before you know why"
                    .to_owned(),
            ),
            Self::Changed { remedy, .. } => Some(format!("if the change is meant, {remedy} and run again")),
            Self::OtherFiles { remedy, .. } => Some(format!(
                "a commit's files never change: its host, or a proxy, gives other ones than when they were recorded; if you \
                 know why and trust them, {remedy} and run again"
            )),
            Self::Git(error) => error.hint(host),
            Self::Cache(error) => error.hints().into_iter().next(),
            _ => None,
        }
    }
}

/// A file that could not be fetched.
#[derive(Debug)]
pub struct Failure {
    /// The package, such as `react@19.1.0`.
    pub label: String,
    /// What was asked for, without credentials.
    pub url: Url,
    /// Why.
    pub reason: Reason,
}

impl Failure {
    pub(super) fn new(label: &str, url: &Url, reason: Reason) -> Self {
        Self { label: label.to_owned(), url: without_secrets(url), reason }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}: {}", self.label, self.url, self.reason)
    }
}

/// Why files are not all there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Some could not be fetched; all others lie in the cache.
    #[error("{} of {wanted} packages could not be fetched{}", failures.len(), Listing(failures))]
    Failed {
        /// Each that could not be fetched, in the order in which they were wanted; never empty.
        failures: Vec<Failure>,
        /// How many were wanted.
        wanted: usize,
    },
    /// Offline, and some are not in the cache.
    #[error("{} of {wanted} packages are not in the cache{}", missing.len(), Listing(missing))]
    Missing {
        /// The labels of all that are missing, in the order in which they were wanted; never empty.
        missing: Vec<String>,
        /// How many were wanted.
        wanted: usize,
    },
    /// The HTTP client does not start.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The runtime does not start, or one of its threads ended.
    #[error("cannot run downloads: {0}")]
    Runtime(String),
}

impl Diagnose for FetchError {
    fn category(&self) -> Category {
        match self {
            Self::Failed { failures, .. } => {
                let categories = failures.iter().map(|failure| failure.reason.category());
                categories.into_iter().find(|category| *category == Category::Input).unwrap_or(Category::Environment)
            }
            Self::Missing { .. } | Self::Runtime(_) => Category::Environment,
            Self::Client(error) => error.category(),
            Self::Cache(error) => error.category(),
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Cache(error) => error.location(),
            Self::Client(error) => error.location(),
            Self::Failed { .. } | Self::Missing { .. } | Self::Runtime(_) => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Failed { failures, .. } => {
                let hints: BTreeSet<_> =
                    failures.iter().filter_map(|failure| failure.reason.hint(&failure.url)).collect();
                hints.into_iter().collect()
            }
            Self::Missing { .. } => vec!["run once without --offline".to_owned()],
            Self::Cache(error) => error.hints(),
            Self::Client(error) => error.hints(),
            Self::Runtime(_) => Vec::new(),
        }
    }
}

/// The first few of a list, each on a line of its own, and the number of the rest.
struct Listing<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Listing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in self.0.iter().take(LISTED) {
            write!(f, "\n  {item}")?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            rest => write!(f, "\n  and {rest} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_are_listed_and_the_rest_is_counted() {
        let missing: Vec<String> = (0..13).map(|number| format!("p{number}@1.0.0")).collect();
        let text = FetchError::Missing { missing, wanted: 20 }.to_string();
        assert!(text.starts_with("13 of 20 packages are not in the cache\n  p0@1.0.0\n"), "{text}");
        assert!(text.ends_with("  p9@1.0.0\n  and 3 more"), "{text}");
    }

    #[test]
    fn urls_are_shown_without_secrets() {
        let url = Url::parse("https://us:pw@h.example/a.tgz?sig=s#x").unwrap();
        assert_eq!(without_secrets(&url).as_str(), "https://h.example/a.tgz");
    }
}
