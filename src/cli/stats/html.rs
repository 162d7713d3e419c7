//! The summary as one HTML file, without scripts and without anything from elsewhere.

use std::fmt::Write as _;

use super::{
    comparison::shown_time,
    day,
    tables::{self, TEXTS, Table, to_usize},
};
use crate::{
    cli::text::{bytes, count, things},
    history::{Times, summary::Summary},
    picture::svg::escape,
};

/// The number of rows of a table.
const ROWS: usize = 50;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #111827; --soft: #6b7280; --line: #e5e7eb; --page: #f8fafc; --card: #ffffff; --bar: #2563eb }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e7eb; --soft: #9ca3af; --line: #374151; --page: #0b1120; --card: #111827; --bar: #60a5fa } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 24px 16px; max-width: 1080px; font: 15px/1.5 ui-sans-serif, system-ui, sans-serif; color: var(--ink); background: var(--page) }
h1 { font-size: 22px; margin: 0 } h2 { font-size: 17px; margin: 28px 0 8px } p { margin: 4px 0 16px; color: var(--soft) }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px }
.numbers div, .table { background: var(--card); border: 1px solid var(--line); border-radius: 8px }
.numbers div { padding: 10px 14px } .numbers b { display: block; font-size: 20px } .numbers span { color: var(--soft); font-size: 13px }
.table { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
td, th { padding: 6px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line) }
tr:last-child td { border-bottom: 0 } th { color: var(--soft); font-weight: 500 }
.text { text-align: left; overflow-wrap: anywhere } td.text { white-space: normal; min-width: 12em }
svg { display: block; width: 100%; height: 90px; margin-top: 12px } rect { fill: var(--bar) }
@media print { body { background: none; padding: 0 } .table { overflow: visible } }
";

pub(super) fn page(summary: &Summary) -> String {
    let span = summary.span.map_or_else(String::new, |(first, last)| format!("{} to {}", day(first), day(last)));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Builds</title>\n<style>{STYLE}</style>\n<h1>Builds</h1>\n<p>{}, {}</p>\n<div class=\"numbers\">\n",
        escape(&span),
        things(summary.runs, "run")
    );
    for (value, name) in numbers(summary) {
        let _ = writeln!(out, "<div><b>{}</b><span>{}</span></div>", escape(&value), escape(name));
    }
    out += "</div>\n";
    chart(&mut out, &summary.took);
    for part in tables::all(summary, ROWS) {
        table(&mut out, &part);
    }
    out + "</html>\n"
}

fn numbers(summary: &Summary) -> Vec<(String, &'static str)> {
    let time = |times: &Times| times.median().map(shown_time);
    let percent = |rate: f64| format!("{:.0} %", rate * 100.0);
    let store = summary.store.last().map(|(_, store)| store);
    let numbers = [
        (time(&summary.took), "a run, median"),
        (time(&summary.evaluation), "its evaluation, median"),
        (summary.hit_rate().map(percent), "of store paths from caches"),
        (Some(count(to_usize(summary.built))), "builds"),
        (Some(count(summary.failed_runs)), "failed runs"),
        (store.map(|store| bytes(store.size)), "in the store"),
        (store.map(|store| bytes(store.dead_size)), "that a garbage collection would free"),
    ];
    numbers.into_iter().filter_map(|(value, name)| Some((value?, name))).collect()
}

/// Draws the times of runs as bars, the oldest first.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn chart(out: &mut String, times: &Times) {
    let Some(longest) = times.longest().filter(|longest| *longest > 0 && times.len() > 1) else { return };
    let width = 1000.0 / times.len() as f64;
    let _ = writeln!(
        out,
        "<svg viewBox=\"0 0 1000 90\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"the times of {}, the longest {}\">",
        things(times.len(), "run"),
        shown_time(longest)
    );
    for (at, time) in times.values().enumerate() {
        let height = (time as f64 / longest as f64 * 88.0).max(1.0);
        let _ = writeln!(
            out,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"><title>{}</title></rect>",
            at as f64 * width,
            90.0 - height,
            (width * 0.8).max(0.5),
            shown_time(time)
        );
    }
    *out += "</svg>\n<p>the time of each run, the oldest first</p>\n";
}

fn table(out: &mut String, table: &Table) {
    let Some((titles, rows)) = table.lines.split_first().filter(|(_, rows)| !rows.is_empty()) else { return };
    let _ = writeln!(out, "<h2>{}</h2>\n<div class=\"table\"><table>", table.title);
    for (tag, row) in std::iter::once(("th", titles)).chain(rows.iter().map(|row| ("td", row))) {
        let cells = row.iter().zip(titles).map(|(cell, title)| {
            let class = if TEXTS.contains(&title.as_str()) { " class=\"text\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(cell))
        });
        let _ = writeln!(out, "<tr>{}</tr>", cells.collect::<String>());
    }
    *out += "</table></div>\n";
    if table.left > 0 {
        let _ = writeln!(out, "<p>and {} more</p>", count(table.left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Build, Run};

    #[test]
    fn the_page_stands_alone_and_shows_names_as_text() {
        let build = Build { name: "<script>".to_owned(), took: 1500, kind: Some("app".to_owned()), ..Build::default() };
        let run = Run { took: 2000, is_success: true, builds: vec![build], ..Run::default() };
        let page = page(&Summary::of(&[run.clone(), run]));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script") && !page.contains("http"), "{page}");
        assert_eq!(page.matches("<rect").count(), 2);
        assert_eq!(
            (page.matches("<div").count(), page.matches("<table").count()),
            (page.matches("</div").count(), page.matches("</table").count())
        );
    }
}
