//! Finds the files of an output that hold a reference.
//!
//! Nix searches the archive of an output for the hashes of its inputs: in the content of files, in file names and in the
//! targets of symbolic links. This search covers the same places. Files are read in pieces, several at once.

use std::{
    collections::BTreeMap,
    fs::FileType,
    io::{self, Read},
    path::{Path, PathBuf},
};

use fs_err as fs;

use super::{HASH_DIGITS, hash};
use crate::parallel;

/// The number of files to keep for each reference. A large install can have thousands.
pub const MOST_FILES: usize = 100;

/// The number of bytes to read at once.
const PIECE: usize = 1 << 16;

/// The files that hold a reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// Their paths inside the output, sorted; at most [`MOST_FILES`]. `.` is the output itself, if it is a file or a link.
    pub files: Vec<String>,
    /// The number of all such files.
    pub count: usize,
}

/// The hashes to search for.
#[derive(Debug, Clone, Default)]
pub struct Hashes(BTreeMap<[u8; HASH_DIGITS], usize>);

impl Hashes {
    /// Collects the hashes of store paths. Each hash has the number of its path.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let numbered = paths.into_iter().enumerate();
        Self(numbered.filter_map(|(number, path)| Some((hash(path)?.as_bytes().try_into().ok()?, number))).collect())
    }

    /// Returns the numbers of the hashes in a reader's bytes, sorted. `length` is the expected number of bytes: most files
    /// of an install are small, and need no large buffer.
    fn in_reader(&self, mut reader: impl Read, length: usize) -> io::Result<Vec<usize>> {
        let mut found = Vec::new();
        // The end of the last piece stands before the next one, because a hash may lie across the border.
        let mut buffer = vec![0; HASH_DIGITS + length.clamp(1, PIECE)];
        let mut kept = 0;
        loop {
            let read = match reader.read(&mut buffer[kept..]) {
                Ok(0) => return Ok(sorted(found)),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = kept + read;
            self.search(&buffer[..end], &mut found);
            let start = end.saturating_sub(HASH_DIGITS - 1);
            buffer.copy_within(start..end, 0);
            kept = end - start;
        }
    }

    /// Returns the numbers of the hashes in a text, sorted.
    fn in_bytes(&self, bytes: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        self.search(bytes, &mut found);
        sorted(found)
    }

    /// Adds the numbers of the hashes in `bytes`. A byte that is no digit of a hash rules out all places before it, so most
    /// bytes are skipped.
    fn search(&self, bytes: &[u8], found: &mut Vec<usize>) {
        let mut at = 0;
        while let Some(window) = bytes.get(at..at + HASH_DIGITS) {
            if let Some(other) = window.iter().rposition(|byte| !is_digit(*byte)) {
                at += other + 1;
                continue;
            }
            let number = <[u8; HASH_DIGITS]>::try_from(window).ok().and_then(|window| self.0.get(&window));
            match number {
                // A minified file can hold the same reference a million times.
                Some(number) if !found.contains(number) => found.push(*number),
                _ => {}
            }
            at += 1;
        }
    }
}

/// Whether a byte is a digit of Nix's base32.
const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'd' | b'f'..=b'n' | b'p'..=b's' | b'v'..=b'z')
}

fn sorted(mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Finds the files of the output at `output` that hold references to `paths`. The results are in the order of the paths.
pub fn holders(output: &Path, paths: &[&str]) -> io::Result<Vec<Holders>> {
    let mut holders = vec![Holders::default(); paths.len()];
    if paths.is_empty() {
        return Ok(holders);
    }
    let hashes = Hashes::of(paths.iter().copied());
    let entries = entries(output)?;
    let found = parallel::map(&entries, |(entry, kind)| in_entry(&hashes, entry, *kind));
    for ((entry, _), found) in entries.iter().zip(found) {
        for number in found? {
            let holder = &mut holders[number];
            holder.count += 1;
            if holder.files.len() < MOST_FILES {
                let path = entry.strip_prefix(output).unwrap_or(entry).to_string_lossy();
                holder.files.push(if path.is_empty() { ".".to_owned() } else { path.into_owned() });
            }
        }
    }
    Ok(holders)
}

/// Returns everything in an output, sorted, folders too: their names can hold a reference.
fn entries(output: &Path) -> io::Result<Vec<(PathBuf, FileType)>> {
    let mut entries = vec![(output.to_owned(), fs::symlink_metadata(output)?.file_type())];
    let mut next = 0;
    while let Some((entry, kind)) = entries.get(next) {
        next += 1;
        if kind.is_dir() {
            for inner in fs::read_dir(entry.clone())? {
                let inner = inner?;
                entries.push((inner.path(), inner.file_type()?));
            }
        }
    }
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

/// Returns the numbers of the hashes in one entry: in its name, its content or its target.
fn in_entry(hashes: &Hashes, entry: &Path, kind: FileType) -> io::Result<Vec<usize>> {
    let mut found = entry.file_name().map(|name| hashes.in_bytes(name.as_encoded_bytes())).unwrap_or_default();
    if kind.is_symlink() {
        found.extend(hashes.in_bytes(fs::read_link(entry)?.as_os_str().as_encoded_bytes()));
    } else if kind.is_file() {
        let file = fs::File::open(entry)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(PIECE);
        found.extend(hashes.in_reader(file, length)?);
    }
    Ok(sorted(found))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "8z3wjas3v8r3l97274kb79bz2v91mya3-a";
    const B: &str = "wsqbfqcawmmdnl972wa6rbsay10h5avm-b";

    /// A reader that returns a few bytes at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.1.min(self.0.len()).min(buffer.len());
            buffer[..read].copy_from_slice(&self.0[..read]);
            self.0 = &self.0[read..];
            Ok(read)
        }
    }

    #[test]
    fn a_hash_is_found_across_the_borders_of_pieces() {
        let hashes = Hashes::of([A, B]);
        let text = format!("{}/nix/store/{B}", "x".repeat(40));
        for length in 1..80 {
            assert_eq!(hashes.in_reader(Slowly(text.as_bytes(), length), length).unwrap(), [1], "{length}");
        }
        // The border of the real pieces.
        for before in PIECE - 2..=PIECE + HASH_DIGITS + 2 {
            let text = format!("{}{A}", "-".repeat(before));
            assert_eq!(hashes.in_reader(text.as_bytes(), text.len()).unwrap(), [0], "{before}");
        }
        assert_eq!(hashes.in_reader(&b""[..], 0).unwrap(), [0; 0]);
    }

    #[test]
    fn only_whole_hashes_count() {
        let hashes = Hashes::of([A, "no-store-path", B]);
        assert_eq!(hashes.in_bytes(format!("{B}{A}").as_bytes()), [0, 2]);
        assert_eq!(hashes.in_bytes(&A.as_bytes()[1..]), [0; 0]);
        // A digit more before or after it changes nothing for Nix.
        assert_eq!(hashes.in_bytes(format!("0{}0", &A[..32]).as_bytes()), [0]);
        assert_eq!(hashes.in_bytes(A.to_uppercase().as_bytes()), [0; 0]);
    }

    #[test]
    fn contents_names_and_targets_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("lib").join(B)).unwrap();
        fs::write(root.join("lib/server.js"), format!("require('/nix/store/{A}/x')")).unwrap();
        fs::write(root.join("plain"), "nothing").unwrap();
        std::os::unix::fs::symlink(format!("/nix/store/{A}"), root.join("node_modules")).unwrap();
        let found = holders(root, &[A, B, "cccccccccccccccccccccccccccccccc-c"]).unwrap();
        let files: Vec<_> = found.iter().map(|holders| holders.files.join(" ")).collect();
        assert_eq!(files, ["lib/server.js node_modules".to_owned(), format!("lib/{B}"), String::new()]);
        // An output can be a file or a link.
        assert_eq!(holders(&root.join("lib/server.js"), &[A]).unwrap()[0].files, ["."]);
        assert_eq!(holders(&root.join("node_modules"), &[A]).unwrap()[0].files, ["."]);
        assert!(holders(&root.join("missing"), &[A]).is_err());
        assert!(holders(&root.join("missing"), &[]).unwrap().is_empty());
    }

    #[test]
    fn many_files_are_counted_and_the_first_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..MOST_FILES + 5 {
            fs::write(folder.path().join(format!("{number:04}")), A).unwrap();
        }
        let found = holders(folder.path(), &[A]).unwrap();
        assert_eq!(
            (found[0].count, found[0].files.len(), found[0].files[0].as_str()),
            (MOST_FILES + 5, MOST_FILES, "0000")
        );
    }

    proptest! {
        #[test]
        fn the_search_finds_what_a_naive_one_finds(
            pieces in proptest::collection::vec(prop_oneof![Just(A.to_owned()), Just(B[..32].to_owned()), "[a-z0-9/-]{0,40}"], 0..6),
            length in 1_usize..50,
        ) {
            let text = pieces.concat();
            let naive: Vec<usize> = [A, B].iter().enumerate().filter(|(_, path)| text.contains(&path[..32])).map(|(at, _)| at).collect();
            prop_assert_eq!(Hashes::of([A, B]).in_reader(Slowly(text.as_bytes(), length), text.len()).unwrap(), naive);
        }
    }
}
