//! Names of what is remembered although no lockfile vouches for it: bytes at their first sight, and documents of versions.
//!
//! All repositories of a user share the cache, and a repository is not trusted: its own files can name a registry, a proxy,
//! an authority or credentials. So the name of such an entry is a digest of everything in the repository's files that
//! decides whose bytes arrive: the addresses that are asked, and the way to them. The user's own files and variables
//! are trusted, so they count only through the addresses. An entry that two repositories share was asked for at the same
//! addresses, on the same way.

use camino::Utf8Path;
use fs_err as fs;
use url::Url;

use super::{layers::Settings, registries::Registries};
use crate::split::dependencies::Form;

/// The name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sight(String);

impl Sight {
    /// A name for a file or folder.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a repository's own files change on the way to any host. One value for all hosts, because a redirect may lead
/// to each of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way(blake3::Hash);

impl Way {
    /// `all` is what all files and variables say, `users` what they say without the repository's.
    pub(super) fn of(all: &Settings, users: Option<&Settings>) -> Self {
        let mut fields = Fields::default();
        let digest = |settings: &Settings| {
            let mut fields = Fields::default();
            settings.transports.describe(&mut fields);
            fields.finish()
        };
        let own = digest(all);
        if users.map(digest) != Some(own) {
            fields.text(own.to_hex().as_str());
        }
        for text in &all.credentials_of_repository {
            fields.text(text);
        }
        Self(fields.finish())
    }
}

impl Registries {
    /// Names what is first seen at `url`.
    pub(super) fn sight_of(&self, url: &Url, package: &str, form: &Form) -> Sight {
        let kind = match form {
            Form::Verbatim => "verbatim",
            Form::Repacked => "repacked",
            Form::Commit(id) => id,
        };
        self.sight(kind, &self.asked(url, package))
    }

    /// Names what the registry of a package says of its versions.
    pub(super) fn sight_of_versions(&self, package: &str) -> Sight {
        self.sight("versions", &[self.project().registry_for(package).clone(), self.registry_for(package).clone()])
    }

    fn sight(&self, kind: &str, asked: &[Url]) -> Sight {
        let mut fields = Fields::default();
        fields.text(kind);
        for url in asked {
            fields.text(url.as_str());
        }
        fields.text(self.way().0.to_hex().as_str());
        Sight(fields.finish().to_hex().to_string())
    }
}

/// A digest over texts, each with its length, so that no two lists are the same.
#[derive(Default)]
pub(super) struct Fields(blake3::Hasher);

impl Fields {
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// What a file holds, wherever it lies; its path if it cannot be read.
    pub(super) fn file(&mut self, path: &Utf8Path) {
        match fs::read(path) {
            Ok(bytes) => self.bytes(&bytes),
            Err(_) => self.text(path.as_str()),
        }
    }

    /// A proxy's URL without its password.
    pub(super) fn proxy(&mut self, text: &str) {
        match Url::parse(text) {
            Ok(mut url) if url.password().is_some() => {
                let _ = url.set_password(None);
                self.text(url.as_str());
            }
            _ => self.text(text),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    fn finish(&self) -> blake3::Hash {
        self.0.finalize()
    }
}
