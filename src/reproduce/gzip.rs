//! Compares compressed files: the header of gzip, and the content of gzip and zstd.

use std::io::Read;

use super::{
    archive::time,
    content,
    found::{Found, What},
};

/// The name of the content in places.
const CONTENT: &str = "(uncompressed)";

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

pub(super) fn is_zstd(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}

/// Compares two gzip files.
pub(super) fn compare(name: &str, first: &[u8], second: &[u8], found: &mut Found) {
    let before = found.details.len();
    let (a, b) = (header(first), header(second));
    for ((field, one), (_, other)) in a.iter().zip(&b) {
        if one != other {
            found.values(What::Header, field, one, other);
        }
    }
    let unpack = |bytes: &[u8], most| read(flate2::read::MultiGzDecoder::new(bytes), most);
    let is_explained = found.details.len() > before;
    unpacked(name, unpack, first, second, is_explained, found);
}

/// Compares two zstd files.
pub(super) fn compare_zstd(name: &str, first: &[u8], second: &[u8], found: &mut Found) {
    let unpack = |bytes: &[u8], most| {
        let mut reader = zstd::stream::read::Decoder::new(bytes)?;
        // A frame may ask for a window of gigabytes.
        reader.window_log_max(27)?;
        read(reader, most)
    };
    unpacked(name, unpack, first, second, false, found);
}

/// Reads to the end, or returns nothing if there is more than `most`.
pub(super) fn read(reader: impl Read, most: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

fn unpacked(
    name: &str,
    unpack: impl Fn(&[u8], usize) -> std::io::Result<Option<Vec<u8>>>,
    first: &[u8],
    second: &[u8],
    is_explained: bool,
    found: &mut Found,
) {
    let most = found.left() / 2;
    // Damaged content is compared as bytes.
    let (Ok(a), Ok(b)) = (unpack(first, most), unpack(second, most)) else { return };
    let (Some(a), Some(b)) = (a, b) else {
        let size = |bytes: &[u8]| format!("{} bytes, too much to unpack", bytes.len());
        found.values(What::Skipped, CONTENT, &size(first), &size(second));
        return;
    };
    found.unpacked(a.len() + b.len());
    if a == b {
        if !is_explained {
            let size = |bytes: &[u8]| format!("{} bytes for the same content", bytes.len());
            found.values(What::Compression, "", &size(first), &size(second));
        }
        return;
    }
    let inner = [".gz", ".tgz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned();
    found.within(CONTENT, |found| content::compare(&inner, &a, &b, found));
}

/// Returns the fields of a header, each with its value.
fn header(bytes: &[u8]) -> [(&'static str, String); 5] {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let flags = byte(3);
    let mtime = u32::from_le_bytes([byte(4), byte(5), byte(6), byte(7)]);
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([byte(10), byte(11)]));
    }
    let mut text = |is_there: bool| {
        let rest = bytes.get(at..).unwrap_or_default();
        let end = if is_there { memchr::memchr(0, rest).unwrap_or(0) } else { 0 };
        at += if is_there { end + 1 } else { 0 };
        String::from_utf8_lossy(&rest[..end]).into_owned()
    };
    let name = text(flags & 8 != 0);
    let comment = text(flags & 16 != 0);
    [
        ("time", if mtime == 0 { "none".to_owned() } else { time(mtime.into()) }),
        ("name", name),
        ("comment", comment),
        ("compression level", byte(8).to_string()),
        ("operating system", byte(9).to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_with_its_optional_fields() {
        let with_all = [&[0x1f, 0x8b, 8, 4 | 8 | 16, 1, 0, 0, 0, 2, 3, 2, 0, b'x', b'x'][..], b"name\0note\0"].concat();
        let values = header(&with_all).map(|(_, value)| value);
        assert_eq!(values, ["1970-01-01 00:00:01", "name", "note", "2", "3"].map(str::to_owned));
        // A header that ends early.
        assert_eq!(header(&with_all[..12])[1].1, "");
    }

    #[test]
    fn the_same_content_compressed_in_another_way_is_told() {
        use std::io::Write as _;
        let gzip = |level| {
            let mut writer = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::new(level));
            writer.write_all(&b"abcabcabcabd".repeat(100)).unwrap();
            let mut bytes = writer.finish().unwrap();
            bytes[8] = 0;
            bytes
        };
        let mut found = Found::default();
        compare("x.gz", &gzip(0), &gzip(9), &mut found);
        assert_eq!(found.details.iter().map(|detail| detail.what).collect::<Vec<_>>(), [What::Compression]);
    }
}
