//! The stores that runs use: folders below the cache folder, copied with hard links. They end with the program.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::BenchError;
use crate::{
    bench::Side,
    ending::{Folder, remove_all},
    fetch::{Cache, Environment},
};

/// The start of the names of the folders.
const PREFIX: &str = "stores-";

/// The folder of all stores.
pub(super) struct Stores {
    root: Utf8PathBuf,
    number: usize,
    _folder: Folder,
}

impl Stores {
    /// Makes an empty folder, and removes those that killed runs left.
    pub(super) fn new() -> Result<Self, BenchError> {
        let cache = Cache::default_root(&Environment::of_process()).map_err(io::Error::other)?;
        let parent = cache.join("bench");
        fs::create_dir_all(&parent)?;
        let folder = Folder::without_leftovers(PREFIX, parent.as_std_path())?;
        // Nix refuses paths that contain a link.
        let root = Utf8PathBuf::from_path_buf(fs::canonicalize(folder.path())?).map_err(|_| not_utf8())?;
        Ok(Self { root, number: 0, _folder: folder })
    }

    /// The store with the tools, and nothing that the repository names.
    pub(super) fn tools(&self) -> Utf8PathBuf {
        self.root.join("tools")
    }

    /// The same with the tarballs.
    pub(super) fn tarballs(&self) -> Utf8PathBuf {
        self.root.join("tarballs")
    }

    /// The folder of the binary cache of a side.
    pub(super) fn cache(&self, side: Side) -> Utf8PathBuf {
        self.root.join(format!("cache-{side}"))
    }

    /// Copies a store to a new folder.
    pub(super) fn copy(&mut self, from: &Utf8Path) -> Result<Utf8PathBuf, BenchError> {
        self.number += 1;
        let to = self.root.join(format!("run-{}", self.number));
        copy_store(from, &to)?;
        Ok(to)
    }

    /// Copies the store with the tools, for the tarballs to be added.
    pub(super) fn make_tarballs(&self) -> Result<(), BenchError> {
        Ok(copy_store(&self.tools(), &self.tarballs())?)
    }

    /// Removes a store. If that fails, it ends with the program.
    pub(super) fn remove(store: &Utf8Path) {
        if let Err(error) = remove_all(store.as_std_path()) {
            tracing::debug!(%error, %store, "could not remove a store");
        }
    }
}

fn not_utf8() -> io::Error {
    io::Error::other("the path of the cache folder is not UTF-8")
}

/// Copies a store: its paths as hard links, its database as it is.
fn copy_store(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    fs::create_dir_all(to.join("nix"))?;
    copy(&from.join("nix/var"), &to.join("nix/var"), false)?;
    copy(&from.join("nix/store"), &to.join("nix/store"), true)
}

fn copy(from: &Utf8Path, to: &Utf8Path, links: bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.as_std_path().read_dir()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { return Err(io::Error::other("a name is not UTF-8")) };
        let (source, target) = (from.join(&name), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &target, links)?;
        } else if links && fs::hard_link(&source, &target).is_ok() {
            // The content of a store path never changes.
        } else if kind.is_symlink() {
            link(&fs::read_link(&source)?, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    // Last, because a read-only folder takes no entries.
    fs::set_permissions(to, fs::metadata(from)?.permissions())
}

#[cfg(unix)]
fn link(target: &std::path::Path, file: &Utf8Path) -> io::Result<()> {
    fs::os::unix::fs::symlink(target, file)
}

#[cfg(not(unix))]
fn link(_: &std::path::Path, _: &Utf8Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the size of the files in a binary cache that hold these store paths, in bytes.
pub(super) fn size_in_cache<'a>(cache: &Utf8Path, paths: impl Iterator<Item = &'a String>) -> u64 {
    let of = |path: &String| {
        let base = path.rsplit('/').next().unwrap_or_default();
        let hash = base.split('-').next().unwrap_or_default();
        let info = fs::read_to_string(cache.join(format!("{hash}.narinfo"))).ok()?;
        info.lines().find_map(|line| line.strip_prefix("FileSize: "))?.trim().parse::<u64>().ok()
    };
    paths.filter_map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_store_is_copied_with_links_and_its_database_is_not() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let path = root.join("a/nix/store/x-y");
        fs::create_dir_all(&path).unwrap();
        fs::create_dir_all(root.join("a/nix/var/nix/db")).unwrap();
        fs::write(path.join("file"), "x").unwrap();
        fs::write(root.join("a/nix/var/nix/db/db.sqlite"), "x").unwrap();
        link("file".as_ref(), &path.join("link")).unwrap();
        fs::set_permissions(&path, std::fs::Permissions::from_mode(0o555)).unwrap();
        copy_store(&root.join("a"), &root.join("b")).unwrap();
        let inode = |path: &str| fs::symlink_metadata(root.join(path)).unwrap().ino();
        assert_eq!(inode("a/nix/store/x-y/file"), inode("b/nix/store/x-y/file"));
        assert_ne!(inode("a/nix/var/nix/db/db.sqlite"), inode("b/nix/var/nix/db/db.sqlite"));
        assert_eq!(fs::read_link(root.join("b/nix/store/x-y/link")).unwrap(), std::path::Path::new("file"));
        assert_eq!(fs::metadata(root.join("b/nix/store/x-y")).unwrap().mode() & 0o777, 0o555);
        for store in ["a", "b"] {
            Stores::remove(&root.join(store));
            assert!(!root.join(store).exists());
        }
    }

    #[test]
    fn sizes_are_those_of_the_files_in_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("abc.narinfo"), "StorePath: /s/abc-x\nFileSize: 42\nNarSize: 99\n").unwrap();
        let paths = ["/s/abc-x".to_owned(), "/s/def-y".to_owned()];
        assert_eq!(size_in_cache(root, paths.iter()), 42);
    }
}
