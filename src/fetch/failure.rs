//! Download errors and their hints.

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

/// How many failures with the same cause a message lists. The rest is only counted.
const LISTED: usize = 10;

/// Why a request, or every request for a file, failed.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// The host cannot be reached.
    #[error("no connection: {why}")]
    Connect {
        /// The system's error.
        why: String,
    },
    /// The host's certificate is not trusted.
    #[error("the host's certificate is not trusted: {why}")]
    Certificate {
        /// The cause.
        why: String,
    },
    /// The host requires a client certificate, or refuses the configured one.
    #[error("the host requires a client certificate that it trusts: {why}")]
    ClientCertificate {
        /// The cause.
        why: String,
        /// The format of the lockfile. It tells which settings files name certificates.
        format: Format,
    },
    /// The connection is open, but no bytes arrive.
    #[error("the connection stalled: no data, or next to none, arrived in time")]
    Stalled,
    /// The transfer ended early.
    #[error("the transfer was interrupted: {why}")]
    Transfer {
        /// The cause.
        why: String,
    },
    /// The answer does not end.
    #[error("the answer is larger than {}", if *most < 1 << 30 { format!("{} MiB", most >> 20) } else { format!("{} GiB", most >> 30) })]
    TooLarge {
        /// The most bytes that are read.
        most: u64,
    },
    /// A redirect is not followed.
    #[error("{why}")]
    Redirect {
        /// The whole message.
        why: &'static str,
    },
    /// The registry answered with a status other than 200.
    #[error("the registry answered {status}")]
    Status {
        /// The status.
        status: u16,
        /// The pause that the registry asked for.
        retry_after: Option<Duration>,
        /// Whether the request carried credentials.
        access: Access,
        /// The format of the lockfile. It tells which settings files hold credentials.
        format: Format,
    },
    /// The content does not match the lockfile.
    #[error("wrong content: expected {expected}, found {found}")]
    Mismatch {
        /// The integrity in the lockfile.
        expected: Integrity,
        /// The digest of the downloaded content, with the same algorithm.
        found: Digest,
    },
    /// The content changed since the first download. The lockfile has no integrity for this URL.
    #[error("the content changed since the first download: expected {recorded}, found {found}")]
    Changed {
        /// The integrity recorded at the first download.
        recorded: Integrity,
        /// How to accept the change.
        remedy: String,
        /// The digest of the downloaded content.
        found: Digest,
    },
    /// The files of a repository's archive changed since the first download.
    #[error("the files changed since the first download: expected {recorded}, found {found}")]
    OtherFiles {
        /// The recorded integrity of the archive that splitter makes of the files.
        recorded: Integrity,
        /// How to accept the change.
        remedy: String,
        /// The digest of the archive of the downloaded files.
        found: Digest,
    },
    /// The download is not a usable archive of a repository.
    #[error("the downloaded archive of the repository cannot be used: {0}")]
    Archive(#[from] ArchiveError),
    /// Git could not fetch a commit.
    #[error(transparent)]
    Git(#[from] FetchGitError),
    /// The answer has no content.
    #[error("the answer is empty")]
    Empty,
    /// The cache cannot be written.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl Reason {
    /// Whether the same request may succeed later.
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
            | Self::TooLarge { .. }
            | Self::Archive(_)
            | Self::Cache(_) => false,
        }
    }

    /// Returns this reason for other files of the host, if it means that the host cannot be reached, or that it says nothing.
    pub(super) fn of_connection(&self) -> Option<Self> {
        match self {
            Self::Connect { why } => Some(Self::Connect { why: why.clone() }),
            Self::Certificate { why } => Some(Self::Certificate { why: why.clone() }),
            Self::Stalled => Some(Self::Stalled),
            Self::Git(error) => error.of_host().map(Self::Git),
            Self::ClientCertificate { why, format } => {
                Some(Self::ClientCertificate { why: why.clone(), format: *format })
            }
            _ => None,
        }
    }

    /// Whether it says something about this file, and not about its host or this machine.
    pub fn is_of_file(&self) -> bool {
        self.category() == Category::Input
    }

    fn category(&self) -> Category {
        match self {
            Self::Redirect { .. }
            | Self::Mismatch { .. }
            | Self::Changed { .. }
            | Self::OtherFiles { .. }
            | Self::TooLarge { .. } => Category::Input,
            Self::Archive(error) => error.category(),
            Self::Git(error) => error.category(),
            Self::Status { status, .. } if !matches!(status, 401 | 403 | 407) && !retry::is_transient(*status) => {
                Category::Input
            }
            _ => Category::Environment,
        }
    }

    fn hint(&self, url: &Url, label: &str) -> Option<String> {
        // With the port, since npm binds credentials to host and port.
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        match self {
            Self::Status { status, access, format, .. } => {
                let is_scoped = label.starts_with('@');
                hints::for_answer(*status, access, *format, host, is_scoped)
            }
            Self::Certificate { .. } => Some(
                "set SSL_CERT_FILE, NODE_EXTRA_CA_CERTS or `cafile` in .npmrc to a file with your network's certificates"
                    .to_owned(),
            ),
            Self::ClientCertificate { format, .. } => Some(hints::for_client_certificate(*format, host)),
            Self::Connect { why } if why.contains("proxy authorization") => Some(hints::for_proxy()),
            Self::Connect { .. } | Self::Stalled => Some(format!(
                "check the network and HTTPS_PROXY (host `{host}`), then run again; finished downloads stay in the cache"
            )),
            Self::Mismatch { .. } => Some(
                "find out why before you install it: the registry, a mirror or a proxy serves different content than when \
                 the lockfile was written"
                    .to_owned(),
            ),
            Self::Changed { remedy, .. } => Some(format!("if you expect this change, {remedy} and run again")),
            Self::OtherFiles { remedy, .. } => Some(format!(
                "find out why: the files of a commit never change, so its host or a proxy serves different ones; if you \
                 trust them, {remedy} and run again"
            )),
            Self::Git(error) => error.hint(host),
            Self::Cache(error) => error.hints().into_iter().next(),
            _ => None,
        }
    }
}

/// A file that could not be downloaded.
#[derive(Debug)]
pub struct Failure {
    /// The package, such as `react@19.1.0`.
    pub label: String,
    /// The requested URL, without credentials.
    pub url: Url,
    /// The reason.
    pub reason: Reason,
    /// Who needs the package, and on which systems, as a phrase. Only callers with a lockfile know it.
    pub needed: Option<String>,
}

impl Failure {
    pub(super) fn new(label: &str, url: &Url, reason: Reason) -> Self {
        Self { label: label.to_owned(), url: without_secrets(url), reason, needed: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}: {}", self.label, self.url, self.reason)?;
        match &self.needed {
            Some(needed) => write!(f, "\n    {needed}"),
            None => Ok(()),
        }
    }
}

/// `1 of 1 package`, `1 of 3 packages`
fn share(some: usize, all: usize) -> String {
    format!("{some} of {all} {}", if all == 1 { "package" } else { "packages" })
}

/// Why a run could not get all files.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Some files could not be downloaded. All others are in the cache.
    #[error("{} could not be downloaded{}", share(failures.len(), *wanted), Listing::of_failures(failures, *wanted))]
    Failed {
        /// The failed files, in the order of the request. Never empty.
        failures: Vec<Failure>,
        /// How many files were requested.
        wanted: usize,
    },
    /// The run is offline, and some files are not in the cache.
    #[error("{} {} not in the cache{}", share(missing.len(), *wanted), if missing.len() == 1 { "is" } else { "are" }, Listing::of(missing))]
    Missing {
        /// The labels of the missing files, in the order of the request. Never empty.
        missing: Vec<String>,
        /// How many files were requested.
        wanted: usize,
    },
    /// The HTTP client cannot be created.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The runtime cannot start, or one of its threads ended.
    #[error("cannot run downloads: {0}")]
    Runtime(String),
}

impl FetchError {
    /// Returns the first failure if all files are missing at their host: it answered 404 or 410.
    pub fn not_found(&self) -> Option<&Failure> {
        let is_absent = |failure: &Failure| matches!(failure.reason, Reason::Status { status: 404 | 410, .. });
        match self {
            Self::Failed { failures, .. } if failures.iter().all(is_absent) => failures.first(),
            _ => None,
        }
    }
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
                    failures.iter().filter_map(|failure| failure.reason.hint(&failure.url, &failure.label)).collect();
                hints.into_iter().collect()
            }
            Self::Missing { .. } => vec!["run once without `--offline`".to_owned()],
            Self::Cache(error) => error.hints(),
            Self::Client(error) => error.hints(),
            Self::Runtime(_) => Vec::new(),
        }
    }
}

/// Displays items, each on its own line: all that count as `shown`, or the first [`LISTED`] of them with the number of the rest.
struct Listing<'a, T> {
    items: Vec<&'a T>,
    shown: usize,
}

impl<'a, T> Listing<'a, T> {
    fn of(items: &'a [T]) -> Self {
        Self { items: items.iter().collect(), shown: LISTED }
    }
}

impl<'a> Listing<'a, Failure> {
    /// Lists all files that have a reason of their own, first. If every file of a run failed, its registry is probably wrong,
    /// and the names say nothing.
    fn of_failures(failures: &'a [Failure], wanted: usize) -> Self {
        let (own, others): (Vec<_>, Vec<_>) = failures.iter().partition(|failure| failure.reason.is_of_file());
        let own_shown = if failures.len() == wanted { 0 } else { own.len() };
        let shown = own_shown.max(LISTED);
        Self { items: own.into_iter().chain(others).collect(), shown }
    }
}

impl<T: fmt::Display> fmt::Display for Listing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in self.items.iter().take(self.shown) {
            write!(f, "\n  {item}")?;
        }
        match self.items.len().saturating_sub(self.shown) {
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

    /// Case X4.
    #[test]
    fn each_file_with_a_reason_of_its_own_is_listed() {
        let url = Url::parse("https://r.example/a.tgz").unwrap();
        let failure = |number: usize, reason| Failure::new(&format!("p{number}@1.0.0"), &url, reason);
        let gone =
            || Reason::Status { status: 404, retry_after: None, access: Access::Anonymous, format: Format::Bun(1) };
        let failures: Vec<Failure> = (0..13).map(|number| failure(number, gone())).collect();
        let text = FetchError::Failed { failures, wanted: 20 }.to_string();
        assert!((0..13).all(|number| text.contains(&format!("p{number}@"))) && !text.contains(" more"), "{text}");
        // The reason of the others is the network.
        let stalled = (0..13).map(|number| failure(number, if number == 12 { gone() } else { Reason::Stalled }));
        let text = FetchError::Failed { failures: stalled.collect(), wanted: 20 }.to_string();
        assert!(text.contains("\n  p12@1.0.0 from") && text.ends_with("and 3 more"), "{text}");
        let failures: Vec<Failure> = (0..13).map(|number| failure(number, gone())).collect();
        assert!(FetchError::Failed { failures, wanted: 13 }.to_string().ends_with("and 3 more"));
    }

    #[test]
    fn urls_are_shown_without_secrets() {
        let url = Url::parse("https://us:pw@h.example/a.tgz?sig=s#x").unwrap();
        assert_eq!(without_secrets(&url).as_str(), "https://h.example/a.tgz");
    }
}
