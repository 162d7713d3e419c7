//! The texts in a program that hold quotes: code that it writes, and not its own.
//!
//! A scanner of strings, template literals, comments and regular expressions. It guesses where `/` starts one, and takes nothing for a
//! text if a template literal does not end.

use std::ops::Range;

/// Endings of programs in which quotes mean texts. In pages and styles they may be apostrophes.
const ENDINGS: [&str; 8] = ["cjs", "cts", "js", "jsx", "mjs", "mts", "ts", "tsx"];

/// What stands before a regular expression. A `/` after anything else divides, or closes an element.
const BEFORE_EXPRESSION: &[u8] = b"(,=:[!&|?;";

/// Whether quotes in a file mean texts, by its name.
pub(super) fn has_texts(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// The insides of the texts of a program that hold other quotes, in order.
pub(super) fn with_quotes(program: &str) -> Vec<Range<usize>> {
    let mut scanner = Scanner { bytes: program.as_bytes(), at: 0, open: Vec::new(), found: Vec::new() };
    scanner.run();
    scanner.found
}

/// Whether a place is in one of these texts.
pub(super) fn holds(texts: &[Range<usize>], at: usize) -> bool {
    let after = texts.partition_point(|text| text.start <= at);
    after.checked_sub(1).is_some_and(|last| texts[last].contains(&at))
}

/// The longest regular expression, in bytes.
const LONGEST: usize = 1000;

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// For each template literal around the place: how many braces are open in its `${`.
    open: Vec<usize>,
    found: Vec<Range<usize>>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'"' | b'\'' => self.string(byte),
                b'`' => self.template(),
                b'/' => self.slash(),
                b'{' => {
                    if let Some(braces) = self.open.last_mut() {
                        *braces += 1;
                    }
                }
                b'}' => match self.open.last_mut() {
                    Some(0) => {
                        self.open.pop();
                        self.template();
                    }
                    Some(braces) => *braces -= 1,
                    None => {}
                },
                _ => {}
            }
        }
        if !self.open.is_empty() {
            self.found.clear();
        }
    }

    /// A string ends on its line. A quote without an end is an apostrophe.
    fn string(&mut self, quote: u8) {
        let start = self.at;
        let mut at = start;
        while let Some(byte) = self.bytes.get(at).copied() {
            match byte {
                b'\\' => at += 1,
                b'\n' => return,
                _ if byte == quote => {
                    self.add(start, at);
                    self.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// The part of a template literal up to its end or the next `${`.
    fn template(&mut self) {
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'`' => return self.add(start, self.at - 1),
                b'$' if self.bytes.get(self.at) == Some(&b'{') => {
                    self.add(start, self.at - 1);
                    self.at += 1;
                    self.open.push(0);
                    return;
                }
                _ => {}
            }
        }
        // It has no end, so a quote before it was misread.
        self.found.clear();
        self.open.clear();
    }

    fn slash(&mut self) {
        match self.bytes.get(self.at) {
            Some(b'/') => {
                self.at += memchr::memchr(b'\n', &self.bytes[self.at..]).unwrap_or(self.bytes.len() - self.at);
            }
            Some(b'*') => {
                let rest = &self.bytes[self.at + 1..];
                let mut ends = memchr::memchr_iter(b'/', rest).filter(|end| *end > 0 && rest[end - 1] == b'*');
                self.at += 1 + ends.next().map_or(rest.len(), |end| end + 1);
            }
            _ => self.expression(),
        }
    }

    fn expression(&mut self) {
        let before = self.bytes[..self.at - 1].iter().rev().find(|byte| !byte.is_ascii_whitespace());
        if before.is_some_and(|byte| !BEFORE_EXPRESSION.contains(byte)) {
            return;
        }
        let mut at = self.at;
        let mut in_class = false;
        while let Some(byte) = self.bytes.get(at).copied().filter(|_| at - self.at < LONGEST) {
            match byte {
                b'\\' => at += 1,
                b'\n' => return,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.at = at + 1;
                    return;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn add(&mut self, start: usize, end: usize) {
        if memchr::memchr3(b'"', b'\'', b'`', &self.bytes[start..end]).is_some() {
            self.found.push(start..end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(program: &str) -> Vec<&str> {
        with_quotes(program).into_iter().map(|text| &program[text]).collect()
    }

    #[test]
    fn texts_with_quotes_are_found() {
        assert_eq!(inner(r#"write('cwd: "../x",'); const a = "b";"#), [r#"cwd: "../x","#]);
        assert_eq!(
            inner("w(`import 'a'\n${ f({ b: 'c' }) + `'d'` } 'e'`); import 'f'"),
            ["import 'a'\n", "'d'", " 'e'"]
        );
        assert_eq!(
            inner(
                r#"a = 'it\'s "b"'; // "c's"
/* ` ' */ x.replace(/[/`]'"/g, '"')"#
            ),
            [r#"it\'s "b""#, "\""]
        );
        // An apostrophe has no end on its line.
        assert_eq!(inner("<p>Don't</p>\n<a b=\"c's\" />"), ["c's"]);
        assert_eq!(inner("a / b; c = d\n/ 2; '`'"), ["`"]);
    }

    #[test]
    fn a_template_literal_without_an_end_hides_nothing() {
        for program in ["'\"a\"'; `b 'c'", "`${ 'd \"e\"'", "\\", "`\\", "'\\", "/", "/*", "//", "/[", "`$"] {
            assert_eq!(inner(program), [""; 0], "{program}");
        }
    }
}
