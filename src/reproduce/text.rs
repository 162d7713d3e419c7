//! Compares texts by lines.

use super::{
    content,
    excerpt::{excerpts, sorted_words},
    found::{Found, What},
};

/// The most pairs of lines that an alignment compares.
const MOST_PAIRS: usize = 1 << 22;
/// The lines of a part that is shown whole.
const SHOWN: usize = 4;
/// The longest line whose words are sorted.
const MOST_SORTED: usize = 1 << 20;
/// How the source map at the end of a bundle begins.
const INLINE_MAP: &str = "sourceMappingURL=data:application/json";

/// Compares two texts. `place` names the text if it is not a whole file.
pub(super) fn compare(what: What, place: &str, first: &str, second: &str, found: &mut Found) {
    let (a, b): (Vec<&str>, Vec<&str>) = (first.split('\n').collect(), second.split('\n').collect());
    let start = a.iter().zip(&b).take_while(|(one, other)| one == other).count();
    let most = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    let text = Text { what, place, is_single: start + end == 0 && a.len() == 1 && b.len() == 1 };
    if a.len() > 1 && is_other_order(a, b) {
        let lines = format!("lines {} to {}", start + 1, start + a.len());
        found.values(What::Order, &text.at(&lines), &shown(a), &shown(b));
        return;
    }
    for (one, other) in parts(a, b) {
        if found.is_full() {
            found.more += 1;
            return;
        }
        text.part(start + 1 + one.start, &a[one], &b[other], found);
    }
}

struct Text<'a> {
    what: What,
    place: &'a str,
    /// Whether the text has one line, which needs no number.
    is_single: bool,
}

impl Text<'_> {
    fn at(&self, line: &str) -> String {
        match (self.place, self.is_single) {
            ("", _) => line.to_owned(),
            (place, true) => place.to_owned(),
            (place, false) => format!("{place}, {line}"),
        }
    }

    fn part(&self, number: usize, a: &[&str], b: &[&str], found: &mut Found) {
        if a.len() != b.len() {
            found.values(self.what, &self.at(&format!("line {number}")), &shown(a), &shown(b));
            return;
        }
        for (at, (one, other)) in a.iter().zip(b).enumerate().filter(|(_, (one, other))| one != other) {
            self.line(number + at, one, other, found);
        }
    }

    fn line(&self, number: usize, first: &str, second: &str, found: &mut Found) {
        let place = self.at(&format!("line {number}"));
        if let (Some(one), Some(other)) = (inline_map(first), inline_map(second)) {
            found.within("inline source map", |found| content::compare("x.map", &one, &other, found));
            return;
        }
        let pairs = excerpts(first, second);
        // Many words changed their places: a list in another order.
        let is_list = pairs.len() > 1
            || pairs.iter().any(|(a, b)| a.core().contains([',', ' ']) && b.core().contains([',', ' ']));
        if is_list && first.len().max(second.len()) <= MOST_SORTED && sorted_words(first) == sorted_words(second) {
            let (first, second) = pairs.into_iter().next().unwrap_or_default();
            found.add(What::Order, &place, first, second);
            return;
        }
        for (first, second) in pairs {
            found.add(self.what, &place, first, second);
        }
    }
}

/// Returns the JSON of a source map in a comment.
fn inline_map(line: &str) -> Option<Vec<u8>> {
    let (_, data) = line.split_once(INLINE_MAP)?.1.split_once("base64,")?;
    let data = data.trim_end_matches(|letter: char| {
        !letter.is_ascii_alphanumeric() && letter != '=' && letter != '+' && letter != '/'
    });
    data_encoding::BASE64.decode(data.as_bytes()).ok()
}

fn shown(lines: &[&str]) -> String {
    let mut text = lines.iter().take(SHOWN).copied().collect::<Vec<_>>().join("\n");
    if lines.len() > SHOWN {
        text.push_str("\n…");
    }
    text
}

fn is_other_order(a: &[&str], b: &[&str]) -> bool {
    let sorted = |lines: &[&str]| {
        // The last one of a list may lack its comma.
        let mut lines: Vec<String> = lines.iter().map(|line| line.trim_end_matches([',', '\r']).to_owned()).collect();
        lines.sort_unstable();
        lines
    };
    a.len() == b.len() && sorted(a) == sorted(b)
}

type Part = (std::ops::Range<usize>, std::ops::Range<usize>);

/// Aligns lines, and returns the parts that differ.
fn parts(a: &[&str], b: &[&str]) -> Vec<Part> {
    if a.len() == b.len() || a.len().saturating_mul(b.len()) > MOST_PAIRS {
        return vec![(0..a.len(), 0..b.len())];
    }
    let common = common(a, b);
    let mut parts = Vec::new();
    let (mut at, mut other) = (0, 0);
    for (one, two) in common.into_iter().chain([(a.len(), b.len())]) {
        if one > at || two > other {
            parts.push((at..one, other..two));
        }
        (at, other) = (one + 1, two + 1);
    }
    parts
}

/// Returns the longest common subsequence, as pairs of numbers of lines.
fn common(a: &[&str], b: &[&str]) -> Vec<(usize, usize)> {
    let width = b.len() + 1;
    let mut lengths = vec![0_u32; (a.len() + 1) * width];
    for one in (0..a.len()).rev() {
        for two in (0..b.len()).rev() {
            lengths[one * width + two] = if a[one] == b[two] {
                lengths[(one + 1) * width + two + 1] + 1
            } else {
                lengths[(one + 1) * width + two].max(lengths[one * width + two + 1])
            };
        }
    }
    let (mut one, mut two, mut pairs) = (0, 0, Vec::new());
    while one < a.len() && two < b.len() {
        if a[one] == b[two] {
            pairs.push((one, two));
            (one, two) = (one + 1, two + 1);
        } else if lengths[(one + 1) * width + two] >= lengths[one * width + two + 1] {
            one += 1;
        } else {
            two += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(first: &str, second: &str) -> Vec<String> {
        let mut found = Found::default();
        compare(What::Text, "", first, second, &mut found);
        let line = |detail: super::super::Detail| {
            format!("{} {}: {} | {}", detail.what.name(), detail.place, detail.first.core(), detail.second.core())
        };
        found.details.into_iter().map(line).collect()
    }

    #[test]
    fn each_line_that_differs_is_named() {
        assert_eq!(found("a\nb 1\nc\nd 2\n", "a\nb 3\nc\nd 4\n"), ["text line 2: 1 | 3", "text line 4: 2 | 4"]);
        assert_eq!(found("a\nb\nc", "a\nx\nb\nc"), ["text line 2:  | x"]);
        assert_eq!(found("a\nb 1\nc\ne", "a\nb 2\nc\nd\ne"), ["text line 2: 1 | 2", "text line 4:  | d"]);
    }

    #[test]
    fn another_order_is_one_detail() {
        assert_eq!(found("x\na\nb\nc\ny", "x\nc\na\nb\ny"), ["order lines 2 to 4: a\nb\nc | c\na\nb"]);
        assert_eq!(found("  a,\n  b\n", "  b,\n  a\n").len(), 1);
        assert!(found("f(1);l=[aa,bb,cc]", "f(1);l=[cc,aa,bb]")[0].starts_with("order line 1: "));
        // The digits of a number are no list.
        assert_eq!(found("t=12.34", "t=34.12"), ["text line 1: 12.34 | 34.12"]);
    }

    #[test]
    fn source_maps_in_comments_are_read() {
        let line = |path: &str| {
            let map = data_encoding::BASE64
                .encode(format!(r#"{{"version":3,"sources":["{path}"],"mappings":""}}"#).as_bytes());
            format!("code()\n//# {INLINE_MAP};charset=utf-8;base64,{map}\n")
        };
        assert_eq!(found(&line("/a/x.ts"), &line("/b/x.ts")), ["sourceMap /sources/0: a | b"]);
    }

    proptest! {
        #[test]
        fn texts_that_differ_have_a_detail(first in "[ab\\n, ]{0,30}", second in "[ab\\n, ]{0,30}") {
            prop_assert_eq!(found(&first, &second).is_empty(), first == second);
        }
    }
}
