//! [`Excerpt`]: the part of a text that differs, with some text around it.

use std::ops::Range;

/// The characters shown before and after a difference.
const AROUND: usize = 40;
/// The most characters of the difference itself.
const LONGEST: usize = 160;
/// The most bytes of a text that are cut into words.
const MOST_WORDS: usize = 1 << 18;
/// Words that are the same, but so few that the differences around them are one: the `.` in `12.5`.
const GAP: usize = 3;

/// A part of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// What differs in it, in bytes.
    pub core: Range<usize>,
}

impl Excerpt {
    /// Makes an excerpt of a whole value.
    pub fn whole(text: &str) -> Self {
        Self::of(text, 0..text.len())
    }

    /// Makes an excerpt of `text` around `core`. Long ones are cut.
    pub fn of(text: &str, core: Range<usize>) -> Self {
        let start = text.floor_char_boundary(core.start);
        let end = text.ceil_char_boundary(core.end).max(start);
        let before: usize = text[..start].chars().rev().take(AROUND).map(char::len_utf8).sum();
        let after: usize = text[end..].chars().take(AROUND).map(char::len_utf8).sum();
        let inner: usize = text[start..end].chars().take(LONGEST).map(char::len_utf8).sum();
        let is_cut = inner < end - start;
        let mut excerpt = text[start - before..start + inner].to_owned();
        if is_cut {
            excerpt.push('…');
        } else {
            excerpt.push_str(&text[end..end + after]);
        }
        Self { text: excerpt, core: before..before + inner }
    }

    /// Returns what differs.
    pub fn core(&self) -> &str {
        self.text.get(self.core.clone()).unwrap_or_default()
    }
}

/// A pair of places that differ.
pub(super) type Pair = (Range<usize>, Range<usize>);

/// Returns the parts of two texts that differ, in whole words. Texts of another structure differ in one part.
pub(super) fn differences(first: &str, second: &str) -> Vec<Pair> {
    let (first_core, second_core) = cores(first, second);
    let whole = vec![(first_core.clone(), second_core.clone())];
    if first_core.len().max(second_core.len()) > MOST_WORDS {
        return whole;
    }
    let a: Vec<Range<usize>> = words(first, first_core);
    let b: Vec<Range<usize>> = words(second, second_core);
    if a.len() != b.len() {
        return whole;
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (at, (one, other)) in a.iter().zip(&b).enumerate() {
        if first[one.clone()] == second[other.clone()] {
            continue;
        }
        match pairs.last_mut() {
            Some((start, end)) if at - *end <= GAP && is_one(first, &a[*start..at]) => *end = at,
            _ => pairs.push((at, at)),
        }
    }
    let range = |words: &[Range<usize>], (start, end): &(usize, usize)| words[*start].start..words[*end].end;
    let pairs: Vec<Pair> = pairs.iter().map(|pair| (range(&a, pair), range(&b, pair))).collect();
    if pairs.is_empty() { whole } else { pairs }
}

/// Whether these words have no space between them.
fn is_one(text: &str, words: &[Range<usize>]) -> bool {
    words.iter().all(|word| !text[word.clone()].contains(char::is_whitespace))
}

/// Returns the middle parts without the common start and end, widened to whole words.
fn cores(first: &str, second: &str) -> Pair {
    let (a, b) = (first.as_bytes(), second.as_bytes());
    let mut start = a.iter().zip(b).take_while(|(one, other)| one == other).count();
    let most = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(one, other)| one == other).count();
    while start > 0 && (is_word(a[start - 1]) || !first.is_char_boundary(start) || !second.is_char_boundary(start)) {
        start -= 1;
    }
    let widen = |text: &str, mut end: usize| {
        while end < text.len() && (is_word(text.as_bytes()[end]) || !text.is_char_boundary(end)) {
            end += 1;
        }
        end
    };
    (start..widen(first, a.len() - end).max(start), start..widen(second, b.len() - end).max(start))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Cuts a part of a text into words; every other character stands alone.
fn words(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut is_open = false;
    for (at, letter) in text[part.clone()].char_indices() {
        let (start, end) = (part.start + at, part.start + at + letter.len_utf8());
        let is_part = u8::try_from(letter).is_ok_and(is_word);
        match words.last_mut() {
            Some(last) if is_part && is_open => last.end = end,
            _ => words.push(start..end),
        }
        is_open = is_part;
    }
    words
}

/// Returns the excerpts of two texts that differ.
pub(super) fn excerpts(first: &str, second: &str) -> Vec<(Excerpt, Excerpt)> {
    let excerpt = |(a, b): Pair| (Excerpt::of(first, a), Excerpt::of(second, b));
    differences(first, second).into_iter().map(excerpt).collect()
}

/// Returns sorted copies of the words of a text, to tell another order from another content.
pub(super) fn sorted_words(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = words(text, 0..text.len()).into_iter().map(|word| &text[word]).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cores_of(first: &str, second: &str) -> Vec<(String, String)> {
        let both = |(a, b): (Excerpt, Excerpt)| (a.core().to_owned(), b.core().to_owned());
        excerpts(first, second).into_iter().map(both).collect()
    }

    fn expect(first: &str, second: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(cores_of(first, second), expected, "{first} {second}");
    }

    #[test]
    fn differences_are_whole_words() {
        expect("built abc12x", "built abd12x", &[("abc12x", "abd12x")]);
        expect("a 1 b 2 c", "a 3 b 4 c", &[("1", "3"), ("2", "4")]);
        expect("t=17:44:01.123Z", "t=17:45:02.456Z", &[("44:01.123Z", "45:02.456Z")]);
        expect("a b", "a b c", &[("b", "b c")]);
        expect("x", "y", &[("x", "y")]);
        expect("é1", "é2", &[("1", "2")]);
        // Both letters begin with the same byte.
        expect("aéb", "aèb", &[("é", "è")]);
    }

    #[test]
    fn excerpts_have_some_text_around_and_are_cut() {
        let long = "x".repeat(1000);
        let (a, b) = (format!("{long}, one {long}"), format!("{long}, two {long}"));
        let (first, _) = excerpts(&a, &b).remove(0);
        assert_eq!((first.core(), first.text.chars().count()), ("one", 83));
        let huge = Excerpt::whole(&"é".repeat(1000));
        assert_eq!((huge.text.chars().count(), huge.core().chars().count()), (161, 160));
    }

    proptest! {
        #[test]
        fn no_texts_panic(first in "[a-c é\\n.:1]{0,20}", second in "[a-c é\\n.:1]{0,20}") {
            for (a, b) in excerpts(&first, &second) {
                prop_assert!(a.text.get(a.core.clone()).is_some() && b.text.get(b.core.clone()).is_some());
            }
        }
    }
}
