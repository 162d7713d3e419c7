//! The memory of `check`: the files and folders that a fresh repository was read from, with digests.
//!
//! If all digests are the same, the repository is still fresh and nothing is parsed. Only fresh results are kept, in the cache
//! folder, for this build of the program. A memory that cannot be read or written is ignored. Checks of the index are not
//! kept, because the hook writes nothing.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{
    fetch::{Cache, Environment},
    repo::{Trace, WorkTree},
};

/// A verdict without differences.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fresh {
    /// Number of recorded tarballs.
    pub(super) packages: usize,
    /// Number of recorded workspaces.
    pub(super) workspaces: usize,
    /// What was read, with digests.
    trace: Trace,
}

/// The cache folder, and the file in it for one repository.
pub(super) struct Memory(Option<(Utf8PathBuf, Utf8PathBuf)>);

impl Memory {
    /// Returns the memory of a repository, for this program.
    pub(super) fn of(root: &Utf8Path) -> Self {
        let folder = Cache::default_root(&Environment::of_process()).ok();
        let path = folder.zip(program()).map(|(folder, program)| {
            let name = blake3::hash(format!("{root}\0{program}").as_bytes()).to_hex();
            let path = folder.join("checked").join(format!("{}.json", &name[..32]));
            (folder, path)
        });
        Self(path)
    }

    /// Returns the earlier verdict, if the repository has not changed since.
    pub(super) fn recall(&self, tree: &WorkTree) -> Option<Fresh> {
        let bytes = fs::read(&self.0.as_ref()?.1).ok()?;
        let fresh: Fresh = serde_json::from_slice(&bytes).ok()?;
        fresh.trace.holds(tree).then_some(fresh)
    }

    /// Stores the verdict for a fresh repository.
    pub(super) fn keep(&self, packages: usize, workspaces: usize, trace: Trace) {
        let Some((cache, path)) = &self.0 else { return };
        let Ok(text) = serde_json::to_vec(&Fresh { packages, workspaces, trace }) else { return };
        if let Err(error) = Cache::open(cache).and_then(|cache| cache.write(path, &text)) {
            tracing::debug!(%error, "could not store the result of the check");
        }
    }
}

/// Identifies this build of the program. Another build may judge differently.
fn program() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let metadata = fs::metadata(&path).ok()?;
    let time = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}\0{}\0{}\0{}", env!("CARGO_PKG_VERSION"), path.display(), metadata.len(), time.as_nanos()))
}
