//! What a repository holds of its package manager: the program, plugins, a cache. Only Yarn has such files.

use crate::{
    lockfile::Format,
    repo::{RepoPath, Tree},
    split::{
        SplitError,
        committed_cache::CommittedCache,
        yarnrc::{BerryRc, ClassicRc},
    },
};

/// The package manager's files in a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::split) struct OwnFiles {
    /// Its program.
    pub(in crate::split) program: Option<RepoPath>,
    /// Its plugins.
    pub(in crate::split) plugins: Vec<RepoPath>,
    /// Its cache.
    pub(in crate::split) cache: Option<CommittedCache>,
}

impl OwnFiles {
    /// Finds them by the rc file that the package manager of a lockfile reads.
    pub(in crate::split) fn find(tree: &dyn Tree, format: Format) -> Result<Self, SplitError> {
        match format {
            Format::Bun(_) => Ok(Self::default()),
            Format::YarnClassic => Ok(Self { program: ClassicRc::read(tree)?.yarn_path()?, ..Self::default() }),
            Format::YarnBerry(_) => {
                let rc = BerryRc::read(tree)?;
                let cache = rc.cache_folder.map(|folder| CommittedCache::find(tree, folder)).transpose()?;
                Ok(Self { program: rc.yarn_path, plugins: rc.plugins, cache: cache.flatten() })
            }
        }
    }
}
