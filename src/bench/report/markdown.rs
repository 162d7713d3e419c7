//! The report for a pull request, or for a document.

use std::fmt::Write as _;

use super::{Report, words};
use crate::bench::log::Work;

/// Returns the text of a Markdown file.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("## Builds of {}, split and unsplit\n\n", cell(&report.repository.name));
    let _ = writeln!(
        out,
        "{}. {}, {}.\n",
        cell(&words::repository(report)),
        words::things(report.runs, "run"),
        report.date
    );
    out += "| | unsplit | split | factor |\n| --- | ---: | ---: | ---: |\n";
    for (row, unsplit, split) in report.measured() {
        let factor = words::factor_of(row);
        let edited = row.edited.as_ref().map(|path| format!(" (`{}`)", cell(path))).unwrap_or_default();
        let (unsplit, split) = (words::value(row, unsplit), words::value(row, split));
        let _ = writeln!(out, "| {}{edited} | {unsplit} | {split} | **{factor}** |", row.scenario.title());
    }
    out += "\n<details><summary>What was built and downloaded, and where the time went</summary>\n\n";
    out += "| | unsplit | split |\n| --- | --- | --- |\n";
    for (row, unsplit, split) in report.measured() {
        let (unsplit, split) = (words::done(row, unsplit), words::done(row, split));
        let _ = writeln!(out, "| {} | {unsplit} | {split} |", row.scenario.title());
    }
    out += "\n";
    let heads: Vec<&str> = Work::ALL.iter().map(|work| work.name()).collect();
    let _ = writeln!(out, "| seconds | | {} |\n| --- | --- |{}", heads.join(" | "), " ---: |".repeat(heads.len()));
    for (row, unsplit, split) in report.measured().filter(|(_, unsplit, _)| !unsplit.work.is_empty()) {
        for (side, measured) in [("unsplit", unsplit), ("split", split)] {
            let cells =
                Work::ALL.map(|work| measured.work.get(&work).map(|time| format!("{time:.1}")).unwrap_or_default());
            let _ = writeln!(out, "| {} | {side} | {} |", row.scenario.title(), cells.join(" | "));
        }
    }
    out += "\n</details>\n\n";
    for (row, why) in report.skipped() {
        let _ = writeln!(out, "- {}: skipped: {}", row.scenario.title(), cell(why));
    }
    for note in &report.notes {
        let _ = writeln!(out, "- {}", cell(note));
    }
    let _ = writeln!(out, "- {}", cell(&words::machine(report)));
    let _ = writeln!(out, "- To repeat it: `{}`", report.command.replace('`', "'"));
    out
}

/// Makes a text safe in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::sample;

    #[test]
    fn the_tables_have_all_numbers() {
        insta::assert_snapshot!(markdown(&sample()));
    }
}
