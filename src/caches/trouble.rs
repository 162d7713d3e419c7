//! Why a cache does not answer: [`Trouble`].

use std::time::Duration;

/// Why a cache does not answer, or does not answer as a cache does. Nothing here is fatal: another cache may have everything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The host cannot be reached.
    #[error("no connection: {0}")]
    Connect(String),
    /// The certificate is not trusted.
    #[error("its certificate is not trusted: {0}")]
    Certificate(String),
    /// Nothing moves.
    #[error("it sent no answer in time")]
    Stalled,
    /// The connection was cut.
    #[error("the answer was cut off: {0}")]
    Transfer(String),
    /// It wants credentials, or refuses them.
    #[error("it answered {status} to a request {}", if *has_credentials { "with credentials" } else { "without credentials" })]
    Denied {
        /// The status.
        status: u16,
        /// Whether credentials were sent.
        has_credentials: bool,
    },
    /// It throttles this machine.
    #[error("it answered 429, too many requests{}", asks(*retry_after))]
    Throttled {
        /// The pause that it asks for.
        retry_after: Option<Duration>,
    },
    /// It has a fault of its own.
    #[error("it answered {0}")]
    Status(u16),
    /// It takes no file.
    #[error("it answered {0} to PUT")]
    Refused(u16),
    /// It has no `nix-cache-info`.
    #[error("it is no binary cache: {0}")]
    NoCache(String),
    /// Its store paths are those of another folder.
    #[error("it has the store {found}, but this machine has {expected}")]
    Store {
        /// The store of the cache.
        found: String,
        /// The store of this machine.
        expected: String,
    },
    /// A program that asks for splitter failed.
    #[error("{0}")]
    Program(String),
    /// Only a tool's configuration knows where it is.
    #[error("the server `{0}` is not in the configuration of attic on this machine")]
    UnknownServer(String),
}

fn asks(pause: Option<Duration>) -> String {
    pause.map_or_else(String::new, |pause| format!(", and asks for a pause of {} s", pause.as_secs()))
}

impl Trouble {
    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Stalled | Self::Transfer(_) | Self::Throttled { .. } => true,
            Self::Status(status) => crate::fetch::is_transient(*status),
            _ => false,
        }
    }

    /// Returns the name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Certificate(_) => "certificate",
            Self::Stalled => "stalled",
            Self::Transfer(_) => "transfer",
            Self::Denied { .. } => "denied",
            Self::Throttled { .. } => "throttled",
            Self::Status(_) => "status",
            Self::Refused(_) => "refused",
            Self::NoCache(_) => "noCache",
            Self::Store { .. } => "store",
            Self::Program(_) => "program",
            Self::UnknownServer(_) => "unknownServer",
        }
    }

    /// Returns what to do.
    pub fn hint(&self, address: &str) -> Option<String> {
        Some(match self {
            Self::Denied { has_credentials: true, .. } => {
                format!("check that the token of this machine may read {address}")
            }
            Self::Denied { .. } => format!(
                "give this machine a token for {address}: in CACHIX_AUTH_TOKEN, with `attic login`, or in the file that Nix's \
                 setting `netrc-file` names"
            ),
            Self::Throttled { .. } => {
                "wait: Nix would wait for minutes as well, so take the cache out of `substituters` until then".to_owned()
            }
            Self::Status(_) => {
                "set `fallback = true` in nix.conf: without it, Nix fails a build for such an answer instead of building".to_owned()
            }
            Self::Certificate(_) => "set SSL_CERT_FILE to a PEM file with the certificate of its authority".to_owned(),
            Self::NoCache(_) if address.starts_with("file:") => {
                format!("check the address; to make the folder a cache, run `splitter cache push --to {address}`")
            }
            Self::NoCache(_) if address.starts_with("http") => {
                format!("check the address; to make an empty server a cache, run `splitter cache push --to {address}`")
            }
            Self::NoCache(_) => "check the address".to_owned(),
            Self::Connect(_) | Self::Stalled => format!("check that this machine reaches {address}"),
            Self::UnknownServer(server) => {
                format!("run `attic login {server} URL TOKEN`, or name the server by its host: `attic:HOST/NAME`")
            }
            Self::Transfer(_) | Self::Store { .. } | Self::Program(_) | Self::Refused(_) => return None,
        })
    }
}
