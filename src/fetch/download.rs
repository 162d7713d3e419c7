//! Parallel downloads into the cache. Each file is checked while it streams, and downloaded only once.
//!
//! Bytes are collected into pieces. A thread for blocking work hashes and writes each piece, so network tasks never
//! wait for the disk. Each file has at most one piece in memory, which bounds the total. Dropping the future of
//! [`Downloader::fetch`] ends all downloads. The cache keeps complete files; incomplete ones are removed.

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use camino::Utf8PathBuf;
use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use url::Url;

use super::{
    body::Body,
    cache::{Cache, CacheError, Inserted, Insertion, Stored},
    client::{ClientError, Clients},
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

/// The default number of parallel downloads.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// The number of bytes that are collected before a write.
const PIECE: usize = 256 * 1024;

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name in messages, such as `react@19.1.0`.
    pub label: String,
    /// The package name, which selects the registry.
    pub package: String,
    /// The URL as it would be recorded: below the repository's registry, not below a user's mirror. For a commit, the
    /// URL of its git repository.
    pub url: Url,
    /// How the content is turned into the stored file.
    pub form: Form,
    /// The integrity that it must match. Without one, the first download is recorded, and different content is refused
    /// from then on.
    pub integrity: Option<Integrity>,
    /// The file of the repository that records the integrity of the first download, if the lockfile has none.
    pub recorded_in: Option<&'static str>,
}

impl Wanted {
    /// Returns the name of its cache entry for the first download.
    fn sight(&self, registries: &Registries) -> Sight {
        registries.sight_of(&self.url, &self.package, &self.form)
    }
}

/// A tarball in the cache that matches the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its path.
    pub path: Utf8PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The requested integrity, or the SHA-512 of the first download.
    pub integrity: Integrity,
    /// Whether it was cached before this run.
    pub origin: DownloadOrigin,
}

/// Where a tarball came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DownloadOrigin {
    /// It was in the cache.
    Cached,
    /// This run downloaded it.
    Downloaded,
}

/// What files are downloaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To read from their manifests which systems they are for.
    Systems,
    /// To hash all packages.
    All,
    /// To hash this number of changed parts of `deps`.
    ChangedParts(usize),
}

/// Receives the progress of a run. Calls come from one task at a time and must return quickly.
pub trait Progress: Send + Sync {
    /// Called before a run, with its purpose.
    fn begins(&self, _purpose: Purpose) {}
    /// Called first, and once: the run needs `files` files, and the cache has `cached` of them.
    fn planned(&self, files: usize, cached: usize);
    /// Called when bytes arrive. A repeated download counts its bytes again.
    fn received(&self, bytes: u64);
    /// Called when a download is complete.
    fn finished(&self, label: &str);
}

/// A [`Progress`] that ignores all calls.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn planned(&self, _files: usize, _cached: usize) {}
    fn received(&self, _bytes: u64) {}
    fn finished(&self, _label: &str) {}
}

/// Downloads tarballs into a cache.
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
    /// Creates a downloader with at most `jobs` parallel downloads, usually [`DEFAULT_JOBS`]. Opens no connection.
    pub fn new(registries: Registries, cache: Cache, jobs: NonZeroUsize) -> Self {
        let (patience, clients, hosts) = (Patience::default(), Clients::default(), Hosts::default());
        let (git, git_turns) = (git::Fetcher::default(), Semaphore::new(git::AT_ONCE));
        Self { registries, cache, jobs, patience, clients, hosts, git, git_turns }
    }

    /// Sets the longest time without progress of a download.
    #[must_use]
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.patience = self.patience.with_stall(stall);
        self
    }

    /// Returns the registries.
    pub fn registries(&self) -> &Registries {
        &self.registries
    }

    /// Returns the cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Downloads all missing files into the cache. Returns all wanted files, in the order of `wanted`.
    ///
    /// A failed file does not stop the others, so one run reports all failures. Only an unwritable cache or an HTTP
    /// client that cannot be created ends the run. Needs a Tokio runtime, see [`super::run`].
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
            // Package managers other than npm use the registry in the lockfile, so its URL is the fallback.
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

    /// Downloads a file from `url` into the cache, with retries.
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

    /// Repeats `attempt` until it succeeds or another try is pointless. The outer error is about the HTTP client
    /// itself.
    pub(super) async fn persevere<T>(
        &self,
        url: &Url,
        attempt: impl AsyncFn() -> Result<T, Reason>,
    ) -> Result<Result<T, Reason>, ClientError> {
        // Created here, so that an error of the client ends the run.
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
            tracing::debug!(host = url.host_str(), %reason, ?pause, "retrying");
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends one request. Returns its answer if the status is 200.
    pub(super) async fn request(&self, url: &Url) -> Result<Body, Reason> {
        let answer = self.clients.get(&self.registries, url, &self.patience).await;
        if !matches!(answer, Err(Reason::Connect { .. } | Reason::Certificate { .. } | Reason::Stalled)) {
            self.hosts.answered(url);
        }
        Ok(Body::new(answer?, self.registries.format(), &self.patience))
    }

    async fn attempt(&self, wanted: &Wanted, url: &Url, progress: &dyn Progress) -> Result<Fetched, Reason> {
        let expected = self.expected(wanted);
        let algorithm = expected.as_ref().map_or(Algorithm::Sha512, Integrity::algorithm);
        let mut body = self.request(url).await?;
        let mut file = Writing::new(self.cache.clone(), algorithm, body.length());
        while let Some(chunk) = body.next().await? {
            progress.received(chunk.len() as u64);
            file.write(&chunk).await?;
        }
        let inserted = file.finish(expected.clone()).await?;
        self.judge(wanted, expected, inserted)
    }

    /// Returns the integrity that a file must match: that of the request, else that of the first download.
    pub(super) fn expected(&self, wanted: &Wanted) -> Option<Integrity> {
        wanted.integrity.clone().or_else(|| self.cache.recorded(&wanted.sight(&self.registries)))
    }

    /// Turns the result of an insertion into the result of the download.
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
            // Another process recorded a different first download meanwhile.
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

    /// Returns what to delete so that the next content of a URL is accepted: the line in the repository, the entry in
    /// the cache.
    fn forgetting(&self, wanted: &Wanted) -> String {
        let memory = Some(self.cache.record_path(&wanted.sight(&self.registries))).filter(|record| record.is_file());
        let line = wanted.recorded_in.map(|file| format!("remove its line from `{file}`"));
        let memory = memory.map(|record| format!("delete `{record}`"));
        line.into_iter().chain(memory).collect::<Vec<_>>().join(", ")
    }
}

/// Returns all wanted files from the cache, or an error with the labels of the missing ones. Uses no network.
///
/// A file without integrity in the lockfile is found if an earlier run with the same registries downloaded it.
pub fn from_cache_only(cache: &Cache, registries: &Registries, wanted: &[Wanted]) -> Result<Vec<Fetched>, FetchError> {
    let found: Vec<Option<Fetched>> = wanted.iter().map(|wanted| cached(cache, registries, wanted)).collect();
    let missing = wanted.iter().zip(&found).filter(|(_, found)| found.is_none());
    let missing: Vec<String> = missing.map(|(wanted, _)| wanted.label.clone()).collect();
    if missing.is_empty() {
        return Ok(found.into_iter().flatten().collect());
    }
    Err(FetchError::Missing { missing, wanted: wanted.len() })
}

/// An error that ends one download or the whole run.
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

/// Returns the indices of the missing files. Files with the same sight and integrity form one group.
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

/// Counts the attempts for one file.
#[derive(Default)]
struct Tries {
    failures: u32,
    wrong_contents: u32,
}

impl Tries {
    /// Returns the pause before the next attempt, or `None` if there should be no other attempt.
    fn pause_after(&mut self, reason: &Reason, patience: &Patience, host_answers: bool) -> Option<Duration> {
        self.failures += 1;
        if matches!(reason, Reason::Mismatch { .. } | Reason::Changed { .. } | Reason::OtherFiles { .. }) {
            // One retry, since a proxy may have damaged the bytes. If they are wrong again, the registry has other
            // content.
            self.wrong_contents += 1;
            return (self.wrong_contents == 1).then(|| patience.pause(1));
        }
        // A host that says nothing takes a long time for each attempt.
        let is_slow = matches!(reason, Reason::Stalled);
        let most = if host_answers && !is_slow { patience.attempts } else { patience.attempts_unanswered };
        let attempts = most.min(patience.attempts);
        if !reason.is_transient() || self.failures >= attempts {
            return None;
        }
        match reason {
            Reason::Status { retry_after: Some(asked), .. } => patience.asked_pause(*asked),
            _ => Some(patience.pause(self.failures)),
        }
    }
}

/// A tarball being written to the cache.
struct Writing {
    cache: Cache,
    algorithm: Algorithm,
    /// Created with the first full piece, so a small file needs only one trip to a blocking thread.
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

/// Runs `work` on a thread where it may block. It completes even if the returned future is dropped.
pub(super) async fn blocking<T: Send + 'static, E: From<CacheError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(CacheError::from(std::io::Error::other(error)).into()),
    }
}
