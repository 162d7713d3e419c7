//! The repository as files: paths that cannot leave it, and the trees to read them from.
//!
//! [`Tree`] lets the same pure code run over anything that can list folders and read files.

pub mod door;
mod git;
mod index;
pub mod lfs;
mod path;
mod snapshot;
pub mod states;
mod trace;
mod tree;
mod work_tree;

pub use git::{GIT_VARIABLES, Git, GitError};
pub use index::{GitIndex, Staged};
pub use path::{RepoPath, RepoPathError};
pub use snapshot::{Asks, Snapshot};
pub use states::{FileKind, FileState, FileStates};
pub use trace::{Trace, Traced};
pub use tree::{
    Entry, EntryKind, Link, SourceFile, Tree, TreeError, is_lfs_pointer, read_parsed, read_text, through_links,
};
pub use work_tree::{Walked, WorkTree, WorkTreeError};

#[cfg(test)]
pub(crate) use tree::MemoryTree;
