//! Archives that splitter makes of a download: of a repository's archive from its host, or of a git commit.
//!
//! The cache stores them like any other file, named by the digest of the archive that was made.

use std::io::{self, BufReader, BufWriter, Seek as _, Write as _};

use url::Url;

use super::{
    archive,
    cache::{Cache, CacheError, Inserted, Insertion},
    download::{Downloader, Fetched, Progress, Wanted, blocking},
    failure::Reason,
    git::FetchGitError,
};
use crate::lockfile::{Algorithm, Integrity};

impl Downloader {
    /// Downloads a repository's archive from its host and repacks it. Makes one attempt.
    pub(super) async fn repack(&self, wanted: &Wanted, url: &Url, progress: &dyn Progress) -> Result<Fetched, Reason> {
        let mut body = self.request(url).await?;
        // Without a name, so that a killed run leaves nothing. Some hosts make archives that do not fit into memory.
        let mut file = tempfile::tempfile_in(self.cache().tmp()).map_err(CacheError::from)?;
        while let Some(chunk) = body.next().await? {
            progress.received(chunk.len() as u64);
            file.write_all(&chunk).map_err(CacheError::from)?;
        }
        let tmp = self.cache().tmp().to_owned();
        self.keep(wanted, move |mut out| {
            file.rewind().map_err(CacheError::from)?;
            Ok(archive::repack_to(BufReader::new(file), tmp.as_std_path(), &mut out)?)
        })
        .await
    }

    /// Fetches a commit with git and packs it. Makes one attempt.
    pub(super) async fn commit(&self, wanted: &Wanted, id: &str) -> Result<Fetched, Reason> {
        // Cannot fail: the semaphore is never closed.
        let _turn = self.git_turns.acquire().await;
        let commit = self.git.fetch(&wanted.url, id, self.cache().tmp(), self.patience.stall * 2).await?;
        self.hosts.answered(&wanted.url);
        self.keep(wanted, move |mut out| Ok(commit.pack(&mut out).map_err(FetchGitError::from)?)).await
    }

    /// Stores what `make` writes in the cache.
    async fn keep(
        &self,
        wanted: &Wanted,
        make: impl FnOnce(&mut dyn io::Write) -> Result<(), Reason> + Send + 'static,
    ) -> Result<Fetched, Reason> {
        let expected = self.expected(wanted);
        let (cache, wants) = (self.cache().clone(), expected.clone());
        let inserted = blocking(move || insert(&cache, make, wants.as_ref())).await?;
        self.judge(wanted, expected, inserted)
    }
}

fn insert(
    cache: &Cache,
    make: impl FnOnce(&mut dyn io::Write) -> Result<(), Reason>,
    expected: Option<&Integrity>,
) -> Result<Inserted, Reason> {
    let insertion = cache.begin(expected.map_or(Algorithm::Sha512, Integrity::algorithm))?;
    let mut filing = Filing { insertion, lost: None };
    let mut out = BufWriter::with_capacity(1 << 16, &mut filing);
    let outcome = make(&mut out).and_then(|()| Ok(out.flush().map_err(CacheError::from)?));
    drop(out);
    match filing.lost {
        Some(error) => Err(error.into()),
        None => outcome.and_then(|()| Ok(filing.insertion.finish(expected)?)),
    }
}

/// Writes into the cache, and keeps the cache's own error.
struct Filing {
    insertion: Insertion,
    lost: Option<CacheError>,
}

impl io::Write for Filing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.insertion.write(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.lost = Some(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
