//! The cache of zips that some repositories of Yarn 2 and later commit ("zero-installs").
//!
//! Yarn reads a package from it and checks it against the lockfile, so nothing needs to be downloaded for it. A zip is
//! known by its name alone, which holds the start of the checksum: reading hundreds of megabytes on every check would
//! tell no more.

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
    /// Finds the cache in a folder; none where it holds no zip or git ignores it.
    pub(crate) fn find(tree: &dyn Tree, folder: RepoPath) -> Result<Option<Self>, ManagerError> {
        // Most repositories have none, and what git ignores takes a while to find out.
        if !tree.list(&folder)?.iter().any(|entry| is_zip(&entry.name)) {
            return Ok(None);
        }
        let zips: BTreeSet<String> = tree.unignored_files(&folder)?.into_iter().filter(|name| is_zip(name)).collect();
        Ok((!zips.is_empty()).then_some(Self { folder, zips }))
    }

    /// Whether it holds a package as it is locked. What is for some platforms alone has no checksum in the lockfile, and
    /// none in its zip's name: it is downloaded all the same.
    pub(crate) fn holds(&self, package: &LockedPackage) -> bool {
        let zip = package.zip_checksum.as_ref().and_then(|checksum| cache_file(&package.key, checksum));
        zip.is_some_and(|zip| self.zips.contains(&zip))
    }

    /// The digest (blake3, hexadecimal) of what it holds.
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
