//! What a repository's settings do with secrets of the user: [`Caution`].
//!
//! Package managers send a token without a URL to whatever registry the repository names, and replace variables in the
//! repository's settings. splitter keeps such a token back, replaces the variables, and says both. It says nothing of
//! hosts that get no request.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use camino::{Utf8Path, Utf8PathBuf};
use url::Url;

use super::credentials::keys_of;
use crate::{
    diagnostic::Position,
    lockfile::Format,
    managers::{ManagerName, registries::is_npms},
};

/// Something that the user should know about one of their secrets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caution {
    /// Credentials of the user were not sent, because only the repository names the registry.
    KeptBack {
        /// The setting or the variable that holds them, with its file.
        secret: String,
        /// The registry, without its scheme and the last `/`.
        registry: String,
    },
    /// Credentials of the user were not sent, because the repository chooses both the proxy and the certificates.
    Exposed {
        /// The host.
        host: String,
    },
    /// A setting of the repository sent a variable of the user.
    Sent {
        /// The file.
        path: Utf8PathBuf,
        /// The line, if known.
        line: Option<usize>,
        /// The variable.
        variable: String,
        /// The registry or proxy that got it, without its scheme and the last `/`.
        to: String,
    },
}

impl Caution {
    pub(super) fn sent(path: &Utf8Path, position: Option<Position>, variable: String, to: &str) -> Self {
        let line = position.map(|position| position.line);
        Self::Sent { path: path.to_owned(), line, variable, to: bare(to) }
    }

    /// Returns what to do, in terms of the package manager's settings.
    pub fn hint(&self, format: Format) -> String {
        let remedies = ManagerName::from(format).manager().remedies();
        match self {
            Self::KeptBack { registry, .. } => {
                format!("if `{registry}` may have it, add it to {}", (remedies.token)(registry))
            }
            Self::Exposed { .. } => {
                "if you trust the proxy, set it and its certificates in your own settings or variables".to_owned()
            }
            Self::Sent { to, .. } => format!(
                "if `{to}` may have it, add the credentials to your own {}; otherwise replace the secret",
                (remedies.token)(to)
            ),
        }
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeptBack { secret, registry } => {
                write!(f, "{secret} was not sent to `{registry}`, because only the repository names that registry")
            }
            Self::Exposed { host } => write!(
                f,
                "your credentials were not sent to `{host}`, because the repository sets both the proxy and the trusted certificates"
            ),
            Self::Sent { path, line, variable, to } => {
                write!(f, "{path}")?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
                write!(f, " sent the variable `{variable}` to `{to}`")
            }
        }
    }
}

/// The requests that a caution is about.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    /// Those with credentials to URLs below a nerf dart.
    Credentials(String),
    /// Those without credentials to URLs below a nerf dart.
    Missing(String),
    /// All requests to URLs below a nerf dart.
    Below(String),
    /// All requests.
    All,
}

/// A caution, and the requests that make it true.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) reach: Reach,
    pub(super) caution: Caution,
}

impl Pending {
    /// Whether the host is npm's own.
    pub(super) fn is_about_npm(&self) -> bool {
        let host = match &self.caution {
            Caution::KeptBack { registry: host, .. } | Caution::Sent { to: host, .. } | Caution::Exposed { host } => {
                host
            }
        };
        Url::parse(&format!("https://{host}/")).is_ok_and(|url| is_npms(&url))
    }

    /// Creates the caution for credentials that are not sent below a nerf dart.
    pub(super) fn kept_back(key: String, secret: &str) -> Self {
        // The key of a scope, or of all scopes, has an `@` behind the registry.
        let registry = bare(key.split('@').next().unwrap_or_default());
        Self { reach: Reach::Missing(key), caution: Caution::KeptBack { secret: secret.to_owned(), registry } }
    }
}

/// The cautions of a run. Clones share what was raised.
#[derive(Clone, Default)]
pub(super) struct Cautions {
    pending: Vec<Pending>,
    raised: Arc<Mutex<BTreeSet<Caution>>>,
}

impl Cautions {
    pub(super) fn new(pending: Vec<Pending>) -> Self {
        Self { pending, raised: Arc::default() }
    }

    /// Raises the cautions that a request makes true.
    pub(super) fn requested(&self, url: &Url, has_credentials: bool) {
        for Pending { reach, caution } in &self.pending {
            let is_true = match reach {
                Reach::Credentials(key) => has_credentials && is_below(url, key),
                Reach::Missing(key) => !has_credentials && is_below(url, key),
                Reach::Below(key) => is_below(url, key),
                Reach::All => true,
            };
            if is_true {
                self.raise(caution.clone());
            }
        }
    }

    pub(super) fn raise(&self, caution: Caution) {
        // A poisoned lock is harmless: cautions are only added.
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).insert(caution);
    }

    pub(super) fn raised(&self) -> Vec<Caution> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

fn is_below(url: &Url, key: &str) -> bool {
    let key = key.trim_end_matches('/');
    keys_of(url).any(|of_url| of_url.trim_end_matches('/') == key)
}

/// Returns a nerf dart without its slashes at both ends.
fn bare(key: &str) -> String {
    key.trim_start_matches("//").trim_end_matches('/').to_owned()
}
