//! Styles of printed texts.
//!
//! A style is formatted as a mark, one of Unicode's noncharacters, and becomes a terminal sequence at the printer. So the
//! printer can tell splitter's own sequences from those in the name of a hostile package, which it escapes.

use std::fmt;

use anstyle::{AnsiColor, Style as Ansi};

use super::text::{is_unsafe, put};

/// A style, used as `{BOLD}text{BOLD:#}`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style(char);

pub(super) const BOLD: Style = Style('\u{fdd1}');
pub(super) const DIM: Style = Style('\u{fdd2}');
pub(super) const GOOD: Style = Style('\u{fdd3}');
pub(super) const BAD: Style = Style('\u{fdd4}');
pub(super) const NOTE: Style = Style('\u{fdd5}');
pub(super) const ODD: Style = Style('\u{fdd6}');

/// The sequence that ends all styles.
const RESET: &str = "\u{1b}[0m";

/// The mark at the end of styled text.
const END: char = '\u{fdd0}';

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, if f.alternate() { END } else { self.0 })
    }
}

fn ansi(mark: char) -> Option<Ansi> {
    Some(match mark {
        '\u{fdd1}' => Ansi::new().bold(),
        '\u{fdd2}' => Ansi::new().dimmed(),
        '\u{fdd3}' => AnsiColor::Green.on_default(),
        '\u{fdd4}' => AnsiColor::Red.on_default().bold(),
        '\u{fdd5}' => AnsiColor::Cyan.on_default(),
        '\u{fdd6}' => AnsiColor::Yellow.on_default(),
        _ => return None,
    })
}

/// Turns the marks of a text into terminal sequences, and escapes everything else that would control the terminal.
pub(super) fn painted(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character == END {
            safe.push_str(RESET);
        } else if let Some(ansi) = ansi(character) {
            safe.push_str(&ansi.to_string());
        } else if is_unsafe(character) {
            put(character, &mut safe);
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_become_sequences() {
        assert_eq!(painted(&format!("{BAD}a{BAD:#}\n")), "\u{1b}[1m\u{1b}[31ma\u{1b}[0m\n");
        assert_eq!(painted("\u{1b}[31ma\u{202e}\u{9b}\r\t"), "\\u{1b}[31ma\\u{202e}\\u{9b}\\u{d}\t");
        assert_eq!(painted("plain é"), "plain é");
    }
}
