//! The report as one HTML file, without scripts or anything from elsewhere. Bars are boxes of the page, so that they fit a phone.

use std::fmt::Write as _;

use super::{
    Measured, Report, Row,
    svg::{largest, length},
    words,
};
use crate::{
    bench::{Scenario, log::Work},
    picture::{page::page, svg::escape},
};

const STYLE: &str = include_str!("page.css");

/// The scenarios to show as large numbers.
const CARDS: [Scenario; 5] =
    [Scenario::AppEdit, Scenario::LibraryEdit, Scenario::ReadmeEdit, Scenario::NextCommit, Scenario::Image];

/// Returns the text of an HTML file.
pub fn html(report: &Report) -> String {
    let mut out = format!(
        "<p class=\"soft\">{}. {}, {}.</p>\n",
        escape(&words::repository(report)),
        words::things(report.runs, "run"),
        report.date
    );
    cards(&mut out, report);
    chart(&mut out, report);
    numbers(&mut out, report);
    work(&mut out, report);
    done(&mut out, report);
    rest(&mut out, report);
    page(&format!("Builds of {}, split and unsplit", report.repository.name), STYLE, &out)
}

fn cards(out: &mut String, report: &Report) {
    let rows: Vec<&Row> = CARDS.iter().filter_map(|scenario| report.row(*scenario)).collect();
    let cards: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let factor = words::factor_of(row);
            let (unsplit, split) = (row.unsplit.as_ref()?, row.split.as_ref()?);
            let [unsplit, split] =
                [unsplit, split].map(|side| format!("<span class=\"number\">{}</span>", short(row, side)));
            let of = format!("{unsplit} → {split}");
            Some(format!(
                "<div class=\"card\"><span class=\"soft\">{}</span><b>{factor}</b><span class=\"soft\">{of}</span></div>",
                row.scenario.title()
            ))
        })
        .collect();
    if !cards.is_empty() {
        let _ = writeln!(out, "<div class=\"cards\">{}</div>", cards.join("\n"));
    }
}

/// Returns the median, without its range.
fn short(row: &Row, measured: &Measured) -> String {
    if row.scenario == Scenario::Image { words::bytes(measured.bytes) } else { words::seconds(measured.seconds.median) }
}

fn chart(out: &mut String, report: &Report) {
    out.push_str("<h2>Times</h2>\n<p class=\"legend\"><span><i class=\"unsplit\"></i>unsplit</span> <span><i class=\"split\"></i>split by splitter</span></p>\n<div class=\"chart\">\n");
    for (row, unsplit, split) in report.measured() {
        let factor = words::factor_of(row);
        let edited = row.edited.as_ref().map(|path| format!(" <code>{}</code>", escape(path))).unwrap_or_default();
        let _ = writeln!(
            out,
            "<section><h3>{} <b>{factor}</b></h3><p class=\"soft\">{}{edited}</p>",
            row.scenario.title(),
            row.scenario.meaning()
        );
        let largest = largest(report, row.scenario);
        for (class, measured) in [("unsplit", unsplit), ("split", split)] {
            let share = (length(row, measured) / largest * 100.0).clamp(0.4, 100.0);
            let text = escape(&words::value(row, measured));
            let _ = writeln!(
                out,
                "<div class=\"bar\"><div class=\"track\"><i class=\"{class}\" style=\"width:{share:.1}%\"></i></div><span>{text}</span></div>"
            );
        }
        out.push_str("</section>\n");
    }
    out.push_str("</div>\n");
}

fn numbers(out: &mut String, report: &Report) {
    out.push_str("<h2>Table</h2>\n<div class=\"scroll\"><table>\n<tr><th>scenario</th><th>unsplit</th><th>split</th><th>factor</th></tr>\n");
    for (row, unsplit, split) in report.measured() {
        let time = |side: &Measured| {
            let [low, high] = [side.seconds.low, side.seconds.high].map(words::seconds);
            cell(&short(row, side), (row.scenario != Scenario::Image && low != high).then(|| words::range(&low, &high)))
        };
        let ends = row.factor.map(|found| [found.low, found.high].map(words::factor));
        let range = ends.filter(|[low, high]| low != high);
        let range = range.map(|[low, high]| format!("{} to {high}", low.trim_end_matches(" ×")));
        let factor = cell(&format!("<b>{}</b>", words::factor_of(row)), range);
        let title = row.scenario.title();
        let _ = writeln!(
            out,
            "<tr><td>{title}</td><td>{}</td><td>{}</td><td>{factor}</td></tr>",
            time(unsplit),
            time(split)
        );
    }
    for (row, why) in report.skipped() {
        let (title, why) = (row.scenario.title(), escape(why));
        let _ = writeln!(out, "<tr><td>{title}</td><td class=\"why text\" colspan=\"3\">skipped: {why}</td></tr>");
    }
    out.push_str("</table></div>\n");
}

/// Returns a number with its range below it.
fn cell(number: &str, range: Option<String>) -> String {
    let range = range.map(|range| format!("<br><small>{range}</small>")).unwrap_or_default();
    format!("<span class=\"number\">{number}</span>{range}")
}

fn work(out: &mut String, report: &Report) {
    out.push_str("<h2>Where the time went</h2>\n<p class=\"legend\">");
    for kind in Work::ALL {
        let _ = write!(out, "<span><i class=\"{0}\"></i>{0}</span> ", kind.name());
    }
    out.push_str("</p>\n<div class=\"chart\">\n");
    for (row, unsplit, split) in report.measured().filter(|(row, ..)| row.scenario != Scenario::Image) {
        let _ = writeln!(out, "<section><h3>{}</h3>", row.scenario.title());
        let largest = unsplit.seconds.median.max(split.seconds.median).max(1e-9);
        for (side, measured) in [("unsplit", unsplit), ("split", split)] {
            let width = (measured.seconds.median / largest * 100.0).clamp(0.4, 100.0);
            let total: f64 = measured.work.values().sum::<f64>().max(1e-9);
            let mut parts = String::new();
            for (kind, time) in &measured.work {
                let _ = write!(
                    parts,
                    "<i class=\"{0}\" style=\"width:{1:.1}%\" title=\"{0} {2}\"></i>",
                    kind.name(),
                    time / total * 100.0,
                    words::seconds(*time)
                );
            }
            let texts: Vec<String> = Work::ALL
                .iter()
                .filter_map(|kind| Some((kind, measured.work.get(kind).filter(|time| **time >= 0.05)?)))
                .map(|(kind, time)| format!("{} {}", kind.name(), words::seconds(*time)))
                .collect();
            let _ = writeln!(
                out,
                "<div class=\"side\"><span>{side}</span><div class=\"track\"><div class=\"parts\" style=\"width:{width:.1}%\">{parts}</div></div></div><p class=\"soft\">{}</p>",
                texts.join(", ")
            );
        }
        out.push_str("</section>\n");
    }
    out.push_str("</div>\n");
}

fn done(out: &mut String, report: &Report) {
    out.push_str("<h2>What was built and downloaded</h2>\n<div class=\"scroll\"><table class=\"text\">\n<tr><th>scenario</th><th>unsplit</th><th>split</th></tr>\n");
    for (row, unsplit, split) in report.measured() {
        let [unsplit, split] = [unsplit, split].map(|side| {
            let names = if side.built.is_empty() { &side.fetched } else { &side.built };
            let names =
                if names.is_empty() { String::new() } else { format!("<br><small>{}</small>", escape(&listed(names))) };
            format!("{}{names}", escape(&words::done(row, side)))
        });
        let _ = writeln!(out, "<tr><td>{}</td><td>{unsplit}</td><td>{split}</td></tr>", row.scenario.title());
    }
    out.push_str("</table></div>\n");
}

/// Names a few of them.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

fn rest(out: &mut String, report: &Report) {
    out.push_str("<h2>How this was measured</h2>\n<ul>\n");
    for note in &report.notes {
        let _ = writeln!(out, "<li>{}</li>", escape(note));
    }
    let _ = writeln!(out, "<li>{}.</li>\n</ul>", escape(&words::machine(report)));
    let _ = writeln!(out, "<p>To repeat it:</p>\n<pre>{}</pre>", escape(&report.command));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::sample;

    #[test]
    fn the_page_has_all_parts_and_nothing_from_elsewhere() {
        let text = html(&sample());
        for part in [
            "<b>12 ×</b>",
            "skipped: the flake has no images",
            "apps/web/src/a&lt;b&gt;.ts",
            "splitter bench web --runs 3",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        for foreign in ["<script", "http://", "https://", "url(", "@import"] {
            assert!(!text.contains(foreign), "{foreign}");
        }
        assert_eq!(text.matches("<section>").count(), text.matches("</section>").count());
        assert_eq!(text.matches("<div").count(), text.matches("</div>").count());
    }
}
