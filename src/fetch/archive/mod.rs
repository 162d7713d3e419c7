//! Reproducible archives of git repositories for fixed outputs: the same files always give the same bytes.
//!
//! An archive is a tar file, byte for byte what `tools/tar.mjs` writes inside a build. It is ustar with extended
//! headers for long names, one timestamp, no owner, two file modes, and entries sorted by bytes. The files are below
//! `tree/`. The archive of a commit starts with the git objects that turn the files into that commit again.
//!
//! This module also reads archives that hosts make. It unpacks nothing to disk, so file systems and links cannot
//! interfere. Contents wait in a file without a name, and names are bounded, so a hostile archive fills no memory.

pub(super) mod members;
mod spool;

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    ops::{Bound, ControlFlow},
};

use flate2::bufread::MultiGzDecoder;
use tar::EntryType;

use self::spool::MOST_BYTES;
pub(super) use self::spool::{Content, Spool, Spooled};
use crate::diagnostic::Category;

/// The block size of a tar archive, in bytes.
const BLOCK: usize = 512;
/// The longest name in a plain header, in bytes. Longer names get an extended header.
const LONGEST: usize = 100;
/// The timestamp of all files, in seconds since 1970. npm uses the same one, because some programs warn about 1970.
const MTIME: u64 = 499_162_500;
/// The most entries of an archive.
pub(super) const MOST_ENTRIES: usize = 500_000;
/// The largest total size of paths and targets of links, in bytes.
const MOST_NAMES: usize = 64 << 20;
/// The longest path, in bytes.
const LONGEST_PATH: usize = 4096;
/// The most folders in a path.
const DEEPEST: usize = 255;

/// Files by path. Paths are bytes, as in git, without a slash at either end.
pub(super) type Files<C = Spooled> = BTreeMap<Vec<u8>, ArchiveEntry<C>>;

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArchiveEntry<C = Spooled> {
    /// A file's content, and whether it is executable.
    File(C, bool),
    /// The target of a symbolic link.
    Link(Vec<u8>),
    /// An empty folder, such as that of a submodule.
    Folder,
}

/// Why an archive cannot be used as a package.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is damaged, or not an archive.
    #[error("it is not a tar archive, or it is damaged: {0}")]
    Damaged(#[from] io::Error),
    /// A temporary file could not be written.
    #[error("could not write a temporary file: {0}")]
    Disk(#[source] io::Error),
    /// A path would leave the folder of the package, or lies in `.git`.
    #[error("the path `{0}` is not allowed in a package")]
    Path(String),
    /// An entry is neither a file, a folder nor a link.
    #[error("`{0}` is neither a file, a folder nor a link")]
    Kind(String),
    /// Its files are too large.
    #[error("its files are larger than {} GiB in total", MOST_BYTES >> 30)]
    TooLarge,
    /// It has too many entries, or their names are too long.
    #[error("it has more than {MOST_ENTRIES} entries, or more than {} MiB of names", MOST_NAMES >> 20)]
    TooMany,
    /// An extended header is too long.
    #[error("a header of it is longer than 1 MiB")]
    Header,
}

impl ArchiveError {
    /// Returns who can fix it.
    pub(super) fn category(&self) -> Category {
        if matches!(self, Self::Disk(_)) { Category::Environment } else { Category::Input }
    }
}

/// Checks that a path is allowed in a package.
pub(super) fn check_path(path: &[u8]) -> Result<(), ArchiveError> {
    let is_wrong = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.eq_ignore_ascii_case(b".git");
    let is_long = path.len() > LONGEST_PATH || path.split(|byte| *byte == b'/').count() > DEEPEST + 1;
    if is_long || path.contains(&0) || path.split(|byte| *byte == b'/').any(is_wrong) {
        return Err(ArchiveError::Path(shown(path)));
    }
    Ok(())
}

fn shown(path: &[u8]) -> String {
    let start = &path[..path.len().min(200)];
    let more = if start.len() < path.len() { "…" } else { "" };
    String::from_utf8_lossy(start).escape_debug().collect::<String>() + more
}

/// Turns an archive that a host made of a repository into the reproducible archive for fixed outputs. Repacking the
/// result changes nothing.
pub fn repack(archive: impl io::BufRead) -> Result<Vec<u8>, ArchiveError> {
    let mut made = Vec::new();
    repack_to(archive, &std::env::temp_dir(), &mut made)?;
    Ok(made)
}

/// Does the same as [`repack`] for an archive that may be larger than the memory. `tmp` is a folder for contents.
pub(super) fn repack_to(
    archive: impl io::BufRead,
    tmp: &std::path::Path,
    out: &mut impl Write,
) -> Result<(), ArchiveError> {
    let spool = Spool::new(tmp).map_err(ArchiveError::Disk)?;
    let files = read_host_archive(archive, spool)?;
    pack(&BTreeMap::new(), &files, out).map_err(ArchiveError::Disk)
}

/// Reads an archive that a host made of a repository, gzipped or not, and strips its top folder. If a path occurs
/// twice, the last entry counts, as when unpacking to disk.
fn read_host_archive(archive: impl io::BufRead, spool: Spool) -> Result<Files, ArchiveError> {
    let mut archive = archive;
    let is_gzipped = archive.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzipped { read_files(MultiGzDecoder::new(archive), spool) } else { read_files(archive, spool) }
}

fn read_files(archive: impl Read, mut spool: Spool) -> Result<Files, ArchiveError> {
    // With the top folder, since hard links name whole paths.
    let mut found: Files = BTreeMap::new();
    let mut names = Names::default();
    let mut left = MOST_BYTES;
    let is_any = members::each(archive.take(MOST_BYTES + 1), |member| {
        left = left.checked_sub(member.size).ok_or(ArchiveError::TooLarge)?;
        let members::Member { path, target, kind, mode, data, .. } = member;
        let target = target.unwrap_or_default();
        names.count(path.len() + target.len())?;
        let content = match kind {
            _ if kind == EntryType::Directory || path.ends_with(b"/") => ArchiveEntry::Folder,
            EntryType::Regular | EntryType::Continuous => ArchiveEntry::File(spool.put(data)?, mode? & 0o111 != 0),
            EntryType::Symlink => ArchiveEntry::Link(target),
            EntryType::Link => match found.get(&target) {
                Some(file @ ArchiveEntry::File(..)) => file.clone(),
                _ => return Err(ArchiveError::Kind(shown(&path))),
            },
            _ => return Err(ArchiveError::Kind(shown(&path))),
        };
        found.insert(path, content);
        Ok(ControlFlow::Continue(()))
    })?;
    if !is_any {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is empty").into());
    }
    check_total(&found)?;
    without_top_folder(found)
}

/// Counts entries and the bytes of their names.
#[derive(Default)]
pub(super) struct Names {
    entries: usize,
    bytes: usize,
}

impl Names {
    /// Counts an entry. An error means that there are too many.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), ArchiveError> {
        self.entries += 1;
        self.bytes += bytes;
        if self.entries > MOST_ENTRIES || self.bytes > MOST_NAMES { Err(ArchiveError::TooMany) } else { Ok(()) }
    }
}

/// Checks the size of all files. Several may share one content, by hard links or in git.
pub(super) fn check_total(files: &Files) -> Result<(), ArchiveError> {
    let mut left = MOST_BYTES;
    for entry in files.values() {
        if let ArchiveEntry::File(content, _) = entry {
            left = left.checked_sub(content.length()).ok_or(ArchiveError::TooLarge)?;
        }
    }
    Ok(())
}

fn without_top_folder(found: Files) -> Result<Files, ArchiveError> {
    let mut files = Files::new();
    for (path, entry) in found {
        let mut rest = path.as_slice();
        while let Some(shorter) = rest.strip_prefix(b"./") {
            rest = shorter;
        }
        while let Some(shorter) = rest.strip_suffix(b"/") {
            rest = shorter;
        }
        let Some(slash) = rest.iter().position(|byte| *byte == b'/') else { continue };
        let path = &rest[slash + 1..];
        check_path(path)?;
        files.insert(path.to_vec(), entry);
    }
    let is_full = |path: &[u8]| {
        let below = [path, b"/"].concat();
        let mut after = files.range::<[u8], _>((Bound::Included(below.as_slice()), Bound::Unbounded));
        after.next().is_some_and(|(next, _)| next.starts_with(&below))
    };
    let is_folder = |(_, entry): &(&Vec<u8>, &ArchiveEntry)| matches!(entry, ArchiveEntry::Folder);
    let full: Vec<Vec<u8>> =
        files.iter().filter(is_folder).map(|(path, _)| path.clone()).filter(|path| is_full(path)).collect();
    for path in full {
        files.remove(&path);
    }
    Ok(files)
}

/// Writes an archive for a fixed output: first `members` (the objects of a commit, by name), then `files` below
/// `tree/`.
pub(super) fn pack<C: Content>(
    members: &BTreeMap<String, Vec<u8>>,
    files: &Files<C>,
    out: &mut impl Write,
) -> io::Result<()> {
    for (name, data) in members {
        write_entry(name.as_bytes(), &Shape::file(false), data, out)?;
    }
    for (path, entry) in files {
        let path = [b"tree/", path.as_slice()].concat();
        match entry {
            ArchiveEntry::File(data, is_executable) => write_entry(&path, &Shape::file(*is_executable), data, out)?,
            ArchiveEntry::Link(target) => {
                write_entry(&path, &Shape { kind: b'2', mode: 0o777, target }, &Vec::new(), out)?;
            }
            ArchiveEntry::Folder => {
                let path = [path.as_slice(), b"/"].concat();
                write_entry(&path, &Shape { kind: b'5', mode: 0o755, target: b"" }, &Vec::new(), out)?;
            }
        }
    }
    out.write_all(&[0; 2 * BLOCK])
}

/// The fields of a header besides name and size.
struct Shape<'a> {
    kind: u8,
    mode: u32,
    target: &'a [u8],
}

impl Shape<'_> {
    fn file(is_executable: bool) -> Self {
        Self { kind: b'0', mode: if is_executable { 0o755 } else { 0o644 }, target: b"" }
    }
}

fn write_entry(name: &[u8], shape: &Shape<'_>, data: &impl Content, out: &mut impl Write) -> io::Result<()> {
    let long = [("linkpath", shape.target), ("path", name)].into_iter().filter(|(_, value)| value.len() > LONGEST);
    let extended: Vec<u8> = long.flat_map(|(key, value)| record(key, value)).collect();
    if !extended.is_empty() {
        write_block(b"pax", &Shape { kind: b'x', mode: 0o644, target: b"" }, &extended, out)?;
    }
    write_block(name, shape, data, out)
}

fn write_block(name: &[u8], shape: &Shape<'_>, data: &impl Content, out: &mut impl Write) -> io::Result<()> {
    let length = data.length();
    out.write_all(&header(name, shape, length))?;
    data.copy_to(out)?;
    let padding = usize::try_from(length.next_multiple_of(BLOCK as u64) - length).unwrap_or_default();
    out.write_all(&[0; BLOCK][..padding])
}

/// Returns one record of an extended header. The length at its start includes the length's own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let digits = |number: usize| number.to_string().len();
    let mut length = rest + digits(rest);
    if digits(length) > digits(rest) {
        length = rest + digits(length);
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn header(name: &[u8], shape: &Shape<'_>, size: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name[..name.len().min(LONGEST)]);
    put(100, format!("{:07o}\0{:07o}\0{:07o}\0{size:011o}\0{MTIME:011o}\0", shape.mode, 0, 0).as_bytes());
    put(148, b"        ");
    put(156, &[shape.kind]);
    put(157, &shape.target[..shape.target.len().min(LONGEST)]);
    put(257, b"ustar\x0000");
    put(329, b"0000000\x000000000\0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

#[cfg(test)]
mod tests;
