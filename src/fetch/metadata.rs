//! Registry metadata of one package version: the URL of its tarball and the hash that it must match.
//!
//! splitter needs this for the package manager itself, which no lockfile lists. A published version never changes, so
//! the answer stays in the cache for good, and later runs need no network.
//!
//! Format: <https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>, the object of one version.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    cache::Cache,
    download::Downloader,
    failure::{Failure, FetchError, Reason},
    registries::Registries,
};
use crate::{
    diagnostic::{Category, Diagnose},
    lockfile::{Algorithm, Digest, Integrity},
    managers::registries::{is_npms, without_secrets},
    reading,
    split::lock::dependencies::usual_url,
};

/// The largest metadata document that is read, in bytes.
const LONGEST_DOCUMENT: usize = 4 << 20;

/// The tarball of a package version: its URL as it may be recorded, and its integrity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageVersion {
    /// The URL of the tarball: below the repository's registry, never below a user's mirror.
    pub url: Url,
    /// The integrity that the tarball must match.
    pub integrity: Integrity,
}

/// Why the metadata of a version is not available.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// The name or the version is not valid.
    #[error("`{0}` is not a package name with an exact version; expected a form such as `yarn@1.22.22`")]
    Name(String),
    /// The registry answered with an error, or the cache cannot be written.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The document is not valid metadata of this version.
    #[error("the metadata of {label} at `{url}` is not valid: {why}")]
    Document {
        /// The package, such as `yarn@1.22.22`.
        label: String,
        /// The URL of the document.
        url: Box<Url>,
        /// What is wrong with it.
        why: String,
    },
    /// The document names a tarball on another host.
    #[error("the tarball of {label} is not on the host of its registry: expected `{registry}`, found `{tarball}`")]
    Elsewhere {
        /// The package.
        label: String,
        /// The registry.
        registry: Box<Url>,
        /// The URL of the tarball, without secrets.
        tarball: Box<Url>,
    },
}

impl MetadataError {
    /// Returns the failure if the registry has no such version.
    pub fn not_found(&self) -> Option<&Failure> {
        match self {
            Self::Fetch(error) => error.not_found(),
            _ => None,
        }
    }
}

impl Diagnose for MetadataError {
    fn category(&self) -> Category {
        match self {
            Self::Name(_) | Self::Document { .. } | Self::Elsewhere { .. } => Category::Input,
            Self::Fetch(error) => error.category(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Name(_) | Self::Document { .. } => Vec::new(),
            Self::Elsewhere { .. } => vec![
                "configure the registry to name its own host in `dist.tarball`, or set SPLITTER_REGISTRY to a registry that \
                 does; builds run this program and no lockfile has its hash, so it must come from the registry itself"
                    .to_owned(),
            ],
            Self::Fetch(error) => error.hints(),
        }
    }
}

/// A [`PackageVersion`] as the cache stores it.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    integrity: Integrity,
}

#[derive(Deserialize)]
struct Document {
    name: String,
    version: String,
    dist: Dist,
}

#[derive(Deserialize)]
struct Dist {
    tarball: String,
    integrity: Option<Integrity>,
    /// The SHA-1 in hexadecimal. Versions published before 2017 have no other hash.
    shasum: Option<String>,
}

impl Downloader {
    /// Returns the tarball of an exact version, from the cache or from the registry.
    pub async fn package_version(&self, name: &str, version: &str) -> Result<PackageVersion, MetadataError> {
        check_name(name, version)?;
        if let Some(known) = package_version_from_cache(self.cache(), self.registries(), name, version) {
            return Ok(known);
        }
        let url = document_url(self.registries().registry_for(name), name, version)?;
        let failed = |reason| FetchError::Failed {
            failures: vec![Failure::new(&format!("{name}@{version}"), &url, reason)],
            wanted: 1,
        };
        let outcome = self.persevere(&url, async || self.document(&url).await).await.map_err(FetchError::from)?;
        let found = self.read_document(name, version, &url, &outcome.map_err(failed)?)?;
        let kept = Kept { url: found.url.as_str().to_owned(), integrity: found.integrity.clone() };
        let kept = serde_json::to_vec(&kept).map_err(|error| FetchError::Runtime(error.to_string()))?;
        let place = place(self.cache(), self.registries(), name, version);
        self.cache().write(&place, &kept).map_err(FetchError::from)?;
        Ok(found)
    }

    async fn document(&self, url: &Url) -> Result<Vec<u8>, Reason> {
        let mut body = self.request(url).await?;
        let mut document = Vec::new();
        while let Some(chunk) = body.next().await? {
            document.extend_from_slice(&chunk);
            if document.len() > LONGEST_DOCUMENT {
                return Err(Reason::TooLarge { most: LONGEST_DOCUMENT as u64 });
            }
        }
        Ok(document)
    }

    fn read_document(
        &self,
        name: &str,
        version: &str,
        url: &Url,
        body: &[u8],
    ) -> Result<PackageVersion, MetadataError> {
        let wrong = |why: String| MetadataError::Document {
            label: format!("{name}@{version}"),
            url: Box::new(url.clone()),
            why,
        };
        let document: Document = serde_json::from_slice(body).map_err(|error| wrong(error.to_string()))?;
        if document.name != name || document.version != version {
            return Err(wrong(format!("it describes {}@{}", document.name, document.version)));
        }
        let integrity = document.dist.integrity.or_else(|| of_shasum(&document.dist.shasum?));
        let integrity = integrity.ok_or_else(|| wrong("it has neither `integrity` nor `shasum`".to_owned()))?;
        let tarball =
            Url::parse(&document.dist.tarball).map_err(|_| wrong("its `dist.tarball` is not a URL".to_owned()))?;
        let url = self.url_to_record(&tarball, name, version)?;
        Ok(PackageVersion { url, integrity })
    }

    /// Returns the tarball URL to record, the same for every mirror. A mirror may name its own host in the document, or
    /// the registry that it mirrors.
    fn url_to_record(&self, tarball: &Url, name: &str, version: &str) -> Result<Url, MetadataError> {
        let registries = self.registries();
        let own = registries.project().registry_for(name);
        if registries.registry_for(name) != own {
            return Ok(usual_url(own, name, version));
        }
        // npm's registry has two host names.
        if tarball.origin() == own.origin() || (is_npms(tarball) && is_npms(own)) {
            return Ok(tarball.clone());
        }
        Err(MetadataError::Elsewhere {
            label: format!("{name}@{version}"),
            registry: Box::new(own.clone()),
            tarball: Box::new(without_secrets(tarball)),
        })
    }
}

/// Returns the tarball of a version if an earlier run stored it in the cache. Uses no network.
pub fn package_version_from_cache(
    cache: &Cache,
    registries: &Registries,
    name: &str,
    version: &str,
) -> Option<PackageVersion> {
    check_name(name, version).ok()?;
    let kept: Kept = serde_json::from_slice(&reading::bytes(place(cache, registries, name, version)).ok()?).ok()?;
    Some(PackageVersion { url: Url::parse(&kept.url).ok()?, integrity: kept.integrity })
}

/// Returns the path of a version in the cache, which depends on the registry and the way to it. `+` replaces `/`,
/// since no package name contains it.
fn place(cache: &Cache, registries: &Registries, name: &str, version: &str) -> Utf8PathBuf {
    let file = format!("{}@{version}.json", name.replace('/', "+"));
    cache.versions(&registries.sight_of_versions(name)).join(file)
}

/// Checks a name and a version. Both come from a repository and become part of a path and of a URL.
fn check_name(name: &str, version: &str) -> Result<(), MetadataError> {
    let bare = name.strip_prefix('@').unwrap_or(name);
    let mut parts = bare.split('/');
    let expected_parts = if name.starts_with('@') { 2 } else { 1 };
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let is_name = bare.split('/').count() == expected_parts && parts.all(is_part);
    let is_version = version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte));
    if is_name && is_version { Ok(()) } else { Err(MetadataError::Name(format!("{name}@{version}"))) }
}

fn document_url(registry: &Url, name: &str, version: &str) -> Result<Url, MetadataError> {
    // Without `./` a name could be parsed as a scheme.
    let path = format!("./{}/{version}", name.replace('/', "%2f"));
    registry.join(&path).map_err(|_| MetadataError::Name(format!("{name}@{version}")))
}

fn of_shasum(hex: &str) -> Option<Integrity> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    Digest::new(Algorithm::Sha1, &bytes).map(Integrity::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scoped_names_are_one_part_of_the_url() {
        let registry = Url::parse("https://registry.example/npm/").unwrap();
        let url = document_url(&registry, "@oven/bun-linux-x64", "1.4.4").unwrap();
        assert_eq!(url.as_str(), "https://registry.example/npm/@oven%2fbun-linux-x64/1.4.4");
    }

    #[test]
    fn what_is_no_name_reaches_neither_a_path_nor_a_url() {
        for (name, version) in
            [("../x", "1.0.0"), ("@a/b/c", "1.0.0"), ("a", "../1"), ("a", "latest"), ("@a", "1"), ("", "1")]
        {
            assert!(matches!(check_name(name, version), Err(MetadataError::Name(_))), "{name}@{version}");
        }
        assert!(check_name("@yarnpkg/cli-dist", "4.9.1-rc.1+x").is_ok());
    }
}
