//! The cache of zips that some repositories of Yarn 2 and later commit ("zero-installs").
//!
//! Yarn reads a package from it and checks it against the lockfile, so nothing needs to be downloaded for it. A zip is
//! known by its name alone, which holds the start of the checksum: reading hundreds of megabytes on every check would
//! tell no more.

use std::collections::BTreeSet;

use super::SplitError;
use crate::{
    lockfile::{LockedPackage, yarn},
    repo::{RepoPath, Tree},
};

/// A committed cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedCache {
    /// Its folder.
    pub folder: RepoPath,
    zips: BTreeSet<String>,
}

impl CommittedCache {
    /// Finds the cache in a folder; none where it holds no zip or git ignores it.
    pub(super) fn find(tree: &dyn Tree, folder: RepoPath) -> Result<Option<Self>, SplitError> {
        let files = tree.unignored_files(&folder)?.into_iter();
        let zips: BTreeSet<String> = files.filter(|name| name.ends_with(".zip")).collect();
        Ok((!zips.is_empty()).then_some(Self { folder, zips }))
    }

    /// Whether it holds a package as it is locked.
    pub(super) fn holds(&self, package: &LockedPackage) -> bool {
        match (&package.zip_checksum, yarn::zip_stem(&package.key)) {
            (Some(checksum), Some(stem)) => {
                yarn::zip_name(&stem, checksum).is_some_and(|name| self.zips.contains(&name))
            }
            // A package for some platforms alone has no checksum in the lockfile, and none in its zip's name.
            (None, Some(stem)) => {
                let next = self.zips.range(stem.clone()..).next();
                next.is_some_and(|name| name.strip_prefix(&stem).is_some_and(|rest| rest.starts_with('-')))
            }
            (_, None) => false,
        }
    }

    /// The digest (blake3, hexadecimal) of what it holds.
    pub(super) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for zip in &self.zips {
            hasher.update(zip.as_bytes()).update(b"\n");
        }
        hasher.finalize().to_hex().to_string()
    }
}
