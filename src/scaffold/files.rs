//! Writes several files at once: either all of them change or none does.
//!
//! All new contents are first written beside their targets, where a full disk or missing rights show. Then they are
//! renamed. If a rename fails, the earlier ones are undone. If the run is killed, the next run finds its [`journal`].

pub mod journal;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use self::journal::{Journal, JournalEntry, Plan};
use crate::{
    diagnostic::{Category, Diagnose},
    reading,
    repo::{
        RepoPath,
        door::{self, DoorError},
    },
};

/// The files that a run created, changed and removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// New files.
    pub created: Vec<RepoPath>,
    /// Files with new contents.
    pub changed: Vec<RepoPath>,
    /// Removed files.
    pub removed: Vec<RepoPath>,
}

/// A file that could not be written. The repository is unchanged.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{path}`: {source}")]
pub struct WriteError {
    /// The file.
    pub path: RepoPath,
    /// The error of the system.
    pub source: io::Error,
}

impl Diagnose for WriteError {
    fn category(&self) -> Category {
        // A folder in the way is part of the repository, as a link is.
        match self.source.kind() {
            io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                Category::Input
            }
            _ => Category::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        let path = &self.path;
        match self.source.kind() {
            io::ErrorKind::IsADirectory => vec![format!("move the folder `{path}` away: splitter writes a file there")],
            io::ErrorKind::NotADirectory => {
                vec![format!("a folder above `{path}` is a file: move that file away, and run this again")]
            }
            io::ErrorKind::AlreadyExists => {
                vec![format!("move the file `{path}` away: splitter needs a folder of this name")]
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                vec!["make the repository writable for this user, and run this again; nothing was changed".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// Errors of writing a set of files. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file is a symbolic link, or lies below one.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl FilesError {
    fn inner(&self) -> &dyn Diagnose {
        match self {
            Self::Door(error) => error,
            Self::Write(error) => error,
        }
    }
}

impl Diagnose for FilesError {
    fn category(&self) -> Category {
        self.inner().category()
    }

    fn hints(&self) -> Vec<String> {
        self.inner().hints()
    }
}

/// The wanted contents of files.
#[derive(Debug, Clone, Default)]
pub struct Files {
    contents: BTreeMap<RepoPath, Vec<u8>>,
    removals: Vec<RepoPath>,
}

/// A file that is about to change.
struct Replacement<'a> {
    path: &'a RepoPath,
    before: Option<Vec<u8>>,
    kind: Kind,
    after: Option<&'a [u8]>,
}

/// What an old file is, besides its content.
enum Kind {
    Missing,
    File(std::fs::Permissions),
    /// A link with this target. [`door`] refuses links, so it was made meanwhile.
    Link(PathBuf),
}

impl Kind {
    fn of(path: &Utf8Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => Ok(Self::Link(fs::read_link(path)?)),
            Ok(metadata) => Ok(Self::File(metadata.permissions())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Self::Missing)
            }
            Err(error) => Err(error),
        }
    }
}

impl Files {
    /// Plans to write a file with this content.
    pub fn put(&mut self, path: RepoPath, content: impl Into<Vec<u8>>) {
        self.contents.insert(path, content.into());
    }

    /// Plans to remove a file.
    pub fn remove(&mut self, path: RepoPath) {
        self.removals.push(path);
    }

    /// Whether this file is to be written.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.contents.contains_key(path)
    }

    /// Writes and removes the files in the repository at `root`. Files that are up to date are not touched. No symbolic link
    /// is followed.
    pub fn write(&self, root: &Utf8Path) -> Result<Written, FilesError> {
        for path in self.contents.keys().chain(&self.removals) {
            door::file(root, path)?;
        }
        Ok(self.replace(root)?)
    }

    fn replace(&self, root: &Utf8Path) -> Result<Written, WriteError> {
        if self.changes(root)?.is_empty() {
            return Ok(Written::default());
        }
        let fail = |source| WriteError { path: RepoPath::root().child(journal::FILE), source };
        let mut journal = Journal::begin(root).map_err(fail)?;
        // Another run may have written files while this one waited for the journal.
        let changes = self.changes(root)?;
        let plan = Plan {
            files: changes
                .iter()
                .map(|change| JournalEntry::new(change.path, change.before.as_deref(), change.after))
                .collect(),
            folders: missing_folders(root, &changes),
        };
        let done = journal.plan(&plan).map_err(fail).and_then(|()| prepare(root, &changes, &plan)).and_then(|()| {
            journal.complete().map_err(fail)?;
            commit(root, &changes)
        });
        if done.is_err() {
            journal::clear(root, &plan);
            for folder in plan.folders.iter().rev() {
                // The folder may not exist yet.
                let _ = fs::remove_dir(folder.on_disk(root));
            }
        }
        journal.end();
        done.map(|()| Written::of(&changes))
    }

    /// Returns the files that differ from their wanted content.
    fn changes(&self, root: &Utf8Path) -> Result<Vec<Replacement<'_>>, WriteError> {
        let wanted = self.contents.iter().map(|(path, content)| (path, Some(content.as_slice())));
        let mut changes = Vec::new();
        for (path, after) in wanted.chain(self.removals.iter().map(|path| (path, None))) {
            let fail = |source| WriteError { path: path.clone(), source };
            let before = read_if_there(&path.on_disk(root)).map_err(fail)?;
            if before.as_deref() != after {
                let kind = Kind::of(&path.on_disk(root)).map_err(fail)?;
                changes.push(Replacement { path, before, kind, after });
            }
        }
        Ok(changes)
    }
}

impl Written {
    fn of(changes: &[Replacement<'_>]) -> Self {
        let mut written = Self::default();
        for change in changes {
            let list = match (&change.before, change.after) {
                (None, _) => &mut written.created,
                (Some(_), Some(_)) => &mut written.changed,
                (Some(_), None) => &mut written.removed,
            };
            list.push(change.path.clone());
        }
        written
    }
}

fn read_if_there(path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
    match reading::bytes(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the folders to create, each after its parent.
fn missing_folders(root: &Utf8Path, changes: &[Replacement<'_>]) -> Vec<RepoPath> {
    let mut missing = BTreeSet::new();
    for change in changes.iter().filter(|change| change.after.is_some()) {
        let mut folder = change.path.parent();
        while !folder.is_root() && !folder.on_disk(root).is_dir() {
            let parent = folder.parent();
            missing.insert(folder);
            folder = parent;
        }
    }
    missing.into_iter().collect()
}

/// Creates the folders, and writes every new content beside its target.
fn prepare(root: &Utf8Path, changes: &[Replacement<'_>], plan: &Plan) -> Result<(), WriteError> {
    for folder in &plan.folders {
        fs::create_dir(folder.on_disk(root)).map_err(|source| WriteError { path: folder.clone(), source })?;
    }
    for change in changes {
        if let Some(content) = change.after {
            let fail = |source| WriteError { path: change.path.clone(), source };
            put_beside(&change.path.on_disk(root), content).map_err(fail)?;
        }
    }
    Ok(())
}

/// Writes the new content of `target` beside it. It keeps the permissions of an existing file.
fn put_beside(target: &Utf8Path, content: &[u8]) -> io::Result<()> {
    write_new(&journal::temporary(target), target, content)
}

/// Writes the new content of `target` to `path`.
fn write_new(path: &Utf8Path, target: &Utf8Path, content: &[u8]) -> io::Result<()> {
    // A file of this name is splitter's, or a link that someone placed there to redirect the write.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::File::options().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    if let Ok(metadata) = fs::metadata(target) {
        file.set_permissions(metadata.permissions())?;
    }
    file.file().sync_data()
}

fn commit(root: &Utf8Path, changes: &[Replacement<'_>]) -> Result<(), WriteError> {
    for (done, change) in changes.iter().enumerate() {
        if let Err(source) = journal::replace(change.path, root, change.after.is_some()) {
            undo(root, &changes[..done]);
            return Err(WriteError { path: change.path.clone(), source });
        }
        tracing::debug!(path = %change.path, "wrote");
    }
    Ok(())
}

/// Restores the files. The failure that led here is reported, so another one is ignored.
fn undo(root: &Utf8Path, done: &[Replacement<'_>]) {
    for change in done {
        let target = change.path.on_disk(root);
        let _ = match (&change.kind, &change.before) {
            (Kind::Link(old), _) => restore_link(old, &target),
            (Kind::File(permissions), Some(content)) => put_beside(&target, content)
                .and_then(|()| fs::set_permissions(journal::temporary(&target), permissions.clone()))
                .and_then(|()| fs::rename(journal::temporary(&target), &target)),
            _ => fs::remove_file(&target),
        };
    }
}

#[cfg(unix)]
fn restore_link(old: &Path, target: &Utf8Path) -> io::Result<()> {
    let temporary = journal::temporary(target);
    fs::os::unix::fs::symlink(old, &temporary)?;
    fs::rename(temporary, target)
}

#[cfg(not(unix))]
fn restore_link(_: &Path, _: &Utf8Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Writes one file outside of the set: its whole content or nothing. Follows a link, and writes into a pipe or a device,
/// since the user named the file.
pub fn put(path: &Utf8Path, content: &[u8]) -> io::Result<()> {
    let target = match fs::canonicalize(path) {
        Ok(target) => Utf8PathBuf::from_path_buf(target).unwrap_or_else(|_| path.to_owned()),
        Err(_) => path.to_owned(),
    };
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(&target, content);
    }
    // A name may be as long as the file system allows, so the temporary one does not contain it.
    let name = blake3::hash(target.as_str().as_bytes()).to_hex();
    let temporary = target.with_file_name(format!("{}{}", journal::TEMPORARY, &name[..16]));
    write_new(&temporary, &target, content).and_then(|()| fs::rename(&temporary, &target)).inspect_err(|_| {
        // It may not exist.
        let _ = fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    fn sandbox() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, root)
    }

    fn files(list: &[(&str, &str)]) -> Files {
        let mut files = Files::default();
        for (path, content) in list {
            files.put(path.parse().unwrap(), *content);
        }
        files
    }

    #[test]
    fn files_that_are_right_are_not_touched() {
        let (_folder, root) = sandbox();
        let wanted = files(&[("a/b/x", "1"), ("y", "2")]);
        assert_eq!(wanted.write(&root).unwrap().created.len(), 2);
        let before = fs::metadata(root.join("y")).unwrap().modified().unwrap();
        assert_eq!(wanted.write(&root).unwrap(), Written::default());
        assert_eq!(fs::metadata(root.join("y")).unwrap().modified().unwrap(), before);
        let changed = files(&[("a/b/x", "1"), ("y", "3")]).write(&root).unwrap();
        assert_eq!(changed.changed, ["y".parse().unwrap()]);
    }

    #[test]
    fn a_failure_leaves_everything_as_it_was() {
        let (_folder, root) = sandbox();
        fs::write(root.join("a"), "old").unwrap();
        fs::create_dir(root.join("z")).unwrap();
        fs::write(root.join("z/inner"), "").unwrap();
        // `z` is a folder and cannot become a file. `a` and the new folder come before it.
        let error = files(&[("a", "new"), ("new/folder/x", "1"), ("z", "2")]).replace(&root).unwrap_err();
        assert_eq!(error.path.as_str(), "z");
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "old");
        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_keeps_links_and_modes() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, root) = sandbox();
        fs::write(root.join("target"), "old").unwrap();
        fs::os::unix::fs::symlink("target", root.join("link")).unwrap();
        fs::os::unix::fs::symlink("target", root.join("gone")).unwrap();
        for name in ["executable", "removed"] {
            fs::write(root.join(name), "old").unwrap();
            fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(0o751)).unwrap();
        }
        let mut set = files(&[("executable", "new"), ("link", "new")]);
        for name in ["gone", "removed"] {
            set.remove(name.parse().unwrap());
        }
        let changes = set.changes(&root).unwrap();
        prepare(&root, &changes, &Plan::default()).unwrap();
        commit(&root, &changes).unwrap();
        assert!(!root.join("removed").exists() && !root.join("link").is_symlink());
        undo(&root, &changes);
        for name in ["link", "gone"] {
            assert_eq!(fs::read_link(root.join(name)).unwrap(), Path::new("target"), "{name}");
        }
        assert_eq!(fs::read_to_string(root.join("target")).unwrap(), "old");
        for name in ["executable", "removed"] {
            assert_eq!(fs::read_to_string(root.join(name)).unwrap(), "old");
            assert_eq!(fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777, 0o751, "{name}");
        }
        assert_eq!(fs::read_dir(&root).unwrap().count(), 5);
    }

    #[cfg(unix)]
    #[test]
    fn a_single_file_is_whole_or_not_there() {
        let (_folder, root) = sandbox();
        let long = root.join("n".repeat(255));
        put(&long, b"1").unwrap();
        put(&long, b"2").unwrap();
        assert_eq!(fs::read_to_string(&long).unwrap(), "2");
        fs::os::unix::fs::symlink(&long, root.join("link")).unwrap();
        put(&root.join("link"), b"3").unwrap();
        assert!(root.join("link").is_symlink());
        assert_eq!(fs::read_to_string(&long).unwrap(), "3");
        put(Utf8Path::new("/dev/null"), b"4").unwrap();
        assert!(put(&root.join("m".repeat(256)), b"5").is_err() && put(&root.join("no/folder"), b"6").is_err());
        assert_eq!(fs::read_dir(&root).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn new_files_can_be_read_by_others_and_old_ones_keep_their_mode() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_folder, root) = sandbox();
        fs::write(root.join("old"), "1").unwrap();
        fs::set_permissions(root.join("old"), std::fs::Permissions::from_mode(0o755)).unwrap();
        files(&[("old", "2"), ("new", "2")]).write(&root).unwrap();
        let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("old"), 0o755);
        assert_eq!(mode("new") & 0o600, 0o600);
        assert_ne!(mode("new") & 0o044, 0);
    }
}
