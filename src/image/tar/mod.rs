//! A layer as a tar stream, with the same bytes on every machine and in every run.
//!
//! Entries are sorted, folders come before their content, and nothing of the disk but names, contents and the executable bit
//! counts: times are 1, owners are root, modes are those of the store. Hard links, which optimise a store, become files.
//! Nothing is held in memory but the names of the folders on the way.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::Metadata,
    io::{self, Read as _, Write},
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use fs_err as fs;

mod header;
#[cfg(test)]
mod tests;

use self::header::{BLOCK, Entry, Kind};
use super::{
    plan::{Layer, Mode, Root},
    store::Store,
};
use crate::diagnostic::{Category, Diagnose};

/// The version of the rules. Raise it when they change: the cache of layers holds what the old rules gave.
pub(super) const FORMAT: u32 = 1;

/// The mode of folders on the way to the store, which a store path does not hold.
const ON_THE_WAY: u32 = 0o755;

/// Why a layer cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// A file cannot be read, or the result cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A file of the store is neither a file, a folder nor a link.
    #[error("`{}` is no file, folder or symbolic link, so it cannot be in an image", .0.display())]
    Special(PathBuf),
    /// A file changed while it was read.
    #[error("`{}` changed while it was read", .0.display())]
    Changed(PathBuf),
    /// The root of the image has a file, or a store, where the store of the image is.
    #[error("the root `{root}` of the layer `{layer}` has `{name}`, where the store of the image is")]
    RootHasStore {
        /// The store path.
        root: String,
        /// The layer.
        layer: String,
        /// The first folder of the store.
        name: String,
    },
    /// The root of the image is no folder.
    #[error("the root `{root}` of the layer `{layer}` is no folder")]
    RootIsNoFolder {
        /// The store path.
        root: String,
        /// The layer.
        layer: String,
    },
    /// The plan sets the mode of a file that the root does not have.
    #[error("the plan sets the mode of `{path}`, which the root `{root}` of the layer `{layer}` does not have")]
    NoSuchFile {
        /// The path below the root.
        path: String,
        /// The store path.
        root: String,
        /// The layer.
        layer: String,
    },
}

impl Diagnose for TarError {
    fn category(&self) -> Category {
        match self {
            Self::Io(_) | Self::Changed(_) => Category::Environment,
            _ => Category::Input,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                vec!["build the plan again: its store paths are no longer in the store".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// Writes a layer, and returns the writer and the number of entries. Without entries nothing is written.
pub fn write_layer<W: Write>(layer: &Layer, store: &Store, out: W) -> Result<(W, u64), TarError> {
    let mut writer = Writer { out, entries: 0, modes: BTreeMap::new() };
    let way: Vec<&str> = store.folder().as_str().split('/').filter(|part| !part.is_empty()).collect();
    let root = match &layer.root {
        Some(root) => {
            writer.modes = modes(root);
            Some(folder_of_root(layer, root, store)?)
        }
        None => None,
    };
    if layer.paths.is_empty() {
        writer.folders(b"", root.as_deref())?;
    } else {
        writer.with_store(b"", root.as_deref(), &way, layer, store)?;
    }
    if let Some((path, _)) = writer.modes.pop_first() {
        let (path, root) = (String::from_utf8_lossy(&path).into_owned(), name_of_root(layer));
        return Err(TarError::NoSuchFile { path, root, layer: layer.name.clone() });
    }
    if writer.entries > 0 {
        writer.out.write_all(&[0; 2 * BLOCK])?;
    }
    Ok((writer.out, writer.entries))
}

fn name_of_root(layer: &Layer) -> String {
    layer.root.as_ref().map(|root| root.base_name.clone()).unwrap_or_default()
}

/// Returns the folder whose content lands at the root of the image.
fn folder_of_root(layer: &Layer, root: &Root, store: &Store) -> Result<PathBuf, TarError> {
    let folder = store.on_disk(&root.base_name);
    if !fs::symlink_metadata(&folder)?.is_dir() {
        return Err(TarError::RootIsNoFolder { root: root.base_name.clone(), layer: layer.name.clone() });
    }
    Ok(folder.into_std_path_buf())
}

fn modes(root: &Root) -> BTreeMap<Vec<u8>, Mode> {
    root.modes.iter().map(|(path, mode)| (path.clone().into_bytes(), *mode)).collect()
}

/// Returns the entries of a folder, sorted by the bytes of their names.
fn children(folder: &Path) -> io::Result<Vec<(OsString, PathBuf)>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| (entry.file_name(), entry.path())));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable();
    Ok(entries)
}

struct Writer<W> {
    out: W,
    entries: u64,
    /// The modes that the plan sets. Each is removed when its file is written.
    modes: BTreeMap<Vec<u8>, Mode>,
}

impl<W: Write> Writer<W> {
    /// Writes what is in a folder of the root.
    fn folders(&mut self, path: &[u8], folder: Option<&Path>) -> Result<(), TarError> {
        for (name, disk) in folder.map(children).transpose()?.unwrap_or_default() {
            self.tree(&[path, name.as_bytes()].concat(), &disk)?;
        }
        Ok(())
    }

    /// Writes what is in a folder of the root, with the store behind the rest of the way. `path` ends with `/`, or is empty.
    fn with_store(
        &mut self,
        path: &[u8],
        folder: Option<&Path>,
        way: &[&str],
        layer: &Layer,
        store: &Store,
    ) -> Result<(), TarError> {
        let Some((next, rest)) = way.split_first() else {
            for item in &layer.paths {
                let path = [path, item.base_name.as_bytes()].concat();
                self.tree(&path, store.on_disk(&item.base_name).as_std_path())?;
            }
            return Ok(());
        };
        let found = folder.map(children).transpose()?.unwrap_or_default();
        let mut entries: BTreeMap<OsString, Option<PathBuf>> =
            found.into_iter().map(|(name, disk)| (name, Some(disk))).collect();
        entries.entry(next.into()).or_default();
        for (name, disk) in entries {
            let inner = [path, name.as_bytes()].concat();
            match disk {
                Some(disk) if name != *next => self.tree(&inner, &disk)?,
                disk => {
                    if rest.is_empty() && disk.is_some() || disk.as_ref().is_some_and(|disk| !is_folder(disk)) {
                        let (root, name) = (name_of_root(layer), (*next).to_owned());
                        return Err(TarError::RootHasStore { root, layer: layer.name.clone(), name });
                    }
                    let mode = self.modes.remove(inner.as_slice());
                    let Mode { mode, uid, gid } = mode.unwrap_or(Mode { mode: ON_THE_WAY, uid: 0, gid: 0 });
                    let inner = [&inner, b"/".as_slice()].concat();
                    self.entry(&Entry { path: &inner, kind: Kind::Folder, mode, uid, gid })?;
                    self.with_store(&inner, disk.as_deref(), rest, layer, store)?;
                }
            }
        }
        Ok(())
    }

    /// Writes a file, a link or a folder with its content.
    fn tree(&mut self, path: &[u8], disk: &Path) -> Result<(), TarError> {
        let metadata = fs::symlink_metadata(disk)?;
        let set = self.modes.remove(path);
        let Mode { mode, uid, gid } = set.unwrap_or(Mode { mode: mode_in_store(&metadata), uid: 0, gid: 0 });
        let entry = |path, kind| Entry { path, kind, mode, uid, gid };
        if metadata.is_symlink() {
            let target = fs::read_link(disk)?.into_os_string().into_vec();
            // The mode of a link has no meaning, and a plan cannot give it one.
            self.entry(&Entry { mode: 0o777, ..entry(path, Kind::Link { target: &target }) })
        } else if metadata.is_dir() {
            self.entry(&entry(&[path, b"/"].concat(), Kind::Folder))?;
            for (name, disk) in children(disk)? {
                self.tree(&[path, b"/", name.as_bytes()].concat(), &disk)?;
            }
            Ok(())
        } else if metadata.is_file() {
            self.entry(&entry(path, Kind::File { size: metadata.len() }))?;
            self.content(disk, metadata.len())
        } else {
            Err(TarError::Special(disk.to_owned()))
        }
    }

    fn content(&mut self, disk: &Path, size: u64) -> Result<(), TarError> {
        let mut file = fs::File::open(disk)?;
        let copied = io::copy(&mut (&mut file).take(size), &mut self.out)?;
        if copied != size || file.read(&mut [0])? != 0 {
            return Err(TarError::Changed(disk.to_owned()));
        }
        let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        if over > 0 {
            self.out.write_all(&[0; BLOCK][over..])?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), TarError> {
        self.entries += 1;
        Ok(self.out.write_all(&entry.blocks())?)
    }
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Returns the mode that Nix gives a file. The disk may have another one, but its executable bit counts.
fn mode_in_store(metadata: &Metadata) -> u32 {
    let is_executable = metadata.is_dir() || metadata.permissions().mode() & 0o100 != 0;
    if is_executable { 0o555 } else { 0o444 }
}
