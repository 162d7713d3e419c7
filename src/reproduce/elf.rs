//! Compares ELF programs by their sections.

use super::{
    binary,
    found::{Found, What},
};

/// The section with the build id, and the start of its content: sizes, a kind and `GNU`.
const BUILD_ID: &str = ".note.gnu.build-id";
const BUILD_ID_START: usize = 16;
/// The most sections that are read.
const MOST_SECTIONS: usize = 4096;
/// The longest name of a section.
const LONGEST_NAME: usize = 100;
/// A section without bytes in the file.
const NO_BITS: u64 = 8;

pub(super) fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x7fELF")
}

#[derive(Debug, PartialEq)]
struct Section<'a> {
    name: String,
    content: &'a [u8],
}

/// Compares two programs.
pub(super) fn compare(first: &[u8], second: &[u8], found: &mut Found) {
    let (Some(a), Some(b)) = (sections(first), sections(second)) else { return };
    for (at, section) in a.iter().enumerate() {
        let same_before = a[..at].iter().filter(|other| other.name == section.name).count();
        match b.iter().filter(|other| other.name == section.name).nth(same_before) {
            Some(other) if other.content != section.content => one_section(section, other, found),
            Some(_) => {}
            None => found.values(What::Section, &section.name, "present", "(absent)"),
        }
    }
    for section in b.iter().filter(|section| a.iter().all(|other| other.name != section.name)) {
        found.values(What::Section, &section.name, "(absent)", "present");
    }
}

fn one_section(first: &Section<'_>, second: &Section<'_>, found: &mut Found) {
    let name = &first.name;
    if name == BUILD_ID {
        let id = |section: &Section<'_>| {
            data_encoding::HEXLOWER.encode(section.content.get(BUILD_ID_START..).unwrap_or_default())
        };
        found.values(What::BuildId, name, &id(first), &id(second));
        return;
    }
    found.values(
        What::Section,
        name,
        &binary::summary(first.content, second.content),
        &binary::summary(second.content, first.content),
    );
    found.within(name, |found| {
        binary::strings(first.content, second.content, found);
    });
}

/// Reads the sections. What comes after everything that the headers name is a part too: programs carry data there.
fn sections(bytes: &[u8]) -> Option<Vec<Section<'_>>> {
    let header = Header::read(bytes)?;
    let table = header.table(bytes)?;
    let (_, _, names_at, names_size) = *table.get(header.names)?;
    let names = part(bytes, names_at, names_size).unwrap_or_default();
    let mut end = header.table_at.saturating_add((table.len() as u64).saturating_mul(header.entry_size));
    let mut sections = Vec::new();
    for (name, kind, at, size) in table {
        if kind == NO_BITS || size == 0 {
            continue;
        }
        end = end.max(at.saturating_add(size));
        sections.push(Section { name: name_at(names, name), content: part(bytes, at, size).unwrap_or_default() });
    }
    let rest = usize::try_from(end).ok().and_then(|end| bytes.get(end..)).unwrap_or_default();
    if !rest.is_empty() {
        sections.push(Section { name: "(after the program)".to_owned(), content: rest });
    }
    Some(sections)
}

struct Header {
    is_wide: bool,
    is_little: bool,
    table_at: u64,
    entry_size: u64,
    count: usize,
    names: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (is_wide, is_little) = (*bytes.get(4)? == 2, *bytes.get(5)? == 1);
        let read = |at, size| number(bytes, at, size, is_little);
        let (table_at, rest) = if is_wide { (read(40, 8)?, 58) } else { (read(32, 4)?, 46) };
        let count = usize::try_from(read(rest + 2, 2)?).ok()?;
        let names = usize::try_from(read(rest + 4, 2)?).ok()?;
        Some(Self { is_wide, is_little, table_at, entry_size: read(rest, 2)?, count, names })
    }

    /// Reads the entries: the place of the name, the kind, the offset and the size.
    fn table(&self, bytes: &[u8]) -> Option<Vec<(u64, u64, u64, u64)>> {
        let least = if self.is_wide { 64 } else { 40 };
        if self.entry_size < least || self.count > MOST_SECTIONS {
            return None;
        }
        let entry = |number: usize| {
            let at = self.table_at.checked_add(self.entry_size.checked_mul(number as u64)?)?;
            let entry = part(bytes, at, self.entry_size)?;
            let read = |at, size| self::number(entry, at, size, self.is_little);
            let (offset, size) = if self.is_wide { (read(24, 8)?, read(32, 8)?) } else { (read(16, 4)?, read(20, 4)?) };
            Some((read(0, 4)?, read(4, 4)?, offset, size))
        };
        (0..self.count).map(entry).collect()
    }
}

fn part(bytes: &[u8], at: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(size).ok()?)?)
}

fn number(bytes: &[u8], at: usize, size: usize, is_little: bool) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(if is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
}

fn name_at(names: &[u8], at: u64) -> String {
    let rest = usize::try_from(at).ok().and_then(|at| names.get(at..)).unwrap_or_default();
    let rest = &rest[..rest.len().min(LONGEST_NAME)];
    let end = memchr::memchr(0, rest).unwrap_or(rest.len());
    String::from_utf8_lossy(&rest[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("samples/small.elf");

    fn section<'a>(sections: &'a [Section<'_>], name: &str) -> &'a [u8] {
        sections.iter().find(|section| section.name == name).unwrap().content
    }

    #[test]
    fn the_program_of_a_real_linker_is_read() {
        let sections = sections(SAMPLE).unwrap();
        assert_eq!(&section(&sections, BUILD_ID)[BUILD_ID_START..], [0x12, 0x34, 0xab, 0xcd]);
        assert!(memchr::memmem::find(section(&sections, ".rodata"), b"/build/apps/web").is_some());
    }

    #[test]
    fn sections_that_differ_are_named() {
        let replace = |from: &[u8], to: &[u8]| {
            let at = memchr::memmem::find(SAMPLE, from).unwrap();
            [&SAMPLE[..at], to, &SAMPLE[at + from.len()..]].concat()
        };
        let lines = |second: &[u8]| {
            let mut found = Found::default();
            compare(SAMPLE, second, &mut found);
            let line = |detail: super::super::Detail| {
                format!("{} {} {}", detail.what.name(), detail.place, detail.second.text)
            };
            found.details.into_iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(lines(&replace(&[0x12, 0x34, 0xab, 0xcd], &[1, 2, 3, 4])), ["buildId .note.gnu.build-id 01020304"]);
        let found = lines(&replace(b"/build/apps/web", b"/other/apps/web"));
        assert!(found[0].starts_with("section .rodata 5 of "), "{found:?}");
        assert!(found[1].starts_with("strings ") && found[1].contains("/other/apps/web"), "{found:?}");
        assert_eq!(lines(&[SAMPLE, b"data"].concat()), ["section (after the program) present"]);
    }
}
