//! Scratch copies of a repository, where edits are made for Nix to evaluate.

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

/// A temporary folder for copies. Dropping it removes the folder.
#[derive(Debug)]
pub struct Scratch {
    root: Utf8PathBuf,
    _folder: Folder,
}

/// A copy of the files of a repository that git does not ignore.
#[derive(Debug, Clone)]
pub struct Copy {
    root: Utf8PathBuf,
}

impl Scratch {
    /// Makes an empty one in the temporary folder of this machine.
    pub fn new() -> Result<Self, ProofError> {
        let folder = Folder::in_temporary("splitter-scratch-")?;
        // Nix refuses paths that contain a link, and the temporary folder of macOS is one.
        let root = fs::canonicalize(folder.path())?;
        let root = Utf8PathBuf::from_path_buf(root).map_err(ProofError::NotUtf8)?;
        Ok(Self { root, _folder: folder })
    }

    /// Makes a folder in it and returns the absolute path.
    pub fn folder(&self, name: &str) -> Result<Utf8PathBuf, ProofError> {
        let folder = self.root.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Copies the files of a tree. Files that are the same in the folder `known` become hard links to it, so a copy of a large
    /// repository takes little time and space. Copies never write to such files.
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
                (FileKind::Submodule, _) => {
                    fs::create_dir_all(&target)?;
                    None
                }
                (FileKind::Link, _) => tree.link(path)?.map(String::into_bytes),
                // Linking fails on another file system, or for a file of another user. Then the file is copied.
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

/// Returns the content of a file, or nothing if there is no such file.
pub(super) fn content(tree: &dyn Tree, path: &RepoPath) -> Result<Vec<u8>, ProofError> {
    Ok(tree.read(path)?.unwrap_or_default())
}

impl Copy {
    /// Returns the root folder of the copy.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Writes a file. An old one is removed first, because another copy may share its content.
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

    /// Removes a file, if it exists.
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

    /// Removes an empty folder, and the folders above that become empty.
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
        // The original files are unchanged, and so are their modes.
        assert_eq!(states::of_folder(&tree).unwrap(), files);
        let inner: RepoPath = "a/b/c".parse().unwrap();
        copy.make_folder(&inner).unwrap();
        copy.remove_folder(&inner);
        assert!(!copy.root().join("a/b").exists() && copy.root().join("a").exists());
    }
}
