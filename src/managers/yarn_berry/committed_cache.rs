//! The cache of zips that some repositories of Yarn 2 and later commit ("zero-installs").
//!
//! Yarn takes packages from this cache and checks them against the lockfile, so they need no download. A zip is
//! identified by its name alone, which contains the start of the checksum. Reading hundreds of megabytes on every check
//! would add nothing.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::lockfile::cache_file;
use crate::{
    lockfile::LockedPackage,
    managers::ManagerError,
    repo::{RepoPath, Tree},
};

/// A committed cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommittedCache {
    /// Its folder.
    pub(crate) folder: RepoPath,
    zips: BTreeSet<String>,
}

impl CommittedCache {
    /// Finds the cache in a folder. Returns `None` if the folder holds no zip, or if git ignores it.
    pub(crate) fn find(tree: &dyn Tree, folder: RepoPath) -> Result<Option<Self>, ManagerError> {
        // Most repositories have no cache, and asking what git ignores is slow.
        if !tree.list(&folder)?.iter().any(|entry| is_zip(&entry.name)) {
            return Ok(None);
        }
        let zips: BTreeSet<String> = tree.unignored_files(&folder)?.into_iter().filter(|name| is_zip(name)).collect();
        Ok((!zips.is_empty()).then_some(Self { folder, zips }))
    }

    /// Whether the cache holds a package as locked. A package for some platforms has no checksum, neither in the
    /// lockfile nor in the name of its zip. Such a package is always downloaded.
    pub(crate) fn holds(&self, package: &LockedPackage) -> bool {
        let zip = package.zip_checksum.as_ref().and_then(|checksum| cache_file(&package.key, checksum));
        zip.is_some_and(|zip| self.zips.contains(&zip))
    }

    /// Returns the first zip.
    pub(crate) fn first(&self) -> Option<RepoPath> {
        self.zips.first().map(|zip| self.folder.child(zip))
    }

    /// Returns the digest (blake3, hexadecimal) of the names of the zips.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for zip in &self.zips {
            hasher.update(zip.as_bytes()).update(b"\n");
        }
        hasher.finalize().to_hex().to_string()
    }
}

fn is_zip(name: &str) -> bool {
    Utf8Path::new(name).extension() == Some("zip")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{managers::yarn_lock, repo::MemoryTree};

    #[test]
    fn it_holds_what_is_there_with_the_locked_checksum() {
        let lock = r#"__metadata:
  version: 8
  cacheKey: 10c0

"here@npm:^1.0.0":
  version: 1.0.0
  resolution: "here@npm:1.0.0"
  checksum: 10c0/0123456789abcdef
  languageName: node
  linkType: hard

"other@npm:^1.0.0":
  version: 1.0.0
  resolution: "other@npm:1.0.0"
  checksum: 10c0/fedcba9876543210
  languageName: node
  linkType: hard
"#;
        let lock = yarn_lock::parse(lock).unwrap();
        let zip = cache_file("here@npm:1.0.0", "10c0/0123456789abcdef").unwrap();
        let path = format!("cache/{zip}");
        let tree = MemoryTree::new([(path.as_str(), ""), ("cache/.gitignore", "")]);
        let cache = CommittedCache::find(&tree, "cache".parse().unwrap()).unwrap().unwrap();
        let held: Vec<_> =
            lock.packages.iter().filter(|package| cache.holds(package)).map(|p| p.key.as_str()).collect();
        assert_eq!(held, ["here@npm:1.0.0"]);
        assert_eq!(CommittedCache::find(&tree, "empty".parse().unwrap()).unwrap(), None);
    }
}
