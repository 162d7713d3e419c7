//! Prints the result for people.

use super::{
    conditions::SAME,
    images::ImageRow,
    report::{Outcome, Report, Result, Row, causes},
};
use crate::{
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, NOTE, ODD},
        text::{count, escape, things},
    },
    names::DOCS,
    reproduce::{Detail, Excerpt, Kind},
};

/// The files of a derivation that are shown, and the details of a file.
const FILES: usize = 20;
const DETAILS: usize = 4;

pub(super) fn print(report: &Report, is_verbose: bool, printer: Printer) {
    let is_shown =
        |result: &&Result| is_verbose || result.target.kind != "other" || !matches!(result.outcome, Outcome::Same);
    let shown: Vec<&Result> = report.results.iter().filter(is_shown).collect();
    let width = shown.iter().map(|result| result.target.name.chars().count()).max().unwrap_or(0);
    for result in shown {
        print_result(result, width, is_verbose, printer);
    }
    for image in &report.images {
        print_image(image, printer);
    }
    for result in &report.results {
        for glob in &result.unused {
            printer.note(format_args!(
                "`{}` of {} allows no difference now; remove it from `knownDifferences`",
                escape(glob),
                escape(&result.target.name)
            ));
        }
    }
    print_conditions(report, printer);
}

fn print_conditions(report: &Report, printer: Printer) {
    let [first, second] = report.conditions;
    let folders = if report.has_sandbox {
        format!("in {} and {}, ", first.folder, second.folder)
    } else {
        "without a sandbox, ".to_owned()
    };
    let cores = format!("on {} and {}", things(first.cores, "processor"), count(second.cores));
    printer.note(format_args!("{DIM}built twice: {folders}{cores}, one after the other{DIM:#}"));
    printer.note(format_args!("{DIM}the same in both: {}{DIM:#}", SAME.join("; ")));
}

fn print_result(result: &Result, width: usize, is_verbose: bool, printer: Printer) {
    let name = escape(&result.target.name);
    let (style, text) = match &result.outcome {
        Outcome::Same => (GOOD, "same".to_owned()),
        Outcome::Differs => {
            let more: usize = result.outputs.iter().map(|output| output.more).sum();
            let all = result.rows().count() + more;
            let known = result.rows().filter(|row| row.known.is_some()).count();
            let files = things(all, "file");
            match (known, result.is_reproducible()) {
                (_, true) => (GOOD, format!("differs as known: {files}")),
                (0, false) => (BAD, format!("differs: {files}")),
                (known, false) => (BAD, format!("differs: {files}, {} known", count(known))),
            }
        }
        Outcome::Failed { which: "both", .. } => (BAD, "failed".to_owned()),
        Outcome::Failed { which, .. } => (BAD, format!("failed only in the {which} build")),
        Outcome::NotBuilt => (BAD, "not built, because a build that it needs failed".to_owned()),
    };
    printer.data(format_args!("{BOLD}{name:<width$}{BOLD:#}  {style}{text}{style:#}"));
    if let Outcome::Failed { log, .. } = &result.outcome {
        for line in log {
            printer.data(format_args!("  {DIM}|{DIM:#} {}", escape(line)));
        }
    }
    if !result.follows.is_empty() && !result.is_reproducible() {
        let names: Vec<_> = result.follows.iter().map(|name| escape(name)).collect();
        printer.data(format_args!("  {ODD}first{ODD:#}: mend {}, which it is built from", names.join(", ")));
    }
    let rows: Vec<&Row> = result.rows().filter(|row| row.known.is_none() || is_verbose).collect();
    for row in rows.iter().take(FILES) {
        print_row(row, is_verbose, printer);
    }
    if rows.len() > FILES {
        printer.data(format_args!("  and {} more; `--json` has all", things(rows.len() - FILES, "file")));
    }
    for (cause, files) in causes(result) {
        printer.data(format_args!("  {NOTE}cause{NOTE:#}: {} ({})", cause.says, things(files, "file")));
        printer.data(format_args!("  {NOTE}hint{NOTE:#}: {}", cause.remedy));
        printer.data(format_args!("  {DIM}{DOCS}/reproduce.md#{}{DIM:#}", cause.id));
    }
}

fn print_row(row: &Row, is_verbose: bool, printer: Printer) {
    let difference = &row.difference;
    let path = if difference.path.is_empty() { "(the output)" } else { &difference.path };
    let other = difference.other.as_ref().map(|other| format!(" -> {other}")).unwrap_or_default();
    let kind = match difference.kind {
        Kind::OnlyFirst => " only in the first build",
        Kind::OnlySecond => " only in the second build",
        Kind::Type => " a file in one build, a folder or a link in the other",
        Kind::Name => " another name",
        Kind::Executable => " executable in one build only",
        Kind::Target | Kind::Content => "",
    };
    let known = if row.known.is_some() { " (known)" } else { "" };
    printer.data(format_args!("  {}{}{DIM}{kind}{known}{DIM:#}", escape(path), escape(&other)));
    for detail in difference.details.iter().take(if is_verbose { usize::MAX } else { DETAILS }) {
        print_detail(detail, printer);
    }
    let left = difference.details.len().saturating_sub(if is_verbose { usize::MAX } else { DETAILS }) + difference.more;
    if left > 0 {
        printer.data(format_args!("    {DIM}and {} more{DIM:#}", things(left, "difference")));
    }
    if let Some(text) = row.diffoscope.as_ref().filter(|_| is_verbose) {
        for line in text.lines() {
            printer.data(format_args!("    {DIM}diffoscope>{DIM:#} {}", escape(line)));
        }
    }
}

fn print_detail(detail: &Detail, printer: Printer) {
    let inside = detail.inside.join(": ") + if detail.inside.is_empty() { "" } else { ": " };
    let place = if detail.place.is_empty() { detail.what.name() } else { &detail.place };
    let cause = detail.cause.map(|cause| format!("  {DIM}[{}]{DIM:#}", cause.id)).unwrap_or_default();
    printer.data(format_args!("    {}{}{cause}", escape(&inside), escape(place)));
    for (sign, excerpt) in [("-", &detail.first), ("+", &detail.second)] {
        printer.data(format_args!("      {DIM}{sign}{DIM:#} {}", escape(&one_line(excerpt))));
    }
}

/// Returns an excerpt on one line.
fn one_line(excerpt: &Excerpt) -> String {
    excerpt.text.replace('\n', "⏎").replace(['\r', '\t'], " ")
}

fn print_image(image: &ImageRow, printer: Printer) {
    if let Some(trouble) = &image.trouble {
        printer.data(format_args!("{BOLD}image {}{BOLD:#}  {BAD}{}{BAD:#}", escape(&image.name), escape(trouble)));
        return;
    }
    let differs = image.layers.iter().filter(|layer| !layer.is_same()).count();
    let (style, text) = match differs {
        0 => (GOOD, format!("all {} the same", things(image.layers.len(), "layer"))),
        number => (BAD, format!("{} of {} differ", count(number), things(image.layers.len(), "layer"))),
    };
    printer.data(format_args!("{BOLD}image {}{BOLD:#}  {style}{text}{style:#}", escape(&image.name)));
    for layer in image.layers.iter().filter(|layer| !layer.is_same()) {
        let digest =
            |number: usize| layer.digests[number].map_or_else(|| "(absent)".to_owned(), |digest| digest.to_string());
        printer.data(format_args!("  {}", escape(&layer.name)));
        printer.data(format_args!("      {DIM}-{DIM:#} {}", digest(0)));
        printer.data(format_args!("      {DIM}+{DIM:#} {}", digest(1)));
    }
}
