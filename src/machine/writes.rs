//! Measures small writes. Nix writes many small files, and what a disk says of itself is often wrong.

use std::{
    io::{self, Write as _},
    time::{Duration, Instant},
};

use camino::Utf8Path;
use fs_err as fs;
use serde::Serialize;

use crate::ending::Folder;

/// How many files to write.
const FILES: usize = 100;
/// The size of each, in bytes.
const SIZE: usize = 4096;
/// When to stop early. A slow disk is known after a few files.
const LONGEST: Duration = Duration::from_secs(2);

/// The times of small writes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Writes {
    /// How many files were written.
    pub files: usize,
    /// A tenth of the files took at most this, in milliseconds.
    pub fast_ms: f64,
    /// The median of the times of a file with fsync, in milliseconds.
    pub median_ms: f64,
    /// A tenth of the files took longer than this, in milliseconds.
    pub slow_ms: f64,
}

impl Writes {
    /// Returns the median of these times; none if there are none.
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let at = |index: usize| times.get(index).map(|time| time.as_secs_f64() * 1000.0);
        let count = times.len();
        Some(Self { files: count, fast_ms: at(count / 10)?, median_ms: at(count / 2)?, slow_ms: at(count * 9 / 10)? })
    }
}

/// Writes small files with fsync to a new folder in `folder`, and removes it. Takes at most two seconds and one file.
pub fn measure(folder: &Utf8Path) -> io::Result<Writes> {
    fs::create_dir_all(folder)?;
    let scratch = Folder::without_leftovers("splitter-writes-", folder.as_std_path())?;
    let (content, start) = ([b'.'; SIZE], Instant::now());
    let mut times = Vec::with_capacity(FILES);
    for number in 0..FILES {
        let before = Instant::now();
        let mut file = fs::File::create(scratch.path().join(number.to_string()))?;
        file.write_all(&content)?;
        file.sync_all()?;
        times.push(before.elapsed());
        if start.elapsed() > LONGEST {
            break;
        }
    }
    Writes::of(times).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
