//! [`Reference`]: where an image goes, as people write it: `REGISTRY/REPOSITORY[:TAG]`.

use std::fmt;

use url::Url;

use crate::{
    diagnostic::{Category, Diagnose},
    fetch::is_this_machine,
};

/// The name of Docker Hub, the host that answers for it, and the key of its credentials.
pub(super) const DOCKER_HUB: (&str, &str, &str) = ("docker.io", "registry-1.docker.io", "https://index.docker.io/v1/");

/// A repository of a registry, and perhaps a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry as written: host and port.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The address of the registry, with a `/` at the end.
    address: Url,
}

/// Why a text names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It has no registry.
    #[error("`{text}` names no registry; expected `REGISTRY/REPOSITORY[:TAG]`, such as `ghcr.example/acme/web`")]
    NoRegistry {
        /// The text.
        text: String,
    },
    /// A part has other characters than registries allow.
    #[error("`{text}` is not the name of an image: {part} `{found}` is not valid")]
    Part {
        /// The text.
        text: String,
        /// The part.
        part: &'static str,
        /// What is there.
        found: String,
    },
    /// The registry is reached by plain HTTP, but is not on this machine.
    #[error("`{text}`: plain HTTP is only for registries on this machine")]
    PlainHttp {
        /// The text.
        text: String,
    },
}

impl Diagnose for ReferenceError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoRegistry { .. } => vec!["for Docker Hub, write `docker.io/` in front".to_owned()],
            Self::Part { part: "the repository", .. } => {
                vec!["use lower case letters, digits, and `.`, `_` or `-` between them".to_owned()]
            }
            Self::Part { .. } => Vec::new(),
            Self::PlainHttp { .. } => vec!["use `https://`, or forward a port of this machine".to_owned()],
        }
    }
}

impl Reference {
    /// Reads `[https://]REGISTRY/REPOSITORY[:TAG]`. Plain HTTP is for loopback hosts alone, and their default.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let owned = || text.to_owned();
        let part = |part, found: &str| ReferenceError::Part { text: owned(), part, found: found.to_owned() };
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
        let (registry, path) = rest.split_once('/').ok_or_else(|| ReferenceError::NoRegistry { text: owned() })?;
        let is_host = scheme.is_some() || registry == "localhost" || registry.contains(['.', ':']);
        if !is_host || registry.is_empty() {
            return Err(ReferenceError::NoRegistry { text: owned() });
        }
        let host = host(registry).ok_or_else(|| part("the registry", registry))?;
        let is_loopback = is_this_machine(&host);
        let is_plain = match scheme {
            None => is_loopback,
            Some("https") => false,
            Some("http") if is_loopback => true,
            Some("http") => return Err(ReferenceError::PlainHttp { text: owned() }),
            Some(other) => return Err(part("the scheme", other)),
        };
        let (repository, tag) = path.split_once(':').map_or((path, None), |(path, tag)| (path, Some(tag)));
        if !is_repository(repository) {
            return Err(part("the repository", repository));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(part("the tag", tag));
        }
        let host = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
        let scheme = if is_plain { "http" } else { "https" };
        let address = Url::parse(&format!("{scheme}://{host}/")).map_err(|_| part("the registry", registry))?;
        let (registry, repository, tag) = (registry.to_owned(), repository.to_owned(), tag.map(str::to_owned));
        Ok(Self { registry, repository, tag, address })
    }

    /// Returns the address of the registry, with a `/` at the end.
    pub fn address(&self) -> &Url {
        &self.address
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)
    }
}

/// Returns the host of `host[:port]`, if it is nothing else.
fn host(registry: &str) -> Option<url::Host<String>> {
    let url = Url::parse(&format!("https://{registry}/")).ok()?;
    let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
    let is_bare = is_bare && !registry.contains(['@', '?', '#', '\\']) && !registry.contains(char::is_whitespace);
    url.host().map(|host| host.to_owned()).filter(|_| is_bare)
}

/// Whether a text is the name of a repository, as the OCI distribution specification defines it.
pub fn is_repository(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separators = text.as_bytes().split(is_word).filter(|separator| !separator.is_empty());
    let bounded = text.as_bytes().first().is_some_and(is_word) && text.as_bytes().last().is_some_and(is_word);
    bounded
        && separators
            .all(|separator| matches!(separator, b"." | b"_" | b"__") || separator.iter().all(|byte| *byte == b'-'))
}

/// Whether a text is a tag.
pub fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_are_read() {
        for (text, expected) in [
            ("ghcr.example/acme/web:v1", "https://ghcr.example/ acme/web v1"),
            ("localhost/web", "http://localhost/ web -"),
            ("localhost:5000/a/b", "http://localhost:5000/ a/b -"),
            ("127.0.0.1:5000/web:x", "http://127.0.0.1:5000/ web x"),
            ("[::1]:5000/web", "http://[::1]:5000/ web -"),
            ("https://localhost:5000/web", "https://localhost:5000/ web -"),
            ("http://localhost:5000/web", "http://localhost:5000/ web -"),
            ("docker.io/acme/web", "https://registry-1.docker.io/ acme/web -"),
        ] {
            let found = Reference::parse(text).unwrap();
            let tag = found.tag.clone().unwrap_or("-".to_owned());
            assert_eq!(format!("{} {} {tag}", found.address(), found.repository), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "web",
            "acme/web",
            "/web",
            "ghcr.example/",
            "ghcr.example/Web",
            "ghcr.example/a//b",
            "ghcr.example/a:b/c",
            "ghcr.example/-a",
            "ghcr.example/a___b",
            "ghcr.example/a:.x",
            "http://ghcr.example/a",
            "ftp://localhost/a",
            "u:p@ghcr.example/a",
            "ghcr.example:x/a",
            "ghcr.example/../a",
            "http://localhost.example/a",
        ] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
        let names = ["a", "a-b", "a--b", "a__b", "a.b/c_d", "0"];
        assert!(names.into_iter().all(is_repository));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(reference.address().path(), "/");
            }
        }
    }
}
