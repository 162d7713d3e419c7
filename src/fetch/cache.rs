//! The cache of tarballs. All repositories of a user share it.
//!
//! ```text
//! tarballs/<algorithm>/<first two of hex>/<hex>   a tarball, named by its digest
//! sights/<sight>                                  the integrity of the first download, if the lockfile has none
//! versions/<sight>/…                              registry metadata of one version, which never changes
//! tmp/run-…/                                      files that one run is writing
//! lock                                            locked by every run that uses the cache
//! ```
//!
//! The module `sight` defines sights. They keep one repository from choosing the bytes that another one reads.
//!
//! A run writes each file in `tmp/`, checks it, and renames it to its place. So files in place are complete, several
//! processes can run at once, and an interrupted run continues where it stopped. The next run that has the cache to
//! itself removes the leftovers in `tmp/`. Nothing is flushed to disk, so a power cut can leave empty or short files.
//! Empty files count as missing, and [`Cache::verify`] detects short ones.

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
    reading,
};

/// The age at which an entry of `tmp/` counts as a leftover even while other runs use the cache.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

/// Folders of earlier layouts. Their entries are named by the URL alone, so any repository could have written them.
const UNTRUSTED_FOLDERS: [&str; 2] = ["urls", "metadata"];

/// The cache folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Cache {
    root: Utf8PathBuf,
    run: Arc<Run>,
}

/// The state of one run: its temporary folder, and its shared lock, which ends with the process.
#[derive(Debug)]
struct Run {
    folder: Folder,
    _lock: fs::File,
}

/// A tarball in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its path.
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
    /// No variable names a cache folder.
    #[error("no cache folder: none of SPLITTER_CACHE_DIR, XDG_CACHE_HOME and HOME is set")]
    NoFolder,
    /// The content of a file does not match its name.
    #[error("the file `{path}` in the cache is corrupted: expected {expected}, found {found}")]
    Corrupted {
        /// The file.
        path: Utf8PathBuf,
        /// The integrity that it should match.
        expected: Integrity,
        /// The digest of its content.
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
            Self::Io(_) | Self::NoFolder => vec!["set SPLITTER_CACHE_DIR to a writable folder".to_owned()],
            Self::Corrupted { path, .. } => vec![format!("delete `{path}` and run again")],
        }
    }
}

impl Cache {
    /// Returns the folder to use: `$SPLITTER_CACHE_DIR`, `$XDG_CACHE_HOME/splitter`, or `splitter` in the platform's
    /// cache folder.
    pub fn default_root(environment: &Environment) -> Result<Utf8PathBuf, CacheError> {
        if let Some(folder) = environment.get("SPLITTER_CACHE_DIR") {
            let folder = std::path::absolute(folder)?;
            return Utf8PathBuf::from_path_buf(folder).map_err(|_| CacheError::NoFolder);
        }
        // The XDG specification requires that a relative path is ignored.
        let xdg = environment.get("XDG_CACHE_HOME").map(Utf8PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = xdg.or_else(platform_folder).ok_or(CacheError::NoFolder)?;
        Ok(folder.join("splitter"))
    }

    /// Opens the cache at `root`, creates its folders, and removes the leftovers of other runs.
    pub fn open(root: impl Into<Utf8PathBuf>) -> Result<Self, CacheError> {
        let root = root.into();
        let tmp = root.join("tmp");
        fs::create_dir_all(&tmp)?;
        let lock = fs::File::options().create(true).append(true).open(root.join("lock"))?;
        let is_alone = lock.file().try_lock().is_ok();
        remove_leftovers(&tmp, is_alone)?;
        // On a file system without locks, leftovers are removed by age only.
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

    /// Returns the folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the tarball that `integrity` accepts, if the cache has it. Does not read its content.
    pub fn find(&self, integrity: &Integrity) -> Option<Stored> {
        integrity.digests().iter().find_map(|digest| {
            let path = self.place(digest);
            let metadata = fs::metadata(&path).ok()?;
            (metadata.is_file() && metadata.len() > 0).then_some(Stored { path, size: metadata.len() })
        })
    }

    /// Reads the file at `path` and checks that it matches `integrity`.
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

    /// Removes a tarball, so the next run downloads it again. A missing one is not an error.
    pub fn forget(&self, integrity: &Integrity) -> Result<(), CacheError> {
        for digest in integrity.digests() {
            match fs::remove_file(self.place(digest)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) if self.place(digest).is_dir() => fs::remove_dir_all(self.place(digest))?,
                Err(error) => return Err(error.into()),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Starts to write a tarball that will be named by its digest of this algorithm.
    pub(super) fn begin(&self, algorithm: Algorithm) -> Result<Insertion, CacheError> {
        Ok(Insertion { cache: self.clone(), file: self.temporary()?, hasher: Hasher::new(algorithm), size: 0 })
    }

    /// Returns the integrity of the first download. An unreadable entry counts as missing.
    pub(super) fn recorded(&self, sight: &Sight) -> Option<Integrity> {
        reading::text(self.record_path(sight)).ok()?.trim().parse().ok()
    }

    /// Stores the integrity of the first download unless one exists. Returns the stored one.
    pub(super) fn record(&self, sight: &Sight, integrity: &Integrity) -> Result<Integrity, CacheError> {
        if let Some(recorded) = self.recorded(sight) {
            return Ok(recorded);
        }
        self.write(&self.record_path(sight), integrity.to_string().as_bytes())?;
        Ok(integrity.clone())
    }

    /// Returns the path of a first download's entry. Once it is deleted, the next content is accepted.
    pub(super) fn record_path(&self, sight: &Sight) -> Utf8PathBuf {
        self.root.join("sights").join(sight.as_str())
    }

    /// Returns the folder for a registry's metadata of versions.
    pub(super) fn versions(&self, sight: &Sight) -> Utf8PathBuf {
        self.root.join("versions").join(sight.as_str())
    }

    /// Writes a small file atomically. Creates its folder.
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

    /// Returns the temporary folder of this run, on the file system of the cache. It is removed at the end of the run.
    pub fn tmp(&self) -> &Utf8Path {
        // Always UTF-8: the parent's path and the folder's own name both are.
        Utf8Path::from_path(self.run.folder.path()).unwrap_or(&self.root)
    }
}

/// Removes the leftovers of other runs in `tmp`: all if no other run uses the cache, otherwise old ones.
fn remove_leftovers(tmp: &Utf8Path, is_alone: bool) -> Result<(), CacheError> {
    let now = SystemTime::now();
    for entry in fs::read_dir(tmp)? {
        let entry = entry?;
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
        if is_alone || age.is_some_and(|age| age > LEFTOVER_AGE) {
            // Another process may have removed it first.
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

/// Renames a file to its place. Creates the folder only if the rename fails, since it rarely is missing.
fn persist(file: NamedTempFile, path: &Utf8Path) -> Result<(), CacheError> {
    match file.persist(path) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            failed.file.persist(path).map(drop).map_err(|failed| failed.error.into())
        }
        // Something else put a folder there, perhaps a tool that restores caches.
        Err(failed) if path.is_dir() => {
            fs::remove_dir_all(path)?;
            failed.file.persist(path).map(drop).map_err(|failed| failed.error.into())
        }
        Err(failed) => Err(failed.error.into()),
    }
}

/// A tarball being written. Dropping it removes the file.
pub(super) struct Insertion {
    cache: Cache,
    file: NamedTempFile,
    hasher: Hasher,
    size: u64,
}

/// The result of an [`Insertion`].
pub(super) enum Inserted {
    /// It is in its place.
    Stored(Stored, Digest),
    /// Its digest is not the expected one. The file was removed.
    Mismatch(Digest),
    /// It has no content.
    Empty,
}

impl Insertion {
    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), CacheError> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Moves the tarball to its place if `expected` accepts it. Without `expected`, any content is accepted.
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
    fn a_folder_at_the_place_of_a_tarball_heals() {
        let (_folder, cache) = cache();
        let integrity = Integrity::from(Algorithm::Sha256.digest(b"right"));
        insert(&cache, b"right", &integrity);
        let path = cache.find(&integrity).unwrap().path;
        let spoil = || {
            let _ = fs::remove_file(&path);
            fs::create_dir_all(path.join("inner")).unwrap();
        };
        spoil();
        assert_eq!(cache.find(&integrity), None);
        assert!(matches!(insert(&cache, b"right", &integrity), Inserted::Stored(..)));
        assert!(cache.find(&integrity).is_some());
        spoil();
        cache.forget(&integrity).unwrap();
        assert!(!path.exists());
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
