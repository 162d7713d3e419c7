//! The lines of a `yarn.lock`. In both formats no value spans lines, and two spaces are one level.
//!
//! Reading by lines gives every entry its position at no cost. This module also refuses what neither format allows:
//! conflict markers, tabs and other control characters, and odd indents.

use super::YarnLockError;
use crate::{diagnostic::Position, lockfile::json::shorten};

/// A line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::managers) struct Line<'a> {
    /// The line's number, from 1.
    pub(in crate::managers) number: usize,
    /// The number of spaces before the text. It is even.
    pub(in crate::managers) indent: usize,
    /// The text, without spaces before and after.
    pub(in crate::managers) text: &'a str,
    /// Whether the line before it was blank, or a comment at the margin.
    pub(in crate::managers) after_gap: bool,
}

impl Line<'_> {
    /// The position of the text.
    pub(in crate::managers) fn position(&self) -> Position {
        Position { line: self.number, column: self.indent + 1 }
    }

    /// The position of a byte offset in the text.
    pub(in crate::managers) fn position_at(&self, offset: usize) -> Position {
        let within = Position::of_offset(self.text, offset);
        Position { line: self.number, column: self.indent + within.column }
    }

    /// Returns an error about the text from a byte offset on.
    pub(in crate::managers) fn unexpected(&self, offset: usize, expected: &'static str) -> YarnLockError {
        let found = match self.text.get(offset..) {
            None | Some("") => "the end of the line".to_owned(),
            Some(rest) => format!("`{}`", shorten(rest)),
        };
        YarnLockError::Unexpected { position: self.position_at(offset), expected, found }
    }
}

/// The lines of a file, without blank lines and comments.
pub(in crate::managers) struct Lines<'a> {
    rest: &'a str,
    number: usize,
    after_gap: bool,
    /// Whether any line may contain a control character.
    is_suspicious: bool,
}

impl<'a> Lines<'a> {
    pub(in crate::managers) fn of(text: &'a str) -> Self {
        Self { rest: text, number: 0, after_gap: false, is_suspicious: is_suspicious(text) }
    }

    /// Returns the next line, or `None` at the end of the file.
    pub(in crate::managers) fn next(&mut self) -> Result<Option<Line<'a>>, YarnLockError> {
        while !self.rest.is_empty() {
            let (whole, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            self.rest = rest;
            self.number += 1;
            let whole = whole.strip_suffix('\r').unwrap_or(whole);
            if self.is_suspicious {
                refuse_control_characters(whole, self.number)?;
            }
            let unindented = whole.trim_start_matches(' ');
            let indent = whole.len() - unindented.len();
            if unindented.is_empty() || (indent == 0 && unindented.starts_with('#')) {
                self.after_gap = true;
                continue;
            }
            if unindented.starts_with('#') {
                continue;
            }
            let text = unindented.trim_end_matches(' ');
            let line = Line { number: self.number, indent, text, after_gap: self.after_gap };
            self.after_gap = false;
            if indent == 0 && is_conflict_marker(text) {
                return Err(YarnLockError::Conflict { position: line.position() });
            }
            if !indent.is_multiple_of(2) {
                return Err(line.unexpected(0, "an indent of two spaces per level"));
            }
            return Ok(Some(line));
        }
        Ok(None)
    }
}

/// Whether the line is a conflict marker of git. No key of either format starts like this.
fn is_conflict_marker(text: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| text.starts_with(marker))
}

/// Whether the text may contain a control character other than line ends. It is checked once for the whole file, by a
/// fold that never stops early. The compiler vectorises that to sixteen bytes at a time, which short lines would not
/// allow.
fn is_suspicious(text: &str) -> bool {
    // 0xc2 starts the control characters of two bytes.
    let is_control = |byte: u8| u8::from(byte < b' ') & u8::from(byte != b'\n') | u8::from(byte == 0x7f);
    text.bytes().fold(0, |found, byte| found | is_control(byte) | u8::from(byte == 0xc2)) != 0
}

fn refuse_control_characters(line: &str, number: usize) -> Result<(), YarnLockError> {
    let Some(offset) = line.find(char::is_control) else { return Ok(()) };
    let column = Position::of_offset(line, offset).column;
    Err(YarnLockError::Control { position: Position { line: number, column } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Result<Vec<Line<'_>>, YarnLockError> {
        let mut lines = Lines::of(text);
        std::iter::from_fn(|| lines.next().transpose()).collect()
    }

    #[test]
    fn lines_know_number_indent_and_gap() {
        let text = "# a comment\r\n\r\na:\r\n  b: c  \n  # d\n  e: f\n\ng";
        let of = |number, indent, text, after_gap| Line { number, indent, text, after_gap };
        let expected = [of(3, 0, "a:", true), of(4, 2, "b: c", false), of(6, 2, "e: f", false), of(8, 0, "g", true)];
        assert_eq!(lines(text).unwrap(), expected);
        assert_eq!(lines("").unwrap(), []);
    }

    #[test]
    fn what_no_lockfile_holds_is_refused_with_its_place() {
        let at = |line, column| Position { line, column };
        for marker in ["<<<<<<< HEAD", "=======", ">>>>>>> b", "||||||| 123"] {
            assert_eq!(lines(&format!("a:\n{marker}\n")), Err(YarnLockError::Conflict { position: at(2, 1) }));
        }
        for control in ["\t", "\u{1b}", "\u{85}", "\r", "\0"] {
            let text = format!("a:\n  é{control}b");
            assert_eq!(lines(&text), Err(YarnLockError::Control { position: at(2, 4) }), "{control:?}");
        }
        assert!(matches!(lines("a:\n   b"), Err(YarnLockError::Unexpected { position, .. }) if position == at(2, 4)));
        assert!(lines("a:\n  é: ü").is_ok());
    }
}
