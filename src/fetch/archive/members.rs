//! Reads tar archives whose author is not trusted, one member at a time and with bounded memory.
//!
//! The `tar` crate reads names from extended headers into memory, whatever their length. So it is asked for the raw
//! entries, and this module reads those headers itself, up to a limit.

use std::{
    io::{self, Read},
    ops::ControlFlow,
};

use tar::EntryType;

use super::ArchiveError;

/// The longest extended header, in bytes. It holds a name, and names are at most 4096 bytes on most systems.
const LONGEST_HEADER: u64 = 1 << 20;

/// One file, folder or link of an archive.
pub(in crate::fetch) struct Member<'a> {
    pub(in crate::fetch) path: Vec<u8>,
    /// The target of a link.
    pub(in crate::fetch) target: Option<Vec<u8>>,
    pub(in crate::fetch) kind: EntryType,
    /// An error if the header has none. Only a member whose mode is asked for needs one.
    pub(in crate::fetch) mode: io::Result<u32>,
    pub(in crate::fetch) size: u64,
    /// The content.
    pub(in crate::fetch) data: &'a mut dyn Read,
}

/// Names for the next member, from extended headers.
#[derive(Default)]
struct Names {
    long_path: Option<Vec<u8>>,
    long_target: Option<Vec<u8>>,
    pax_path: Option<Vec<u8>>,
    pax_target: Option<Vec<u8>>,
}

/// Calls `visit` with each member, until it breaks. Returns whether there was any, or a header of the whole archive.
pub(in crate::fetch) fn each(
    archive: impl Read,
    mut visit: impl FnMut(Member<'_>) -> Result<ControlFlow<()>, ArchiveError>,
) -> Result<bool, ArchiveError> {
    let mut archive = tar::Archive::new(archive);
    let mut names = Names::default();
    let mut is_any = false;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        is_any = true;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => names.long_path = Some(without_end(header(&mut entry)?)),
            EntryType::GNULongLink => names.long_target = Some(without_end(header(&mut entry)?)),
            EntryType::XHeader => names.read_pax(&header(&mut entry)?),
            // It holds the id of the commit.
            EntryType::XGlobalHeader => {}
            _ => {
                let Names { long_path, long_target, pax_path, pax_target } = std::mem::take(&mut names);
                let member = Member {
                    path: long_path.or(pax_path).unwrap_or_else(|| entry.header().path_bytes().into_owned()),
                    target: long_target
                        .or(pax_target)
                        .or_else(|| entry.header().link_name_bytes().map(std::borrow::Cow::into_owned)),
                    kind,
                    mode: entry.header().mode(),
                    size: entry.size(),
                    data: &mut entry,
                };
                if visit(member)?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(is_any)
}

/// Reads an extended header.
fn header(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>, ArchiveError> {
    if entry.size() > LONGEST_HEADER {
        return Err(ArchiveError::Header);
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes the zero byte at the end of a long name.
fn without_end(mut name: Vec<u8>) -> Vec<u8> {
    if name.last() == Some(&0) {
        name.pop();
    }
    name
}

impl Names {
    /// Reads records of the form `<length> <key>=<value>\n`. The length counts the whole record, so a value may contain
    /// line breaks.
    fn read_pax(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((key, value, after)) = record(rest) {
            rest = after;
            let place = match key {
                b"path" => &mut self.pax_path,
                b"linkpath" => &mut self.pax_target,
                _ => continue,
            };
            *place = Some(value.to_vec());
        }
    }
}

/// Splits the first record off.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let (record, after) = bytes.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let sign = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..sign], &record[sign + 1..], after))
}
