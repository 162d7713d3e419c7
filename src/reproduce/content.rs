//! Chooses how to compare two contents, by their first bytes.

use super::{
    archive, binary, elf,
    found::{Detail, Found, What},
    gzip, json, tarball, text, zip,
};

/// Compares two contents of a file with this name. Returns the details, and the number of those that were left out.
pub fn compare_bytes(name: &str, first: &[u8], second: &[u8]) -> (Vec<Detail>, usize) {
    let mut found = Found::default();
    compare(name, first, second, &mut found);
    (found.details, found.more)
}

/// Compares two contents. There is at least one detail if they differ.
pub(super) fn compare(name: &str, first: &[u8], second: &[u8], found: &mut Found) {
    if first == second {
        return;
    }
    let before = found.details.len() + found.more;
    by_format(name, first, second, found);
    if found.details.len() + found.more == before {
        binary::compare(first, second, found);
    }
}

fn by_format(name: &str, first: &[u8], second: &[u8], found: &mut Found) {
    let both = |is: fn(&[u8]) -> bool| is(first) && is(second);
    if both(gzip::is_gzip) {
        return gzip::compare(name, first, second, found);
    }
    if both(gzip::is_zstd) {
        return gzip::compare_zstd(name, first, second, found);
    }
    if both(tarball::is_tar) {
        return archive::compare(&tarball::members(first), &tarball::members(second), found);
    }
    if both(elf::is_elf) {
        return elf::compare(first, second, found);
    }
    // A program may have an archive at its end.
    if let (Some(first), Some(second)) = (zip::members(first), zip::members(second)) {
        return archive::compare(&first, &second, found);
    }
    match (as_text(first), as_text(second)) {
        (Some(first), Some(second)) => {
            if !json::compare(name, first, second, found) {
                text::compare(What::Text, "", first, second, found);
            }
        }
        _ => binary::compare(first, second, found),
    }
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    if memchr::memchr(0, bytes).is_some() { None } else { std::str::from_utf8(bytes).ok() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};
    use proptest::prelude::*;

    use super::*;

    fn gzip(mtime: u32, content: &[u8]) -> Vec<u8> {
        let mut writer = GzBuilder::new().mtime(mtime).write(Vec::new(), Compression::fast());
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    }

    fn tar(members: &[(&str, u64, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, mtime, content) in members {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mtime(*mtime);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn lines(name: &str, first: &[u8], second: &[u8]) -> Vec<String> {
        let line = |detail: Detail| {
            let inside = detail.inside.join("!");
            let (what, place) = (detail.what.name(), detail.place);
            format!("{inside} {what} {place}: {} | {}", detail.first.text, detail.second.text)
        };
        compare_bytes(name, first, second).0.into_iter().map(line).collect()
    }

    #[test]
    fn archives_inside_of_archives_are_read() {
        let build = |mtime, value: &str| {
            let json = format!(r#"{{"id":"{value}"}}"#);
            gzip(7, &tar(&[("a/x.json", mtime, json.as_bytes()), ("b", 1, b"same")]))
        };
        assert_eq!(
            lines("x.tgz", &build(1_700_000_000, "a"), &build(1_700_000_001, "b")),
            [
                "(uncompressed) memberTime a/x.json: 2023-11-14 22:13:20 | 2023-11-14 22:13:21",
                "(uncompressed)!a/x.json json /id: id: a | id: b",
            ]
        );
        assert_eq!(
            lines("x.gz", &gzip(1, b"x"), &gzip(2, b"x")),
            [" header time: 1970-01-01 00:00:01 | 1970-01-01 00:00:02"]
        );
    }

    #[test]
    fn archives_too_deep_are_not_read() {
        let nested = |content: &str| (0..6).fold(content.as_bytes().to_vec(), |content, _| gzip(0, &content));
        let found = lines("x", &nested("a"), &nested("b"));
        assert!(found.len() == 1 && found[0].contains("too many archives"), "{found:?}");
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        // One member is too much, and the next one differs.
        let mut writer = GzBuilder::new().write(Vec::new(), Compression::fast());
        let zeros = vec![0; 1 << 20];
        (0..130).for_each(|_| writer.write_all(&zeros).unwrap());
        let zeros = writer.finish().unwrap();
        let bomb = |last: &[u8]| [&zeros, &gzip(0, last)[..]].concat();
        let found = lines("x", &bomb(b"a"), &bomb(b"b"));
        assert!(found.len() == 1 && found[0].contains("skipped"), "{found:?}");
    }

    fn samples() -> Vec<Vec<u8>> {
        let elf = include_bytes!("samples/small.elf").to_vec();
        let zip = include_bytes!("samples/small.zip").to_vec();
        let tar = tar(&[("a", 1, b"one"), ("b", 2, b"two")]);
        let json = br#"{"a":[1,{"b":"c"}],"sources":["x"],"mappings":"AAAA"}"#.to_vec();
        let zstd = zstd::encode_all(&b"some text"[..], 1).unwrap();
        vec![gzip(1, &tar), gzip(2, &json), tar, elf, zip, json, zstd, b"a\nb\nc".to_vec(), Vec::new()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]
        #[test]
        fn no_damage_panics_and_every_difference_is_found(
            sample in 0..9_usize, other in 0..9_usize, is_same in any::<bool>(),
            edits in proptest::collection::vec((any::<usize>(), any::<u8>(), 0..4_u8), 0..6),
        ) {
            let samples = samples();
            let first = &samples[sample];
            let mut second = samples[if is_same { sample } else { other }].clone();
            for (at, byte, kind) in edits {
                let at = if second.is_empty() { 0 } else { at % second.len() };
                match kind {
                    0 if !second.is_empty() => second[at] = byte,
                    1 => second.truncate(at),
                    2 => second.insert(at, byte),
                    // A length or an offset of four bytes.
                    _ => (at..(at + 4).min(second.len())).for_each(|at| second[at] = 0xff),
                }
            }
            let (details, _) = compare_bytes("x", first, &second);
            prop_assert_eq!(details.is_empty(), first == &second);
            let (details, _) = compare_bytes("x", &second, first);
            prop_assert_eq!(details.is_empty(), first == &second);
        }
    }
}
