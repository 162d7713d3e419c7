//! Archives that splitter makes of a download: of a repository's archive from its host, or of a git commit.
//!
//! The cache stores them like any other file, named by the digest of the archive that was made.

use url::Url;

use super::{
    archive,
    cache::{Cache, Inserted},
    client::reason_of,
    download::{Downloader, Fetched, Progress, Wanted, blocking},
    failure::Reason,
};
use crate::lockfile::{Algorithm, Integrity};

impl Downloader {
    /// Downloads a repository's archive from its host and repacks it. Makes one attempt.
    pub(super) async fn repack(&self, wanted: &Wanted, url: &Url, progress: &dyn Progress) -> Result<Fetched, Reason> {
        let mut response = self.request(url).await?;
        let mut bytes = Vec::new();
        let format = self.registries().format();
        while let Some(chunk) = response.chunk().await.map_err(|error| reason_of(&error, format))? {
            progress.received(chunk.len() as u64);
            bytes.extend_from_slice(&chunk);
        }
        self.keep(wanted, move || Ok(archive::repack(bytes.as_slice())?)).await
    }

    /// Fetches a commit with git and packs it. Makes one attempt.
    pub(super) async fn commit(&self, wanted: &Wanted, id: &str) -> Result<Fetched, Reason> {
        // Cannot fail: the semaphore is never closed.
        let _turn = self.git_turns.acquire().await;
        let commit = self.git.fetch(&wanted.url, id, self.cache().tmp()).await?;
        self.hosts.answered(&wanted.url);
        self.keep(wanted, move || Ok(commit.pack().map_err(super::git::FetchGitError::from)?)).await
    }

    /// Stores the result of `make` in the cache.
    async fn keep(
        &self,
        wanted: &Wanted,
        make: impl FnOnce() -> Result<Vec<u8>, Reason> + Send + 'static,
    ) -> Result<Fetched, Reason> {
        let expected = self.expected(wanted);
        let (cache, wants) = (self.cache().clone(), expected.clone());
        let inserted = blocking(move || insert(&cache, &make()?, wants.as_ref())).await?;
        self.judge(wanted, expected, inserted)
    }
}

fn insert(cache: &Cache, bytes: &[u8], expected: Option<&Integrity>) -> Result<Inserted, Reason> {
    let mut insertion = cache.begin(expected.map_or(Algorithm::Sha512, Integrity::algorithm))?;
    insertion.write(bytes)?;
    Ok(insertion.finish(expected)?)
}
