//! The cache of tarballs, shared by every repository of a user.
//!
//! ```text
//! tarballs/<algorithm>/<first two of hex>/<hex>   a tarball, named by its digest
//! sights/<sight>                                  the integrity that a URL without one had when it was first seen
//! versions/<sight>/…                              what a registry says of one version, which never changes
//! tmp/run-…/                                      what one run is writing
//! lock                                            locked by every run that uses the cache
//! ```
//!
//! What a sight is made of, so that no repository can choose what another one reads, is in `sight`.
//!
//! A file is written in `tmp/`, checked, and renamed to its place, so that what lies at a place is complete, several
//! processes may run at once, and a run that was cut off goes on where it stopped. What such a run left in `tmp/` is removed by
//! the next one that has the cache to itself. Nothing is flushed to the disk: after
//! a power cut a file may be empty or short. An empty one counts as absent, and [`Cache::verify`] finds the other.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    sync::Arc,
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::NamedTempFile;

use super::{environment::Environment, sight::Sight};
use crate::{
    diagnostic::{Category, Diagnose, Location},
    ending::Folder,
    lockfile::{Algorithm, Digest, Hasher, Integrity},
};

/// How old a file in `tmp/` must be before it counts as left over although other runs use the cache.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

/// Folders of earlier layouts. Their entries are named by the URL alone, so that any repository could have written them.
const UNTRUSTED_FOLDERS: [&str; 2] = ["urls", "metadata"];

/// A folder that holds tarballs by digest. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cache {
    root: Utf8PathBuf,
    run: Arc<Run>,
}

/// What one run has of its own: a folder for what it is writing, and its share of the lock, which ends with the process.
#[derive(Debug)]
struct Run {
    folder: Folder,
    _lock: fs::File,
}

/// A tarball in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// Its size in bytes, never 0.
    pub size: u64,
}

/// Why the cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// A file or folder of the cache cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No folder for caches is known.
    #[error("no cache folder: neither SPLITTER_CACHE_DIR, XDG_CACHE_HOME nor HOME is set")]
    NoFolder,
    /// A file is not what its place says.
    #[error("`{path}` in the cache is corrupted: expected {expected}, found {found}")]
    Corrupted {
        /// The file.
        path: Utf8PathBuf,
        /// What it should be.
        expected: Integrity,
        /// What it is.
        found: Digest,
    },
}

impl Diagnose for CacheError {
    fn category(&self) -> Category {
        Category::Environment
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Corrupted { path, .. } => Some(Location::file(path.clone())),
            Self::Io(_) | Self::NoFolder => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(_) => vec!["set SPLITTER_CACHE_DIR to a folder that can be written".to_owned()],
            Self::NoFolder => vec!["set SPLITTER_CACHE_DIR".to_owned()],
            Self::Corrupted { path, .. } => vec![format!("delete `{path}` and run again")],
        }
    }
}

impl Cache {
    /// The folder to use: `$SPLITTER_CACHE_DIR`, `$XDG_CACHE_HOME/splitter`, or the platform's folder for caches.
    pub fn default_root(environment: &Environment) -> Result<Utf8PathBuf, CacheError> {
        if let Some(folder) = environment.get("SPLITTER_CACHE_DIR") {
            let folder = std::path::absolute(folder)?;
            return Utf8PathBuf::from_path_buf(folder).map_err(|_| CacheError::NoFolder);
        }
        // A relative XDG_CACHE_HOME is to be ignored, says its specification.
        let xdg = environment.get("XDG_CACHE_HOME").map(Utf8PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = xdg.or_else(platform_folder).ok_or(CacheError::NoFolder)?;
        Ok(folder.join("splitter"))
    }

    /// Opens the cache at `root`, makes its folders, and removes what other runs left over in `tmp/`.
    pub fn open(root: impl Into<Utf8PathBuf>) -> Result<Self, CacheError> {
        let root = root.into();
        let tmp = root.join("tmp");
        fs::create_dir_all(&tmp)?;
        let lock = fs::File::options().create(true).append(true).open(root.join("lock"))?;
        let is_alone = lock.file().try_lock().is_ok();
        remove_leftovers(&tmp, is_alone)?;
        // A file system without locks leaves them to their age.
        let _ = lock.file().lock_shared();
        for folder in UNTRUSTED_FOLDERS {
            match fs::remove_dir_all(root.join(folder)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let folder = Folder::new("run-", tmp.as_std_path())?;
        Ok(Self { root, run: Arc::new(Run { folder, _lock: lock }) })
    }

    /// The folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The tarball that `integrity` accepts, where it is there. It is not read.
    pub fn find(&self, integrity: &Integrity) -> Option<Stored> {
        integrity.digests().iter().find_map(|digest| {
            let path = self.place(digest);
            let metadata = fs::metadata(&path).ok()?;
            (metadata.is_file() && metadata.len() > 0).then_some(Stored { path, size: metadata.len() })
        })
    }

    /// Reads the file at `path` and compares it with `integrity`.
    pub fn verify(path: &Utf8Path, integrity: &Integrity) -> Result<(), CacheError> {
        let mut file = fs::File::open(path)?;
        let mut hasher = Hasher::new(integrity.algorithm());
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                length => hasher.update(&buffer[..length]),
            }
        }
        let found = hasher.finish();
        if integrity.accepts(&found) {
            return Ok(());
        }
        Err(CacheError::Corrupted { path: path.to_owned(), expected: integrity.clone(), found })
    }

    /// Removes a tarball, so that it is downloaded again. One that is absent is no error.
    pub fn forget(&self, integrity: &Integrity) -> Result<(), CacheError> {
        for digest in integrity.digests() {
            match fs::remove_file(self.place(digest)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Begins a tarball that is to be named by its digest of this algorithm.
    pub(super) fn begin(&self, algorithm: Algorithm) -> Result<Insertion, CacheError> {
        Ok(Insertion { cache: self.clone(), file: self.temporary()?, hasher: Hasher::new(algorithm), size: 0 })
    }

    /// The integrity that was recorded at a first sight. A record that cannot be read counts as absent.
    pub(super) fn recorded(&self, sight: &Sight) -> Option<Integrity> {
        fs::read_to_string(self.record_path(sight)).ok()?.trim().parse().ok()
    }

    /// Records an integrity unless there is one, and gives the one that is recorded then.
    pub(super) fn record(&self, sight: &Sight, integrity: &Integrity) -> Result<Integrity, CacheError> {
        if let Some(recorded) = self.recorded(sight) {
            return Ok(recorded);
        }
        self.write(&self.record_path(sight), integrity.to_string().as_bytes())?;
        Ok(integrity.clone())
    }

    /// Where the record of a first sight lies. Without it the next content is accepted.
    pub(super) fn record_path(&self, sight: &Sight) -> Utf8PathBuf {
        self.root.join("sights").join(sight.as_str())
    }

    /// Where it lies what a registry says of its versions.
    pub(super) fn versions(&self, sight: &Sight) -> Utf8PathBuf {
        self.root.join("versions").join(sight.as_str())
    }

    /// Writes a small file whole, making its folder.
    pub fn write(&self, path: &Utf8Path, bytes: &[u8]) -> Result<(), CacheError> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        persist(file, path)
    }

    fn temporary(&self) -> Result<NamedTempFile, CacheError> {
        Ok(tempfile::Builder::new().prefix("part-").tempfile_in(self.tmp())?)
    }

    fn place(&self, digest: &Digest) -> Utf8PathBuf {
        let hex = digest.hex();
        self.root.join("tarballs").join(digest.algorithm().name()).join(&hex[..2]).join(&hex)
    }

    /// A folder for what is being written, on the file system of all else here. It is removed at the end of the run.
    pub fn tmp(&self) -> &Utf8Path {
        // It lies in a folder whose path is UTF-8, and its own name is.
        Utf8Path::from_path(self.run.folder.path()).unwrap_or(&self.root)
    }
}

/// Removes what other runs left in `tmp`: all of it if no other run uses the cache, otherwise what is old.
fn remove_leftovers(tmp: &Utf8Path, is_alone: bool) -> Result<(), CacheError> {
    let now = SystemTime::now();
    for entry in fs::read_dir(tmp)? {
        let entry = entry?;
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
        if is_alone || age.is_some_and(|age| age > LEFTOVER_AGE) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
        }
    }
    Ok(())
}

fn platform_folder() -> Option<Utf8PathBuf> {
    use etcetera::BaseStrategy as _;
    let strategy = etcetera::base_strategy::choose_native_strategy().ok()?;
    Utf8PathBuf::from_path_buf(strategy.cache_dir()).ok()
}

/// Renames a file to its place, making the folder only where it is missing, which it seldom is.
fn persist(file: NamedTempFile, path: &Utf8Path) -> Result<(), CacheError> {
    match file.persist(path) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            failed.file.persist(path).map(drop).map_err(|failed| failed.error.into())
        }
        Err(failed) => Err(failed.error.into()),
    }
}

/// A tarball that is being written. Dropping it removes the file.
pub(super) struct Insertion {
    cache: Cache,
    file: NamedTempFile,
    hasher: Hasher,
    size: u64,
}

/// What became of an [`Insertion`].
pub(super) enum Inserted {
    /// It lies in its place.
    Stored(Stored, Digest),
    /// It has another digest and was removed.
    Mismatch(Digest),
    /// It has no content at all.
    Empty,
}

impl Insertion {
    /// Takes the next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), CacheError> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Puts the tarball in its place where `expected` accepts it; without an expectation every tarball will do.
    pub(super) fn finish(self, expected: Option<&Integrity>) -> Result<Inserted, CacheError> {
        if self.size == 0 {
            return Ok(Inserted::Empty);
        }
        let found = self.hasher.finish();
        if expected.is_some_and(|integrity| !integrity.accepts(&found)) {
            return Ok(Inserted::Mismatch(found));
        }
        let path = self.cache.place(&found);
        persist(self.file, &path)?;
        Ok(Inserted::Stored(Stored { path, size: self.size }, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Utf8Path::from_path(folder.path()).unwrap().join("cache")).unwrap();
        (folder, cache)
    }

    fn insert(cache: &Cache, bytes: &[u8], expected: &Integrity) -> Inserted {
        let mut insertion = cache.begin(expected.algorithm()).unwrap();
        insertion.write(bytes).unwrap();
        insertion.finish(Some(expected)).unwrap()
    }

    fn files_in(folder: &Utf8Path) -> usize {
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    #[test]
    fn what_is_inserted_is_found_by_any_of_its_digests() {
        let (_folder, cache) = cache();
        let (a, b) = (Algorithm::Sha512.digest(b"a"), Algorithm::Sha512.digest(b"b"));
        let either: Integrity = format!("{a} {b}").parse().unwrap();
        assert_eq!(cache.find(&either), None);
        assert!(matches!(insert(&cache, b"b", &either), Inserted::Stored(..)));
        let stored = cache.find(&either).unwrap();
        assert_eq!((fs::read(&stored.path).unwrap(), stored.size), (b"b".to_vec(), 1));
        assert!(stored.path.ends_with(format!("tarballs/sha512/{}/{}", &b.hex()[..2], b.hex())));
        Cache::verify(&stored.path, &either).unwrap();
        cache.forget(&either).unwrap();
        assert_eq!(cache.find(&either), None);
    }

    #[test]
    fn a_wrong_or_dropped_tarball_leaves_nothing() {
        let (_folder, cache) = cache();
        let expected = Integrity::from(Algorithm::Sha1.digest(b"right"));
        assert!(matches!(insert(&cache, b"wrong", &expected), Inserted::Mismatch(_)));
        let mut insertion = cache.begin(Algorithm::Sha1).unwrap();
        insertion.write(b"rig").unwrap();
        drop(insertion);
        assert_eq!((files_in(cache.tmp()), files_in(&cache.root.join("tarballs"))), (0, 0));
    }

    #[test]
    fn an_empty_file_is_absent_and_a_short_one_is_told() {
        let (_folder, cache) = cache();
        let integrity = Integrity::from(Algorithm::Sha256.digest(b"right"));
        insert(&cache, b"right", &integrity);
        let path = cache.find(&integrity).unwrap().path;
        fs::write(&path, "rig").unwrap();
        assert!(matches!(Cache::verify(&path, &integrity), Err(CacheError::Corrupted { .. })));
        fs::write(&path, "").unwrap();
        assert_eq!(cache.find(&integrity), None);
    }

    #[test]
    fn entries_that_any_repository_could_have_written_are_gone() {
        let (_folder, cache) = cache();
        for folder in UNTRUSTED_FOLDERS {
            cache.write(&cache.root.join(folder).join("entry"), b"poison").unwrap();
        }
        let cache = Cache::open(cache.root).unwrap();
        assert_eq!(fs::read_dir(&cache.root).unwrap().count(), 2, "`tmp` and `lock` alone");
    }

    #[test]
    fn young_leftovers_stay_while_another_run_uses_the_cache() {
        let (_folder, cache) = cache();
        let tmp = cache.root.join("tmp");
        let (old, young) = (tmp.join("run-old"), tmp.join("run-young"));
        fs::write(&young, "x").unwrap();
        fs::write(&old, "x").unwrap();
        let file = fs::File::options().write(true).open(&old).unwrap();
        file.file().set_modified(SystemTime::now() - 2 * LEFTOVER_AGE).unwrap();
        let second = Cache::open(cache.root.clone()).unwrap();
        assert!(young.exists() && !old.exists() && cache.tmp().exists());
        let root = cache.root.clone();
        drop((cache, second));
        let third = Cache::open(root).unwrap();
        assert!(!young.exists() && third.tmp().exists());
        assert_eq!(files_in(&tmp), 1);
    }

    #[test]
    fn variables_choose_the_folder() {
        let root = |environment: Environment| Cache::default_root(&environment).unwrap();
        assert_eq!(root([("SPLITTER_CACHE_DIR", "/a"), ("XDG_CACHE_HOME", "/b")].into()), "/a");
        assert_eq!(root([("XDG_CACHE_HOME", "/b")].into()), "/b/splitter");
        assert!(root([("XDG_CACHE_HOME", "relative")].into()).ends_with("splitter"));
    }
}
