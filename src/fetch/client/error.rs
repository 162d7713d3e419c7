//! Errors of creating an HTTP client: [`ClientError`].

use camino::Utf8PathBuf;

use crate::diagnostic::{Category, Diagnose, Location};

/// Why an HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A certificate file cannot be read.
    #[error("cannot read the certificates in `{path}`: {reason}")]
    Certificates {
        /// The file that `cafile` or `NODE_EXTRA_CA_CERTS` names.
        path: Utf8PathBuf,
        /// The reason.
        reason: String,
    },
    /// A setting does not hold the PEM certificate that it should.
    #[error("`ca` in .npmrc or bunfig.toml holds no PEM certificate")]
    Authority,
    /// A client certificate and its key are not usable. The message shows neither.
    #[error("cannot use the client certificate and its key{}: {reason}", at(path.as_ref()))]
    Identity {
        /// The certificate file, if a file is configured.
        path: Option<Utf8PathBuf>,
        /// The reason.
        reason: String,
    },
    /// A configured proxy is not a URL. The message does not show it, since it may hold a password.
    #[error("the configured `{key}` is not the URL of a proxy; expected `http://host:port`")]
    Proxy {
        /// The key.
        key: &'static str,
    },
    /// The client cannot start, for example because the system has no certificates.
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
            Self::Start(_) => vec!["set SSL_CERT_FILE to a file of trusted certificates".to_owned()],
            Self::Identity { .. } => vec!["give both as PEM, and the key without a passphrase".to_owned()],
            Self::Certificates { .. } | Self::Proxy { .. } | Self::Authority => Vec::new(),
        }
    }
}
