//! Downloads for commands: from the network and the cache, or only from the cache.

use std::time::Duration;

use super::{
    arguments::FetchingOptions, failure::Failure, printer::Printer, progress::DownloadProgress, style::NOTE,
    text::escape,
};
use crate::{
    diagnostic::{Category, Diagnose},
    fetch::{Cache, DEFAULT_STALL, Downloader, Environment, FetchError, Registries, STALL_VARIABLE},
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
    let downloader = Downloader::new(registries.clone(), cache, options.jobs).with_stall(stall(&environment)?);
    let progress = DownloadProgress::new(printer);
    let updated = update(split, old, &Online { downloader: &downloader, progress: &progress }, extent);
    warn_of_secrets(&registries, printer);
    Ok(updated?)
}

/// Prints what the repository's settings did with secrets of the user.
fn warn_of_secrets(registries: &Registries, printer: Printer) {
    for caution in registries.cautions() {
        printer.warning(escape(&caution.to_string()));
        printer.note(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&caution.hint(registries.format()))));
    }
}

/// Returns the registries of a repository with the settings of this machine.
pub(super) fn registries(
    repo: &WorkTree,
    split: &Split,
    environment: &Environment,
) -> Result<Registries, RegistryError> {
    Registries::load(repo.root(), split.lockfile.format, &split.registries, environment)
}

/// Returns the longest time without progress of a download.
pub(super) fn stall(environment: &Environment) -> Result<Duration, StallError> {
    let Some(text) = environment.get(STALL_VARIABLE) else { return Ok(DEFAULT_STALL) };
    let time = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| StallError(text.to_owned()))
}

/// The variable holds no time.
#[derive(Debug, thiserror::Error)]
#[error("`{STALL_VARIABLE}` is not a time: expected seconds, found `{0}`")]
pub(super) struct StallError(String);

impl Diagnose for StallError {
    fn category(&self) -> Category {
        Category::Input
    }
}

/// Opens the cache of this machine.
pub(super) fn cache(environment: &Environment) -> Result<Cache, FetchError> {
    Ok(Cache::open(Cache::default_root(environment)?)?)
}
