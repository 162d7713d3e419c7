//! Hashing the parts while the cached tarballs in them are checked, on all cores.

use std::collections::BTreeMap;

use super::UpdateError;
use crate::{
    fetch::{Cache, DownloadOrigin, Fetched},
    nix::nar::{self, NarHash, Tree},
    parallel,
    split::lock::shards::Part,
};

/// What the parts hash to, and which tarballs are not what their integrity says.
pub(super) struct Verified {
    pub(super) hashes: BTreeMap<Part, NarHash>,
    pub(super) damaged: Vec<String>,
}

/// Hashes each tree, and meanwhile checks each file that came from the cache.
pub(super) fn hash_and_verify(
    trees: &BTreeMap<Part, Tree>,
    files: &BTreeMap<String, Fetched>,
) -> Result<Verified, UpdateError> {
    let cached: Vec<_> = files.iter().filter(|(_, file)| file.origin == DownloadOrigin::Cached).collect();
    let is_damaged = |(path, file): &(&String, &Fetched)| {
        Cache::verify(&file.path, &file.integrity).is_err().then(|| (*path).clone())
    };
    let hash = || trees.iter().map(|(part, tree)| Ok((part.clone(), nar::hash(tree)?))).collect();
    let (damaged, hashes): (_, Result<_, nar::NarError>) = parallel::both(|| parallel::map(&cached, is_damaged), hash);
    let damaged: Vec<String> = damaged.into_iter().flatten().collect();
    // A damaged file may also have failed to hash; it is brought anew first.
    if !damaged.is_empty() {
        return Ok(Verified { hashes: BTreeMap::new(), damaged });
    }
    Ok(Verified { hashes: hashes?, damaged })
}
