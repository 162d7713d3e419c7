//! Prints the report and writes its files.

use camino::{Utf8Path, Utf8PathBuf};

use super::BenchError;
use crate::{
    bench::report::{Report, html, markdown, svg, table},
    cli::{failure::Failure, printer::Printer, text::escape},
    scaffold::files,
};

/// The kinds of report, by the ends of their names.
const KINDS: [&str; 4] = ["html", "json", "md", "svg"];

/// Refuses a report of an unknown kind, before anything is measured.
pub(super) fn check(reports: &[Utf8PathBuf]) -> Result<(), BenchError> {
    let is_known = |path: &&Utf8PathBuf| path.extension().is_some_and(|kind| KINDS.contains(&kind));
    match reports.iter().find(|path| !is_known(path)) {
        Some(path) => Err(BenchError::Report(path.clone())),
        None => Ok(()),
    }
}

/// Prints the table.
pub(super) fn print(report: &Report, printer: Printer) {
    for line in table(report) {
        printer.data(escape(&line));
    }
}

/// Writes the files that the user named.
pub(super) fn write(report: &Report, reports: &[Utf8PathBuf], printer: Printer) -> Result<(), Failure> {
    for path in reports {
        let text = text(report, path);
        files::put(path, text.as_bytes()).map_err(|source| BenchError::Write { path: path.clone(), source })?;
        printer.note(format_args!("wrote {path}"));
    }
    Ok(())
}

fn text(report: &Report, path: &Utf8Path) -> String {
    match path.extension() {
        Some("html") => html(report),
        Some("svg") => svg(report),
        Some("json") => serde_json::to_string_pretty(report).unwrap_or_default() + "\n",
        _ => markdown(report),
    }
}
