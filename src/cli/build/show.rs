//! Prints the result for people.

use super::{
    FailedBuild, Fixes, Report, Run,
    report::{Origin, Row},
};
use crate::{
    cli::{
        printer::{BAD, BOLD, DIM, GOOD, NOTE, Printer},
        text::{count, duration, escape, things},
    },
    diagnosis::Cause,
};

/// The last lines of a log that are shown.
const LINES: usize = 20;
/// The causes of one failed build that are shown.
const CAUSES: usize = 8;

pub(super) fn print(report: &Report, fixes: &Fixes, run: &Run<'_>) {
    let printer = run.printer;
    for (from, paths) in &report.fetched {
        printer.note(format_args!("fetched {} from {}", things(*paths, "path"), escape(from)));
    }
    for build in &report.failed {
        print_failed(build, run);
    }
    for error in &report.errors {
        printer.error_line(escape(error));
    }
    let width = report.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in &report.rows {
        print_row(row, width, report, printer);
    }
    if run.options.fix && !report.failed.is_empty() {
        let lines = match fixes.changes.len() {
            0 => "it knows no line that mends this".to_owned(),
            number => format!("{} made; it knows no other line that mends this", things(number, "change")),
        };
        printer.note(format_args!("{NOTE}--fix{NOTE:#}: {lines}"));
    }
}

fn print_row(row: &Row, width: usize, report: &Report, printer: Printer) {
    let name = &row.name;
    let (style, text) = match &row.origin {
        Origin::Unchanged => (GOOD, "unchanged".to_owned()),
        Origin::Built { took, machine } if machine.is_empty() => (GOOD, format!("built in {}", duration(*took))),
        Origin::Built { took, machine } => (GOOD, format!("built in {} on {machine}", duration(*took))),
        Origin::Fetched { from } => (GOOD, format!("from {from}")),
        Origin::Failed => (BAD, "failed".to_owned()),
        Origin::NotBuilt => {
            let failed: Vec<&str> = report.failed.iter().map(|build| build.name.as_str()).collect();
            let because =
                if failed.is_empty() { String::new() } else { format!(", because {} failed", failed.join(", ")) };
            (BAD, format!("not built{because}"))
        }
    };
    let link = row.link.as_ref().map(|link| format!("  {DIM}{link}{DIM:#}")).unwrap_or_default();
    printer.data(format_args!("{BOLD}{name:<width$}{BOLD:#}  {style}{}{style:#}{link}", escape(&text)));
}

fn print_failed(build: &FailedBuild, run: &Run<'_>) {
    let printer = run.printer;
    let place = build.workspace.as_ref().map(|path| format!(" in {path}")).unwrap_or_default();
    printer.error_line(format_args!("{BAD}error{BAD:#}: the build of {}{place} failed", escape(&build.name)));
    // With `-v` the whole log is above.
    if !run.is_verbose {
        let skipped = build.log.len().saturating_sub(LINES);
        for line in &build.log[skipped..] {
            printer.error_line(format_args!("  {DIM}|{DIM:#} {}", escape(line)));
        }
    }
    let said = if build.causes.is_empty() { build.own.len() } else { 1 };
    for line in build.own.iter().take(said).filter(|line| !line.is_empty()) {
        printer.error_line(format_args!("  {}", escape(line.trim_start_matches("splitter: error: "))));
    }
    for cause in build.causes.iter().take(CAUSES) {
        print_cause(cause, printer);
    }
    if build.causes.len() > CAUSES {
        printer.error_line(format_args!("  and {} more", count(build.causes.len() - CAUSES)));
    }
    let log = format!("nix log {}", build.derivation);
    printer.error_line(format_args!("  the whole log: `{log}`"));
}

fn print_cause(cause: &Cause, printer: Printer) {
    printer.error_line(format_args!("{NOTE}cause{NOTE:#}: {}", escape(&cause.says)));
    if !cause.line.is_empty() {
        let short: String = cause.line.chars().take(200).collect();
        printer.error_line(format_args!("  {DIM}{}{DIM:#}", escape(&short)));
    }
    for mending in &cause.mendings {
        printer.error_line(format_args!("{NOTE}hint{NOTE:#}: add to splitter.json: {}", escape(&mending.line())));
    }
    if !cause.hint.is_empty() && cause.mendings.is_empty() {
        printer.error_line(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&cause.hint)));
    }
    printer.error_line(format_args!("  {DIM}docs/troubleshooting.md#{}{DIM:#}", cause.page));
}
