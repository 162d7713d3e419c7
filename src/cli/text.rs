//! Formats numbers, sizes, times and names for people.

use std::{borrow::Cow, time::Duration};

/// Formats a size: `0 B`, `999 B`, `1.5 kB`, `23.4 MB`, with decimal prefixes.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// Formats a number with a comma between thousands.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count with its noun: `1 file`, `2 files`.
pub(super) fn things(number: usize, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        (_, None) => format!("{} {one}s", count(number)),
    }
}

/// Formats a time: `12 ms`, `1.2 s`, `2 min 3 s`.
pub(super) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Escapes control and direction characters of a text from outside, except line breaks.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) { safe.extend(character.escape_unicode()) } else { safe.push(character) }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_counts_and_times_are_short() {
        assert_eq!(
            [0, 999, 1000, 999_949, 999_950, 737_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "737.0 MB"]
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            (things(1, "file"), things(2, "file"), things(0, "library")),
            ("1 file".into(), "2 files".into(), "0 libraries".into())
        );
        assert_eq!([12, 1234, 123_000].map(|ms| duration(Duration::from_millis(ms))), ["12 ms", "1.2 s", "2 min 3 s"]);
    }

    #[test]
    fn names_cannot_draw_on_the_terminal() {
        assert_eq!(escape("a\u{1b}[31m\nb"), "a\\u{1b}[31m\nb");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
        assert!(matches!(escape("plain é"), Cow::Borrowed(_)));
    }
}
