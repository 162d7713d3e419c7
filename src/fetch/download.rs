//! Downloads: many at once, each checked while it streams, none twice.
//!
//! A file's bytes are collected into pieces, and each piece is hashed and written on a thread for blocking work, so that
//! the tasks that read the network never wait for a disk. At most one piece a file is in memory, which bounds the whole.
//! Dropping the future of [`Downloader::fetch`] ends all downloads: what is complete is in the cache, the rest is gone.

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use camino::Utf8PathBuf;
use futures_util::{StreamExt as _, stream};
use reqwest::Response;
use tokio::sync::Semaphore;
use url::Url;

use super::{
    cache::{Cache, CacheError, Inserted, Insertion, Stored},
    client::{ClientError, Clients, reason_of},
    failure::{Failure, FetchError, Reason},
    git,
    hosts::Hosts,
    registries::Registries,
    retry::Patience,
    sight::Sight,
};
use crate::{
    lockfile::{Algorithm, Digest, Integrity},
    split::lock::dependencies::Form,
};

/// How many files are asked for at once where nothing else is said.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// How many bytes of a file are collected before they are written.
const PIECE: usize = 256 * 1024;

/// A file that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What messages call it, such as `react@19.1.0`.
    pub label: String,
    /// The package's name, which decides the registry.
    pub package: String,
    /// Where it lies, as it would be recorded: below the repository's registry, not below a user's mirror. Of a commit, its
    /// repository.
    pub url: Url,
    /// What becomes of what lies there.
    pub form: Form,
    /// What it must match. Without it the first content seen is recorded, and any other refused from then on.
    pub integrity: Option<Integrity>,
    /// The file of the repository that has the integrity since the first sight, where the lockfile has none.
    pub recorded_in: Option<&'static str>,
}

impl Wanted {
    /// What names it among all that is seen for the first time.
    fn sight(&self, registries: &Registries) -> Sight {
        registries.sight_of(&self.url, &self.package, &self.form)
    }
}

/// A tarball that is in the cache and is what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// What was wanted, or the sha512 of what was first seen at its URL.
    pub integrity: Integrity,
    /// Whether it was there before.
    pub origin: DownloadOrigin,
}

/// Where a tarball came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadOrigin {
    /// It was in the cache.
    Cached,
    /// It was downloaded now.
    Downloaded,
}

/// Who is told how far a run is. Calls come from one task at a time and must return soon.
pub trait Progress: Send + Sync {
    /// Called once, first: `files` are wanted, of which `cached` are in the cache.
    fn planned(&self, files: usize, cached: usize);
    /// Bytes came in; those of a download that is made again count again.
    fn received(&self, bytes: u64);
    /// A file that was not cached is there.
    fn finished(&self, label: &str);
}

/// A [`Progress`] that tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn planned(&self, _files: usize, _cached: usize) {}
    fn received(&self, _bytes: u64) {}
    fn finished(&self, _label: &str) {}
}

/// Brings tarballs into a cache.
pub struct Downloader {
    registries: Registries,
    cache: Cache,
    jobs: NonZeroUsize,
    pub(super) patience: Patience,
    clients: Clients,
    pub(super) hosts: Hosts,
    pub(super) git: git::Fetcher,
    pub(super) git_turns: Semaphore,
}

impl Downloader {
    /// A downloader with at most `jobs` files in flight, usually [`DEFAULT_JOBS`]. Nothing is opened yet.
    pub fn new(registries: Registries, cache: Cache, jobs: NonZeroUsize) -> Self {
        let (patience, clients, hosts) = (Patience::default(), Clients::default(), Hosts::default());
        let (git, git_turns) = (git::Fetcher::default(), Semaphore::new(git::AT_ONCE));
        Self { registries, cache, jobs, patience, clients, hosts, git, git_turns }
    }

    /// The registries that it asks.
    pub fn registries(&self) -> &Registries {
        &self.registries
    }

    /// The cache that it fills.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Brings all that is wanted into the cache, and gives it in the order in which it is wanted.
    ///
    /// A file that fails does not end the others, so that one run names all that is wrong; only a cache that cannot be
    /// written does. Needs a Tokio runtime, see [`super::run`].
    pub async fn fetch(&self, wanted: &[Wanted], progress: &dyn Progress) -> Result<Vec<Fetched>, FetchError> {
        let mut fetched: Vec<Option<Fetched>> =
            wanted.iter().map(|wanted| cached(&self.cache, &self.registries, wanted)).collect();
        progress.planned(wanted.len(), fetched.iter().flatten().count());
        let missing = groups_of_missing(&self.registries, wanted, &fetched);
        let mut failures = BTreeMap::new();
        let mut downloads = stream::iter(missing)
            .map(async |group: Vec<usize>| {
                let outcome = self.download(&wanted[group[0]], progress).await;
                (group, outcome)
            })
            .buffer_unordered(self.jobs.get());
        while let Some((group, outcome)) = downloads.next().await {
            match outcome {
                Ok(file) => group.iter().for_each(|index| fetched[*index] = Some(file.clone())),
                Err(Stop::Run(error)) => return Err(error),
                Err(Stop::File(failure)) => drop(failures.insert(group[0], failure)),
            }
        }
        drop(downloads);
        if failures.is_empty() {
            return Ok(fetched.into_iter().flatten().collect());
        }
        Err(FetchError::Failed { failures: failures.into_values().collect(), wanted: wanted.len() })
    }

    async fn download(&self, wanted: &Wanted, progress: &dyn Progress) -> Result<Fetched, Stop> {
        let mut url = self.registries.url_for_fetch(&wanted.url, &wanted.package);
        let mut outcome = self.bring(wanted, &url, progress).await?;
        let is_refused = matches!(&outcome, Err(Reason::Status { status: 401 | 403 | 404, .. }));
        if is_refused && self.registries.replaces(&wanted.url, &wanted.package) {
            // Package managers other than npm ask the registry that the lockfile names.
            url = wanted.url.clone();
            outcome = self.bring(wanted, &url, progress).await?;
        }
        match outcome {
            Ok(fetched) => {
                progress.finished(&wanted.label);
                Ok(fetched)
            }
            Err(Reason::Cache(error)) => Err(Stop::Run(error.into())),
            Err(reason) => Err(Stop::File(Failure::new(&wanted.label, &url, reason))),
        }
    }

    /// Brings what is wanted from `url` into the cache, if that can be had.
    async fn bring(
        &self,
        wanted: &Wanted,
        url: &Url,
        progress: &dyn Progress,
    ) -> Result<Result<Fetched, Reason>, ClientError> {
        let attempt = async || match &wanted.form {
            Form::Verbatim => self.attempt(wanted, url, progress).await,
            Form::Repacked => self.repack(wanted, url, progress).await,
            Form::Commit(id) => self.commit(wanted, id).await,
        };
        self.persevere(url, attempt).await
    }

    /// Asks for `url` with `attempt` until it succeeds or there is no hope. The outer error is about the client itself.
    pub(super) async fn persevere<T>(
        &self,
        url: &Url,
        attempt: impl AsyncFn() -> Result<T, Reason>,
    ) -> Result<Result<T, Reason>, ClientError> {
        // Made here, so that what is wrong with it ends the run.
        self.clients.client_for(&self.registries, url, &self.patience)?;
        let mut tries = Tries::default();
        loop {
            let outcome = tokio::select! {
                biased;
                reason = self.hosts.until_unreachable(url) => return Ok(Err(reason)),
                outcome = attempt() => outcome,
            };
            let reason = match outcome {
                Ok(done) => return Ok(Ok(done)),
                Err(reason) => reason,
            };
            let Some(pause) = tries.pause_after(&reason, &self.patience, self.hosts.has_answered(url)) else {
                self.hosts.gave_up(url, &reason);
                return Ok(Err(reason));
            };
            tracing::debug!(host = url.host_str(), %reason, ?pause, "is tried again");
            tokio::time::sleep(pause).await;
        }
    }

    /// One request, and its answer of status 200.
    pub(super) async fn request(&self, url: &Url) -> Result<Response, Reason> {
        let answer = self.clients.get(&self.registries, url, &self.patience).await;
        if !matches!(answer, Err(Reason::Connect { .. } | Reason::Certificate { .. })) {
            self.hosts.answered(url);
        }
        answer
    }

    async fn attempt(&self, wanted: &Wanted, url: &Url, progress: &dyn Progress) -> Result<Fetched, Reason> {
        let expected = self.expected(wanted);
        let algorithm = expected.as_ref().map_or(Algorithm::Sha512, Integrity::algorithm);
        let mut response = self.request(url).await?;
        let mut file = Writing::new(self.cache.clone(), algorithm, response.content_length());
        while let Some(chunk) = response.chunk().await.map_err(|error| reason_of(&error, self.registries().format()))? {
            progress.received(chunk.len() as u64);
            file.write(&chunk).await?;
        }
        let inserted = file.finish(expected.clone()).await?;
        self.judge(wanted, expected, inserted)
    }

    /// What a file must match, where anybody has said or seen it.
    pub(super) fn expected(&self, wanted: &Wanted) -> Option<Integrity> {
        wanted.integrity.clone().or_else(|| self.cache.recorded(&wanted.sight(&self.registries)))
    }

    /// What a file that was brought comes to.
    pub(super) fn judge(
        &self,
        wanted: &Wanted,
        expected: Option<Integrity>,
        inserted: Inserted,
    ) -> Result<Fetched, Reason> {
        match inserted {
            Inserted::Empty => Err(Reason::Empty),
            Inserted::Stored(stored, digest) => self.accept(wanted, stored, digest),
            Inserted::Mismatch(found) => Err(self.refusal(wanted, expected, found)),
        }
    }

    fn accept(&self, wanted: &Wanted, stored: Stored, digest: Digest) -> Result<Fetched, Reason> {
        let integrity = match &wanted.integrity {
            Some(integrity) => integrity.clone(),
            None => self.cache.record(&wanted.sight(&self.registries), &Integrity::from(digest))?,
        };
        if !integrity.accepts(&digest) {
            // Another process recorded something else meanwhile.
            return Err(self.refusal(wanted, Some(integrity), digest));
        }
        Ok(fetched(stored, integrity, DownloadOrigin::Downloaded))
    }

    fn refusal(&self, wanted: &Wanted, expected: Option<Integrity>, found: Digest) -> Reason {
        let remedy = self.forgetting(wanted);
        match (wanted.integrity.clone().or(expected), &wanted.integrity, wanted.recorded_in) {
            (Some(recorded), ..) if wanted.form != Form::Verbatim => Reason::OtherFiles { recorded, remedy, found },
            (Some(expected), Some(_), None) => Reason::Mismatch { expected, found },
            (Some(recorded), ..) => Reason::Changed { recorded, remedy, found },
            (None, ..) => Reason::Empty,
        }
    }

    /// What makes the content of a URL new again: the repository and this machine may remember it.
    fn forgetting(&self, wanted: &Wanted) -> String {
        let memory = Some(self.cache.record_path(&wanted.sight(&self.registries))).filter(|record| record.is_file());
        let line = wanted.recorded_in.map(|file| format!("remove its line from `{file}`"));
        let memory = memory.map(|record| format!("delete `{record}`"));
        line.into_iter().chain(memory).collect::<Vec<_>>().join(", ")
    }
}

/// Gives all that is wanted from the cache alone, or the labels of all that is missing there.
///
/// What no lockfile vouches for is found where a run with the same registries has left it.
pub fn from_cache_only(cache: &Cache, registries: &Registries, wanted: &[Wanted]) -> Result<Vec<Fetched>, FetchError> {
    let found: Vec<Option<Fetched>> = wanted.iter().map(|wanted| cached(cache, registries, wanted)).collect();
    let missing = wanted.iter().zip(&found).filter(|(_, found)| found.is_none());
    let missing: Vec<String> = missing.map(|(wanted, _)| wanted.label.clone()).collect();
    if missing.is_empty() {
        return Ok(found.into_iter().flatten().collect());
    }
    Err(FetchError::Missing { missing, wanted: wanted.len() })
}

/// What ends a download.
enum Stop {
    File(Failure),
    Run(FetchError),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Run(error.into())
    }
}

fn cached(cache: &Cache, registries: &Registries, wanted: &Wanted) -> Option<Fetched> {
    let integrity = wanted.integrity.clone().or_else(|| cache.recorded(&wanted.sight(registries)))?;
    let stored = cache.find(&integrity)?;
    Some(fetched(stored, integrity, DownloadOrigin::Cached))
}

fn fetched(Stored { path, size }: Stored, integrity: Integrity, origin: DownloadOrigin) -> Fetched {
    Fetched { path, size, integrity, origin }
}

/// The indices of what is missing, those of one sight and integrity together, in the order of their first.
fn groups_of_missing(registries: &Registries, wanted: &[Wanted], fetched: &[Option<Fetched>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of = BTreeMap::new();
    for (index, item) in wanted.iter().enumerate().filter(|(index, _)| fetched[*index].is_none()) {
        let group = *group_of.entry((item.sight(registries), &item.integrity)).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// How often one file was tried.
#[derive(Default)]
struct Tries {
    failures: u32,
    wrong_contents: u32,
}

impl Tries {
    /// How long to wait before the next attempt, or none where there is to be none.
    fn pause_after(&mut self, reason: &Reason, patience: &Patience, host_answers: bool) -> Option<Duration> {
        self.failures += 1;
        if matches!(reason, Reason::Mismatch { .. } | Reason::Changed { .. } | Reason::OtherFiles { .. }) {
            // Once more, as a proxy may have broken the bytes; twice the same is what the registry has.
            self.wrong_contents += 1;
            return (self.wrong_contents == 1).then(|| patience.pause(1));
        }
        let attempts = if host_answers { patience.attempts } else { patience.attempts_unanswered };
        if !reason.is_transient() || self.failures >= attempts {
            return None;
        }
        match reason {
            Reason::Status { retry_after: Some(asked), .. } => patience.asked_pause(*asked),
            _ => Some(patience.pause(self.failures)),
        }
    }
}

/// A tarball on its way into the cache.
struct Writing {
    cache: Cache,
    algorithm: Algorithm,
    /// Begun with the first full piece, so that a small file costs one trip to a blocking thread.
    insertion: Option<Insertion>,
    piece: Vec<u8>,
}

impl Writing {
    fn new(cache: Cache, algorithm: Algorithm, length: Option<u64>) -> Self {
        let capacity = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(PIECE).min(PIECE);
        Self { cache, algorithm, insertion: None, piece: Vec::with_capacity(capacity) }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), CacheError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), CacheError> {
        let (cache, algorithm, insertion) = (self.cache.clone(), self.algorithm, self.insertion.take());
        let mut piece = std::mem::take(&mut self.piece);
        let (insertion, piece) = blocking(move || {
            let mut insertion = insertion.map_or_else(|| cache.begin(algorithm), Ok)?;
            insertion.write(&piece)?;
            piece.clear();
            Ok::<_, CacheError>((insertion, piece))
        })
        .await?;
        (self.insertion, self.piece) = (Some(insertion), piece);
        Ok(())
    }

    async fn finish(self, expected: Option<Integrity>) -> Result<Inserted, CacheError> {
        let Self { cache, algorithm, insertion, piece } = self;
        blocking(move || {
            let mut insertion = insertion.map_or_else(|| cache.begin(algorithm), Ok)?;
            insertion.write(&piece)?;
            insertion.finish(expected.as_ref())
        })
        .await
    }
}

/// Runs `work` where it may block. It runs to its end even where nobody waits for it any more.
pub(super) async fn blocking<T: Send + 'static, E: From<CacheError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(CacheError::from(std::io::Error::other(error)).into()),
    }
}
