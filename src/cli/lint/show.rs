//! Prints findings: text, JSON, annotations of GitHub, SARIF.

use serde_json::{Value, json};

use crate::{
    cli::{
        arguments::{LintFormat, LintOptions},
        formats::{self, Item, Severity},
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, NOTE, ODD},
        text::things,
    },
    lint::{Finding, Level, Rule, Unread, rules::RULES},
};

/// Prints the findings in so many files that were read.
pub(super) fn print(options: &LintOptions, files: usize, findings: &[Finding], unread: &[Unread], printer: Printer) {
    match options.format {
        LintFormat::Text => text(files, findings, unread.len(), printer),
        LintFormat::Json => printer.json(&report(files, findings, unread)),
        LintFormat::Github => {
            text(files, findings, unread.len(), printer);
            for finding in findings {
                printer.data(formats::github(&item(finding)));
            }
        }
        LintFormat::Sarif => {
            let rules: Vec<Value> = RULES.iter().map(|rule| described(rule)).collect();
            let items: Vec<Item<'_>> = findings.iter().map(item).collect();
            printer.json(&formats::sarif(&rules, &items));
        }
    }
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info => Severity::Note,
    }
}

fn item(finding: &Finding) -> Item<'_> {
    Item {
        rule: finding.rule.id(),
        title: finding.rule.id(),
        severity: severity(finding.level),
        path: &finding.path,
        start: Some(finding.start),
        end: Some(finding.end),
        text: format!("{}. {} {}", finding.message, finding.rule.why, remedy(finding)),
    }
}

fn remedy(finding: &Finding) -> &str {
    let fix = finding.fix.as_ref().map(|fix| fix.title.as_str());
    finding.remedy.as_deref().or(fix).unwrap_or(finding.rule.remedy)
}

/// Returns the description of a rule for SARIF.
fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": { "text": rule.why },
        "help": { "text": rule.remedy, "markdown": format!("{}\n\n{}\n\nSee `{}`.", rule.remedy, rule.about, rule.page()) },
        "defaultConfiguration": { "level": formats::level(severity(rule.level)), "enabled": !rule.is_taste },
    })
}

/// The report as JSON. `version` changes if a key changes its meaning.
fn report(files: usize, findings: &[Finding], unread: &[Unread]) -> Value {
    let rows: Vec<Value> = findings
        .iter()
        .map(|finding| {
            json!({
                "rule": finding.rule.id(),
                "level": finding.level.name(),
                "path": finding.path,
                "start": { "line": finding.start.line, "column": finding.start.column },
                "end": { "line": finding.end.line, "column": finding.end.column },
                "message": finding.message,
                "why": finding.rule.why,
                "remedy": remedy(finding),
                "page": finding.rule.page(),
                "fix": finding.fix.as_ref().map(|fix| fix.title.as_str()),
            })
        })
        .collect();
    let unread: Vec<Value> = unread.iter().map(|file| json!({ "path": file.path, "why": file.why })).collect();
    json!({ "version": 1, "files": files, "findings": rows, "unread": unread })
}

fn text(files: usize, findings: &[Finding], unread: usize, printer: Printer) {
    for finding in findings {
        let level = match finding.level {
            Level::Error => format!("{BAD}error{BAD:#}"),
            Level::Warning => format!("{ODD}warning{ODD:#}"),
            Level::Info => format!("{NOTE}info{NOTE:#}"),
        };
        let at = finding.start;
        printer.data(format_args!(
            "{BOLD}{}:{}:{}{BOLD:#}: {level}: {} {DIM}[{}]{DIM:#}",
            finding.path, at.line, at.column, finding.message, finding.rule.name
        ));
        printer.data(format_args!("  {}", finding.rule.why));
        printer.data(format_args!("  {}", remedy(finding)));
    }
    let files = things(files, "file");
    if findings.is_empty() && unread > 0 {
        printer.data(format_args!("no findings in {files}; {} not checked", things(unread, "file")));
        return;
    }
    if findings.is_empty() {
        printer.data(format_args!("{GOOD}clean{GOOD:#}: no findings in {files}"));
        return;
    }
    let of = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let counts = [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Info, "info")];
    let shown: Vec<String> = counts
        .into_iter()
        .filter(|(level, _)| of(*level) > 0)
        .map(|(level, name)| if level == Level::Info { format!("{} info", of(level)) } else { things(of(level), name) })
        .collect();
    printer.data(format_args!("{} in {files}", shown.join(", ")));
    let fixable = findings.iter().filter(|finding| finding.fix.is_some()).count();
    if fixable > 0 {
        printer.data(format_args!("`splitter lint --fix` mends {}", things(fixable, "finding")));
    }
}
