//! The text of `doctor`.

use super::Shown;
use crate::{
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, NOTE, ODD},
        text::things,
    },
    doctor::{Check, Entry, Finding, Group, Remedy, Severity, State},
};

/// How many findings the end repeats.
const MOST_IMPORTANT: usize = 3;
/// The length at which the end cuts a finding.
const LONG: usize = 110;

pub(super) fn print(shown: &Shown, printer: Printer) {
    let nix =
        shown.nix.as_ref().map_or_else(String::new, |version| format!(", {} {}", version.flavour.name(), version.text));
    match &shown.root {
        Some(root) => printer.data(format_args!("{BOLD}{root}{BOLD:#}{nix}")),
        None => printer.data(format_args!(
            "this machine{nix} (there is no `bun.lock` or `yarn.lock` here, so no repository is checked)"
        )),
    }
    for group in Group::ALL {
        print_group(shown, group, printer);
    }
    print_others(shown, printer);
    print_end(shown, printer);
}

fn print_group(shown: &Shown, group: Group, printer: Printer) {
    let findings = shown.report.findings(Some(group));
    let others = || shown.report.entries.iter().filter(|entry| entry.check.group == group);
    let has_lines = shown.lists_all && others().any(|entry| !matches!(entry.state, State::Found(_)));
    if findings.is_empty() && !has_lines {
        return;
    }
    printer.data(format_args!("\n{BOLD}{}{BOLD:#}", group.title()));
    for (check, finding) in findings {
        print_finding(check, finding, printer);
    }
    if shown.lists_all {
        others().for_each(|entry| print_line(entry, printer));
    }
}

fn print_finding(check: &Check, finding: &Finding, printer: Printer) {
    let mark = match finding.severity {
        Severity::Problem => format!("{BAD}problem{BAD:#}"),
        Severity::Advice => format!("{ODD}advice{ODD:#}"),
    };
    printer.data(format_args!("  {mark}: {} {DIM}[{}]{DIM:#}", finding.what, check.name));
    printer.data(format_args!("    {}", finding.why));
    for remedy in &finding.remedies {
        printer.data(format_args!("    {NOTE}->{NOTE:#} {}", text_of(remedy)));
    }
}

fn text_of(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Run(command) => format!("run `{command}`"),
        Remedy::Do(sentence) => sentence.clone(),
    }
}

fn print_line(entry: &Entry, printer: Printer) {
    match &entry.state {
        State::Fine(text) => {
            printer.data(format_args!("  {GOOD}fine{GOOD:#}: {text} {DIM}[{}]{DIM:#}", entry.check.name));
        }
        State::Unknown(why) => {
            printer.data(format_args!("  {DIM}not checked{DIM:#}: {why} {DIM}[{}]{DIM:#}", entry.check.name));
        }
        State::Found(_) => {}
    }
}

/// Says how many checks found nothing, and which could not be made.
fn print_others(shown: &Shown, printer: Printer) {
    if shown.lists_all {
        return;
    }
    let entries = || shown.report.entries.iter();
    let fine = entries().filter(|entry| matches!(entry.state, State::Fine(_))).count();
    printer.data(format_args!("\n{GOOD}fine{GOOD:#}: {} (`-v` lists them)", things(fine, "check")));
    for entry in entries() {
        if let State::Unknown(why) = &entry.state {
            printer.data(format_args!("{DIM}not checked{DIM:#}: {}: {why}", entry.check.name));
        }
    }
}

/// Repeats what matters most, with the first thing to do.
fn print_end(shown: &Shown, printer: Printer) {
    let findings = shown.report.findings(None);
    if findings.is_empty() {
        printer.data("nothing to mend");
        return;
    }
    if findings.len() == 1 {
        return;
    }
    let of = if findings.len() > MOST_IMPORTANT {
        format!(", of {}", things(findings.len(), "finding"))
    } else {
        String::new()
    };
    printer.data(format_args!("\n{BOLD}what matters most{BOLD:#}{of}"));
    for (index, (_, finding)) in findings.into_iter().take(MOST_IMPORTANT).enumerate() {
        printer.data(format_args!("  {}. {}", index + 1, start(&finding.what)));
        if let Some(first) = finding.remedies.first() {
            printer.data(format_args!("     {NOTE}->{NOTE:#} {}", text_of(first)));
        }
    }
}

/// Returns the start of a long text.
fn start(text: &str) -> String {
    if text.chars().count() <= LONG {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONG).collect();
    // Not in the middle of a word.
    format!("{} …", start.rsplit_once(' ').map_or(start.as_str(), |(start, _)| start))
}
