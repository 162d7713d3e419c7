//! The binary caches that `--cache` names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::settings::is_plain;

/// A binary cache, as options and `splitter.json` name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `cachix:NAME`.
    Cachix(String),
    /// `attic:SERVER/NAME`.
    Attic {
        /// The name of the server in Attic's own settings.
        server: String,
        /// The cache.
        name: String,
    },
    /// The URL of a store of Nix.
    Store(String),
}

/// A text that names no cache.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `cachix:NAME`, `attic:SERVER/NAME` or the URL of a store (s3, http, https, file, ssh-ng)")]
pub struct TargetError;

/// The schemes of stores that CI can push to.
const SCHEMES: [&str; 5] = ["s3", "http", "https", "file", "ssh-ng"];

impl Target {
    /// Returns the URL that Nix reads the cache at, if it is known without the cache's own tool.
    pub fn substituter(&self) -> Option<&str> {
        match self {
            Self::Store(url) => Some(url),
            Self::Cachix(_) | Self::Attic { .. } => None,
        }
    }

    /// Returns the name of a cache of Cachix.
    pub fn cachix(&self) -> Option<&str> {
        match self {
            Self::Cachix(name) => Some(name),
            Self::Attic { .. } | Self::Store(_) => None,
        }
    }

    /// Returns whether the URL has this scheme.
    pub fn has_scheme(&self, scheme: &str) -> bool {
        matches!(self, Self::Store(url) if url.split("://").next() == Some(scheme))
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let is_name = |name: &str| {
            is_plain(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let target = if let Some(name) = text.strip_prefix("cachix:") {
            is_name(name).then(|| Self::Cachix(name.to_owned()))
        } else if let Some(rest) = text.strip_prefix("attic:") {
            let (server, name) = rest.split_once('/').ok_or(TargetError)?;
            (is_name(server) && is_name(name)).then(|| Self::Attic { server: server.to_owned(), name: name.to_owned() })
        } else {
            let is_known =
                text.split_once("://").is_some_and(|(scheme, rest)| SCHEMES.contains(&scheme) && !rest.is_empty());
            (is_known && is_plain(text)).then(|| Self::Store(text.to_owned()))
        };
        target.ok_or(TargetError)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cachix(name) => write!(f, "cachix:{name}"),
            Self::Attic { server, name } => write!(f, "attic:{server}/{name}"),
            Self::Store(url) => f.write_str(url),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_named_as_their_tools_name_them() {
        for text in
            ["cachix:acme", "attic:home/acme", "s3://bucket?region=x", "file:///srv/cache", "ssh-ng://build@host"]
        {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in
            ["", "acme", "cachix:", "cachix:a b", "cachix:a$b", "attic:acme", "ftp://x", "https://", "https://a\"b"]
        {
            assert_eq!(text.parse::<Target>(), Err(TargetError), "{text}");
        }
    }
}
