//! Hashing a tree as fast as sha256 goes.
//!
//! sha256 cannot be split: each block needs the one before it. So the hash alone decides the time, and all else is
//! done beside it: a second thread opens and reads the files, a few chunks ahead of the one that is being hashed.

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

/// Chunks in flight: one being filled, one being hashed, the others to even out slow files.
const CHUNKS: usize = 4;

/// A chunk, and how many bytes of it are meant.
type Filled = (Vec<u8>, usize);

/// The hash of the archive of `tree`, which is read once and kept nowhere.
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

/// Fills chunks until the tree is read. There are only ever [`CHUNKS`] of them, so the channels stay short.
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

/// Hashes chunks until the reader has no more, and gives each back to be filled anew.
fn hash_chunks(full: &Receiver<Filled>, empty: &Sender<Vec<u8>>) -> NarHash {
    let mut hasher = Sha256::new();
    let mut size = 0;
    for (chunk, filled) in full {
        hasher.update(&chunk[..filled]);
        size += filled as u64;
        // The reader is gone when it has sent the last chunk; then nobody wants this one back.
        let _ = empty.send(chunk);
    }
    NarHash { digest: NarDigest::from(<[u8; 32]>::from(hasher.finalize())), size }
}
