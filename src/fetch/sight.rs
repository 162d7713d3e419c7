//! Names of cache entries that no lockfile vouches for: hashes of first downloads, and registry metadata of versions.
//!
//! All repositories of a user share the cache, but a repository is not trusted. Its files can name a registry, a proxy,
//! a certificate authority or credentials. So the name of an entry is a digest of everything in the repository's files
//! that decides where the bytes come from: the requested URLs and the way to them. The user's own files and variables
//! are trusted, so they count only through the URLs. Two repositories share an entry only if both request the same
//! URLs in the same way.

use url::Url;

use super::{fields::Fields, registries::Registries};
use crate::split::lock::dependencies::Form;

/// The name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sight(String);

impl Sight {
    /// Returns the name of the file or folder.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Registries {
    /// Returns the name for the first download from `url`.
    pub(super) fn sight_of(&self, url: &Url, package: &str, form: &Form) -> Sight {
        let kind = match form {
            Form::Verbatim => "verbatim",
            Form::Repacked => "repacked",
            Form::Commit(id) => id,
        };
        self.sight(kind, &self.asked(url, package))
    }

    /// Returns the name for the registry metadata of a package's versions.
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
