//! Reads the members of a zip archive in memory, from its central directory.
//!
//! Zip64 is read only as far as its archives are small enough for memory: their counts and offsets fit into 32 bits.

use super::{
    archive::{Data, MOST_MEMBERS, Member, time},
    found::What,
};

const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
/// The end without its comment, and the longest comment.
const END_SIZE: usize = 22;
const LONGEST_COMMENT: usize = 0xffff;
/// The size of an entry without its texts, and that of the header before its content.
const ENTRY_SIZE: usize = 46;
const LOCAL_SIZE: usize = 30;
/// The kinds of extra fields: a time of Unix, and the same with owners.
const UNIX_TIME: u16 = 0x5455;
const OWNER: u16 = 0x7875;

/// Reads the members, or returns nothing if this is no zip archive.
pub(super) fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let tail = bytes.len().saturating_sub(END_SIZE + LONGEST_COMMENT);
    let end = tail + memchr::memmem::rfind(bytes.get(tail..)?, END)?;
    let (size, offset) = (number(bytes, end + 12, 4)?, number(bytes, end + 16, 4)?);
    let directory = end.checked_sub(size)?;
    // A program may stand before the archive, and its offsets may not count that.
    let shift = directory.checked_sub(offset)?;
    let mut members = Vec::new();
    let mut at = directory;
    while members.len() < MOST_MEMBERS && bytes.get(at..).is_some_and(|rest| rest.starts_with(ENTRY)) {
        let Some((member, next)) = member(bytes, at, shift) else { break };
        members.push(member);
        at = next;
    }
    (!members.is_empty() || size == 0).then_some(members)
}

fn member(bytes: &[u8], at: usize, shift: usize) -> Option<(Member<'_>, usize)> {
    let field = |offset: usize, size: usize| number(bytes, at + offset, size);
    let lengths = [field(28, 2)?, field(30, 2)?, field(32, 2)?];
    let name = bytes.get(at + ENTRY_SIZE..at + ENTRY_SIZE + lengths[0])?;
    let extra_start = at + ENTRY_SIZE + lengths[0];
    let extra = bytes.get(extra_start..extra_start + lengths[1])?;
    let next = extra_start + lengths[1] + lengths[2];
    let (flags, method, packed) = (field(8, 2)?, field(10, 2)?, field(20, 4)?);
    let local = field(42, 4)?.checked_add(shift)?;
    let data = content(bytes, local, packed).unwrap_or_default();
    let data = match (flags & 1, method) {
        (0, 0) => Data::Plain(data),
        (0, 8) => Data::Deflated(data),
        _ => Data::Opaque(data),
    };
    let facts = vec![
        (What::MemberTime, "", dos_time(field(14, 2)?, field(12, 2)?)),
        (What::MemberTime, "Unix time", extra_field(extra, UNIX_TIME).map(unix_time).unwrap_or_default()),
        (What::MemberOwner, "owner", extra_field(extra, OWNER).map(hex).unwrap_or_default()),
        (What::Member, "mode", format!("{:o}", field(38, 4)? >> 16)),
        (What::Member, "method", method.to_string()),
        (What::Member, "made by", field(4, 2)?.to_string()),
    ];
    Some((Member { name: String::from_utf8_lossy(name).into_owned(), facts, data }, next))
}

fn content(bytes: &[u8], local: usize, packed: usize) -> Option<&[u8]> {
    bytes.get(local..)?.starts_with(LOCAL).then_some(())?;
    let (name, extra) = (number(bytes, local + 26, 2)?, number(bytes, local + 28, 2)?);
    let start = local + LOCAL_SIZE + name + extra;
    bytes.get(start..start.checked_add(packed)?)
}

/// Reads a number of at most four bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

fn extra_field(mut extra: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let size = number(extra, 2, 2)?;
        let field = extra.get(4..4 + size)?;
        if number(extra, 0, 2)? == usize::from(kind) {
            return Some(field);
        }
        extra = &extra[4 + size..];
    }
}

/// A byte of flags, then the time of the last change in seconds.
fn unix_time(field: &[u8]) -> String {
    number(field, 1, 4).map(|seconds| time(seconds as u64)).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The time of DOS, in steps of two seconds and in the zone of the machine.
fn dos_time(date: usize, time: usize) -> String {
    let (year, month, day) = (1980 + (date >> 9), date >> 5 & 15, date & 31);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", time >> 11, time >> 5 & 63, (time & 31) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("samples/small.zip");

    #[test]
    fn the_archive_of_a_real_program_is_read() {
        let members = members(SAMPLE).unwrap();
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["text.txt", "plain"]);
        assert!(matches!((members[0].data, members[1].data), (Data::Deflated(_), Data::Plain(b"x"))));
        assert_eq!(members[0].facts[0].2, "2020-02-02 02:02:02");
        assert_eq!(members[0].facts[3].2, "100644");
        assert!(members[0].facts[1].2.starts_with("2020-02-02"), "{:?}", members[0].facts);
    }

    #[test]
    fn an_archive_after_a_program_is_read() {
        let bytes = [b"#!/bin/sh\n".as_slice(), SAMPLE].concat();
        assert_eq!(members(&bytes), members(SAMPLE));
    }

    #[test]
    fn what_is_no_archive_has_no_members() {
        for bytes in [&b""[..], b"PK", b"PK\x05\x06", &SAMPLE[..SAMPLE.len() - END_SIZE], &[0; 100]] {
            assert_eq!(members(bytes), None);
        }
        // The end of an empty archive.
        assert_eq!(members(&[END, &[0; 18]].concat()), Some(Vec::new()));
    }
}
