//! The repository as files: paths that cannot leave it, and the trees they are read from.

mod path;

pub use path::{RepoPath, RepoPathError};
