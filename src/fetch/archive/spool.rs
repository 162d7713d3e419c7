//! [`Spool`]: contents of files on disk, so that an archive of any size needs little memory.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

use super::ArchiveError;

/// The largest total size of a package's files, in bytes. It bounds the disk space that a hostile archive takes.
pub(super) const MOST_BYTES: u64 = 2 << 30;

/// A temporary file that holds contents one after the other. It has no name, so a killed run leaves nothing.
#[derive(Debug)]
pub(in crate::fetch) struct Spool {
    file: Arc<File>,
    length: u64,
}

/// A content in a spool.
#[derive(Debug, Clone)]
pub(in crate::fetch) struct Spooled {
    file: Arc<File>,
    at: u64,
    length: u64,
}

/// The content of a file.
pub(in crate::fetch) trait Content {
    /// Returns its length in bytes.
    fn length(&self) -> u64;
    /// Writes it.
    fn copy_to(&self, out: &mut dyn Write) -> io::Result<()>;
}

impl Spool {
    /// Creates an empty one in a folder.
    pub(in crate::fetch) fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: Arc::new(tempfile::tempfile_in(folder)?), length: 0 })
    }

    /// Appends a content.
    pub(in crate::fetch) fn put(&mut self, data: &mut dyn Read) -> Result<Spooled, ArchiveError> {
        let at = self.length;
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(at)).map_err(ArchiveError::Disk)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = data.read(&mut buffer)?;
            self.length += count as u64;
            if self.length > MOST_BYTES {
                return Err(ArchiveError::TooLarge);
            }
            if count == 0 {
                return Ok(Spooled { file: Arc::clone(&self.file), at, length: self.length - at });
            }
            file.write_all(&buffer[..count]).map_err(ArchiveError::Disk)?;
        }
    }
}

impl Content for Spooled {
    fn length(&self) -> u64 {
        self.length
    }

    fn copy_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.at))?;
        let copied = io::copy(&mut file.take(self.length), out)?;
        if copied == self.length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Content for Vec<u8> {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn copy_to(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self)
    }
}
