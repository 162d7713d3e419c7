//! Headers of a tar stream: ustar, with a pax record for what does not fit.
//!
//! They are written here and not by a library, because the bytes decide the digest of a layer: a new version of a library
//! would send every layer again. The layout is that of POSIX.1-2001.

/// The size of a block.
pub(super) const BLOCK: usize = 512;
/// The time of every file, as in the store.
const MTIME: u64 = 1;
/// The largest size that the header of a file can hold.
const MOST_SIZE: u64 = 0o77_777_777_777;
/// The name of a pax record. Readers do not look at it.
const PAX_NAME: &[u8] = b"././@PaxHeader";

/// The kind of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'a> {
    File { size: u64 },
    Folder,
    Link { target: &'a [u8] },
}

/// An entry without its content. The path of a folder ends with `/`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) path: &'a [u8],
    pub(super) kind: Kind<'a>,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Entry<'_> {
    /// Returns the blocks before the content.
    pub(super) fn blocks(&self) -> Vec<u8> {
        let place = split(self.path);
        let mut records = Vec::new();
        if place.is_none() {
            put_record(&mut records, b"path", self.path);
        }
        let (flag, size, target) = match self.kind {
            Kind::File { size } => (b'0', size, &b""[..]),
            Kind::Folder => (b'5', 0, &b""[..]),
            Kind::Link { target } => (b'2', 0, target),
        };
        if target.len() > 100 {
            put_record(&mut records, b"linkpath", target);
        }
        if size > MOST_SIZE {
            put_record(&mut records, b"size", size.to_string().as_bytes());
        }
        let mut blocks = Vec::with_capacity(BLOCK);
        if !records.is_empty() {
            blocks.extend(block(&Fields {
                name: PAX_NAME,
                prefix: b"",
                mode: 0o644,
                ids: (0, 0),
                size: records.len() as u64,
                flag: b'x',
                target: b"",
            }));
            let padded = records.len().next_multiple_of(BLOCK);
            records.resize(padded, 0);
            blocks.append(&mut records);
        }
        let (prefix, name) = place.unwrap_or((b"", &self.path[..self.path.len().min(100)]));
        let (mode, ids) = (self.mode, (self.uid, self.gid));
        // Without support for pax, a reader gets a wrong size. All readers of images support it.
        let size = if size > MOST_SIZE { 0 } else { size };
        blocks.extend(block(&Fields { name, prefix, mode, ids, size, flag, target: &target[..target.len().min(100)] }));
        blocks
    }
}

/// The fields of a header, cut to their lengths.
struct Fields<'a> {
    name: &'a [u8],
    prefix: &'a [u8],
    mode: u32,
    ids: (u32, u32),
    size: u64,
    flag: u8,
    target: &'a [u8],
}

fn block(fields: &Fields<'_>) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    put(&mut block, 0, fields.name);
    put(&mut block, 100, octal(fields.mode.into(), 7).as_bytes());
    put(&mut block, 108, octal(fields.ids.0.into(), 7).as_bytes());
    put(&mut block, 116, octal(fields.ids.1.into(), 7).as_bytes());
    put(&mut block, 124, octal(fields.size, 11).as_bytes());
    put(&mut block, 136, octal(MTIME, 11).as_bytes());
    // The sum is computed over spaces in its own place.
    put(&mut block, 148, b"        ");
    block[156] = fields.flag;
    put(&mut block, 157, fields.target);
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 329, octal(0, 7).as_bytes());
    put(&mut block, 337, octal(0, 7).as_bytes());
    put(&mut block, 345, fields.prefix);
    let sum = block.iter().map(|byte| u64::from(*byte)).sum();
    put(&mut block, 148, octal(sum, 6).as_bytes());
    block[154] = 0;
    block
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

fn octal(number: u64, digits: usize) -> String {
    format!("{number:0digits$o}")
}

/// Splits a path into a prefix and a name that fit into a header. The longest possible prefix is taken.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= 100 {
        return Some((b"", path));
    }
    // The `/` at the end of a folder belongs to its name.
    let inner = &path[..path.len() - 1];
    let at = inner.iter().take(156).rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (name.len() <= 100 && !prefix.is_empty()).then_some((prefix, name))
}

/// Appends a pax record: its length, the key, the value. The length counts its own digits.
fn put_record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length += 1;
    }
    records.extend(length.to_string().as_bytes());
    records.push(b' ');
    records.extend(key);
    records.push(b'=');
    records.extend(value);
    records.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_their_own_length() {
        for length in [1, 80, 85, 86, 87, 88, 89, 90, 91, 92, 980, 985, 986, 987, 988, 989, 990, 991] {
            let mut records = Vec::new();
            put_record(&mut records, b"path", &vec![b'x'; length]);
            let digits = records.split(|byte| *byte == b' ').next().unwrap();
            assert_eq!(std::str::from_utf8(digits).unwrap().parse(), Ok(records.len()), "{length}");
        }
    }

    #[test]
    fn paths_are_split_where_both_parts_fit() {
        let long = |a: usize, b: usize| [vec![b'a'; a], b"/".to_vec(), vec![b'b'; b]].concat();
        assert_eq!(split(b"a/b"), Some((&b""[..], &b"a/b"[..])));
        assert_eq!(split(&long(60, 60)).map(|(prefix, name)| (prefix.len(), name.len())), Some((60, 60)));
        assert_eq!(split(&long(155, 100)).map(|(prefix, name)| (prefix.len(), name.len())), Some((155, 100)));
        for (a, b) in [(156, 10), (10, 101), (0, 101)] {
            assert_eq!(split(&long(a, b)), None, "{a} {b}");
        }
        let folder = [vec![b'a'; 101], b"/".to_vec()].concat();
        assert_eq!(split(&folder), None);
    }

    #[test]
    fn sizes_beyond_the_header_are_in_a_record() {
        let entry = |size| Entry { path: b"a", kind: Kind::File { size }, mode: 0o444, uid: 0, gid: 0 }.blocks();
        assert_eq!(entry(MOST_SIZE).len(), BLOCK);
        let blocks = entry(MOST_SIZE + 1);
        assert!(blocks[BLOCK..].starts_with(b"19 size=8589934592\n"));
        assert_eq!(blocks.len(), 3 * BLOCK);
    }
}
