//! Results that a later run may use: small files in the cache folder, one for each repository and kind of result.
//!
//! They only save time or add a mark. A file that cannot be read or written is ignored.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    fetch::{Cache, Environment},
    reading,
};

/// The cache folder, and the file in it.
pub(super) struct MemoryFile(Option<(Utf8PathBuf, Utf8PathBuf)>);

impl MemoryFile {
    /// Returns the file for a repository. `folder` is the kind of result. Only runs with the same `key` share it.
    pub(super) fn of(root: &Utf8Path, folder: &str, key: Option<&str>) -> Self {
        let cache = Cache::default_root(&Environment::of_process()).ok();
        let path = cache.zip(key).map(|(cache, key)| {
            let name = blake3::hash(format!("{root}\0{key}").as_bytes()).to_hex();
            let path = cache.join(folder).join(format!("{}.json", &name[..32]));
            (cache, path)
        });
        Self(path)
    }

    /// Reads what an earlier run wrote.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let bytes = reading::bytes(&self.0.as_ref()?.1).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes it for later runs.
    pub(super) fn write(&self, value: &impl Serialize) {
        let Some((cache, path)) = &self.0 else { return };
        let Ok(text) = serde_json::to_vec(value) else { return };
        if let Err(error) = Cache::open(cache).and_then(|cache| cache.write(path, &text)) {
            tracing::debug!(%error, %path, "could not store a result");
        }
    }
}
