//! Comments that allow what a rule finds: `# splitter-lint: allow fake-hash — the first build tells it`.

use super::{model::Finding, rules};

/// What such a comment starts with.
const MARK: &str = "splitter-lint:";

/// A comment in a file.
struct Comment<'a> {
    /// The line, from 1.
    line: usize,
    /// Whether nothing else is on the line, so that it is about the next one.
    is_alone: bool,
    names: Vec<&'a str>,
}

/// Drops the findings that a comment on their first line, or on the lines of comments above it, allows.
pub(super) fn drop_allowed(text: &str, findings: &mut Vec<Finding>) {
    if findings.is_empty() || !text.contains(MARK) {
        return;
    }
    let comments = comments(text);
    let lines: Vec<&str> = text.lines().collect();
    let covers = |comment: &Comment<'_>, line: usize| {
        comment.line == line || (comment.is_alone && comment.line < line && is_above(&lines, comment.line, line))
    };
    findings.retain(|finding| {
        let is_allowed =
            |comment: &Comment<'_>| covers(comment, finding.start.line) && comment.names.contains(&finding.rule.name);
        !comments.iter().any(is_allowed)
    });
}

/// Whether only comments are between two lines.
fn is_above(lines: &[&str], comment: usize, line: usize) -> bool {
    lines.get(comment..line.saturating_sub(1)).is_some_and(|between| between.iter().all(|text| is_comment(text)))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//") || line.starts_with("/*") || line.starts_with('*')
}

/// Returns what is wrong with comments, with their lines: a name that no rule has, no name at all, or another word than `allow`.
pub fn odd_comments(text: &str) -> Vec<(usize, String)> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains(MARK));
    lines.flat_map(|(index, line)| faults(line).into_iter().map(move |fault| (index + 1, fault))).collect()
}

fn faults(line: &str) -> Vec<String> {
    let Some(rest) = after_mark(line) else { return Vec::new() };
    let Some(comment) = comment(1, line) else {
        let word = rest.split_whitespace().next().unwrap_or_default();
        return vec![format!("a comment says `{MARK} {word}`, and only `{MARK} allow RULE` has an effect")];
    };
    if comment.names.is_empty() {
        return vec![format!("a comment allows no rule by name: write `{MARK} allow RULE`")];
    }
    let unknown = comment.names.iter().filter(|name| rules::named(name).is_none());
    unknown.map(|name| format!("a comment allows `{name}`, which is no rule")).collect()
}

/// Returns the text behind the mark of a comment.
fn after_mark(line: &str) -> Option<&str> {
    let (before, after) = line.split_once(MARK)?;
    before.trim().ends_with(['#', '/', '*']).then(|| after.trim_start())
}

fn comments(text: &str) -> Vec<Comment<'_>> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains(MARK));
    lines.filter_map(|(index, line)| comment(index + 1, line)).collect()
}

fn comment(line: usize, text: &str) -> Option<Comment<'_>> {
    let rest = after_mark(text)?.strip_prefix("allow")?;
    if rest.starts_with(|letter: char| letter.is_alphanumeric()) {
        return None;
    }
    // The reason follows a dash, or is missing.
    let end = ["—", "–", " - ", "--", "*/"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let names = rest[..end].split([',', ' ', '\t']).filter(|name| !name.is_empty());
    let names = names.map(|name| name.strip_prefix("splitter/").unwrap_or(name)).collect();
    let before = text.split(MARK).next().unwrap_or_default();
    Some(Comment { line, is_alone: before.trim().trim_matches(['#', '/', '*', ' ']).is_empty(), names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_rules_and_a_reason() {
        let names = |text| comment(1, text).map(|comment| (comment.is_alone, comment.names.join("+")));
        for (text, expected) in [
            ("# splitter-lint: allow fake-hash — the first build tells it", Some((true, "fake-hash".to_owned()))),
            (
                "a = b; # splitter-lint: allow splitter/fake-hash, no-chroot -- x",
                Some((false, "fake-hash+no-chroot".to_owned())),
            ),
            ("/* splitter-lint: allow fake-hash */", Some((true, "fake-hash".to_owned()))),
            ("// splitter-lint: allow fake-hash", Some((true, "fake-hash".to_owned()))),
            ("\"splitter-lint: allow fake-hash\"", None),
            ("# splitter-lint: deny fake-hash", None),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn comments_without_effect_are_named() {
        for (text, fault) in [
            ("\n# splitter-lint: allow no-such-rule, fake-hash", "`no-such-rule`, which is no rule"),
            ("\n# splitter-lint: allow", "no rule by name"),
            ("\nx; # splitter-lint: allow — it is fine", "no rule by name"),
            ("\n# splitter-lint: ignore fake-hash", "`splitter-lint: ignore`"),
            ("\n# splitter-lint: allowed fake-hash", "`splitter-lint: allowed`"),
            ("\n# splitter-lint:", "has an effect"),
        ] {
            let found = odd_comments(text);
            assert!(matches!(&found[..], [(2, found)] if found.contains(fault)), "{text}: {found:?}");
        }
        for text in ["# splitter-lint: allow fake-hash — x", "\"splitter-lint: allow\"", "echo splitter-lint: x"] {
            assert_eq!(odd_comments(text), [], "{text}");
        }
    }
}
