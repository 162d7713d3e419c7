//! Hashing a tree at the speed of sha256.
//!
//! sha256 cannot be split, since each block needs the one before it. The hash therefore sets the time. A second thread
//! opens and reads the files, a few chunks ahead of the hash.

use std::{
    io,
    panic::resume_unwind,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use sha2::{Digest as _, Sha256};

use super::{
    NarDigest, NarError, NarHash, Tree,
    write::{CHUNK, write_chunks},
};

/// Chunks in flight: one is filled, one is hashed, and the others even out slow files.
const CHUNKS: usize = 4;

/// A chunk, and the number of its bytes that are used.
type Filled = (Vec<u8>, usize);

/// Returns the hash of the archive of `tree`. The tree is read once, and the archive is not stored.
pub fn hash(tree: &Tree) -> Result<NarHash, NarError> {
    let (to_hasher, full) = channel::<Filled>();
    let (to_reader, empty) = channel::<Vec<u8>>();
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .name("nar-reader".to_owned())
            .spawn_scoped(scope, move || read(tree, &to_hasher, &empty))
            .map_err(NarError::Thread)?;
        let hash = hash_chunks(&full, &to_reader);
        reader.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(hash)
    })
}

/// Fills chunks until the tree is read. There are only [`CHUNKS`] of them, so the channels stay short.
fn read(tree: &Tree, full: &Sender<Filled>, empty: &Receiver<Vec<u8>>) -> Result<(), NarError> {
    let mut made = 1;
    write_chunks(tree, vec![0; CHUNK], |chunk, filled| {
        full.send((chunk, filled)).map_err(io::Error::other)?;
        match empty.try_recv() {
            Ok(chunk) => Ok(chunk),
            Err(_) if made < CHUNKS => {
                made += 1;
                Ok(vec![0; CHUNK])
            }
            Err(_) => empty.recv().map_err(io::Error::other),
        }
    })
}

/// Hashes chunks until the reader has no more, and returns each one to be filled again.
fn hash_chunks(full: &Receiver<Filled>, empty: &Sender<Vec<u8>>) -> NarHash {
    let mut hasher = Sha256::new();
    let mut size = 0;
    for (chunk, filled) in full {
        hasher.update(&chunk[..filled]);
        size += filled as u64;
        // After the last chunk the reader is gone, and nobody needs the chunk back.
        let _ = empty.send(chunk);
    }
    NarHash { digest: NarDigest::from(<[u8; 32]>::from(hasher.finalize())), size }
}
