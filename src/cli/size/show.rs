//! Sizes for people: a table of packages, then the largest parts of each, or those that changed.

use super::report::{Report, Row};
use crate::{
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM},
        table,
        text::{count, escape, megabytes, things},
    },
    closure::{Closure, Part, PartChange, Reference, compared_name, name},
};

/// Number of parts shown for each package.
const SHOWN_PARTS: usize = 8;
/// Number of parts named for a package above its budget.
const BLAMED_PARTS: usize = 3;
/// Width of the names of files shown for each part. The first file is always shown.
const WIDTH: usize = 60;
/// The share of a closure, in percent, that a reference must free to be worth a line.
const NOTABLE: u64 = 10;
/// Titles of the columns that are not numbers.
const TEXTS: [&str; 3] = ["package", "part", "held by"];
/// Name of the part with the output's own files.
const OWN: &str = "(own files)";

/// Prints everything. `is_full` shows all parts instead of the largest ones.
pub(super) fn print(report: &Report, is_full: bool, printer: Printer) {
    if let Some(from) = &report.from {
        printer.data(format_args!("{BOLD}{from}{BOLD:#} -> {BOLD}{}{BOLD:#}, {}\n", report.to, report.system));
        print_comparison(&report.rows, printer);
        report.rows.iter().filter(|row| !row.changes.is_empty()).for_each(|row| print_changes(row, is_full, printer));
    } else {
        print_sizes(&report.rows, printer);
        report.rows.iter().for_each(|row| print_parts(row, is_full, printer));
    }
    printer.data(format_args!("\n{DIM}closure: the package and everything that it needs to run{DIM:#}"));
    print_budgets(report, printer);
}

fn print_sizes(rows: &[Row], printer: Printer) {
    let has_budgets = rows.iter().any(|row| row.budget.is_some());
    let mut table = vec![["package", "closure", "own files", "store paths", "budget"].map(str::to_owned).to_vec()];
    for row in rows {
        let Some(closure) = row.closure() else { continue };
        let budget = row.budget.map(|budget| megabytes(budget.into())).unwrap_or_default();
        let (size, own) = (megabytes(closure.size.into()), megabytes(closure.own.into()));
        table.push(vec![row.name.clone(), size, own, count(closure.parts.len()), budget]);
    }
    if !has_budgets {
        for line in &mut table {
            line.truncate(4);
        }
    }
    table::print(&table, &TEXTS, "", printer);
}

fn print_comparison(rows: &[Row], printer: Printer) {
    let mut table = vec![["package", "before", "after", "change"].map(str::to_owned).to_vec()];
    for row in rows {
        let before = row.before.as_ref().map(|measured| measured.closure.size);
        let change = match (before, row.size()) {
            (None, _) => "new".to_owned(),
            (_, None) => "removed".to_owned(),
            _ if row.growth() == 0 => "none".to_owned(),
            _ => signed(row.growth()),
        };
        table.push(vec![row.name.clone(), size_or_none(before), size_or_none(row.size()), change]);
    }
    table::print(&table, &TEXTS, "", printer);
}

fn print_parts(row: &Row, is_full: bool, printer: Printer) {
    let Some(closure) = row.closure() else { return };
    let shown = if is_full { closure.parts.len() } else { SHOWN_PARTS };
    let mut table = vec![["size", "part", "held by"].map(str::to_owned).to_vec()];
    for part in closure.parts.iter().take(shown) {
        table.push(vec![megabytes(part.size.into()), part_name(closure, part), held_by(closure, part)]);
    }
    printer.data(format_args!("\n{BOLD}{}{BOLD:#}: {}", row.name, megabytes(closure.size.into())));
    table::print(&table, &TEXTS, "  ", printer);
    let rest = closure.parts.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        let size: u64 = rest.iter().map(|part| part.size).sum();
        printer.data(format_args!(
            "  {DIM}and {}: {} (show all with -v){DIM:#}",
            things(rest.len(), "more part"),
            megabytes(size.into())
        ));
    }
    let notable = closure.references.iter().max_by_key(|reference| reference.freed);
    if let Some(reference) = notable.filter(|reference| reference.freed > closure.size / 100 * NOTABLE) {
        printer.data(format_args!(
            "  {DIM}without the reference to {}: {}{DIM:#}",
            name(&reference.path),
            megabytes((closure.size - reference.freed).into())
        ));
    }
}

fn print_changes(row: &Row, is_full: bool, printer: Printer) {
    let shown = if is_full { row.changes.len() } else { SHOWN_PARTS };
    let mut table = vec![["change", "before", "after", "part", "held by"].map(str::to_owned).to_vec()];
    for change in row.changes.iter().take(shown) {
        let holder = row.closure().and_then(|closure| Some(held_by(closure, changed_part(closure, change)?)));
        table.push(vec![
            signed(change.growth()),
            size_or_none(change.before),
            size_or_none(change.after),
            change_name(change).to_owned(),
            holder.unwrap_or_default(),
        ]);
    }
    printer.data(format_args!("\n{BOLD}{}{BOLD:#}: {}", row.name, signed(row.growth())));
    table::print(&table, &TEXTS, "  ", printer);
    if row.changes.len() > shown {
        let more = things(row.changes.len() - shown, "more part");
        printer.data(format_args!("  {DIM}and {more} (show all with -v){DIM:#}"));
    }
}

/// Prints each package above its budget, with the parts that grew or, if nothing grew, the largest parts.
fn print_budgets(report: &Report, printer: Printer) {
    for (row, excess) in report.over_budget() {
        let size = row.size().unwrap_or(0);
        let budget = megabytes(row.budget.unwrap_or(0).into());
        printer.data(format_args!(
            "{BAD}over budget{BAD:#}: {} has {}, {} more than its budget of {budget}",
            row.name,
            megabytes(size.into()),
            megabytes(excess.into())
        ));
        let grown: Vec<String> = row
            .changes
            .iter()
            .filter(|change| change.growth() > 0)
            .take(BLAMED_PARTS)
            .map(|change| format!("{} {}", change_name(change), signed(change.growth())))
            .collect();
        let Some(closure) = row.closure() else { continue };
        let largest = closure.parts.iter().take(BLAMED_PARTS);
        let largest = largest.map(|part| format!("{} {}", part_name(closure, part), megabytes(part.size.into())));
        let (title, parts) =
            if grown.is_empty() { ("largest parts", largest.collect::<Vec<_>>()) } else { ("grew", grown) };
        printer.data(format_args!("  {title}: {}", escape(&parts.join(", "))));
    }
}

/// Returns the name of a part. If several parts have it, the start of the hash tells them apart.
fn part_name(closure: &Closure, part: &Part) -> String {
    if part.path == closure.output {
        return OWN.to_owned();
    }
    let own = name(&part.path);
    let same = closure.parts.iter().filter(|other| name(&other.path) == own && other.path != closure.output).count();
    if same > 1 { format!("{own} ({})", part.path.get(..7).unwrap_or_default()) } else { own.to_owned() }
}

fn change_name(change: &PartChange) -> &str {
    change.name.as_deref().unwrap_or(OWN)
}

/// Returns the largest part of a closure with the name of a change.
fn changed_part<'a>(closure: &'a Closure, change: &PartChange) -> Option<&'a Part> {
    closure.parts.iter().find(|part| compared_name(closure, part) == change.name.as_deref())
}

/// Returns the files of the output that bring a part into the closure, and the way to it.
fn held_by(closure: &Closure, part: &Part) -> String {
    let Some(reference) = closure.reference_to(part) else { return String::new() };
    match part.through.first() {
        Some(first) => format!("{} (through {})", files(reference), name(first)),
        None => files(reference),
    }
}

fn files(reference: &Reference) -> String {
    let holders = &reference.holders;
    let mut width = 0;
    let fits = |file: &&String| {
        width += file.chars().count();
        width <= WIDTH
    };
    let fitting = holders.files.iter().take_while(fits).count().clamp(1, 2);
    let shown = holders.files.iter().take(fitting).map(String::as_str).collect::<Vec<_>>().join(", ");
    match holders.count.saturating_sub(fitting) {
        _ if holders.count == 0 => "no file".to_owned(),
        0 => shown,
        more => format!("{shown} and {}", things(more, "other file")),
    }
}

fn size_or_none(size: Option<u64>) -> String {
    size.map_or_else(|| "-".to_owned(), |size| megabytes(size.into()))
}

/// A difference with its sign.
fn signed(bytes: i128) -> String {
    let sign = match bytes {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", megabytes(bytes.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closure::{Holders, Item, Items};

    fn closure() -> Closure {
        let path = |letter: char, name: &str| format!("{}-{name}", letter.to_string().repeat(32));
        let item = |size, references: &[&String]| Item {
            size,
            references: references.iter().copied().cloned().collect(),
            ..Item::default()
        };
        let (app, one, two) = (path('a', "app"), path('b', "node-22"), path('c', "node-22"));
        let items = Items::from([(app.clone(), item(1, &[&one])), (one, item(3, &[&two])), (two, item(2, &[]))]);
        let mut closure = Closure::of(&items, &app).unwrap();
        closure.references[0].holders = Holders { files: vec!["a.js".to_owned(), "b.js".to_owned()], count: 9 };
        closure
    }

    #[test]
    fn parts_have_names_and_the_files_that_hold_them() {
        let closure = closure();
        let shown: Vec<_> = closure
            .parts
            .iter()
            .map(|part| format!("{}: {}", part_name(&closure, part), held_by(&closure, part)))
            .collect();
        assert_eq!(
            shown,
            [
                "node-22 (bbbbbbb): a.js, b.js and 7 other files",
                "node-22 (ccccccc): a.js, b.js and 7 other files (through node-22)",
                "(own files): ",
            ]
        );
    }

    #[test]
    fn long_names_of_files_leave_room_for_one() {
        let mut reference = closure().references.remove(0);
        let file = "x".repeat(50);
        reference.holders = Holders { files: vec![file.clone(), file.clone()], count: 2 };
        assert_eq!(files(&reference), format!("{file} and 1 other file"));
        reference.holders = Holders { files: vec!["y".repeat(200)], count: 1 };
        assert_eq!(files(&reference), "y".repeat(200));
        reference.holders = Holders::default();
        assert_eq!(files(&reference), "no file");
    }

    #[test]
    fn differences_have_a_sign() {
        assert_eq!([0, 3_000_000, -1].map(signed), ["0 MB", "+3.0 MB", "-<0.1 MB"]);
    }
}
