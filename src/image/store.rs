//! [`Store`]: the folder of store paths, in the image and on this machine.

use camino::{Utf8Path, Utf8PathBuf};

use crate::nix::store_path::{STORE, StorePath};

/// Nix's own variable for a store in another folder.
pub const STORE_VARIABLE: &str = "NIX_STORE_DIR";

/// The folder of store paths. In a chroot store it differs between the paths and the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: Utf8PathBuf,
    disk: Utf8PathBuf,
}

impl Default for Store {
    fn default() -> Self {
        Self { folder: STORE.into(), disk: STORE.into() }
    }
}

impl Store {
    /// Returns the store at `folder`, or nothing if `folder` is no absolute path without `.` and `..`.
    pub fn at(folder: &str) -> Option<Self> {
        let folder = Utf8PathBuf::from(folder.trim_end_matches('/'));
        let mut components = folder.components();
        let is_absolute = components.next() == Some(camino::Utf8Component::RootDir);
        let is_plain = components.all(|component| matches!(component, camino::Utf8Component::Normal(_)));
        let is_usable = is_absolute && is_plain && folder.file_name().is_some();
        is_usable.then(|| Self { disk: folder.clone(), folder })
    }

    /// Reads the files of this store from another folder of the disk.
    #[must_use]
    pub fn lying_at(self, disk: impl Into<Utf8PathBuf>) -> Self {
        Self { disk: disk.into(), ..self }
    }

    /// Returns the folder, as store paths name it.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Returns the base name of a store path, or nothing if `path` is not a path directly in this store.
    pub fn base_name<'a>(&self, path: &'a str) -> Option<&'a str> {
        let name = path.strip_prefix(self.folder.as_str())?.strip_prefix('/')?;
        format!("{STORE}/{name}").parse::<StorePath>().is_ok().then_some(name)
    }

    /// Returns where the files of a store path are.
    pub fn on_disk(&self, base_name: &str) -> Utf8PathBuf {
        self.disk.join(base_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_folders_are_stores() {
        assert_eq!(Store::at("/nix/store/"), Some(Store::default()));
        for folder in ["", "/", "nix/store", "/nix/../store", "./store"] {
            assert_eq!(Store::at(folder), None, "{folder}");
        }
    }

    #[test]
    fn only_paths_directly_in_the_store_have_a_base_name() {
        let name = "a101ry64prhq70jyl77q503pidv67jw7-x";
        let store = Store::at("/s").unwrap().lying_at("/d");
        assert_eq!(store.base_name(&format!("/s/{name}")), Some(name));
        assert_eq!(store.on_disk(name), Utf8Path::new("/d").join(name));
        for path in [format!("/nix/store/{name}"), format!("/s/{name}/y"), "/s/x".to_owned(), "/s/../s".to_owned()] {
            assert_eq!(store.base_name(&path), None, "{path}");
        }
    }
}
