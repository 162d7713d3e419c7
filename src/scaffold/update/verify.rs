//! Hashes the parts and checks the cached tarballs in them at the same time, on all cores.

use std::collections::BTreeMap;

use super::UpdateError;
use crate::{
    fetch::{Cache, DownloadOrigin, Fetched},
    nix::nar::{self, NarHash, Tree},
    parallel,
    split::lock::shards::Part,
};

/// The hashes of the parts, and the tarballs that do not match their integrity.
pub(super) struct Verified {
    pub(super) hashes: BTreeMap<Part, NarHash>,
    pub(super) damaged: Vec<String>,
}

/// Hashes each tree, and checks each file from the cache meanwhile.
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
    // A damaged file may also have failed to hash, so it is downloaded again first.
    if !damaged.is_empty() {
        return Ok(Verified { hashes: BTreeMap::new(), damaged });
    }
    Ok(Verified { hashes: hashes?, damaged })
}
