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

/// Returns the names in comments that no rule has, with their lines.
pub fn unknown_names(text: &str) -> Vec<(usize, String)> {
    let unknown = |comment: Comment<'_>| {
        let names = comment.names.into_iter().filter(|name| rules::named(name).is_none());
        names.map(|name| (comment.line, name.to_owned())).collect::<Vec<_>>()
    };
    comments(text).into_iter().flat_map(unknown).collect()
}

fn comments(text: &str) -> Vec<Comment<'_>> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains(MARK));
    lines.filter_map(|(index, line)| comment(index + 1, line)).collect()
}

fn comment(line: usize, text: &str) -> Option<Comment<'_>> {
    let (before, after) = text.split_once(MARK)?;
    let before = before.trim();
    if !before.ends_with(['#', '/', '*']) {
        return None;
    }
    let rest = after.trim_start().strip_prefix("allow")?;
    // The reason follows a dash, or is missing.
    let end = ["—", "–", " - ", "--", "*/"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
    let names = rest[..end].split([',', ' ', '\t']).filter(|name| !name.is_empty());
    let names = names.map(|name| name.strip_prefix("splitter/").unwrap_or(name)).collect();
    Some(Comment { line, is_alone: before.trim_matches(['#', '/', '*', ' ']).is_empty(), names })
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
        assert_eq!(unknown_names("\n# splitter-lint: allow no-such-rule, fake-hash"), [(2, "no-such-rule".to_owned())]);
    }
}
