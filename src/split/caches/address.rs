//! The address of a cache: [`Address`].

use std::{collections::BTreeMap, fmt, str::FromStr};

use url::Url;

use crate::{
    diagnostic::{Category, Diagnose},
    secrets,
};

/// The forms, for messages.
const FORMS: &str = "`cachix:NAME`, `attic:SERVER/NAME`, or a URL of https, http, s3, file or ssh-ng";
/// Parameters of a store that are files with secrets, or secrets themselves.
const SECRET_PARAMETERS: [&str; 4] = ["secret-key", "secret-keys", "ssh-key", "netrc-file"];

/// The parameters of an address, such as `region` of `s3://bucket?region=eu-west-1`.
pub type Parameters = BTreeMap<String, String>;

/// The address of a binary cache, or of another store that serves as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// A cache of Cachix.
    Cachix {
        /// Its name.
        name: String,
    },
    /// A cache of an Attic server.
    Attic {
        /// The server: a host with or without a port, or its name in the configuration of `attic`.
        server: String,
        /// The name of the cache.
        name: String,
    },
    /// A bucket of S3.
    S3 {
        /// The URL.
        url: Url,
    },
    /// A folder.
    File {
        /// The URL. Its path is absolute.
        url: Url,
    },
    /// A web server.
    Http {
        /// The URL. Its path ends with `/`.
        url: Url,
    },
    /// The store of another machine.
    Ssh {
        /// The URL.
        url: Url,
    },
}

/// Why a text is not the address of a cache. No message repeats a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It has none of the forms.
    #[error("`{0}` is not the address of a cache: expected {FORMS}")]
    Form(String),
    /// The name has other characters.
    #[error("`{0}` is not the name of a cache: expected letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// The URL cannot be read.
    #[error("`{text}` is not a URL: {reason}")]
    Url {
        /// The text, without a password.
        text: String,
        /// The reason.
        reason: String,
    },
    /// It is the older protocol.
    #[error("`{0}` uses the old protocol: expected `ssh-ng://`")]
    OldSsh(String),
    /// It holds a password or a token.
    #[error("the address `{0}` holds a password, which logs and the process list would show")]
    Password(String),
    /// A parameter names a secret.
    #[error("the address `{address}` has the parameter `{parameter}`, which does not belong into an address")]
    Parameter {
        /// The address, without parameters.
        address: String,
        /// The parameter.
        parameter: String,
    },
}

impl Diagnose for AddressError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Form(text) if !text.contains(':') => {
                vec![format!("write `cachix:{text}` for a cache of Cachix, or `file:///…` for a folder")]
            }
            Self::Password(_) => vec!["put it into the file that Nix's setting `netrc-file` names".to_owned()],
            Self::Parameter { parameter, .. } if parameter.starts_with("secret-key") => {
                vec!["name the file in the variable SPLITTER_CACHE_KEY_FILE".to_owned()]
            }
            Self::OldSsh(text) => vec![format!("write `{}`", text.replacen("ssh://", "ssh-ng://", 1))],
            _ => Vec::new(),
        }
    }
}

impl Address {
    /// Returns the URL, if it is one.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Cachix { .. } | Self::Attic { .. } => None,
            Self::S3 { url } | Self::File { url } | Self::Http { url } | Self::Ssh { url } => Some(url),
        }
    }

    /// Returns the parameters.
    pub fn parameters(&self) -> Parameters {
        self.url().map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
    }

    /// Whether Nix takes paths of this cache without a signature, because its address says so.
    pub fn is_trusted(&self) -> bool {
        self.parameters().get("trusted").is_some_and(|value| matches!(value.as_str(), "true" | "1"))
    }

    /// Returns the address as Nix's settings have it: a URL without the parameters of uploads. Nothing for an Attic server that
    /// only the configuration of `attic` knows.
    pub fn substituter(&self) -> Option<String> {
        match self {
            Self::Cachix { name } => Some(format!("https://{name}.cachix.org")),
            Self::Attic { server, name } => Some(format!("{}/{name}", attic_endpoint(server)?)),
            _ => Some(self.to_string()),
        }
    }
}

/// Returns the URL of an Attic server that is named by its host. A name without a dot or a port is one of attic's
/// configuration.
pub fn attic_endpoint(server: &str) -> Option<String> {
    let host = server.split(':').next().unwrap_or_default();
    let is_here = matches!(host, "localhost" | "127.0.0.1");
    (is_here || server.contains(['.', ':'])).then(|| format!("{}://{server}", if is_here { "http" } else { "https" }))
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let shown = || secrets::masked(text);
        if let Some(name) = text.strip_prefix("cachix:") {
            return Ok(Self::Cachix { name: cache_name(name)? });
        }
        if let Some(rest) = text.strip_prefix("attic:") {
            let (server, name) = rest.split_once('/').ok_or_else(|| AddressError::Form(shown()))?;
            return Ok(Self::Attic { server: server_name(server)?, name: cache_name(name)? });
        }
        if !text.contains("://") || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(AddressError::Form(shown()));
        }
        let url = Url::parse(text);
        let url = url.map_err(|error| AddressError::Url { text: shown(), reason: error.to_string() })?;
        refuse_secrets(&url, &shown())?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Http { url: as_folder(url) }),
            "s3" if url.host_str().is_some_and(|bucket| !bucket.is_empty()) => Ok(Self::S3 { url }),
            "ssh-ng" if url.host_str().is_some_and(|host| !host.is_empty()) => Ok(Self::Ssh { url }),
            "ssh" => Err(AddressError::OldSsh(shown())),
            // `file://folder` would be a host.
            "file" if url.host_str().is_none_or(str::is_empty) && url.path().len() > 1 => Ok(Self::File { url }),
            _ => Err(AddressError::Form(shown())),
        }
    }
}

fn refuse_secrets(url: &Url, shown: &str) -> Result<(), AddressError> {
    let has_user = !url.username().is_empty() && matches!(url.scheme(), "http" | "https");
    if url.password().is_some() || has_user {
        return Err(AddressError::Password(shown.to_owned()));
    }
    let bad = url.query_pairs().find(|(name, _)| SECRET_PARAMETERS.contains(&name.as_ref()));
    if let Some((parameter, _)) = bad {
        let mut bare = url.clone();
        bare.set_query(None);
        return Err(AddressError::Parameter { address: bare.to_string(), parameter: parameter.into_owned() });
    }
    Ok(())
}

/// Ends the path with one `/`, so that names of files are joined to the whole path.
fn as_folder(mut url: Url) -> Url {
    url.set_path(&format!("{}/", url.path().trim_end_matches('/')));
    url.set_fragment(None);
    url
}

/// The names that Cachix and Attic allow, which also are one segment of a URL and one label of a host.
fn cache_name(text: &str) -> Result<String, AddressError> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(is_letter) {
        return Ok(text.to_owned());
    }
    Err(AddressError::Name(secrets::masked(text)))
}

fn server_name(text: &str) -> Result<String, AddressError> {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err(AddressError::Name(secrets::masked(text)));
    }
    cache_name(host).map(|_| text.to_owned())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cachix { name } => write!(f, "cachix:{name}"),
            Self::Attic { server, name } => write!(f, "attic:{server}/{name}"),
            Self::Http { url } if url.query().is_none() => f.write_str(url.as_str().trim_end_matches('/')),
            Self::S3 { url } | Self::File { url } | Self::Http { url } | Self::Ssh { url } => f.write_str(url.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_and_printed() {
        for (text, substituter) in [
            ("cachix:acme", Some("https://acme.cachix.org")),
            ("attic:ci/acme", None),
            ("attic:cache.example.org/acme", Some("https://cache.example.org/acme")),
            ("attic:localhost:8080/acme", Some("http://localhost:8080/acme")),
            ("s3://acme?region=eu-west-1", Some("s3://acme?region=eu-west-1")),
            ("file:///srv/cache?compression=zstd", Some("file:///srv/cache?compression=zstd")),
            ("https://cache.example.org", Some("https://cache.example.org")),
            ("http://127.0.0.1:8080/a", Some("http://127.0.0.1:8080/a")),
            ("ssh-ng://user@builder", Some("ssh-ng://user@builder")),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.substituter().as_deref()), (text, substituter));
        }
        let folder: Address = "https://h.example/a".parse().unwrap();
        assert_eq!(folder.url().unwrap().join("x.narinfo").unwrap().path(), "/a/x.narinfo");
        assert!("http://h.example/?trusted=true".parse::<Address>().unwrap().is_trusted());
        assert!(!folder.is_trusted());
    }

    #[test]
    fn other_texts_are_refused_with_a_remedy() {
        let refused = |text: &str| {
            let error = text.parse::<Address>().unwrap_err();
            (error.to_string(), error.hints().join("; "))
        };
        let (message, hint) = refused("acme");
        assert!(message.contains("`acme`") && hint.contains("`cachix:acme`"), "{message} {hint}");
        let (message, hint) = refused("https://user:geheim@h.example");
        assert!(!message.contains("geheim") && hint.contains("netrc-file"), "{message} {hint}");
        assert!(refused("https://geheim@h.example").0.contains("password"));
        let (message, hint) = refused("file:///srv/cache?secret-key=/root/key");
        assert!(
            message.contains("secret-key") && !message.contains("/root") && hint.contains("SPLITTER_CACHE_KEY_FILE")
        );
        assert!(refused("ssh://host").1.contains("`ssh-ng://host`"));
        for text in [
            "",
            "cachix:",
            "cachix:a/b",
            "attic:a",
            "attic:a/",
            "attic:/a",
            "attic:a:x/b",
            "file://host/a",
            "file:///",
            "ftp://a",
            "https://",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(text in "(cachix:[a-z0-9]{1,5}|attic:[a-z]{1,3}(\\.[a-z]{2})?(:[1-9][0-9])?/[a-z]{1,4}|https?://[a-z]{1,5}(/[a-z]{0,3}){0,2}(\\?[a-z]=[a-z])?|s3://[a-z]{3}|file:///[a-z/]{1,5})") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }

        #[test]
        fn no_text_panics(text in "(cachix:|attic:|s3://|file://|https://|ssh-ng://)?\\PC{0,30}") {
            let _ = text.parse::<Address>();
        }
    }
}
