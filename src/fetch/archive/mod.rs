//! Reproducible archives of git repositories for fixed outputs: the same files always give the same bytes.
//!
//! An archive is a tar file, byte for byte what `tools/tar.mjs` writes inside a build. It is ustar with extended
//! headers for long names, one timestamp, no owner, two file modes, and entries sorted by bytes. The files are below
//! `tree/`. The archive of a commit starts with the git objects that turn the files into that commit again.
//!
//! This module also reads archives that hosts make. It unpacks nothing to disk, so file systems and links cannot
//! interfere.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read, Write},
};

use flate2::bufread::MultiGzDecoder;
use tar::EntryType;

/// The block size of a tar archive, in bytes.
const BLOCK: usize = 512;
/// The longest name in a plain header, in bytes. Longer names get an extended header.
const LONGEST: usize = 100;
/// The timestamp of all files, in seconds since 1970. npm uses the same one, because some programs warn about 1970.
const MTIME: u64 = 499_162_500;
/// The largest total size of a package's files, in bytes. Protects the memory against hostile archives.
const MOST_BYTES: u64 = 4 << 30;

/// Files by path. Paths are bytes, as in git, without a slash at either end.
pub(super) type Files = BTreeMap<Vec<u8>, ArchiveEntry>;

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ArchiveEntry {
    /// A file's content, and whether it is executable.
    File(Vec<u8>, bool),
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
    /// A path would leave the folder of the package, or lies in `.git`.
    #[error("the path `{0}` is not allowed in a package")]
    Path(String),
    /// An entry is neither a file, a folder nor a link.
    #[error("`{0}` is neither a file, a folder nor a link")]
    Kind(String),
    /// Its files are too large.
    #[error("its files are larger than {} GiB in total", MOST_BYTES >> 30)]
    TooLarge,
}

/// Checks that a path is allowed in a package.
pub(super) fn check_path(path: &[u8]) -> Result<(), ArchiveError> {
    let is_wrong = |part: &[u8]| matches!(part, b"" | b"." | b"..") || part.eq_ignore_ascii_case(b".git");
    if path.contains(&0) || path.split(|byte| *byte == b'/').any(is_wrong) {
        return Err(ArchiveError::Path(shown(path)));
    }
    Ok(())
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().collect()
}

/// Turns an archive that a host made of a repository into the reproducible archive for fixed outputs. Repacking the
/// result changes nothing.
pub fn repack(archive: impl io::BufRead) -> Result<Vec<u8>, ArchiveError> {
    let files = read_host_archive(archive)?;
    let mut made = Vec::new();
    pack(&BTreeMap::new(), &files, &mut made)?;
    Ok(made)
}

/// Reads an archive that a host made of a repository, gzipped or not, and strips its top folder. If a path occurs
/// twice, the last entry counts, as when unpacking to disk.
fn read_host_archive(archive: impl io::BufRead) -> Result<Files, ArchiveError> {
    let mut archive = archive;
    let is_gzipped = archive.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if is_gzipped { read_files(MultiGzDecoder::new(archive)) } else { read_files(archive) }
}

fn read_files(archive: impl Read) -> Result<Files, ArchiveError> {
    // With the top folder, since hard links name whole paths.
    let mut found: BTreeMap<Vec<u8>, ArchiveEntry> = BTreeMap::new();
    let mut archive = tar::Archive::new(archive.take(MOST_BYTES + 1));
    let mut left = MOST_BYTES;
    let mut is_empty = true;
    for entry in archive.entries()? {
        let mut entry = entry?;
        is_empty = false;
        left = left.checked_sub(entry.size()).ok_or(ArchiveError::TooLarge)?;
        let path = entry.path_bytes().into_owned();
        let kind = entry.header().entry_type();
        let is_executable = entry.header().mode()? & 0o111 != 0;
        let content = match kind {
            EntryType::XGlobalHeader => continue,
            _ if kind == EntryType::Directory || path.ends_with(b"/") => ArchiveEntry::Folder,
            EntryType::Regular | EntryType::Continuous => {
                let mut data = Vec::new();
                entry.read_to_end(&mut data)?;
                ArchiveEntry::File(data, is_executable)
            }
            EntryType::Symlink => ArchiveEntry::Link(entry.link_name_bytes().unwrap_or_default().into_owned()),
            EntryType::Link => match entry.link_name_bytes().and_then(|target| found.get(target.as_ref())) {
                Some(file @ ArchiveEntry::File(..)) => file.clone(),
                _ => return Err(ArchiveError::Kind(shown(&path))),
            },
            _ => return Err(ArchiveError::Kind(shown(&path))),
        };
        found.insert(path, content);
    }
    if is_empty {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the archive is empty").into());
    }
    without_top_folder(found)
}

fn without_top_folder(found: BTreeMap<Vec<u8>, ArchiveEntry>) -> Result<Files, ArchiveError> {
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
    let parents: BTreeSet<Vec<u8>> = files.keys().flat_map(|path| parents(path)).map(<[u8]>::to_vec).collect();
    files.retain(|path, entry| !(*entry == ArchiveEntry::Folder && parents.contains(path)));
    Ok(files)
}

/// Returns the parent folders of a path.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}

/// Writes an archive for a fixed output: first `members` (the objects of a commit, by name), then `files` below
/// `tree/`.
pub(super) fn pack(members: &BTreeMap<String, Vec<u8>>, files: &Files, out: &mut impl Write) -> io::Result<()> {
    for (name, data) in members {
        write_entry(name.as_bytes(), &Shape::file(false), data, out)?;
    }
    for (path, entry) in files {
        let path = [b"tree/", path.as_slice()].concat();
        match entry {
            ArchiveEntry::File(data, is_executable) => write_entry(&path, &Shape::file(*is_executable), data, out)?,
            ArchiveEntry::Link(target) => write_entry(&path, &Shape { kind: b'2', mode: 0o777, target }, b"", out)?,
            ArchiveEntry::Folder => {
                let path = [path.as_slice(), b"/"].concat();
                write_entry(&path, &Shape { kind: b'5', mode: 0o755, target: b"" }, b"", out)?;
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

fn write_entry(name: &[u8], shape: &Shape<'_>, data: &[u8], out: &mut impl Write) -> io::Result<()> {
    let long = [("linkpath", shape.target), ("path", name)].into_iter().filter(|(_, value)| value.len() > LONGEST);
    let extended: Vec<u8> = long.flat_map(|(key, value)| record(key, value)).collect();
    if !extended.is_empty() {
        write_block(b"pax", &Shape { kind: b'x', mode: 0o644, target: b"" }, &extended, out)?;
    }
    write_block(name, shape, data, out)
}

fn write_block(name: &[u8], shape: &Shape<'_>, data: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(&header(name, shape, data.len()))?;
    out.write_all(data)?;
    out.write_all(&[0; BLOCK][..data.len().next_multiple_of(BLOCK) - data.len()])
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

fn header(name: &[u8], shape: &Shape<'_>, size: usize) -> [u8; BLOCK] {
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
