//! Compares the members of two archives: their order, their properties and their content.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    content,
    found::{Found, What},
};

/// The most members of an archive that are compared.
pub(super) const MOST_MEMBERS: usize = 100_000;

/// A file, folder or link in an archive.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    /// Its properties: a kind, a name and a value. Both archives have the same ones.
    pub(super) facts: Vec<(What, &'static str, String)>,
    pub(super) data: Data<'a>,
}

/// The content of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Data<'a> {
    /// As it is.
    Plain(&'a [u8]),
    /// Compressed with deflate.
    Deflated(&'a [u8]),
    /// Compressed or encrypted in another way.
    Opaque(&'a [u8]),
}

impl<'a> Data<'a> {
    /// Returns the content, or nothing if it is damaged or too large.
    fn unpack(self, most: usize) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Plain(bytes) | Self::Opaque(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Deflated(bytes) => {
                super::gzip::read(flate2::read::DeflateDecoder::new(bytes), most).ok().flatten().map(Cow::Owned)
            }
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Plain(bytes) | Self::Opaque(bytes) | Self::Deflated(bytes) => bytes.len(),
        }
    }
}

/// Compares two archives.
pub(super) fn compare(first: &[Member<'_>], second: &[Member<'_>], found: &mut Found) {
    let (a, b) = (by_name(first), by_name(second));
    let names = |members: &[Member<'_>], others: &BTreeMap<(&str, usize), &Member<'_>>| {
        numbered(members).filter(|key| others.contains_key(key)).map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    let (one, other) = (names(first, &b), names(second, &a));
    if let Some(at) = one.iter().zip(&other).position(|(one, other)| one != other) {
        let shown = |names: &[String]| names[at..].iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        found.values(What::Order, "members", &shown(&one), &shown(&other));
    }
    for (key, one) in &a {
        match b.get(key) {
            Some(other) => members(one, other, found),
            None => found.values(What::OnlyMember, key.0, "present", "(absent)"),
        }
    }
    for (name, _) in b.keys().filter(|key| !a.contains_key(key)) {
        found.values(What::OnlyMember, name, "(absent)", "present");
    }
}

/// Numbers the members with the same name, which an archive may have.
fn numbered<'a>(members: &'a [Member<'_>]) -> impl Iterator<Item = (&'a str, usize)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    members.iter().map(move |member| {
        let count = seen.entry(&member.name).or_default();
        *count += 1;
        (member.name.as_str(), *count)
    })
}

fn by_name<'a, 'm>(members: &'a [Member<'m>]) -> BTreeMap<(&'a str, usize), &'a Member<'m>> {
    numbered(members).zip(members).collect()
}

fn members(first: &Member<'_>, second: &Member<'_>, found: &mut Found) {
    for ((what, property, one), (_, _, other)) in first.facts.iter().zip(&second.facts) {
        if one != other {
            let property = if property.is_empty() { String::new() } else { format!(" ({property})") };
            found.values(*what, &format!("{}{property}", first.name), one, other);
        }
    }
    if first.data == second.data {
        return;
    }
    let most = found.left() / 2;
    let (Some(a), Some(b)) = (first.data.unpack(most), second.data.unpack(most)) else {
        let size = |data: Data<'_>| format!("{} bytes, damaged or too much to unpack", data.len());
        found.values(What::Skipped, &first.name, &size(first.data), &size(second.data));
        return;
    };
    found.unpacked(a.len() + b.len());
    if a == b {
        let size = |data: Data<'_>| format!("{} bytes for the same content", data.len());
        found.values(What::Compression, &first.name, &size(first.data), &size(second.data));
    } else {
        found.within(&first.name, |found| content::compare(&first.name, &a, &b, found));
    }
}

/// Formats seconds since 1970 in UTC.
pub(super) fn time(seconds: u64) -> String {
    const DAY: u64 = 86_400;
    let (days, rest) = (seconds / DAY, seconds % DAY);
    // From days to a date, by the algorithm of Howard Hinnant, for dates after 1970.
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member<'a>(name: &str, fact: &str, data: &'a [u8]) -> Member<'a> {
        let facts = vec![(What::MemberTime, "", fact.to_owned())];
        Member { name: name.to_owned(), facts, data: Data::Plain(data) }
    }

    fn lines(first: &[Member<'_>], second: &[Member<'_>]) -> Vec<String> {
        let mut found = Found::default();
        compare(first, second, &mut found);
        let line = |detail: super::super::Detail| {
            format!("{} {}: {} | {}", detail.what.name(), detail.place, detail.first.text, detail.second.text)
        };
        found.details.into_iter().map(line).collect()
    }

    #[test]
    fn order_properties_and_content_are_told_apart() {
        let first = [member("a", "1", b"x"), member("b", "1", b"y"), member("old", "1", b"")];
        let second = [member("b", "2", b"z"), member("a", "1", b"x"), member("new", "1", b"")];
        assert_eq!(
            lines(&first, &second),
            [
                "order members: a, b | b, a",
                "memberTime b: 1 | 2",
                "text line 1: y | z",
                "onlyMember old: present | (absent)",
                "onlyMember new: (absent) | present",
            ]
        );
    }

    #[test]
    fn members_with_the_same_name_are_compared_in_their_order() {
        let first = [member("a", "1", b"x"), member("a", "1", b"y")];
        let second = [member("a", "1", b"x"), member("a", "1", b"z"), member("a", "1", b"")];
        assert_eq!(lines(&first, &second), ["text line 1: y | z", "onlyMember a: (absent) | present"]);
    }

    #[test]
    fn times_are_dates() {
        let expected = ["1970-01-01 00:00:00", "1980-01-01 00:00:00", "2000-02-29 12:34:56", "2026-11-30 17:44:01"];
        assert_eq!([0, 315_532_800, 951_827_696, 1_796_060_641].map(time), expected.map(str::to_owned));
        assert!(time(u64::MAX).len() > 19);
    }
}
