//! Sources of tarballs for an update: the network and the cache, or the cache alone.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::UpdateError;
use crate::{
    fetch::{self, Cache, Downloader, Fetched, MetadataError, PackageVersion, Progress, Purpose, Registries, Wanted},
    lockfile::Integrity,
};

/// One version of a package in a registry, or why it is not available.
pub type ProgramVersion = Result<PackageVersion, MetadataError>;

/// A source of tarballs.
pub trait Tarballs {
    /// Fetches all wanted tarballs, in the given order.
    fn bring(&self, wanted: &[Wanted], purpose: Purpose) -> Result<Vec<Fetched>, UpdateError>;

    /// Returns URL and integrity of one version of several packages.
    fn programs(&self, packages: &[&str], version: &str) -> Result<Vec<ProgramVersion>, UpdateError>;

    /// Removes a damaged tarball from the cache.
    fn forget(&self, integrity: &Integrity) -> Result<(), UpdateError>;
}

/// The cache, and the network for tarballs that are not cached.
pub struct Online<'a> {
    /// The downloader.
    pub downloader: &'a Downloader,
    /// Receives the progress.
    pub progress: &'a dyn Progress,
}

impl Tarballs for Online<'_> {
    fn bring(&self, wanted: &[Wanted], purpose: Purpose) -> Result<Vec<Fetched>, UpdateError> {
        self.progress.begins(purpose);
        Ok(fetch::run(self.downloader.fetch(wanted, self.progress))??)
    }

    fn programs(&self, packages: &[&str], version: &str) -> Result<Vec<ProgramVersion>, UpdateError> {
        let all = packages.iter().map(|name| self.downloader.package_version(name, version));
        Ok(fetch::run(join_all(all))?)
    }

    fn forget(&self, integrity: &Integrity) -> Result<(), UpdateError> {
        Ok(self.downloader.cache().forget(integrity).map_err(fetch::FetchError::from)?)
    }
}

/// The cache alone.
pub struct FromCache<'a> {
    /// The cache.
    pub cache: &'a Cache,
    /// The registries that it was filled from.
    pub registries: &'a Registries,
}

impl Tarballs for FromCache<'_> {
    fn bring(&self, wanted: &[Wanted], _purpose: Purpose) -> Result<Vec<Fetched>, UpdateError> {
        Ok(fetch::from_cache_only(self.cache, self.registries, wanted)?)
    }

    fn programs(&self, packages: &[&str], version: &str) -> Result<Vec<ProgramVersion>, UpdateError> {
        let find = |name: &str| fetch::package_version_from_cache(self.cache, self.registries, name, version);
        let found: BTreeMap<&str, Option<PackageVersion>> = packages.iter().map(|name| (*name, find(name))).collect();
        let missing: Vec<String> =
            found.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| format!("{name}@{version}")).collect();
        if !missing.is_empty() {
            return Err(fetch::FetchError::Missing { missing, wanted: packages.len() }.into());
        }
        Ok(packages.iter().filter_map(|name| found[name].clone()).map(Ok).collect())
    }

    fn forget(&self, integrity: &Integrity) -> Result<(), UpdateError> {
        Ok(self.cache.forget(integrity).map_err(fetch::FetchError::from)?)
    }
}
