//! Bringing tarballs here: registries and credentials, the cache, downloads. Nothing else opens a connection, nor has git open one.
//!
//! [`ProjectRegistries`](crate::split::ProjectRegistries) is what a repository says, without secrets, and may be recorded. [`Registries`] adds the user's
//! files, variables and credentials, and is for requests only. [`Downloader`] fills a [`Cache`]; [`from_cache_only`]
//! reads it without network. All of it is asynchronous inside, and [`run`] is the way in for callers that are not.

mod archive;
mod cache;
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
mod test_server;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use archive::{ArchiveError, repack};
pub use cache::{Cache, CacheError, Stored};
pub use client::ClientError;
pub use credentials::Access;
pub use download::{DEFAULT_JOBS, DownloadOrigin, Downloader, Fetched, Progress, Silent, Wanted, from_cache_only};
pub use environment::Environment;
pub use failure::{Failure, FetchError, Reason};
pub use git::FetchGitError;
pub use manifest::{ManifestError, manifest_in_tarball};
pub use metadata::{MetadataError, PackageVersion, package_version_from_cache};
pub use registries::Registries;
pub use secret::Secret;

/// How long threads may go on after the end of a future, with a last write or a look-up of a name that hangs.
const GRACE: Duration = Duration::from_millis(200);

/// Runs a future of this module to its end on threads of its own.
pub fn run<F: Future>(future: F) -> Result<F::Output, FetchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| FetchError::Runtime(error.to_string()))?;
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(GRACE);
    Ok(output)
}
