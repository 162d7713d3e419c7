//! Compares bytes: the texts in them, and where they differ.

use super::{
    excerpt::excerpts,
    found::{Found, What},
};

/// The shortest text in binary data that is compared.
const SHORTEST: usize = 6;
/// The most texts that are compared.
const MOST: usize = 1 << 20;
/// The bytes that are shown.
const SHOWN: usize = 16;

/// Compares two contents. There is at least one detail if they differ.
pub(super) fn compare(first: &[u8], second: &[u8], found: &mut Found) {
    let Some(at) = first_difference(first, second) else { return };
    let bytes = |all: &[u8]| {
        let rest = all.get(at..).unwrap_or_default();
        let shown: Vec<String> = rest.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
        if shown.is_empty() { format!("ends after {} bytes", all.len()) } else { shown.join(" ") }
    };
    found.values(What::Bytes, &format!("byte {at}"), &bytes(first), &bytes(second));
    strings(first, second, found);
}

/// Compares the texts in binary data.
pub(super) fn strings(first: &[u8], second: &[u8], found: &mut Found) {
    let (a, b) = (texts(first), texts(second));
    let start = a.iter().zip(&b).take_while(|((_, one), (_, other))| one == other).count();
    let most = a.len().min(b.len()) - start;
    let same = |((_, one), (_, other)): &(&(usize, &str), &(usize, &str))| one == other;
    let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(same).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    if a.len() != b.len() {
        return;
    }
    for ((at, one), (_, other)) in a.iter().zip(b).filter(|((_, one), (_, other))| one != other) {
        for (one, other) in excerpts(one, other) {
            found.add(What::Strings, &format!("byte {at}"), one, other);
        }
        if found.is_full() {
            return;
        }
    }
}

/// Returns how many bytes of the first content differ.
pub(super) fn summary(content: &[u8], other: &[u8]) -> String {
    let same = content.iter().zip(other).filter(|(one, other)| one == other).count();
    format!("{} of {} bytes differ", content.len().max(other.len()) - same, content.len())
}

fn first_difference(first: &[u8], second: &[u8]) -> Option<usize> {
    let common = first.iter().zip(second).take_while(|(one, other)| one == other).count();
    (common < first.len().max(second.len())).then_some(common)
}

/// Returns the printable texts with their offsets.
fn texts(bytes: &[u8]) -> Vec<(usize, &str)> {
    let is_printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ' || *byte == b'\t';
    let mut found = Vec::new();
    let mut at = 0;
    for run in bytes.split(|byte| !is_printable(byte)) {
        if run.len() >= SHORTEST
            && let Ok(text) = std::str::from_utf8(run)
        {
            found.push((at, text));
            if found.len() == MOST {
                break;
            }
        }
        at += run.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(first: &[u8], second: &[u8]) -> Vec<String> {
        let mut found = Found::default();
        compare(first, second, &mut found);
        let line = |detail: super::super::Detail| {
            format!("{} {}: {} | {}", detail.what.name(), detail.place, detail.first.text, detail.second.text)
        };
        found.details.into_iter().map(line).collect()
    }

    #[test]
    fn texts_in_bytes_are_named_with_their_offset() {
        let build = |path: &str| [b"\0\x01same text\0", path.as_bytes(), b"\0\xff"].concat();
        assert_eq!(
            lines(&build("/build/x.c"), &build("/other/x.c")),
            [
                "bytes byte 13: 62 75 69 6c 64 2f 78 2e 63 00 ff | 6f 74 68 65 72 2f 78 2e 63 00 ff",
                "strings byte 12: /build/x.c | /other/x.c"
            ]
        );
        assert_eq!(lines(b"\0a", b"\0ab"), ["bytes byte 2: ends after 2 bytes | 62"]);
        assert!(lines(b"a", b"a").is_empty());
    }
}
