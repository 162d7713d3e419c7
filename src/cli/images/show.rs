//! The layers of images as tables.

use super::{changes::Compared, plans::Image};
use crate::{
    cli::{
        printer::Printer,
        style::{BOLD, DIM, NOTE},
        text::{bytes, count, escape, megabytes},
    },
    image::{
        compare::{ImageChange, LayerChange, Presence},
        report::{Row, notes},
    },
};

/// Prints a table for each image.
pub(super) fn print(images: &[Image], rows: &[Row], printer: Printer) {
    for (number, image) in rows.chunk_by(|a, b| (&a.image, &a.platform) == (&b.image, &b.platform)).enumerate() {
        if number > 0 {
            printer.data("");
        }
        let Some(first) = image.first() else { continue };
        let size: u64 = image.iter().map(|row| row.size).sum();
        let of_row =
            |image: &&Image| image.plan.name == first.image && image.plan.platform.to_string() == first.platform;
        let plan = images.iter().find(of_row);
        let budget = plan.and_then(|image| image.budget).map(|budget| format!(", budget {}", megabytes(budget.into())));
        printer.data(format_args!(
            "{BOLD}{}{BOLD:#} ({}): {} without compression{}",
            first.image,
            first.platform,
            megabytes(size.into()),
            budget.unwrap_or_default()
        ));
        print_image(image, printer);
        for note in plan.iter().flat_map(|image| notes(&image.plan)) {
            printer.data(format_args!("  {NOTE}note{NOTE:#}: {note}"));
        }
    }
}

fn print_image(image: &[Row], printer: Printer) {
    let mut table = vec![["layer", "size", "store paths", "changes with", "shared with"].map(str::to_owned)];
    for row in image {
        let size = megabytes(row.size.into());
        let shared = row.shared_with.join(", ");
        table.push([row.layer.clone(), size, count(row.paths), row.changes.clone(), shared]);
    }
    print_table(table, printer);
}

/// Prints the layers of each image in both states, and what would be sent again.
pub(super) fn print_comparison(compared: &Compared, printer: Printer) {
    let Compared { from, to, edit, is_forecast, changes, .. } = compared;
    match edit {
        Some(edit) => printer.data(format_args!("an edit of {BOLD}{}{BOLD:#}\n", escape(&edit.to_string()))),
        None => printer.data(format_args!("{BOLD}{from}{BOLD:#} -> {BOLD}{to}{BOLD:#}\n")),
    }
    for change in changes {
        print_change(change, printer);
        printer.data("");
    }
    if *is_forecast {
        printer.data(format_args!(
            "{NOTE}forecast{NOTE:#}: an update of a package changes these layers of the images that use it; compare commits to see which"
        ));
    }
    if !compared.same_files.is_empty() {
        printer.data(format_args!(
            "{NOTE}note{NOTE:#}: {} built again, with the same files: {}",
            if compared.same_files.len() == 1 { "1 image is" } else { "these images are" },
            compared.same_files.join(", ")
        ));
    }
    if changes.len() > 1 {
        printer.data(format_args!(
            "together: {} sent again; a layer of several images is sent once",
            bytes(compared.together)
        ));
    }
    printer.data(format_args!("{DIM}sizes are without compression{DIM:#}"));
}

fn print_change(change: &ImageChange, printer: Printer) {
    let state = match change.presence {
        Presence::Both if change.sent() == 0 => "nothing is sent again".to_owned(),
        Presence::Both => format!("{} of {} sent again", bytes(change.sent()), bytes(change.size())),
        Presence::New => format!("new, {} sent", bytes(change.sent())),
        Presence::Removed => "removed".to_owned(),
    };
    printer.data(format_args!("{BOLD}{}{BOLD:#} ({}): {state}", change.image, change.platform));
    let mut table = vec![["layer", "size", "growth", "sent again", "changes with"].map(str::to_owned)];
    for layer in &change.layers {
        let sent = if layer.is_sent { bytes(layer.sent()) } else { String::new() };
        let size = layer.after.map_or_else(|| "removed".to_owned(), bytes);
        table.push([layer.layer.clone(), size, growth(layer), sent, layer.changes.clone()]);
    }
    print_table(table, printer);
}

fn growth(layer: &LayerChange) -> String {
    if layer.before.is_none() {
        return "new".to_owned();
    }
    let growth = layer.growth();
    let size = || bytes(u64::try_from(growth.unsigned_abs()).unwrap_or(u64::MAX));
    match growth {
        0 => String::new(),
        1.. => format!("+{}", size()),
        _ => format!("-{}", size()),
    }
}

/// Prints a table whose first line has the titles. The columns with numbers are aligned to the right.
fn print_table(table: Vec<[String; 5]>, printer: Printer) {
    let table: Vec<_> = table.into_iter().map(|cells| cells.map(|cell| escape(&cell).into_owned())).collect();
    let width = |column: usize| table.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3), width(4)];
    for (number, cells) in table.iter().enumerate() {
        let titles = &table[0];
        let cell = |column: usize| {
            let (text, width) = (&cells[column], widths[column]);
            let is_number = ["size", "growth", "sent again", "store paths"].contains(&titles[column].as_str());
            if is_number { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        let line = format!("  {}", [0, 1, 2, 3, 4].map(cell).join("  "));
        let line = line.trim_end();
        if number == 0 { printer.data(format_args!("{DIM}{line}{DIM:#}")) } else { printer.data(line) }
    }
}
