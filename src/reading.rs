//! Reads files whose author is not trusted: regular ones alone, and not more than fits into memory.
//!
//! A repository may hold a link to `/dev/zero`, which never ends, or a named pipe, which never answers. The file is
//! looked at before it is opened, because opening a pipe waits for a writer and opening a device may do something.

use std::{
    fmt,
    io::{self, Read as _},
    path::Path,
};

use fs_err as fs;

/// The largest file that is read into memory, in bytes.
pub(crate) const MOST: u64 = 128 << 20;

/// The largest lockfile or manifest, in bytes: its model takes up to twenty times as much memory. Lockfiles of the largest
/// monorepos have 10 MB.
pub(crate) const MOST_PARSED: usize = 24 << 20;

/// Why a file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is no regular file. The text names its kind.
    Special(&'static str),
    /// It is too large.
    TooLarge,
    /// It is too large to be parsed.
    TooLargeToParse,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Special(kind) => write!(f, "expected a regular file, found {kind}"),
            Self::TooLarge => write!(f, "the file is larger than {} MiB", MOST >> 20),
            Self::TooLargeToParse => write!(f, "the file is larger than {} MiB", MOST_PARSED >> 20),
        }
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        let kind = match refused {
            Refused::Special(_) => io::ErrorKind::InvalidInput,
            Refused::TooLarge | Refused::TooLargeToParse => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, refused)
    }
}

/// Returns why `error` refuses a file, if it does.
pub(crate) fn refused(error: &io::Error) -> Option<Refused> {
    error.get_ref().and_then(|inner| inner.downcast_ref()).copied()
}

/// Checks that [`bytes`] would read this file. Follows links, and does not open the file.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(Refused::Special(kind(&metadata)).into());
    }
    if metadata.len() > MOST { Err(Refused::TooLarge.into()) } else { Ok(()) }
}

/// Reads a file.
pub(crate) fn bytes(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    check(path)?;
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len().min(MOST);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // Some files of `/proc` are regular, have no length, and never end.
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST { Err(Refused::TooLarge.into()) } else { Ok(bytes) }
}

/// Reads a text file.
pub(crate) fn text(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(bytes(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(unix)]
fn kind(metadata: &std::fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(_: &std::fs::Metadata) -> &'static str {
    "a device"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_or_answer_is_refused_before_it_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(refused(&bytes(&pipe).unwrap_err()), Some(Refused::Special("a named pipe")));
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero")).unwrap();
        assert_eq!(refused(&bytes(folder.path().join("zero")).unwrap_err()), Some(Refused::Special("a device")));
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(refused(&text(&socket).unwrap_err()), Some(Refused::Special("a socket")));
        let huge = folder.path().join("huge");
        fs::File::create(&huge).unwrap().set_len(3 << 30).unwrap();
        assert_eq!(refused(&bytes(&huge).unwrap_err()), Some(Refused::TooLarge));
        fs::write(&huge, "text").unwrap();
        assert_eq!(text(&huge).unwrap(), "text");
        assert_eq!(bytes(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(bytes(folder.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
