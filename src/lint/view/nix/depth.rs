//! Parses Nix files that do not nest too deeply.
//!
//! Syntax trees are dropped recursively, and `a+a+a+…` nests as deeply as it is long. The parser limits nested expressions by itself, but not
//! such chains. Its time grows with more than the square of the nesting, and that of the tokenizer with the square of a long word.

use rnix::{SyntaxKind, SyntaxNode};

/// The largest number of tokens that may nest in each other.
const DEEPEST: usize = 1_000;

/// The longest run of characters that may begin a URL.
const LONGEST: usize = 1_024;

/// Parses a text. Returns nothing if it has an error or nests too deeply.
pub(super) fn parse(text: &str) -> Option<SyntaxNode> {
    if is_deep(text) {
        return None;
    }
    let parsed = rnix::Root::parse(text);
    parsed.errors().is_empty().then(|| parsed.syntax())
}

/// Returns the byte at which a text stops being Nix. Returns nothing if it is Nix, or nests too deeply to be parsed.
pub(super) fn first_error(text: &str) -> Option<usize> {
    use rnix::ParseError::{DuplicatedArgs, Unexpected, UnexpectedDoubleBind, UnexpectedExtra, UnexpectedWanted};
    if is_deep(text) {
        return None;
    }
    let parsed = rnix::Root::parse(text);
    Some(match parsed.errors().first()? {
        Unexpected(range)
        | UnexpectedExtra(range)
        | UnexpectedWanted(_, range, _)
        | UnexpectedDoubleBind(range)
        | DuplicatedArgs(range, _) => range.start().into(),
        // The others are found at the end.
        _ => text.len(),
    })
}

fn is_deep(text: &str) -> bool {
    // A shorter text cannot nest so deeply.
    text.len() > DEEPEST && (longest_word(text) > LONGEST || depth(rnix::tokenize(text).map(|token| token.0)) > DEEPEST)
}

fn longest_word(text: &str) -> usize {
    let is_separator = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    text.as_bytes().split(is_separator).map(<[u8]>::len).max().unwrap_or_default()
}

/// Returns at least the number of expressions around the innermost one. Within brackets, that is the number of tokens of one definition.
fn depth(tokens: impl Iterator<Item = SyntaxKind>) -> usize {
    use SyntaxKind::{
        TOKEN_COMMA, TOKEN_COMMENT, TOKEN_INHERIT, TOKEN_INTERPOL_END, TOKEN_INTERPOL_START, TOKEN_L_BRACE,
        TOKEN_L_BRACK, TOKEN_L_PAREN, TOKEN_R_BRACE, TOKEN_R_BRACK, TOKEN_R_PAREN, TOKEN_SEMICOLON,
        TOKEN_STRING_CONTENT, TOKEN_STRING_END, TOKEN_STRING_START, TOKEN_WHITESPACE,
    };
    // The tokens of the definition at each bracket, and whether they can nest: the items of a list do not.
    let mut open: Vec<(usize, bool)> = vec![(0, true)];
    let (mut now, mut most) = (0, 0);
    for kind in tokens {
        match kind {
            TOKEN_WHITESPACE | TOKEN_COMMENT | TOKEN_INHERIT | TOKEN_STRING_CONTENT | TOKEN_STRING_START
            | TOKEN_STRING_END => {}
            TOKEN_L_PAREN | TOKEN_L_BRACE | TOKEN_INTERPOL_START | TOKEN_L_BRACK => {
                open.push((1, kind != TOKEN_L_BRACK));
                now += 1;
            }
            TOKEN_R_PAREN | TOKEN_R_BRACE | TOKEN_INTERPOL_END | TOKEN_R_BRACK => {
                if let Some((count, _)) = open.pop() {
                    now -= count;
                }
                count(&mut open, &mut now);
            }
            TOKEN_SEMICOLON | TOKEN_COMMA => {
                if let Some((count, _)) = open.last_mut() {
                    now -= std::mem::take(count);
                }
            }
            _ => count(&mut open, &mut now),
        }
        most = most.max(now);
    }
    most
}

fn count(open: &mut Vec<(usize, bool)>, now: &mut usize) {
    if open.is_empty() {
        open.push((0, true));
    }
    if let Some((count, true)) = open.last_mut() {
        *count += 1;
        *now += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_nesting_is_refused_and_long_files_are_read() {
        for (start, end) in
            [("[", ""), ("!", ""), ("a ", ""), ("a+", "a"), ("a: ", "a"), ("{a=", ""), ("(", ""), ("''${", "")]
        {
            for times in [900, 200_000] {
                assert!(parse(&(start.repeat(times) + end)).is_none() || times == 900, "{start}");
            }
        }
        let long = format!(
            "{{ a = [ {} ]; {} inherit {}; }}",
            "x ".repeat(20_000),
            "b = c d e; ".repeat(5_000),
            "y ".repeat(500)
        );
        assert!(parse(&long).is_some());
        let long = format!("{{ a = [ {} ]; inherit (x) {}; }}", "(f x) \"a${b}\" ".repeat(20_000), "y ".repeat(500));
        assert!(parse(&long).is_some());
        assert!(parse("{ a = ; }").is_none());
    }
}
