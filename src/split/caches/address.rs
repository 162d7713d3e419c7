//! The address of a cache: [`Address`].

use std::{collections::BTreeMap, fmt, str::FromStr};

use url::Url;

use crate::{
    diagnostic::{Category, Diagnose, did_you_mean},
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
            Self::Form(text) => hint_of_form(text).into_iter().collect(),
            Self::Password(_) => vec!["put it into the file that Nix's setting `netrc-file` names".to_owned()],
            Self::Parameter { parameter, .. } if parameter.starts_with("secret-key") => {
                vec!["name the file in the variable SPLITTER_CACHE_KEY_FILE".to_owned()]
            }
            Self::OldSsh(text) => vec![format!("write `{}`", text.replacen("ssh://", "ssh-ng://", 1))],
            _ => Vec::new(),
        }
    }
}

/// The starts of addresses.
const SCHEMES: [&str; 7] = ["cachix", "attic", "https", "http", "s3", "file", "ssh-ng"];

/// Returns the address that a text of another form probably means.
fn hint_of_form(text: &str) -> Option<String> {
    let scheme = text.split(':').next().filter(|_| text.contains(':')).unwrap_or_default();
    let is_known = SCHEMES.contains(&scheme);
    if text.starts_with('/') {
        return Some(format!("write `file://{text}` for a folder"));
    }
    if text.starts_with(['.', '~']) || scheme == "file" {
        return Some("write `file:///…` with the absolute path of the folder".to_owned());
    }
    if scheme == "attic" {
        return Some("write `attic:SERVER/NAME`".to_owned());
    }
    if is_known {
        return Some(format!("write `{scheme}://…`")).filter(|_| !text.contains("://"));
    }
    let is_host = |host: &str| host.contains('.') || host == "localhost" || text.contains('/');
    let (host, rest) = text.split_once([':', '/']).unwrap_or((text, ""));
    let is_port = rest.starts_with(|first: char| first.is_ascii_digit());
    if !text.contains("://") && !host.is_empty() && is_host(host) && (scheme.is_empty() || scheme == host && is_port) {
        return Some(format!("write `https://{text}` for a web server"));
    }
    if scheme.is_empty() {
        return Some(format!("write `cachix:{text}` for a cache of Cachix, or `file:///…` for a folder"))
            .filter(|_| !text.is_empty());
    }
    did_you_mean(SCHEMES, scheme)
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

    /// Whether only this machine has the cache: a folder, or a server on a loopback address.
    pub fn is_of_this_machine(&self) -> bool {
        let is_here = |url: &Url| crate::fetch::leads_to_loopback(url);
        match self {
            Self::File { .. } => true,
            Self::Attic { server, .. } => {
                attic_endpoint(server).is_some_and(|url| Url::parse(&url).is_ok_and(|url| is_here(&url)))
            }
            Self::S3 { .. } | Self::Cachix { .. } => false,
            Self::Http { url } => is_here(url),
            // Hosts of other schemes are not read as numbers.
            Self::Ssh { url } => {
                url.host_str().is_some_and(|host| Url::parse(&format!("http://{host}")).is_ok_and(|url| is_here(&url)))
            }
        }
    }

    /// Whether a repository may name this address. Parameters of another machine can name programs that run there.
    pub fn is_plain(&self) -> bool {
        !matches!(self, Self::Ssh { url } if url.query().is_some())
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
            // A host that starts with a dash would be an option of ssh.
            "ssh-ng" if url.host_str().is_some_and(is_ssh_host) && !url.username().starts_with('-') => {
                Ok(Self::Ssh { url })
            }
            "ssh" => Err(AddressError::OldSsh(shown())),
            // `file://folder` would be a host.
            "file" if url.host_str().is_none_or(str::is_empty) && url.path().len() > 1 => Ok(Self::File { url }),
            _ => Err(AddressError::Form(shown())),
        }
    }
}

fn is_ssh_host(host: &str) -> bool {
    !host.is_empty() && !host.starts_with('-') && !host.starts_with('%')
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
        for (text, is_here) in [
            ("file:///srv/cache", true),
            ("http://127.0.0.1:8080/a", true),
            ("http://[::1]/a", true),
            ("attic:localhost:8080/acme", true),
            ("attic:ci/acme", false),
            ("ssh-ng://127.0.0.1", true),
            ("ssh-ng://user@builder", false),
            ("https://cache.example.org", false),
            ("cachix:acme", false),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_of_this_machine(), is_here, "{text}");
        }
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
            "ssh-ng://-oProxyCommand=x",
            "ssh-ng://-l@host",
            "https://",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_hint_names_the_address_that_was_probably_meant() {
        for (text, hint) in [
            ("/tmp/x", "write `file:///tmp/x` for a folder"),
            ("./x", "write `file:///…` with the absolute path of the folder"),
            ("file:x", "write `file:///…` with the absolute path of the folder"),
            ("file://host/x", "write `file:///…` with the absolute path of the folder"),
            ("host.example", "write `https://host.example` for a web server"),
            ("host.example/acme", "write `https://host.example/acme` for a web server"),
            ("host.example:8080/acme", "write `https://host.example:8080/acme` for a web server"),
            ("acme", "write `cachix:acme` for a cache of Cachix, or `file:///…` for a folder"),
            ("attic:acme", "write `attic:SERVER/NAME`"),
            ("https:host.example", "write `https://…`"),
            ("cachx:acme", "did you mean `cachix`?"),
            ("htps://host.example", "did you mean `https`?"),
            ("", ""),
            ("vax://x", ""),
        ] {
            assert_eq!(text.parse::<Address>().unwrap_err().hints().join("; "), hint, "{text}");
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
