//! Why a request to a registry fails: [`Trouble`].

use std::{io, time::Duration};

use crate::{fetch::is_transient, image::Digest};

/// Why a request, or every attempt of it, failed.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The host cannot be reached.
    #[error("no connection: {why}")]
    Connect {
        /// The system's error.
        why: String,
    },
    /// The host's certificate is not trusted.
    #[error("the certificate of the registry is not trusted: {why}")]
    Certificate {
        /// The cause.
        why: String,
    },
    /// The connection is open, but nothing moves.
    #[error("the connection stalled: the registry took or sent no data in time")]
    Stalled,
    /// The connection was cut.
    #[error("the transfer was interrupted: {why}")]
    Transfer {
        /// The cause.
        why: String,
    },
    /// The registry refuses the request.
    #[error("the registry answered {status}{}", after(message))]
    Status {
        /// The status.
        status: u16,
        /// The pause that the registry asked for.
        retry_after: Option<Duration>,
        /// What it says.
        message: String,
    },
    /// The registry refuses the credentials, or wants some.
    #[error("the registry answered {status}{}{}", if *is_anonymous { " to a request without credentials" } else { "" }, after(message))]
    Denied {
        /// The status.
        status: u16,
        /// What it says.
        message: String,
        /// Whether no credentials were found.
        is_anonymous: bool,
    },
    /// The answer does not follow the protocol.
    #[error("unexpected answer of the registry: {why}")]
    Answer {
        /// What is wrong.
        why: String,
    },
    /// The registry stored something else.
    #[error("the registry stored other content: expected {expected}, found {found}")]
    Digest {
        /// The digest of what was sent.
        expected: Digest,
        /// The digest in the answer.
        found: String,
    },
    /// The file to send cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
}

fn after(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Trouble {
    /// Whether the same request may succeed later.
    pub(in crate::image) fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Stalled | Self::Transfer { .. } | Self::Digest { .. } => true,
            Self::Status { status, .. } => is_transient(*status),
            Self::Certificate { .. } | Self::Denied { .. } | Self::Answer { .. } | Self::File(_) => false,
        }
    }

    /// Returns the hints of this error.
    pub(in crate::image) fn hints(&self, registry: &str) -> Vec<String> {
        let log_in = format!("log in: run `docker login {registry}` or `podman login {registry}`");
        match self {
            Self::Denied { is_anonymous: true, .. } => vec![log_in],
            Self::Denied { .. } => vec![format!("check that your account may push to this repository, or {log_in}")],
            Self::Status { status: 413, .. } => {
                vec![
                    "raise the largest request of the registry or of the proxy before it, or use `--compression zstd`"
                        .to_owned(),
                ]
            }
            Self::Status { status: 429, .. } => vec!["wait until the registry accepts requests again".to_owned()],
            Self::Status { status: 404, .. } => vec![format!("check that the repository exists on {registry}")],
            Self::Certificate { .. } => {
                vec!["set SSL_CERT_FILE to a PEM file with the certificate of its authority".to_owned()]
            }
            Self::Connect { .. } => {
                vec![format!("check the name of the registry, and that this machine reaches {registry}")]
            }
            _ => Vec::new(),
        }
    }
}
