//! Downloads: registries, credentials and the cache. Only [`image`](crate::image) opens connections beside this module.
//!
//! [`ProjectRegistries`](crate::split::ProjectRegistries) are the registries of a repository. They hold no secrets and
//! may be recorded. [`Registries`] adds the user's files, variables and credentials, and is only for requests.
//! [`Downloader`] fills a [`Cache`], and [`from_cache_only`] reads it without network. The module is asynchronous;
//! synchronous callers use [`run`].

mod archive;
mod body;
mod cache;
mod cautions;
mod client;
mod credentials;
mod download;
mod environment;
mod failure;
mod fields;
mod git;
mod github;
mod hints;
mod hosts;
mod layers;
mod made;
mod manifest;
mod metadata;
mod registries;
mod resolver;
mod retry;
mod secret;
mod sight;
mod way;

#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use archive::{ArchiveError, repack};
pub use cache::{Cache, CacheError, Stored};
pub use cautions::Caution;
pub use client::ClientError;
pub(crate) use client::{cause_of, is_certificate_error, is_this_machine, leads_to_loopback, plain_client};
pub use credentials::Access;
pub use download::{
    DEFAULT_JOBS, DownloadOrigin, Downloader, Fetched, Progress, Purpose, Silent, Wanted, from_cache_only,
};
pub use environment::Environment;
pub use failure::{Failure, FetchError, Reason};
pub use git::FetchGitError;
pub use layers::outside::{Outside, find as settings_outside};
pub use manifest::{ManifestError, manifest_in_tarball};
pub use metadata::{MetadataError, PackageVersion, package_version_from_cache};
pub use registries::Registries;
pub use retry::{DEFAULT_STALL, STALL_VARIABLE};
pub(crate) use retry::{Patience, is_transient, retry_after};
pub use secret::Secret;

/// How long threads may continue after the future ends, for a last write or a host lookup that hangs.
const GRACE: Duration = Duration::from_millis(200);

/// Runs a future of this module on its own threads and waits for it.
pub fn run<F: Future>(future: F) -> Result<F::Output, FetchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| FetchError::Runtime(error.to_string()))?;
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(GRACE);
    Ok(output)
}
