//! Prints findings: text, JSON, annotations of GitHub, SARIF.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error::LintError;
use crate::{
    cli::{
        arguments::{LintFormat, LintOptions},
        formats::{self, Item, Severity},
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, NOTE, ODD},
        text::things,
    },
    lint::{
        self, Finding, Level, Rule, Unread,
        rules::{self, RULES},
    },
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

/// Prints the page of a rule.
pub(super) fn explain(name: &str, printer: Printer) -> Result<(), LintError> {
    let short = name.strip_prefix("splitter/").unwrap_or(name);
    let rule = rules::named(short).ok_or_else(|| LintError::NoRule(name.to_owned()))?;
    let page = lint::page(rule);
    // The first line is for those who edit the page.
    let text = page.split_once("-->").map_or(page.as_str(), |(_, text)| text);
    printer.data(text.trim());
    Ok(())
}

/// Says what `--fix` changed.
pub(super) fn mended(findings: &[Finding], changed: &BTreeSet<String>, printer: Printer) {
    for finding in findings.iter().filter(|finding| changed.contains(&finding.path)) {
        if let Some(fix) = &finding.fix {
            printer.note(format_args!("{}:{}: {}", finding.path, finding.start.line, fix.title));
        }
    }
    printer.note(format_args!("changed {}", things(changed.len(), "file")));
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

/// Returns the command that prints the page of a rule.
fn command(rule: &Rule) -> String {
    format!("splitter lint --explain {}", rule.name)
}

/// Returns the description of a rule for SARIF.
fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id(),
        "shortDescription": { "text": rule.why },
        "help": { "text": rule.remedy, "markdown": format!("{}\n\n{}\n\n`{}` shows examples.", rule.remedy, rule.about, command(rule)) },
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
                "explain": command(finding.rule),
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
    printer.data(format_args!("`splitter lint --explain {}` says more about a rule", findings[0].rule.name));
}
