//! The summary for people.

use super::{
    comparison::shown_time,
    day,
    tables::{self, TEXTS, Table, to_usize, trend},
};
use crate::{
    cli::{
        printer::Printer,
        style::{BOLD, DIM},
        table,
        text::{bytes, count, things},
    },
    history::{Times, summary::Summary},
};

/// The number of lines in each part.
const SHOWN: usize = 10;

pub(super) fn print(summary: &Summary, printer: Printer) {
    print_head(summary, printer);
    for table in tables::all(summary, SHOWN) {
        part(&table, printer);
    }
    if let Some((_, store)) = summary.store.last() {
        printer.data(format_args!(
            "\n{BOLD}store{BOLD:#}\n{} in {}; a garbage collection would free {} in {}",
            bytes(store.size),
            things(to_usize(store.paths), "path"),
            bytes(store.dead_size),
            things(to_usize(store.dead_paths), "path")
        ));
        if let Some(rate) = store.hit_rate() {
            printer.data(format_args!("{:.0} % of its outputs came from caches or other machines", rate * 100.0));
        }
    }
}

fn print_head(summary: &Summary, printer: Printer) {
    let Some((first, last)) = summary.span else {
        printer.data("no run in this time");
        return;
    };
    let failed =
        if summary.failed_runs == 0 { String::new() } else { format!(", {} failed", count(summary.failed_runs)) };
    let (first, last) = (day(first), day(last));
    let span = if first == last { format!("on {first}") } else { format!("from {first} to {last}") };
    printer.data(format_args!("{BOLD}{}{BOLD:#} {span}{failed}", things(summary.runs, "run")));
    line("a run", &summary.took, printer);
    line("its evaluation", &summary.evaluation, printer);
    if summary.waited.sum() > 0 {
        printer.data(format_args!("waiting for locks and other machines: {} in all", shown_time(summary.waited.sum())));
    }
    if let Some(rate) = summary.hit_rate() {
        let (substituted, built) = (count(to_usize(summary.substituted)), count(to_usize(summary.built)));
        printer.data(format_args!(
            "from caches: {:.0} % of what the store lacked ({substituted} store paths; {built} were built)",
            rate * 100.0
        ));
    }
    if summary.downloaded > 0 {
        printer.data(format_args!("other downloads, such as packages: {}", bytes(summary.downloaded)));
    }
}

fn line(name: &str, times: &Times, printer: Printer) {
    if let (Some(median), Some(longest)) = (times.median(), times.longest()) {
        let trend = trend(times).map(|trend| format!(", {trend}")).unwrap_or_default();
        printer.data(format_args!("{name}: {} (median), {} (longest){trend}", shown_time(median), shown_time(longest)));
    }
}

/// Prints a table with its title, if it has lines.
fn part(part: &Table, printer: Printer) {
    if part.lines.len() < 2 {
        return;
    }
    printer.data(format_args!("\n{BOLD}{}{BOLD:#}", part.title));
    table::print(&part.lines, &TEXTS, "", printer);
    if part.left > 0 {
        printer.data(format_args!("{DIM}and {} more (--json){DIM:#}", count(part.left)));
    }
}
