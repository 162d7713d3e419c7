//! Hashing the parts while the cached tarballs in them are checked, on all cores.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::UpdateError;
use crate::{
    fetch::{Cache, Fetched, Origin},
    nix::nar::{self, NarHash, Tree},
};

/// What the parts hash to, and which tarballs are not what their integrity says.
pub(super) struct Verified {
    pub(super) hashes: BTreeMap<String, NarHash>,
    pub(super) damaged: Vec<String>,
}

/// Hashes each tree, and meanwhile checks each file that came from the cache.
pub(super) fn hash_and_verify(
    trees: &BTreeMap<String, Tree>,
    files: &BTreeMap<String, Fetched>,
) -> Result<Verified, UpdateError> {
    let cached: Vec<_> = files.iter().filter(|(_, file)| file.origin == Origin::Cached).collect();
    let damaged = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let check = || {
        while let Some((path, file)) = cached.get(next.fetch_add(1, Ordering::Relaxed)) {
            if Cache::verify(&file.path, &file.integrity).is_err() {
                damaged.lock().unwrap_or_else(PoisonError::into_inner).push((*path).clone());
            }
        }
    };
    let hashes = thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(cached.len());
        for _ in 0..workers {
            scope.spawn(check);
        }
        trees.iter().map(|(part, tree)| Ok((part.clone(), nar::hash(tree)?))).collect::<Result<_, nar::NarError>>()
    });
    let mut damaged = damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
    damaged.sort();
    // A damaged file may also have failed to hash; it is brought anew first.
    if !damaged.is_empty() {
        return Ok(Verified { hashes: BTreeMap::new(), damaged });
    }
    Ok(Verified { hashes: hashes?, damaged })
}
