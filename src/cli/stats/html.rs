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
    picture::{self, svg::escape},
};

/// The number of rows of a table.
const ROWS: usize = 50;

const STYLE: &str = "\
.card b { font-size: 1.4rem }
.wide td, .wide th { white-space: nowrap }
.wide td.text { white-space: normal; overflow-wrap: anywhere; min-width: 9rem }
.chart { padding: 1rem }
svg { display: block; width: 100%; height: 90px }
rect { fill: var(--strong) }
";

pub(super) fn page(summary: &Summary) -> String {
    let span = summary.span.map_or_else(
        || "no run".to_owned(),
        |(first, last)| {
            let (first, last) = (day(first), day(last));
            let days = if first == last { first } else { format!("{first} to {last}") };
            format!("{days}, {}", things(summary.runs, "run"))
        },
    );
    let mut out = format!("<p class=\"soft\">{}</p>\n<div class=\"cards\">\n", escape(&span));
    for (value, name) in numbers(summary) {
        let _ = writeln!(
            out,
            "<div class=\"card\"><b>{}</b><span class=\"soft\">{}</span></div>",
            escape(&value),
            escape(name)
        );
    }
    out += "</div>\n";
    chart(&mut out, &summary.took);
    for part in tables::all(summary, ROWS) {
        table(&mut out, &part);
    }
    picture::page::page("Builds", STYLE, &out)
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
        "<h2>Runs</h2>\n<div class=\"chart\"><svg viewBox=\"0 0 1000 90\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"the times of {}, the longest {}\">",
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
    *out += "</svg>\n<p class=\"soft\">the time of each run, the oldest first</p></div>\n";
}

fn table(out: &mut String, table: &Table) {
    let Some((titles, rows)) = table.lines.split_first().filter(|(_, rows)| !rows.is_empty()) else { return };
    let _ = writeln!(out, "<h2>{}</h2>\n<div class=\"scroll\"><table class=\"wide\">", table.title);
    for (tag, row) in std::iter::once(("th", titles)).chain(rows.iter().map(|row| ("td", row))) {
        let cells = row.iter().zip(titles).map(|(cell, title)| {
            let class = if TEXTS.contains(&title.as_str()) { " class=\"text\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(cell))
        });
        let _ = writeln!(out, "<tr>{}</tr>", cells.collect::<String>());
    }
    *out += "</table></div>\n";
    if table.left > 0 {
        let _ = writeln!(out, "<p class=\"soft\">and {} more</p>", count(table.left));
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
