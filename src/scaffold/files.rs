//! Writing several files so that a repository has all of them or is as it was.
//!
//! Every new content is first written to a temporary file beside its target, which is where running out of disk or
//! rights shows; only then are all renamed. If a rename still fails, those before it are undone.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::NamedTempFile;

use crate::{
    diagnostic::{Category, Diagnose},
    repo::{
        RepoPath,
        door::{self, DoorError},
    },
};

/// What writing a set of files did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new.
    pub created: Vec<RepoPath>,
    /// Files that have another content.
    pub changed: Vec<RepoPath>,
    /// Files that are gone.
    pub removed: Vec<RepoPath>,
}

/// Why files could not be written; the repository is as it was.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{path}`: {source}")]
pub struct WriteError {
    /// The file.
    pub path: RepoPath,
    /// What the system said.
    pub source: io::Error,
}

impl Diagnose for WriteError {
    fn category(&self) -> Category {
        Category::Environment
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file is a link, or lies below one.
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

/// The contents that files should have.
#[derive(Debug, Clone, Default)]
pub struct Files {
    contents: BTreeMap<RepoPath, Vec<u8>>,
    removals: Vec<RepoPath>,
}

/// A file that is about to change.
struct Pending<'a> {
    path: &'a RepoPath,
    target: Utf8PathBuf,
    temporary: NamedTempFile,
    before: Option<Vec<u8>>,
}

impl Files {
    /// Wants a file to have this content.
    pub fn put(&mut self, path: RepoPath, content: impl Into<Vec<u8>>) {
        self.contents.insert(path, content.into());
    }

    /// Wants a file to be gone.
    pub fn remove(&mut self, path: RepoPath) {
        self.removals.push(path);
    }

    /// Whether a file is wanted.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.contents.contains_key(path)
    }

    /// Brings the repository at `root` to what is wanted. Files that are so already are not touched. No link is followed.
    pub fn write(&self, root: &Utf8Path) -> Result<Written, FilesError> {
        for path in self.contents.keys().chain(&self.removals) {
            door::file(root, path)?;
        }
        Ok(self.replace(root)?)
    }

    fn replace(&self, root: &Utf8Path) -> Result<Written, WriteError> {
        let mut folders = NewFolders::default();
        let mut pending = Vec::new();
        for (path, content) in &self.contents {
            let fail = |source| WriteError { path: path.clone(), source };
            let target = path.on_disk(root);
            let before = read_if_there(&target).map_err(fail)?;
            if before.as_ref() != Some(content) {
                folders.create(target.parent().unwrap_or(root)).map_err(fail)?;
                let temporary = temporary(&target, content).map_err(fail)?;
                pending.push(Pending { path, target, temporary, before });
            }
        }
        let written = commit(pending)?;
        folders.keep();
        self.remove_files(root, written)
    }

    fn remove_files(&self, root: &Utf8Path, mut written: Written) -> Result<Written, WriteError> {
        for path in &self.removals {
            match fs::remove_file(path.on_disk(root)) {
                Ok(()) => written.removed.push(path.clone()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(WriteError { path: path.clone(), source }),
            }
        }
        Ok(written)
    }
}

fn read_if_there(path: &Utf8Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A temporary file beside `target` with its permissions, or those that a new file has.
fn temporary(target: &Utf8Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let folder = target.parent().unwrap_or(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".splitter-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask is taken off, as for any new file.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    if let Ok(metadata) = fs::metadata(target) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_data()?;
    Ok(file)
}

fn commit(pending: Vec<Pending<'_>>) -> Result<Written, WriteError> {
    let mut written = Written::default();
    let mut done: Vec<(Utf8PathBuf, Option<Vec<u8>>)> = Vec::new();
    for Pending { path, target, temporary, before } in pending {
        if let Err(error) = temporary.persist(&target) {
            undo(done);
            return Err(WriteError { path: path.clone(), source: error.error });
        }
        tracing::debug!(%path, "wrote");
        let list = if before.is_some() { &mut written.changed } else { &mut written.created };
        list.push(path.clone());
        done.push((target, before));
    }
    Ok(written)
}

/// Puts files back as they were. This runs after a failure that is reported; a second one adds nothing.
fn undo(done: Vec<(Utf8PathBuf, Option<Vec<u8>>)>) {
    for (target, before) in done {
        let _ = match before {
            Some(content) => fs::write(&target, content),
            None => fs::remove_file(&target),
        };
    }
}

/// Folders that were made for the files; removed again unless they are kept.
#[derive(Default)]
struct NewFolders(Vec<Utf8PathBuf>);

impl NewFolders {
    fn create(&mut self, folder: &Utf8Path) -> io::Result<()> {
        let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            self.0.push(folder.to_owned());
        }
        Ok(())
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for NewFolders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
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
        // `z` is a folder, so it can become no file; `a` and the new folder come before it.
        let error = files(&[("a", "new"), ("new/folder/x", "1"), ("z", "2")]).replace(&root).unwrap_err();
        assert_eq!(error.path.as_str(), "z");
        assert_eq!(fs::read_to_string(root.join("a")).unwrap(), "old");
        let left: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
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
