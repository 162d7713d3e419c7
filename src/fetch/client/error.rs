//! [`ClientError`].

use camino::Utf8PathBuf;

use crate::diagnostic::{Category, Diagnose, Location};

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of certificates cannot be read.
    #[error("cannot read the certificates in `{path}`: {reason}")]
    Certificates {
        /// The file of `cafile` or `NODE_EXTRA_CA_CERTS`.
        path: Utf8PathBuf,
        /// Why.
        reason: String,
    },
    /// The certificates in a setting itself are none.
    #[error("the `ca` of .npmrc or bunfig.toml holds no certificate in PEM")]
    Authority,
    /// A client certificate and its key are none. Neither is shown.
    #[error("the client certificate and its key are not usable{}: {reason}", at(path.as_ref()))]
    Identity {
        /// The file of the certificate, where it is one.
        path: Option<Utf8PathBuf>,
        /// Why.
        reason: String,
    },
    /// A proxy is not a URL. The text is not shown, as it may carry a password.
    #[error("the `{key}` that is configured is not the URL of a proxy")]
    Proxy {
        /// The key.
        key: &'static str,
    },
    /// The client does not start, for want of system certificates for example.
    #[error("cannot start the HTTP client: {0}")]
    Start(String),
}

fn at(path: Option<&Utf8PathBuf>) -> String {
    path.map_or_else(String::new, |path| format!(" (`{path}`)"))
}

impl Diagnose for ClientError {
    fn category(&self) -> Category {
        match self {
            Self::Certificates { .. } | Self::Start(_) => Category::Environment,
            Self::Proxy { .. } | Self::Authority | Self::Identity { .. } => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Certificates { path, .. } => Some(Location::file(path.clone())),
            Self::Identity { path, .. } => path.clone().map(Location::file),
            Self::Proxy { .. } | Self::Authority | Self::Start(_) => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Start(_) => vec!["name a file of trusted certificates in SSL_CERT_FILE".to_owned()],
            Self::Identity { .. } => vec!["both have to be PEM, the key without a passphrase".to_owned()],
            Self::Certificates { .. } | Self::Proxy { .. } | Self::Authority => Vec::new(),
        }
    }
}
