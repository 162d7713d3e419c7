//! Downloads for commands: from the network and the cache, or only from the cache.

use super::{arguments::FetchingOptions, failure::Failure, printer::Printer, progress::DownloadProgress};
use crate::{
    fetch::{Cache, Downloader, Environment, FetchError, Registries},
    managers::RegistryError,
    repo::WorkTree,
    scaffold::{
        record::Kept,
        update::{Extent, FromCache, Online, Update, update},
    },
    split::Split,
};

/// Creates the record of a split. With `--offline` only the cache is read.
pub(super) fn bring_up_to_date(
    repo: &WorkTree,
    split: &Split,
    old: Option<&Kept>,
    options: &FetchingOptions,
    extent: &Extent,
    printer: Printer,
) -> Result<Update, Failure> {
    let environment = Environment::of_process();
    let cache = cache(&environment)?;
    let registries = registries(repo, split, &environment)?;
    if options.offline {
        let source = FromCache { cache: &cache, registries: &registries };
        return Ok(update(split, old, &source, extent)?);
    }
    let downloader = Downloader::new(registries, cache, options.jobs);
    let progress = DownloadProgress::new(printer);
    Ok(update(split, old, &Online { downloader: &downloader, progress: &progress }, extent)?)
}

/// Returns the registries of a repository with the settings of this machine.
pub(super) fn registries(
    repo: &WorkTree,
    split: &Split,
    environment: &Environment,
) -> Result<Registries, RegistryError> {
    Registries::load(repo.root(), split.lockfile.format, &split.registries, environment)
}

/// Opens the cache of this machine.
pub(super) fn cache(environment: &Environment) -> Result<Cache, FetchError> {
    Ok(Cache::open(Cache::default_root(environment)?)?)
}
