//! What `check` remembers: of a repository that was right, all that was asked of it and the digests of the answers.
//!
//! Where it still answers so, it is right again, and nothing need be parsed. Only what was right is remembered, for this very
//! program, and in the cache folder; what cannot be written or read is as if it were not there. The index is not remembered:
//! that check writes nothing.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{
    fetch::{Cache, Environment},
    repo::{Trace, WorkTree},
};

/// A verdict that all is right.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Fresh {
    /// How many tarballs are recorded.
    pub(super) packages: usize,
    /// How many workspaces are recorded.
    pub(super) workspaces: usize,
    /// What was asked.
    trace: Trace,
}

/// The cache, and where the memory of one repository lies in it.
pub(super) struct Memory(Option<(Utf8PathBuf, Utf8PathBuf)>);

impl Memory {
    /// That of a repository, for this program.
    pub(super) fn of(root: &Utf8Path) -> Self {
        let folder = Cache::default_root(&Environment::of_process()).ok();
        let path = folder.zip(program()).map(|(folder, program)| {
            let name = blake3::hash(format!("{root}\0{program}").as_bytes()).to_hex();
            let path = folder.join("checked").join(format!("{}.json", &name[..32]));
            (folder, path)
        });
        Self(path)
    }

    /// What is remembered, if the repository still is so.
    pub(super) fn recall(&self, tree: &WorkTree) -> Option<Fresh> {
        let bytes = fs::read(&self.0.as_ref()?.1).ok()?;
        let fresh: Fresh = serde_json::from_slice(&bytes).ok()?;
        fresh.trace.holds(tree).then_some(fresh)
    }

    /// Remembers a repository that is right.
    pub(super) fn keep(&self, packages: usize, workspaces: usize, trace: Trace) {
        let Some((cache, path)) = &self.0 else { return };
        let Ok(text) = serde_json::to_vec(&Fresh { packages, workspaces, trace }) else { return };
        if let Err(error) = Cache::open(cache).and_then(|cache| cache.write(path, &text)) {
            tracing::debug!(%error, "the check is not remembered");
        }
    }
}

/// This very program: another build may see things in another way.
fn program() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let metadata = fs::metadata(&path).ok()?;
    let time = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}\0{}\0{}\0{}", env!("CARGO_PKG_VERSION"), path.display(), metadata.len(), time.as_nanos()))
}
