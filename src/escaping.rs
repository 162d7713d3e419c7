//! Escapes characters that control a terminal or the direction of text.

use std::borrow::Cow;

/// Whether a character controls the terminal or the direction of text. Line breaks and tabs do not count.
pub(crate) fn is_unsafe(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Appends the escaped form of a character.
pub(crate) fn put(character: char, text: &mut String) {
    text.extend(character.escape_unicode());
}

/// Escapes control and direction characters of a text from outside, except line breaks and tabs. The printer does this for every text;
/// others need it only to measure one.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) { put(character, &mut safe) } else { safe.push(character) }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_draw_on_the_terminal() {
        assert_eq!(escape("a\u{1b}[31m\nb"), "a\\u{1b}[31m\nb");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
        assert!(matches!(escape("plain é"), Cow::Borrowed(_)));
    }
}
