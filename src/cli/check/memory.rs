//! The memory of `check`: the files and folders that a fresh repository was read from, with digests.
//!
//! If all digests are the same, the repository is still fresh and nothing is parsed. Only fresh results are kept, in the cache
//! folder, for this build of the program. A memory that cannot be read or written is ignored. Checks of the index are not
//! kept, because the hook writes nothing.

use camino::Utf8Path;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{
    cli::memory::MemoryFile,
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

/// The memory of one repository.
pub(super) struct Memory(MemoryFile);

impl Memory {
    /// Returns the memory of a repository, for this program.
    pub(super) fn of(root: &Utf8Path) -> Self {
        Self(MemoryFile::of(root, "checked", program().as_deref()))
    }

    /// Returns the earlier verdict, if the repository has not changed since.
    pub(super) fn recall(&self, tree: &WorkTree) -> Option<Fresh> {
        let fresh: Fresh = self.0.read()?;
        fresh.trace.holds(tree).then_some(fresh)
    }

    /// Stores the verdict for a fresh repository.
    pub(super) fn keep(&self, packages: usize, workspaces: usize, trace: Trace) {
        self.0.write(&Fresh { packages, workspaces, trace });
    }
}

/// Identifies this build of the program. Another build may judge differently.
fn program() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let metadata = fs::metadata(&path).ok()?;
    let time = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}\0{}\0{}\0{}", env!("CARGO_PKG_VERSION"), path.display(), metadata.len(), time.as_nanos()))
}
