//! Report formats: GitHub's workflow commands, SARIF 2.1.0 and `JUnit` XML.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>,
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. `JUnit` XML has no standard; this is the part that GitLab,
//! Jenkins and others share.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    cli::{arguments::CheckFormat, printer::Printer},
    guard::findings::{Finding, RULES},
};

/// Prints findings in a report format. Text and JSON are printed elsewhere.
pub(super) fn print(format: CheckFormat, findings: &[Finding], printer: Printer) {
    match format {
        CheckFormat::Text | CheckFormat::Json => {}
        CheckFormat::Github => findings.iter().for_each(|finding| printer.data(github(finding))),
        CheckFormat::Sarif => printer.data(format_args!("{:#}", sarif(findings))),
        CheckFormat::Junit => printer.data(junit(findings)),
    }
}

/// `::error file=bun.lock,line=1,title=splitter: stale::message`
fn github(finding: &Finding) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let line = finding.position.map_or_else(String::new, |at| format!(",line={},col={}", at.line, at.column));
    let title = property(&format!("splitter: {}", finding.rule));
    format!("::error file={}{line},title={title}::{}", property(&finding.path), data(&sentence(finding)))
}

fn sentence(finding: &Finding) -> String {
    let Finding { path, message, remedy, .. } = finding;
    let message = if message.starts_with(path.as_str()) { message.clone() } else { format!("{path}: {message}") };
    if remedy.is_empty() { message } else { format!("{message}\n{remedy}") }
}

fn sarif(findings: &[Finding]) -> Value {
    let rules: Vec<Value> =
        RULES.iter().map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } })).collect();
    let results: Vec<Value> = findings.iter().map(sarif_result).collect();
    let driver = json!({ "name": "splitter", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "results": results }],
    })
}

fn sarif_result(finding: &Finding) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(&finding.path), "uriBaseId": "%SRCROOT%" } });
    let (line, column) = finding.position.map_or((1, 1), |at| (at.line, at.column));
    place["region"] = json!({ "startLine": line, "startColumn": column });
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|(id, _)| *id == finding.rule),
        "level": "error",
        "message": { "text": sentence(finding) },
        "locations": [{ "physicalLocation": place }],
    })
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

/// Writes one test case for each rule, so that a run without findings has passed tests.
fn junit(findings: &[Finding]) -> String {
    let mut cases = String::new();
    for (rule, text) in RULES {
        let failures: String = findings.iter().filter(|finding| finding.rule == rule).map(junit_failure).collect();
        let name = xml(&format!("{rule}: {text}"));
        let _ = if failures.is_empty() {
            writeln!(cases, "    <testcase classname=\"splitter.check\" name=\"{name}\"/>")
        } else {
            writeln!(cases, "    <testcase classname=\"splitter.check\" name=\"{name}\">\n{failures}    </testcase>")
        };
    }
    let failed = RULES.iter().filter(|(rule, _)| findings.iter().any(|finding| finding.rule == *rule)).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\"", RULES.len());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"splitter check\" {counts}>\n\
         {cases}  </testsuite>\n</testsuites>"
    )
}

fn junit_failure(finding: &Finding) -> String {
    let message = xml(&finding.message);
    format!("      <failure message=\"{message}\">{}</failure>\n", xml(&sentence(finding)))
}

/// Escapes a text for XML. Characters that XML cannot contain are dropped.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Position;

    fn finding() -> Finding {
        Finding {
            rule: "drift",
            path: "apps/a b,c/package.json".to_owned(),
            position: Some(Position { line: 3, column: 7 }),
            message: "`<x>` is 100%\u{1} \"new\"".to_owned(),
            remedy: "run `bun install`".to_owned(),
        }
    }

    #[test]
    fn a_workflow_command_is_one_line_whatever_is_in_it() {
        assert_eq!(
            github(&finding()),
            "::error file=apps/a b%2Cc/package.json,line=3,col=7,title=splitter%3A drift::\
             apps/a b,c/package.json: `<x>` is 100%25\u{1} \"new\"%0Arun `bun install`"
        );
    }

    #[test]
    fn sarif_names_rule_place_and_remedy() {
        let log = sarif(&[finding()]);
        let result = &log["runs"][0]["results"][0];
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][2]["id"], "drift");
        assert_eq!((&result["ruleId"], &result["ruleIndex"]), (&json!("drift"), &json!(2)));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "apps/a%20b%2Cc/package.json");
        assert_eq!(place["region"], json!({ "startLine": 3, "startColumn": 7 }));
        assert!(result["message"]["text"].as_str().unwrap().ends_with("run `bun install`"));
        assert_eq!(sarif(&[])["runs"][0]["results"], json!([]));
    }

    #[test]
    fn junit_has_a_case_for_every_rule() {
        let xml = junit(&[finding()]);
        assert!(xml.contains("<testsuites tests=\"8\" failures=\"1\">"));
        assert!(xml.contains("<failure message=\"`&lt;x&gt;` is 100% &quot;new&quot;\">apps/a b,c/package.json: "));
        assert_eq!(xml.matches("<testcase ").count(), RULES.len());
        assert!(junit(&[]).contains("failures=\"0\""));
    }
}
