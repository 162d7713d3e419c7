//! Compression on all cores, with the same bytes for any number of them.
//!
//! The stream is cut into blocks of a fixed size. Each block becomes a gzip member or a zstd frame of its own, and these follow
//! each other in order. Both formats define that a reader joins them. So the bytes depend on the blocks alone, never on the
//! threads. Blocks cost about one percent of size.

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use flate2::GzBuilder;

/// The size of a block. Smaller ones cost compression, larger ones memory: two for each thread are in flight.
const BLOCK: usize = 4 << 20;

/// The level of gzip, that of `gzip` and of Docker.
const GZIP_LEVEL: u32 = 6;
/// The level of zstd, its default. It is smaller and several times faster than gzip.
const ZSTD_LEVEL: i32 = 3;

/// How layers are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// gzip, which everything reads.
    #[default]
    Gzip,
    /// zstd: smaller and faster. Docker reads it since version 23.
    Zstd,
    /// No compression.
    None,
}

impl Compression {
    /// Returns the media type of a layer.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
            Self::None => "application/vnd.oci.image.layer.v1.tar",
        }
    }

    /// Returns what the compressed bytes depend on beside the content. Another text means other bytes.
    ///
    /// Both libraries are pinned in Cargo.lock. A test compares digests, so that an update that changes bytes is seen, and
    /// the number at the end can be raised.
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Gzip => "gzip 6 blocks of 4 MiB 1",
            Self::Zstd => "zstd 3 blocks of 4 MiB 1",
            Self::None => "none",
        }
    }

    fn compress(self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                // 255 means an unknown system. A name or a time would differ between machines.
                let builder = GzBuilder::new().mtime(0).operating_system(255);
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut encoder = builder.write(Vec::with_capacity(block.len() / 2), level);
                encoder.write_all(block)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(block, ZSTD_LEVEL),
            Self::None => Ok(block.to_vec()),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::None => "none",
        })
    }
}

/// A block to compress, and where its result goes.
type Job = (Vec<u8>, SyncSender<io::Result<Vec<u8>>>);

/// Compresses what is written to it.
pub struct Compressor<W> {
    out: W,
    compression: Compression,
    block: Vec<u8>,
    jobs: Option<SyncSender<Job>>,
    /// The results in the order of the blocks.
    pending: VecDeque<Receiver<io::Result<Vec<u8>>>>,
    most_pending: usize,
}

impl<W: Write> Compressor<W> {
    /// Compresses on as many threads as the machine has cores.
    pub fn new(out: W, compression: Compression) -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_threads(out, compression, threads)
    }

    /// Compresses on this number of threads. The bytes do not depend on it.
    pub fn with_threads(out: W, compression: Compression, threads: usize) -> io::Result<Self> {
        let threads = if compression == Compression::None { 0 } else { threads.max(1) };
        let (jobs, queue) = sync_channel::<Job>(threads.max(1));
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            // The threads end when the sender is dropped.
            thread::Builder::new().name("compressor".to_owned()).spawn(move || work(&queue, compression))?;
        }
        let jobs = (threads > 0).then_some(jobs);
        Ok(Self { out, compression, block: Vec::new(), jobs, pending: VecDeque::new(), most_pending: 2 * threads })
    }

    /// Writes what is left, and returns the writer.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.send()?;
        }
        while !self.pending.is_empty() {
            self.receive()?;
        }
        Ok(self.out)
    }

    fn send(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        let Some(jobs) = &self.jobs else { return Ok(()) };
        let (result, receiver) = sync_channel(1);
        jobs.send((block, result)).map_err(|_| lost())?;
        self.pending.push_back(receiver);
        if self.pending.len() > self.most_pending { self.receive() } else { Ok(()) }
    }

    /// Waits for the oldest block.
    fn receive(&mut self) -> io::Result<()> {
        let Some(oldest) = self.pending.pop_front() else { return Ok(()) };
        let compressed = oldest.recv().map_err(|_| lost())??;
        self.out.write_all(&compressed)
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.compression == Compression::None {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        if self.block.capacity() == 0 {
            self.block.reserve_exact(BLOCK);
        }
        let length = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..length]);
        if self.block.len() == BLOCK {
            self.send()?;
        }
        Ok(length)
    }

    /// Does nothing: a block is only written when it is full, because its end decides the bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn work(queue: &Mutex<Receiver<Job>>, compression: Compression) {
    loop {
        // A poisoned lock is harmless: a receiver has no state that a panic could break.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((block, result)) = job else { return };
        // The other side is gone after an error.
        let _ = result.send(compression.compress(&block));
    }
}

fn lost() -> io::Error {
    io::Error::other("a thread that compresses has ended")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;

    use super::*;
    use crate::image::Digest;

    fn compressed(bytes: &[u8], compression: Compression, threads: usize, piece: usize) -> Vec<u8> {
        let mut compressor = Compressor::with_threads(Vec::new(), compression, threads).unwrap();
        for piece in bytes.chunks(piece) {
            compressor.write_all(piece).unwrap();
        }
        compressor.finish().unwrap()
    }

    fn decompressed(bytes: &[u8], compression: Compression) -> Vec<u8> {
        let mut all = Vec::new();
        match compression {
            Compression::Gzip => drop(flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut all).unwrap()),
            Compression::Zstd => all = zstd::stream::decode_all(bytes).unwrap(),
            Compression::None => all.extend(bytes),
        }
        all
    }

    /// Text with some order, which compresses.
    fn sample(length: usize) -> Vec<u8> {
        let mut state = 7_u32;
        let word = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("{:x} ", *state >> 20)
        };
        std::iter::repeat_with(|| word(&mut state)).flat_map(String::into_bytes).take(length).collect()
    }

    #[test]
    fn the_bytes_do_not_depend_on_threads_or_pieces() {
        let bytes = sample(3 * BLOCK + 17);
        for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
            let one = compressed(&bytes, compression, 1, 1 << 16);
            assert!(decompressed(&one, compression) == bytes, "{compression}");
            assert!(compressed(&bytes, compression, 5, 1 << 20) == one, "{compression}");
            assert!(compressed(&bytes, compression, 2, 12_345) == one, "{compression}");
        }
    }

    #[test]
    fn the_bytes_are_fixed() {
        let bytes = sample(1 << 20);
        // If one of these changes, raise the number in `Compression::version`.
        for (compression, expected) in [
            (Compression::Gzip, "sha256:94397a245f56da3638df9d530f3234f1bad0a60e199892f343b7e4824f3c1e00"),
            (Compression::Zstd, "sha256:b0ca0c7167e4995aa29d6ffc7260b953fee85de3b5f606352e4a805a7d8fce75"),
        ] {
            assert_eq!(Digest::of(&compressed(&bytes, compression, 2, 1 << 16)).to_string(), expected, "{compression}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut compressor = Compressor::with_threads(Full, Compression::Zstd, 2).unwrap();
        compressor.write_all(b"x").unwrap();
        assert_eq!(compressor.finish().err().unwrap().kind(), io::ErrorKind::StorageFull);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn what_is_compressed_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..5000), piece in 1_usize..999) {
            for compression in [Compression::Gzip, Compression::Zstd, Compression::None] {
                let found = compressed(&bytes, compression, 3, piece);
                prop_assert_eq!(&decompressed(&found, compression), &bytes);
            }
        }
    }
}
