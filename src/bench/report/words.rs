//! Numbers as texts.

use super::{Measured, Report, Row};
use crate::bench::{Scenario, statistics::Spread};

/// Formats a time: `0.42 s`, `12.3 s`, `2 min 3 s`.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds < 9.995 {
        format!("{seconds:.2} s")
    } else if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round();
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

/// Formats a median with its range.
pub(super) fn spread(spread: &Spread) -> String {
    let [median, low, high] = [spread.median, spread.low, spread.high].map(seconds);
    if low == high { median } else { format!("{median} ({})", range(&low, &high)) }
}

/// Formats a range with one unit where that is enough: `1.00 to 3.00 s`, `59.1 s to 1 min 2 s`.
pub(super) fn range(low: &str, high: &str) -> String {
    let is_plain = !low.contains("min") && !high.contains("min");
    format!("{} to {high}", if is_plain { low.trim_end_matches(" s") } else { low })
}

/// Formats a factor: `12 ×`, `1.3 ×`.
pub(super) fn factor(factor: f64) -> String {
    if factor >= 9.95 { format!("{factor:.0} ×") } else { format!("{factor:.1} ×") }
}

/// Returns the factor of a row. There is none if an image has nothing to send again.
pub(super) fn factor_of(row: &Row) -> String {
    row.factor.map_or_else(|| "all".to_owned(), |found| factor(found.median))
}

/// Formats a size with decimal prefixes.
pub(super) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 999.95 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// Formats a count with its noun.
pub(super) fn things(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Returns what a side shows: its time, or the bytes that it sends.
pub(super) fn value(row: &Row, measured: &Measured) -> String {
    if row.scenario == Scenario::Image { bytes(measured.bytes) } else { spread(&measured.seconds) }
}

/// Returns what a side built and downloaded.
pub(super) fn done(row: &Row, measured: &Measured) -> String {
    if row.scenario == Scenario::Image {
        return format!("{} sent", bytes(measured.bytes));
    }
    let mut parts = Vec::new();
    if !measured.built.is_empty() {
        parts.push(format!("{} built", things(measured.built.len(), "derivation")));
    }
    if !measured.fetched.is_empty() {
        parts.push(format!("{} downloaded, {}", things(measured.fetched.len(), "path"), bytes(measured.bytes)));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

/// Returns the report as a table of plain text.
pub fn table(report: &Report) -> Vec<String> {
    let mut cells = vec![[String::new(), "unsplit".to_owned(), "split".to_owned(), "factor".to_owned()]];
    for (row, unsplit, split) in report.measured() {
        let factor = factor_of(row);
        cells.push([row.scenario.title().to_owned(), value(row, unsplit), value(row, split), factor]);
    }
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |row: &[String; 4]| {
        let [a, b, c, d] = widths;
        format!("{:<a$}  {:>b$}  {:>c$}  {:>d$}", row[0], row[1], row[2], row[3])
    };
    let mut lines: Vec<String> = cells.iter().map(line).collect();
    for (row, why) in report.skipped() {
        lines.push(format!("{}: skipped: {why}", row.scenario.title()));
    }
    lines
}

/// Returns the repository in a line.
pub(super) fn repository(report: &Report) -> String {
    let of = &report.repository;
    format!(
        "{}, {}, {}, {}, built: {}",
        of.package_manager,
        things(of.packages, "package"),
        things(of.workspaces, "workspace"),
        things(of.files, "file"),
        of.built.join(", ")
    )
}

/// Returns the machine in a line.
pub(super) fn machine(report: &Report) -> String {
    let of = &report.machine;
    let processor = if of.processor.is_empty() { String::new() } else { format!("{}, ", of.processor) };
    let memory = if of.memory == 0 { String::new() } else { format!(", {} of memory", bytes(of.memory)) };
    format!("{processor}{}{memory}, {}, {}, splitter {}", things(of.cores, "core"), of.system, of.nix, of.splitter)
}

/// Returns the day of a time in seconds since 1970, in UTC: `2026-11-30`.
pub fn date(seconds: u64) -> String {
    // Days are counted from March 1 of the year 0, so that the day of a leap year is the last one.
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let (day, month) = (in_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.424, 9.999, 12.34, 59.99, 123.4].map(seconds),
            ["0.42 s", "10.0 s", "12.3 s", "1 min 0 s", "2 min 3 s"]
        );
        assert_eq!([0.81, 9.94, 12.3].map(factor), ["0.8 ×", "9.9 ×", "12 ×"]);
        assert_eq!([999, 1000, 12_345_678].map(bytes), ["999 B", "1.0 kB", "12.3 MB"]);
        assert_eq!(spread(&Spread { median: 2.0, low: 1.0, high: 3.0 }), "2.00 s (1.00 to 3.00 s)");
        assert_eq!(spread(&Spread { median: 60.0, low: 50.0, high: 70.0 }), "1 min 0 s (50.0 s to 1 min 10 s)");
    }

    #[test]
    fn the_table_is_aligned() {
        let lines = table(&crate::bench::report::tests::sample());
        assert_eq!(lines.len(), 5, "{lines:#?}");
        assert!(lines[0].ends_with("split  factor") && lines[2].ends_with("   12 ×"), "{lines:#?}");
        assert_eq!(lines[4], "Image sent again: skipped: the flake has no images");
        let lengths: std::collections::BTreeSet<usize> = lines[..4].iter().map(|line| line.chars().count()).collect();
        assert_eq!(lengths.len(), 1, "{lines:#?}");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(1_796_059_509), "2026-11-30");
    }
}
