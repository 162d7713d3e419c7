//! [`Way`].

use super::{fields::Fields, layers::Settings};

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

    /// A digest of it.
    pub(super) fn digest(&self) -> blake3::Hash {
        self.0
    }
}
