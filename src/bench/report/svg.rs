//! The chart as one SVG file: two bars for each scenario. It follows the colours that the reader prefers.

use std::fmt::Write as _;

use super::{Measured, Report, Row, words};
use crate::{bench::Scenario, picture::svg::escape};

/// The height of a scenario with both bars.
const ROW: f64 = 58.0;
const BAR: f64 = 16.0;
/// Where bars begin, and the length of the longest.
const LEFT: f64 = 210.0;
const LENGTH: f64 = 400.0;
const WIDTH: f64 = 840.0;
const HEAD: f64 = 84.0;

const STYLE: &str = "
svg { --page: #ffffff; --text: #111827; --soft: #4b5563; --unsplit: #9ca3af; --split: #2563eb; --line: #e5e7eb }
@media (prefers-color-scheme: dark) { svg { --page: #111827; --text: #f3f4f6; --soft: #9ca3af; --unsplit: #6b7280; --split: #60a5fa; --line: #374151 } }
.page { fill: var(--page) } .unsplit { fill: var(--unsplit) } .split { fill: var(--split) } .line { stroke: var(--line) }
text { fill: var(--text); font: 13px ui-sans-serif, system-ui, 'Segoe UI', Helvetica, Arial, sans-serif }
.title { font-size: 17px; font-weight: 600 } .soft { fill: var(--soft); font-size: 12px } .factor { font-weight: 600; font-size: 16px; text-anchor: end }
";

/// Returns the text of an SVG file.
pub fn svg(report: &Report) -> String {
    let rows: Vec<_> = report.measured().collect();
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let height = HEAD + ROW * rows.len() as f64 + 12.0;
    let title = escape(&format!("Builds of {}, split and unsplit", report.repository.name));
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:.0}" height="{height:.0}" viewBox="0 0 {WIDTH:.0} {height:.0}" role="img" aria-label="{title}">
<style>{STYLE}</style>
<rect class="page" width="100%" height="100%" rx="10"/>
<text class="title" x="24" y="34">{title}</text>
<rect class="unsplit" x="24" y="52" width="12" height="12" rx="2"/><text class="soft" x="42" y="62">unsplit</text>
<rect class="split" x="104" y="52" width="12" height="12" rx="2"/><text class="soft" x="122" y="62">split by splitter</text>
<text class="soft" x="{:.0}" y="62" text-anchor="end">factor</text>
"#,
        WIDTH - 24.0
    );
    let mut top = HEAD;
    for (row, unsplit, split) in rows.iter().copied() {
        let _ = writeln!(out, r#"<line class="line" x1="24" x2="{:.0}" y1="{top:.0}" y2="{top:.0}"/>"#, WIDTH - 24.0);
        let _ = writeln!(out, r#"<text x="24" y="{:.0}">{}</text>"#, top + 33.0, row.scenario.title());
        let largest = largest(report, row.scenario);
        for (class, measured, y) in [("unsplit", unsplit, top + 10.0), ("split", split, top + 10.0 + BAR + 4.0)] {
            let length = (length(row, measured) / largest * LENGTH).max(2.0);
            let _ = writeln!(
                out,
                r#"<rect class="{class}" x="{LEFT:.0}" y="{y:.0}" width="{length:.1}" height="{BAR:.0}" rx="3"/><text class="soft" x="{:.1}" y="{:.1}">{}</text>"#,
                LEFT + length + 8.0,
                y + 12.5,
                escape(&words::value(row, measured))
            );
        }
        let factor = words::factor_of(row);
        let _ = writeln!(out, r#"<text class="factor" x="{:.0}" y="{:.0}">{factor}</text>"#, WIDTH - 24.0, top + 35.0);
        top += ROW;
    }
    out + "</svg>\n"
}

/// Returns the length of a bar: a time, or bytes.
pub(super) fn length(row: &Row, measured: &Measured) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes of images")]
    let bytes = measured.bytes as f64;
    if row.scenario == Scenario::Image { bytes } else { measured.seconds.median }
}

/// Returns the length of the longest bar with the unit of this scenario. All times have one scale.
pub(super) fn largest(report: &Report, scenario: Scenario) -> f64 {
    let is_like = |row: &&Row| (row.scenario == Scenario::Image) == (scenario == Scenario::Image);
    let rows = report.rows.iter().filter(is_like);
    let lengths = rows.flat_map(|row| [&row.unsplit, &row.split].into_iter().flatten().map(|side| length(row, side)));
    lengths.fold(1e-9, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::sample;

    #[test]
    fn the_chart_has_a_bar_for_each_side() {
        let text = svg(&sample());
        assert_eq!(text.matches("<rect class=\"unsplit\"").count(), 4);
        assert_eq!(text.matches("<rect class=\"split\"").count(), 4);
        assert!(text.contains(">12 ×<") && text.contains("prefers-color-scheme: dark"), "{text}");
    }
}
