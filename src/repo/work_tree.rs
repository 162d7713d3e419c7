//! [`WorkTree`]: the repository on disk, with uncommitted edits.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use ignore::{WalkBuilder, WalkState};

use super::{
    Entry, EntryKind, Link, RepoPath, SourceFile, Tree, TreeError,
    git::Git,
    tree::{GIT_MODULES, submodule_paths},
};
use crate::{
    diagnostic::{Category, Diagnose},
    names::{FOREIGN_LOCKFILES, MANIFEST, ROOT_MARKS},
    reading::{self, Refused},
};

/// A repository on disk.
#[derive(Debug, Clone)]
pub struct WorkTree {
    root: Utf8PathBuf,
    /// An ignore file that a walk did not read, see [`Self::may_enter`].
    refused: Arc<Mutex<Option<(Utf8PathBuf, Refused)>>>,
}

/// Why no repository was found.
#[derive(Debug, thiserror::Error)]
pub enum WorkTreeError {
    /// Neither the folder nor any folder above it has a lockfile.
    #[error("no `bun.lock` or `yarn.lock` in `{0}` or any folder above it")]
    NotFound(Utf8PathBuf),
    /// The given folder could not be opened.
    #[error("could not open the folder `{path}`")]
    Folder {
        /// The folder.
        path: Utf8PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path of the repository is not UTF-8.
    #[error("the path `{0}` is not UTF-8")]
    NotUtf8(std::path::PathBuf),
}

impl Diagnose for WorkTreeError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound(_) => vec![
                "run splitter inside a Bun or Yarn repository, or pass `--repo DIR`".to_owned(),
                "run `bun install` or `yarn install` if the repository has no lockfile yet".to_owned(),
            ],
            Self::Folder { .. } | Self::NotUtf8(_) => Vec::new(),
        }
    }
}

impl WorkTree {
    /// Finds the repository that contains `folder`: the nearest folder upwards with a lockfile.
    pub fn discover(folder: &Utf8Path) -> Result<Self, WorkTreeError> {
        let start = fs::canonicalize(folder)
            .map_err(|source| WorkTreeError::Folder { path: folder.to_owned(), source })
            .and_then(|path| Utf8PathBuf::from_path_buf(path).map_err(WorkTreeError::NotUtf8))?;
        let nearest = |lockfiles: &[&str]| {
            start.ancestors().find(|folder| lockfiles.iter().any(|name| folder.join(name).is_file()))
        };
        let root = nearest(&ROOT_MARKS).or_else(|| nearest(&FOREIGN_LOCKFILES));
        root.map(Self::at).ok_or_else(|| WorkTreeError::NotFound(start.clone()))
    }

    /// Returns the repository at exactly this folder.
    pub fn at(root: impl Into<Utf8PathBuf>) -> Self {
        Self { root: root.into(), refused: Arc::default() }
    }

    /// Returns its root on disk.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns all files that git does not ignore, sorted by path. Folders are walked in parallel. Links count as files
    /// of size zero. `.git` and every `node_modules` are skipped. A folder that cannot be read is an error.
    pub fn source_files(&self) -> Result<Vec<SourceFile>, TreeError> {
        let mut files = self.walk(|entry| self.source_file(entry))?;
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Refuses files that git would read without end.
    pub(super) fn check_ignore_files(&self) -> Result<(), TreeError> {
        self.walk(|_| Ok(None::<()>)).map(drop)
    }

    /// Walks all folders in parallel, and collects what `take` makes of the entries.
    fn walk<T: Send>(
        &self,
        take: impl Fn(&ignore::DirEntry) -> Result<Option<T>, TreeError> + Sync,
    ) -> Result<Vec<T>, TreeError> {
        let collected = Mutex::new(Vec::new());
        let failure = Mutex::new(None);
        self.walker(|entry| entry.file_name() != ".git" && entry.file_name() != "node_modules")?.build_parallel().run(
            || {
                let mut batch = Batch { found: Vec::new(), all: &collected };
                let (failure, take) = (&failure, &take);
                let take = move |entry| take(&Result::map_err(entry, |error| walk_error(&self.root, error))?);
                Box::new(move |entry| match take(entry) {
                    Ok(found) => {
                        batch.found.extend(found);
                        WalkState::Continue
                    }
                    Err(error) => {
                        *lock(failure) = Some(error);
                        WalkState::Quit
                    }
                })
            },
        );
        if let Some(error) = lock(&failure).take() {
            return Err(error);
        }
        self.check_walk()?;
        Ok(std::mem::take(&mut *lock(&collected)))
    }

    /// Walks all folders once, and keeps what the questions of [`Tree`] need.
    pub(super) fn walk_whole(&self, with_sizes: bool) -> Result<Walked, TreeError> {
        let mut walked = Walked::default();
        for seen in self.walk(|entry| self.seen(entry, with_sizes))? {
            match seen {
                Seen::File(file) => walked.files.push(file),
                Seen::Link(file, link) => {
                    walked.files.push(file);
                    walked.links.extend(link);
                }
                Seen::Folder(path) => walked.folders.push(path),
                Seen::NotUtf8(name) => walked.not_utf8 = Some(name),
            }
        }
        walked.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        walked.folders.sort_unstable();
        walked.links.sort_unstable();
        Ok(walked)
    }

    fn seen(&self, entry: &ignore::DirEntry, with_sizes: bool) -> Result<Option<Seen>, TreeError> {
        let path = match self.path_of(entry) {
            Ok(path) => path,
            Err(TreeError::Name(name)) => return Ok(Some(Seen::NotUtf8(name))),
            Err(error) => return Err(error),
        };
        let Some(kind) = entry.file_type() else { return Ok(None) };
        Ok(Some(if kind.is_dir() {
            Seen::Folder(path)
        } else if kind.is_symlink() {
            let link = self.link(&path)?.map(|target| Link { path: path.clone(), target });
            Seen::Link(SourceFile { path, bytes: 0 }, link)
        } else {
            Seen::File(SourceFile { path, bytes: if with_sizes { size(entry) } else { 0 } })
        }))
    }

    /// Returns the files and links directly in a folder that git does not ignore. A walk reads the ignore files of each folder
    /// that it meets, so it meets no other folders.
    pub(super) fn unignored(&self, folder: &RepoPath) -> Result<Unignored, TreeError> {
        let mut found = Unignored::default();
        if folder.parts().any(|part| part == "node_modules" || part == ".git") {
            return Ok(found);
        }
        let target = folder.on_disk(&self.root).into_std_path_buf();
        let depth = folder.parts().count() + 1;
        // The walk starts at the root, because an ignore rule for a folder on the way excludes everything in it.
        let on_the_way = move |entry: &ignore::DirEntry| {
            let is_skipped = entry.file_name() == ".git" || entry.file_name() == "node_modules";
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let is_in = || !is_folder && entry.path().parent() == Some(target.as_path());
            !is_skipped && (target.starts_with(entry.path()) || is_in())
        };
        for entry in self.walker(on_the_way)?.max_depth(Some(depth)).build() {
            let entry = entry.map_err(|error| walk_error(&self.root, error))?;
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            if let Some(name) = entry.file_name().to_str().filter(|_| entry.depth() == depth) {
                found.0.insert(name.to_owned(), is_file);
            }
        }
        self.check_walk()?;
        Ok(found)
    }

    fn walker(
        &self,
        is_wanted: impl Fn(&ignore::DirEntry) -> bool + Send + Sync + 'static,
    ) -> Result<WalkBuilder, TreeError> {
        // The walk also reads the ignore files of the folders above.
        if !self.root.ancestors().all(|folder| may_enter(folder.as_std_path(), &self.refused)) {
            self.check_walk()?;
        }
        let refused = Arc::clone(&self.refused);
        let mut builder = WalkBuilder::new(&self.root);
        builder.hidden(false).ignore(false).require_git(false).follow_links(false).filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            is_wanted(entry) && (!is_folder || may_enter(entry.path(), &refused))
        });
        Ok(builder)
    }

    /// Fails if the walk left a folder out.
    fn check_walk(&self) -> Result<(), TreeError> {
        // It stays noted: another walk at the same time may have left the same folder out.
        let Some((path, why)) = lock(&self.refused).clone() else { return Ok(()) };
        // The file may be above the repository.
        let path = self.relative(&path).unwrap_or(RepoPath::root());
        Err(TreeError::Refused { path, why })
    }

    fn path_of(&self, entry: &ignore::DirEntry) -> Result<RepoPath, TreeError> {
        let path = Utf8Path::from_path(entry.path())
            .ok_or_else(|| TreeError::Name(entry.path().to_string_lossy().into_owned().into()))?;
        self.relative(path)
    }

    /// Returns a link, unless its target is not UTF-8 or it is gone by now.
    fn found_link(&self, entry: &ignore::DirEntry) -> Result<Option<Link>, TreeError> {
        if !entry.file_type().is_some_and(|kind| kind.is_symlink()) {
            return Ok(None);
        }
        let path = self.path_of(entry)?;
        Ok(self.link(&path)?.map(|target| Link { path, target }))
    }

    fn source_file(&self, entry: &ignore::DirEntry) -> Result<Option<SourceFile>, TreeError> {
        let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else { return Ok(None) };
        let path = self.path_of(entry)?;
        let bytes = if kind.is_file() { size(entry) } else { 0 };
        Ok(Some(SourceFile { path, bytes }))
    }

    fn relative(&self, path: &Utf8Path) -> Result<RepoPath, TreeError> {
        // Compared as strings: the walk adds names to the root as given, and comparing paths would split them again.
        let below = path.as_str().strip_prefix(self.root.as_str()).unwrap_or(path.as_str());
        let text = below.trim_start_matches(std::path::MAIN_SEPARATOR);
        let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
        RepoPath::of_listed(text).map_err(|_| TreeError::Name(path.to_owned()))
    }
}

/// Whether a walk may read the ignore file of a folder. It reads the file without a limit: a named pipe never answers, and
/// `/dev/zero` never ends. If not, the file is noted.
fn may_enter(folder: &Path, refused: &Mutex<Option<(Utf8PathBuf, Refused)>>) -> bool {
    // Git reads the attributes too, but follows no link to them.
    let attributes = Some(folder.join(".gitattributes")).filter(|path| !path.is_symlink());
    let files = [folder.join(".gitignore"), folder.join(".git/info/exclude")];
    let found = files.into_iter().chain(attributes).find_map(|file| {
        let why = reading::refused(&reading::check(&file).err()?)?;
        Some((file, why))
    });
    let Some((file, why)) = found else { return true };
    *lock(refused) = Some((Utf8PathBuf::from(file.to_string_lossy().into_owned()), why));
    false
}

fn size(entry: &ignore::DirEntry) -> u64 {
    entry.metadata().map_or(0, |metadata| metadata.len())
}

/// What a walk through all folders found. Git ignores none of it.
#[derive(Debug, Default)]
pub struct Walked {
    /// The files, and the links as files of size zero, sorted by path.
    pub files: Vec<SourceFile>,
    pub(super) folders: Vec<RepoPath>,
    pub(super) links: Vec<Link>,
    /// A name that is not UTF-8.
    pub(super) not_utf8: Option<Utf8PathBuf>,
}

impl Walked {
    /// Whether a file or folder was found.
    pub(super) fn has(&self, path: &RepoPath) -> bool {
        self.files.binary_search_by(|file| file.path.cmp(path)).is_ok() || self.folders.binary_search(path).is_ok()
    }
}

/// One entry of a walk.
enum Seen {
    File(SourceFile),
    /// The target is missing if it is not UTF-8.
    Link(SourceFile, Option<Link>),
    Folder(RepoPath),
    NotUtf8(Utf8PathBuf),
}

/// The names of files and links in a folder that git does not ignore, and whether each is a file.
#[derive(Debug, Default)]
pub(super) struct Unignored(BTreeMap<String, bool>);

impl Unignored {
    /// Iterates over the names of the files, sorted.
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|(_, is_file)| **is_file).map(|(name, _)| name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// What one walking thread found. It is handed over when the thread ends, so the lock is taken only once.
struct Batch<'a, T> {
    found: Vec<T>,
    all: &'a Mutex<Vec<T>>,
}

impl<T> Drop for Batch<'_, T> {
    fn drop(&mut self) {
        lock(self.all).append(&mut self.found);
    }
}

/// A poisoned lock means that a walking thread panicked. Its partial list is never used, because the panic continues.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn walk_error(root: &Utf8Path, error: ignore::Error) -> TreeError {
    let text = error.to_string();
    let source = error.into_io_error().unwrap_or_else(|| io::Error::other(text));
    TreeError::Read { path: RepoPath::root(), source: io::Error::new(source.kind(), format!("{root}: {source}")) }
}

impl Tree for WorkTree {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        match reading::bytes(path.on_disk(&self.root)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(source) => Err(TreeError::of_file(path.clone(), source)),
        }
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        match fs::read_link(path.on_disk(&self.root)) {
            Ok(target) => Ok(target.into_os_string().into_string().ok()),
            Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::InvalidInput => Ok(None),
            Err(source) => Err(TreeError::Read { path: path.clone(), source }),
        }
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let read = |source| TreeError::Read { path: folder.clone(), source };
        let entries = match fs::read_dir(folder.on_disk(&self.root)) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(source) => return Err(read(source)),
        };
        let mut list = Vec::new();
        for entry in entries {
            let entry = entry.map_err(read)?;
            let kind = entry.file_type().map_err(read)?;
            let kind = if kind.is_symlink() {
                EntryKind::Link
            } else if kind.is_dir() {
                EntryKind::Folder
            } else {
                EntryKind::File
            };
            match entry.file_name().into_string() {
                Ok(name) => list.push(Entry { name, kind }),
                // A workspace pattern would match it, but neither the lockfile nor the record can name it.
                Err(_) if entry.path().join(MANIFEST).exists() => {
                    return Err(TreeError::Name(entry.path().to_string_lossy().into_owned().into()));
                }
                Err(_) => {}
            }
        }
        list.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    fn unignored_files(&self, folder: &RepoPath) -> Result<Vec<String>, TreeError> {
        Ok(self.unignored(folder)?.files().cloned().collect())
    }

    fn is_ignored(&self, path: &RepoPath) -> Result<bool, TreeError> {
        if is_in_node_modules(path) || path.parts().any(|part| part == ".git") {
            return Ok(true);
        }
        let target = path.on_disk(&self.root).into_std_path_buf();
        let depth = path.parts().count();
        let on_the_way = move |entry: &ignore::DirEntry| target.starts_with(entry.path());
        for entry in self.walker(on_the_way)?.max_depth(Some(depth)).build() {
            if entry.map_err(|error| walk_error(&self.root, error))?.depth() == depth {
                return Ok(false);
            }
        }
        self.check_walk()?;
        Ok(true)
    }

    fn ignored_by_rules(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        let mut ignored: BTreeSet<RepoPath> = paths.iter().cloned().collect();
        let on_disk = |path: &RepoPath| path.on_disk(&self.root).into_std_path_buf();
        let wanted: HashSet<PathBuf> = paths
            .iter()
            .map(on_disk)
            .flat_map(|path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>())
            .collect();
        let on_the_way = move |entry: &ignore::DirEntry| {
            wanted.contains(entry.path()) && entry.file_name() != ".git" && entry.file_name() != "node_modules"
        };
        for entry in self.walker(on_the_way)?.build() {
            let entry = entry.map_err(|error| walk_error(&self.root, error))?;
            ignored.remove(&self.path_of(&entry)?);
        }
        self.check_walk()?;
        Ok(ignored)
    }

    fn ignored(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        let mut ignored = self.ignored_by_rules(paths)?;
        if ignored.is_empty() {
            return Ok(ignored);
        }
        // Git's rules do not count for a file that it tracks. Few repositories get here, and only they pay for asking git.
        let args =
            ["--literal-pathspecs", "ls-files", "-z", "--"].into_iter().chain(ignored.iter().map(RepoPath::as_str));
        let tracked = Git::at(&self.root).names(&args.collect::<Vec<_>>()).unwrap_or_default();
        ignored.retain(|path| is_in_node_modules(path) || !tracked.iter().any(|tracked| tracked == path.as_str()));
        Ok(ignored)
    }

    fn links(&self) -> Result<Vec<Link>, TreeError> {
        let mut links = self.walk(|entry| self.found_link(entry))?;
        links.sort_unstable();
        Ok(links)
    }

    fn submodules(&self) -> Result<Vec<RepoPath>, TreeError> {
        // Git lists them at the top of its repository, which may be above.
        let Some(top) = self.root.ancestors().find(|folder| folder.join(".git").exists()) else {
            return Ok(Vec::new());
        };
        let prefix = self.root.strip_prefix(top).map_or(String::new(), |below| format!("{below}/").replace('\\', "/"));
        let prefix = if prefix == "/" { "" } else { &prefix };
        let text = match reading::text(top.join(GIT_MODULES)) {
            Ok(text) => text,
            Err(error) if is_absent(&error) => String::new(),
            Err(source) => return Err(TreeError::of_file(RepoPath::root().child(GIT_MODULES), source)),
        };
        Ok(submodule_paths(&text, prefix))
    }

    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        Ok(path.on_disk(&self.root).is_file())
    }
}

fn is_in_node_modules(path: &RepoPath) -> bool {
    path.parts().any(|part| part == "node_modules")
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory)
}

#[cfg(test)]
mod tests;
