//! The report formats of `check`: those that all commands share, and `JUnit` XML, which has no standard. This is the part of it that GitLab,
//! Jenkins and others share.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    cli::{
        arguments::CheckFormat,
        formats::{self, Item, Severity},
        printer::Printer,
    },
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

fn github(finding: &Finding) -> String {
    formats::github(&item(finding))
}

fn item(finding: &Finding) -> Item<'_> {
    Item {
        rule: finding.rule.to_owned(),
        title: format!("splitter: {}", finding.rule),
        severity: Severity::Error,
        path: &finding.path,
        start: finding.position,
        end: None,
        text: sentence(finding),
    }
}

fn sentence(finding: &Finding) -> String {
    let Finding { path, message, remedy, .. } = finding;
    let message = if message.starts_with(path.as_str()) { message.clone() } else { format!("{path}: {message}") };
    if remedy.is_empty() { message } else { format!("{message}\n{remedy}") }
}

fn sarif(findings: &[Finding]) -> Value {
    let rules: Vec<Value> =
        RULES.iter().map(|(id, text)| json!({ "id": id, "shortDescription": { "text": text } })).collect();
    let items: Vec<Item<'_>> = findings.iter().map(item).collect();
    formats::sarif(&rules, &items)
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
