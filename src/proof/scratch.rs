//! Scratch copies of a repository, in which edits are made for Nix to see.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::ProofError;
use crate::{
    ending::Folder,
    repo::{
        RepoPath, Tree, door,
        states::{FileKind, FileStates},
    },
};

/// A folder for copies, removed when it is dropped.
pub struct Scratch {
    root: Utf8PathBuf,
    _folder: Folder,
}

/// A copy of a repository's files: those that git does not ignore.
#[derive(Debug, Clone)]
pub struct Copy {
    root: Utf8PathBuf,
}

impl Scratch {
    /// An empty one, among the temporary files of this machine.
    pub fn new() -> Result<Self, ProofError> {
        let folder = Folder::new("splitter-", &std::env::temp_dir())?;
        // Nix refuses paths through links, as the temporary folder of macOS is.
        let root = fs::canonicalize(folder.path())?;
        let root = Utf8PathBuf::from_path_buf(root).map_err(ProofError::NotUtf8)?;
        Ok(Self { root, _folder: folder })
    }

    /// A new folder in it, by an absolute path.
    pub fn folder(&self, name: &str) -> Result<Utf8PathBuf, ProofError> {
        let folder = self.root.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Copies the files of a tree. Those that `known` has as they are wanted share their content on disk with it, which is
    /// never written to: a copy of a large repository so takes no time and no space.
    pub fn copy(
        &self,
        name: &str,
        tree: &dyn Tree,
        files: &FileStates,
        known: Option<(&Utf8Path, &FileStates)>,
    ) -> Result<Copy, ProofError> {
        let copy = Copy { root: self.folder(name)? };
        let mut last = RepoPath::root();
        for (path, state) in files {
            let folder = path.parent();
            let target = path.on_disk(&copy.root);
            if folder != last {
                door::entry(&copy.root, path)?;
                fs::create_dir_all(folder.on_disk(&copy.root))?;
                last = folder;
            }
            let known = known.filter(|(_, files)| files.get(path) == Some(state)).map(|(root, _)| path.on_disk(root));
            let content = match (state.kind, known) {
                (FileKind::Link, _) => tree.link(path)?.map(String::into_bytes),
                // Another file system, or a file of another user.
                (_, Some(file)) if fs::hard_link(&file, &target).is_ok() => None,
                _ => tree.read(path)?,
            };
            if let Some(content) = content {
                copy.write(path, &content, state.kind)?;
            }
        }
        Ok(copy)
    }
}

/// The content of a file, empty where there is none.
pub(super) fn content(tree: &dyn Tree, path: &RepoPath) -> Result<Vec<u8>, ProofError> {
    Ok(tree.read(path)?.unwrap_or_default())
}

impl Copy {
    /// Where it lies.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Puts a file in place of what lies there. The old one is unlinked, since another copy may share its content.
    pub fn write(&self, path: &RepoPath, content: &[u8], kind: FileKind) -> Result<(), ProofError> {
        let file = door::entry(&self.root, path)?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        self.remove(path)?;
        if kind == FileKind::Link {
            link(String::from_utf8_lossy(content).as_ref().as_ref(), &file)?;
            return Ok(());
        }
        fs::write(&file, content)?;
        if kind == FileKind::Executable {
            make_executable(&file)?;
        }
        Ok(())
    }

    /// Removes a file, where there is one.
    pub fn remove(&self, path: &RepoPath) -> Result<(), ProofError> {
        match fs::remove_file(door::entry(&self.root, path)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Makes an empty folder.
    pub fn make_folder(&self, path: &RepoPath) -> Result<(), ProofError> {
        Ok(fs::create_dir_all(door::entry(&self.root, path)?)?)
    }

    /// Removes a folder that is empty, and the empty ones above it.
    pub fn remove_folder(&self, path: &RepoPath) {
        let mut folder = path.clone();
        while !folder.is_root() && fs::remove_dir(folder.on_disk(&self.root)).is_ok() {
            folder = folder.parent();
        }
    }
}

#[cfg(unix)]
fn link(target: &std::path::Path, file: &Utf8Path) -> io::Result<()> {
    fs::os::unix::fs::symlink(target, file)
}

#[cfg(not(unix))]
fn link(_: &std::path::Path, _: &Utf8Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn make_executable(file: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Utf8Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{WorkTree, states};

    #[test]
    fn a_copy_shares_contents_and_never_writes_through_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/file"), "old").unwrap();
        std::os::unix::fs::symlink("file", root.join("a/link")).unwrap();
        let tree = WorkTree::at(root);
        let files = states::of_folder(&tree).unwrap();
        let scratch = Scratch::new().unwrap();
        let copy = scratch.copy("copy", &tree, &files, Some((root, &files))).unwrap();
        assert_eq!(states::of_folder(&WorkTree::at(copy.root())).unwrap(), files);
        let path: RepoPath = "a/file".parse().unwrap();
        copy.write(&path, b"new", FileKind::Executable).unwrap();
        let edited = states::of_folder(&WorkTree::at(copy.root())).unwrap();
        assert_eq!(edited[&path].kind, FileKind::Executable);
        assert_eq!(fs::read_to_string(copy.root().join("a/file")).unwrap(), "new");
        // What it was copied from is as it was, its mode too.
        assert_eq!(states::of_folder(&tree).unwrap(), files);
        let inner: RepoPath = "a/b/c".parse().unwrap();
        copy.make_folder(&inner).unwrap();
        copy.remove_folder(&inner);
        assert!(!copy.root().join("a/b").exists() && copy.root().join("a").exists());
    }
}
