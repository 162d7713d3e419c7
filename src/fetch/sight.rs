//! Names of what is remembered although no lockfile vouches for it: bytes at their first sight, and documents of versions.
//!
//! All repositories of a user share the cache, and a repository is not trusted: its own files can name a registry, a proxy,
//! an authority or credentials. So the name of such an entry is a digest of everything in the repository's files that
//! decides whose bytes arrive: the addresses that are asked, and the way to them. The user's own files and variables
//! are trusted, so they count only through the addresses. An entry that two repositories share was asked for at the same
//! addresses, on the same way.

use url::Url;

use super::{fields::Fields, registries::Registries};
use crate::split::lock::dependencies::Form;

/// The name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sight(String);

impl Sight {
    /// A name for a file or folder.
    pub(super) fn as_str(&self) -> &str {
        &self.0
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
        fields.text(self.way().digest().to_hex().as_str());
        Sight(fields.finish().to_hex().to_string())
    }
}
