//! The root files that `splitter.json` names: for all builds, or for one workspace.

use std::collections::BTreeSet;

use crate::{
    repo::{RepoPath, Tree},
    split::{SplitError, sources::source_filter::is_glob},
};

/// Returns the named files, whole folders and globs. `by` says where they are named.
///
/// # Errors
///
/// A name that is no glob and that the repository does not have: a misspelt one would do nothing.
pub(in crate::split) fn chosen(
    tree: &dyn Tree,
    named: &[RepoPath],
    by: &str,
) -> Result<BTreeSet<RepoPath>, SplitError> {
    for path in named {
        if path.is_root() {
            let reason = format!("{by} names the root itself: expected files and folders that builds read");
            return Err(SplitError::Config { reason });
        }
        if !is_glob(path.as_str()) && !tree.is_file(path)? && tree.list(path)?.is_empty() {
            return Err(SplitError::Missing { path: path.clone(), by: format!("{by} of `splitter.json`") });
        }
    }
    Ok(named.iter().cloned().collect())
}
