//! The grammar of a line in Yarn 1: `key value`, `key: value`, or `key, "other key":` before nested lines.
//!
//! Source: `tokenise` and `Parser` of Yarn's `src/lockfile/parse.js`. Those silently drop the rest of a file in some
//! cases; this reader refuses it. It does not fall back to YAML either, which Yarn 1 never writes.

use std::borrow::Cow;

use crate::managers::yarn::lockfile::{
    YarnLockError,
    line::Line,
    tree::{Content, Grammar, Written, quoted, table},
};

/// The grammar of Yarn 1.
pub(super) struct Classic;

impl Grammar for Classic {
    const GAPS_CLOSE: bool = true;

    fn line<'a>(line: &Line<'a>) -> Result<Written<'a>, YarnLockError> {
        let mut tokens = Tokens { text: line.text, offset: 0 };
        let key = tokens.text().ok_or_else(|| line.unexpected(tokens.offset, "a key"))?;
        let mut more_keys = Vec::new();
        while tokens.take(b',') {
            let offset = tokens.offset;
            more_keys.push(tokens.text().ok_or_else(|| line.unexpected(offset, "another key after `,`"))?);
        }
        if line.indent > 0 && !more_keys.is_empty() {
            return Err(line.unexpected(0, "a single key"));
        }
        let opens = tokens.take(b':');
        let content = match tokens.value() {
            Some(value) => Content::Text(value),
            None if opens => Content::Below,
            None => return Err(line.unexpected(tokens.offset, "a value, or `:` before nested lines")),
        };
        tokens.skip_spaces();
        if !tokens.is_at_end() {
            return Err(line.unexpected(tokens.offset, "the end of the line"));
        }
        Ok(Written { keys: (key, more_keys), content })
    }
}

/// The bytes that end an unquoted string.
const ENDS_WORD: [bool; 256] = table(b" ,:");

struct Tokens<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn skip_spaces(&mut self) {
        self.offset = self.text.len() - self.rest().trim_start_matches(' ').len();
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty() || self.rest().starts_with('#')
    }

    fn take(&mut self, sign: u8) -> bool {
        self.skip_spaces();
        let is_there = self.rest().as_bytes().first() == Some(&sign);
        self.offset += usize::from(is_there);
        is_there
    }

    /// Reads a string, quoted or bare. Yarn reads a bare one that starts like a boolean as a boolean.
    fn text(&mut self) -> Option<Cow<'a, str>> {
        self.skip_spaces();
        let rest = self.rest();
        if let Some((text, length)) = quoted(rest) {
            self.offset += length;
            return (!text.is_empty()).then_some(text);
        }
        let is_start = |first: char| first.is_ascii_alphabetic() || "/.-".contains(first);
        if !rest.starts_with(is_start) || rest.starts_with("true") || rest.starts_with("false") {
            return None;
        }
        Some(self.bare())
    }

    /// Reads a value: a string (which may be empty), a whole number or a boolean.
    fn value(&mut self) -> Option<Cow<'a, str>> {
        self.skip_spaces();
        let rest = self.rest();
        if rest.starts_with("\"\"") {
            self.offset += 2;
            return Some(Cow::Borrowed(""));
        }
        let first = rest.as_bytes().first().copied().unwrap_or_default();
        if !first.is_ascii_digit() && !rest.starts_with("true") && !rest.starts_with("false") {
            return self.text();
        }
        let start = self.offset;
        let word = self.bare();
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || word == "true" || word == "false" {
            return Some(word);
        }
        self.offset = start;
        None
    }

    fn bare(&mut self) -> Cow<'a, str> {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| ENDS_WORD[usize::from(byte)]);
        let word = &rest[..end.unwrap_or(rest.len())];
        self.offset += word.len();
        Cow::Borrowed(word)
    }
}
