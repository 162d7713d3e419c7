//! Report formats that several commands share: GitHub's workflow commands and SARIF 2.1.0.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>,
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diagnostic::Position;

/// How bad an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Warning,
    Note,
}

/// A finding as reports show it.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// The id of the rule in SARIF.
    pub(super) rule: String,
    /// The title of the annotation at GitHub.
    pub(super) title: String,
    pub(super) severity: Severity,
    /// The file, relative to the repository.
    pub(super) path: &'a str,
    pub(super) start: Option<Position>,
    pub(super) end: Option<Position>,
    pub(super) text: String,
}

/// `::error file=bun.lock,line=1,title=splitter: stale::message`
pub(super) fn github(item: &Item<'_>) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let line = item.start.map_or_else(String::new, |at| format!(",line={},col={}", at.line, at.column));
    let end = item.end.map_or_else(String::new, |at| format!(",endLine={},endColumn={}", at.line, at.column));
    let command = match item.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let (file, title) = (property(item.path), property(&item.title));
    format!("::{command} file={file}{line}{end},title={title}::{}", data(&item.text))
}

/// Returns a log of one run. `rules` are the descriptions of all rules, each with its `id`.
pub(super) fn sarif(rules: &[Value], items: &[Item<'_>]) -> Value {
    let results: Vec<Value> = items.iter().map(|item| sarif_result(rules, item)).collect();
    let driver = json!({ "name": "splitter", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "results": results }],
    })
}

fn sarif_result(rules: &[Value], item: &Item<'_>) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(item.path), "uriBaseId": "%SRCROOT%" } });
    let (line, column) = item.start.map_or((1, 1), |at| (at.line, at.column));
    place["region"] = json!({ "startLine": line, "startColumn": column });
    if let Some(end) = item.end {
        place["region"]["endLine"] = json!(end.line);
        place["region"]["endColumn"] = json!(end.column);
    }
    json!({
        "ruleId": item.rule,
        "ruleIndex": rules.iter().position(|rule| rule["id"] == *item.rule),
        "level": level(item.severity),
        "message": { "text": item.text },
        "locations": [{ "physicalLocation": place }],
    })
}

/// Returns the name of a severity in SARIF.
pub(super) const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Converts a relative path to a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~@+".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item<'static> {
        Item {
            rule: "drift".to_owned(),
            title: "splitter: drift".to_owned(),
            severity: Severity::Warning,
            path: "apps/a b,c/package.json",
            start: Some(Position { line: 3, column: 7 }),
            end: Some(Position { line: 3, column: 9 }),
            text: "`<x>` is 100%\nrun".to_owned(),
        }
    }

    #[test]
    fn a_workflow_command_is_one_line_whatever_is_in_it() {
        assert_eq!(
            github(&item()),
            "::warning file=apps/a b%2Cc/package.json,line=3,col=7,endLine=3,endColumn=9,title=splitter%3A drift::`<x>` is 100%25%0Arun"
        );
    }

    #[test]
    fn sarif_names_rule_and_place() {
        let rules = [json!({ "id": "stale" }), json!({ "id": "drift" })];
        let log = sarif(&rules, &[item()]);
        let result = &log["runs"][0]["results"][0];
        assert_eq!(
            (&result["ruleId"], &result["ruleIndex"], &result["level"]),
            (&json!("drift"), &json!(1), &json!("warning"))
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "apps/a%20b%2Cc/package.json");
        assert_eq!(place["region"], json!({ "startLine": 3, "startColumn": 7, "endLine": 3, "endColumn": 9 }));
        assert_eq!(sarif(&rules, &[])["runs"][0]["results"], json!([]));
    }
}
