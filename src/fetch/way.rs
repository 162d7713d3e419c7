//! The part of a repository's settings that decides how hosts are reached: [`Way`].

use super::{fields::Fields, layers::Settings};

/// A digest of the proxies, certificates and credentials that a repository's own files set. It is one value for all
/// hosts, because a redirect may lead to any of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way(blake3::Hash);

impl Way {
    /// Computes the digest. `all` are the settings of all files and variables; `users` are those without the
    /// repository's files.
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

    /// Returns the digest.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.0
    }
}
