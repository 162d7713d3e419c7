//! Conversion between a tree and a folder on disk.

use std::{
    ffi::OsStr,
    fs::{FileType, Metadata, Permissions},
    io::{self, Write as _},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::PermissionsExt as _,
    },
    path::{Path, PathBuf},
};

use fs_err as fs;

use super::{DEEPEST, File, Folder, Name, NarError, Source, Tree, TreeError};

/// The mode bit that Nix records: whether the owner may execute the file.
const OWNER_EXECUTES: u32 = 0o100;

/// Reads the folder, file or link at `path`. Links are not followed, and files are not opened.
///
/// With [`hash`](super::hash()), this gives the result of `nix hash path`.
pub fn tree_of_folder(path: impl AsRef<Path>) -> Result<Tree, NarError> {
    let path = path.as_ref();
    let metadata = fs::symlink_metadata(path).map_err(NarError::Disk)?;
    tree_at(path.into(), metadata.file_type(), 0)
}

/// Reads the entry at `path`, whose `kind` a listing gave. Only files need another system call.
fn tree_at(path: PathBuf, kind: FileType, depth: usize) -> Result<Tree, NarError> {
    if depth > DEEPEST {
        return Err(TreeError::TooDeep { path: path.display().to_string() }.into());
    }
    if kind.is_dir() {
        Ok(Tree::Folder(folder_at(path, depth)?))
    } else if kind.is_symlink() {
        let target = fs::read_link(path).map_err(NarError::Disk)?;
        Ok(Tree::Symlink(target.into_os_string().into_vec()))
    } else if kind.is_file() {
        let metadata = fs::symlink_metadata(&path).map_err(NarError::Disk)?;
        Ok(Tree::File(File { source: Source::Disk(path), executable: is_executable(&metadata) }))
    } else {
        Err(NarError::Special { path })
    }
}

fn folder_at(path: PathBuf, depth: usize) -> Result<Folder, NarError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(NarError::Disk)? {
        let entry = entry.map_err(NarError::Disk)?;
        let kind = entry.file_type().map_err(NarError::Disk)?;
        let name = Name::new(entry.file_name().into_vec())
            .map_err(|why| TreeError::Name { path: entry.path().display().to_string(), why })?;
        entries.push((name, tree_at(entry.path(), kind, depth + 1)?));
    }
    Ok(entries.into_iter().collect())
}

/// Creates `tree` at `path`, which must not exist. Files on disk become hard links if possible. They are copied to
/// another file system, and if their executable bit must differ.
///
/// A linked file is the same file as its source: writing to one writes to both. On an error, the caller must remove
/// what was created so far.
pub fn lay_out(tree: &Tree, path: impl AsRef<Path>) -> Result<(), NarError> {
    make_tree(tree, path.as_ref()).map_err(NarError::Disk)
}

fn make_tree(tree: &Tree, path: &Path) -> io::Result<()> {
    match tree {
        Tree::File(file) => make_file(file, path),
        Tree::Symlink(target) => fs::os::unix::fs::symlink(OsStr::from_bytes(target), path),
        Tree::Folder(folder) => {
            fs::create_dir(path)?;
            folder
                .entries()
                .try_for_each(|(name, tree)| make_tree(tree, &path.join(OsStr::from_bytes(name.as_bytes()))))
        }
    }
}

fn make_file(file: &File, path: &Path) -> io::Result<()> {
    let mode = if file.executable { 0o755 } else { 0o644 };
    match &file.source {
        Source::Memory(bytes) => fs::File::create_new(path)?.write_all(bytes)?,
        Source::Disk(source) if can_be_linked(source, file.executable)? && fs::hard_link(source, path).is_ok() => {
            return Ok(());
        }
        Source::Disk(source) => {
            io::copy(&mut fs::File::open(source)?, &mut fs::File::create_new(path)?)?;
        }
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Whether a link to `source` would give the wanted file: a regular one, with that executable bit.
fn can_be_linked(source: &Path, executable: bool) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(source)?;
    Ok(metadata.is_file() && is_executable(&metadata) == executable)
}

/// Whether an archive would mark the file as executable.
fn is_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & OWNER_EXECUTES != 0
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use std::os::unix::{
        fs::{MetadataExt as _, symlink},
        net::UnixListener,
    };

    use super::{super::hash, *};

    #[test]
    fn only_the_owners_executable_bit_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("a");
        fs::write(&path, "").unwrap();
        for (mode, expected) in [(0o644, false), (0o655, false), (0o744, true), (0o500, true)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let Tree::File(file) = tree_of_folder(&path).unwrap() else { panic!("a file") };
            assert_eq!(file.executable, expected, "{mode:o}");
        }
    }

    #[test]
    fn links_are_not_followed_even_when_they_are_the_whole_tree() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap().join("l");
        symlink("nowhere/é", &path).unwrap();
        assert_eq!(tree_of_folder(&path).unwrap(), Tree::symlink("nowhere/é"));
    }

    #[test]
    fn what_archives_cannot_hold_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        let _socket = UnixListener::bind(path.join("s")).unwrap();
        assert!(matches!(tree_of_folder(path), Err(NarError::Special { path }) if path.ends_with("s")));
        let missing = tree_of_folder(path.join("missing")).unwrap_err();
        assert!(matches!(&missing, NarError::Disk(_)) && missing.to_string().contains("missing"), "{missing}");
    }

    #[test]
    fn a_folder_deeper_than_nix_allows_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let path = root.join(["d"; 63].join("/"));
        fs::create_dir_all(&path).unwrap();
        tree_of_folder(root).unwrap();
        fs::write(path.join("f"), "").unwrap();
        assert!(matches!(tree_of_folder(root), Err(NarError::Tree(TreeError::TooDeep { .. }))));
    }

    #[test]
    fn files_are_linked_unless_their_executable_bit_differs() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let source = root.join("source");
        fs::write(&source, "x").unwrap();
        symlink(&source, root.join("link")).unwrap();
        let mut tree = Folder::new();
        tree.insert("linked", Tree::file(&source)).unwrap();
        tree.insert("behind a link", Tree::file(root.join("link"))).unwrap();
        tree.insert("run", Tree::File(File { source: Source::Disk(source.clone().into()), executable: true })).unwrap();
        let tree = Tree::from(tree);
        let made = root.join("made");
        lay_out(&tree, &made).unwrap();
        let inode = |path: &Utf8Path| fs::symlink_metadata(path).unwrap().ino();
        assert_eq!(inode(&made.join("linked")), inode(&source));
        assert_ne!(inode(&made.join("run")), inode(&source));
        assert_eq!(fs::read_to_string(made.join("behind a link")).unwrap(), "x");
        assert_eq!(hash(&tree_of_folder(&made).unwrap()).unwrap(), hash(&tree).unwrap());
        assert!(matches!(lay_out(&tree, &made), Err(NarError::Disk(_))));
    }
}
