//! Compares the output in a page with that of a command. `…` alone in a line is any lines, `…` in a line is any text.

use std::sync::LazyLock;

use regex::Regex;

/// What differs between runs and machines.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\b\d+ min( \d+ s)?\b", "[TIME]"),
        (r"\b\d+(\.\d+)? (ms|µs|s)\b", "[TIME]"),
        (r"<?\b\d+(\.\d+)? (B|kB|MB|GB)\b", "[SIZE]"),
        (r"\b(sha1|sha256|sha384|sha512)-[A-Za-z0-9+/]{20,}=*", "$1-[HASH]"),
        (r"\bsha256:[0-9a-f]{64}\b", "sha256:[HASH]"),
        (r"/nix/store/([0-9a-z]{32}|…)-", "/nix/store/[HASH]-"),
        // An abbreviated commit.
        (r"\b[0-9a-f]{7}( \(|\)|$)", "[COMMIT]$1"),
        (r"\bsplitter \d+\.\d+\.\d+\b", "splitter [VERSION]"),
        (r"\b\d{4}-\d\d-\d\d(T[0-9:.]+Z)?\b", "[DATE]"),
        // Columns are as wide as their values.
        (r" {2,}", " "),
    ]
    .map(|(regex, replacement)| (Regex::new(regex).unwrap(), replacement))
    .into()
});

fn normal(line: &str) -> String {
    let start = line.trim_end().to_owned();
    VARYING.iter().fold(start, |line, (regex, replacement)| regex.replace_all(&line, *replacement).into_owned())
}

fn lines(text: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = text.iter().map(|line| normal(line)).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Whether the lines of a page match the output.
pub(super) fn matches(expected: &[String], found: &[String]) -> bool {
    all_match(&lines(expected), &lines(found))
}

/// Whether the lines of a page are somewhere in the output.
pub(super) fn is_part(expected: &[String], found: &[String]) -> bool {
    // Nix indents the messages of others.
    let trimmed = |text| lines(text).iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let any = || "…".to_owned();
    let expected: Vec<String> = [any()].into_iter().chain(trimmed(expected)).chain([any()]).collect();
    all_match(&expected, &trimmed(found))
}

/// Whether each line of a page is one of the output, and the other way round, in any order.
pub(super) fn has_lines(expected: &[String], found: &[String]) -> bool {
    let (expected, mut left) = (lines(expected), lines(found));
    let is_gap = |line: &String| line.trim() == "…";
    let all = expected.iter().filter(|line| !is_gap(line)).all(|line| {
        let index = left.iter().position(|found| line_matches(line, found));
        index.map(|index| left.remove(index)).is_some()
    });
    all && (left.is_empty() || expected.iter().any(is_gap))
}

fn all_match(expected: &[String], found: &[String]) -> bool {
    // For each number of lines found, whether the expected lines so far match them.
    let mut reached = vec![false; found.len() + 1];
    reached[0] = true;
    for line in expected {
        let mut next = vec![false; found.len() + 1];
        if line.trim() == "…" {
            let first = reached.iter().position(|reached| *reached).unwrap_or(reached.len());
            next[first..].fill(true);
        } else {
            for index in 0..found.len() {
                next[index + 1] = reached[index] && line_matches(line, &found[index]);
            }
        }
        reached = next;
    }
    reached[found.len()]
}

/// Whether a line matches, where `…` is any text.
fn line_matches(expected: &str, found: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|start| found.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(index) = rest.find(part) else { return false };
        rest = &rest[index + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn lines_match_with_gaps_and_without_what_varies() {
    let split = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let check = |expected: &str, found: &str| matches(&split(expected), &split(found));
    assert!(check("a\n…\nd", "a\nb\nc\nd") && check("a\n  …\nd", "a\nd") && check("…", ""));
    assert!(!check("a\n…\nd", "a\nb") && !check("a", "a\nb") && !check("", "a"));
    assert!(check("x … y … z", "x 1 y 2 z") && !check("x … y", "x 1") && !check("x", "xy") && check("a…", "a"));
    assert!(check("in 521 ms (1.2 kB)", "in 1.3 s (300.0 MB)"));
    assert!(check("api    212.4 MB  1", "api  1.4 MB 1"));
    assert!(check("HEAD (0123456) -> now", "HEAD (89abcde) -> now"));
    assert!(check("/nix/store/…-web-1.0.0", "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-web-1.0.0"));
    assert!(has_lines(&split("b\na"), &split("a\nb")) && has_lines(&split("b\n…"), &split("a\nb")));
    assert!(!has_lines(&split("b"), &split("a\nb")) && !has_lines(&split("b\nb"), &split("a\nb")));
    assert!(is_part(&split("b\nc"), &split("a\nb\nc\nd")) && !is_part(&split("a\nc"), &split("a\nb\nc")));
}
