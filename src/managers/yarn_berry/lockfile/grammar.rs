//! The grammar of a line in Yarn 2 and later: `key: value`. Keys and values are quoted as JSON if necessary.
//!
//! Source: `stringifySyml` of Yarn's `parsers`. A key of more than 1,024 characters is written as `? "key"`, with `:`
//! on the next line. The writer uses no other forms of YAML, so this reader refuses lists, flow collections, single
//! quotes, anchors and strings over several lines.

use std::borrow::Cow;

use crate::managers::yarn::lockfile::{
    YarnLockError,
    line::Line,
    tree::{Content, Grammar, Written, quoted, table},
};

/// The grammar of Yarn 2 and later.
pub(super) struct Berry;

impl Grammar for Berry {
    const GAPS_CLOSE: bool = false;

    fn line<'a>(line: &Line<'a>) -> Result<Written<'a>, YarnLockError> {
        if let Some(long) = line.text.strip_prefix("? ") {
            let (key, length) = quoted(long).ok_or_else(|| line.unexpected(2, "a quoted key"))?;
            refuse_more(line, 2 + length)?;
            return Ok(Written { keys: (key, Vec::new()), content: Content::NextLine });
        }
        let (key, end) = key(line)?;
        if !line.text[end..].starts_with(':') {
            return Err(line.unexpected(end, "`:` after the key"));
        }
        Ok(Written { keys: (key, Vec::new()), content: content(line, end + 1)? })
    }

    fn continued<'a>(line: &Line<'a>) -> Result<Content<'a>, YarnLockError> {
        content(line, 1)
    }
}

/// Returns the key at the start of a line, and its end.
fn key<'a>(line: &Line<'a>) -> Result<(Cow<'a, str>, usize), YarnLockError> {
    if let Some((key, length)) = quoted(line.text) {
        return Ok((key, length));
    }
    let end = line.text.bytes().position(|byte| byte == b':').unwrap_or(line.text.len());
    let key = &line.text[..end];
    if is_plain(key) { Ok((Cow::Borrowed(key), end)) } else { Err(line.unexpected(0, "a key")) }
}

/// Reads the content after the `:` that ends at `start`.
fn content<'a>(line: &Line<'a>, start: usize) -> Result<Content<'a>, YarnLockError> {
    let rest = line.text.get(start..).unwrap_or_default();
    let value = rest.trim_start_matches(' ');
    if value.is_empty() || value.starts_with('#') {
        return Ok(Content::Below);
    }
    let at = line.text.len() - value.len();
    if at == start {
        return Err(line.unexpected(start, "a space after `:`"));
    }
    if let Some((text, length)) = quoted(value) {
        refuse_more(line, at + length)?;
        return Ok(Content::Text(text));
    }
    if is_plain(value) {
        return Ok(Content::Text(Cow::Borrowed(value)));
    }
    let text = value.find(" #").map_or(value, |comment| value[..comment].trim_end_matches(' '));
    if is_plain(text) { Ok(Content::Text(Cow::Borrowed(text))) } else { Err(line.unexpected(at, "a string")) }
}

/// Refuses anything but a comment after a quoted string.
fn refuse_more(line: &Line<'_>, end: usize) -> Result<(), YarnLockError> {
    let rest = line.text[end..].trim_start_matches(' ');
    if rest.is_empty() || rest.starts_with('#') { Ok(()) } else { Err(line.unexpected(end, "the end of the line")) }
}

/// The bytes that no unquoted string contains.
const IS_SIGN: [bool; 256] = table(b":,[]{}#");

/// Whether Yarn writes the string without quotes, and every YAML reader reads it as the same string.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|first| !b"-?&*!|>'\"%@` ".contains(first))
        && !bytes.iter().any(|byte| IS_SIGN[usize::from(*byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managers::yarn::lockfile::tree;

    fn read(text: &str) -> Result<String, YarnLockError> {
        tree::read::<Berry>(text).map(|nodes| format!("{nodes:?}"))
    }

    #[test]
    fn comments_gaps_and_long_keys_change_nothing() {
        let plain = read("a:\n  \"b c\": d e\n  f: \"\\\"g\"\n").unwrap();
        let shifted = |text: &str| {
            read(text)
                .unwrap()
                .split("line: ")
                .map(|part| part.trim_start_matches(char::is_numeric).to_owned())
                .collect::<Vec<_>>()
        };
        for other in [
            "# c\n\na: # c\n\n  \"b c\":   d e # c\n  # c\n  f: \"\\\"g\" # c",
            "? \"a\"\n:\n  ? \"b c\"\n  : d e\n  f: \"\\\"g\"",
            "\"a\":\r\n  b c: d e\r\n  \"f\": \"\\u0022g\"\r\n",
        ] {
            assert_eq!(shifted(other), shifted("a:\n  \"b c\": d e\n  f: \"\\\"g\"\n"), "{other}");
        }
        assert!(plain.contains("d e"));
    }

    #[test]
    fn what_yarn_does_not_write_is_refused() {
        for text in [
            "a",
            "- a",
            "a: [b]",
            "a: {}",
            "a: 'b'",
            "a: |\n  b",
            "a: &b",
            "a: *b",
            "a: !b c",
            "'a': b",
            "? a\n: b",
            "? \"a\"\nb: c",
            "? \"a\"",
            "a:b",
            "\"a\" : b",
            "a: b: c",
            "a: \"b\" c",
            "a: b\n  c: d",
            "a:\n    b: c",
            "  a: b",
            "a:\n  b: c\n    d: e",
            ": a",
            "a: @b",
            "a: \"b",
            "a: b\na: c",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
