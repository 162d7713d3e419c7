//! The layers of images as a table.

use crate::{
    cli::{
        printer::Printer,
        style::{BOLD, DIM},
        text::{count, escape, megabytes},
    },
    image::report::Row,
};

/// Prints a table for each image.
pub(super) fn print(rows: &[Row], printer: Printer) {
    for (number, image) in rows.chunk_by(|a, b| (&a.image, &a.platform) == (&b.image, &b.platform)).enumerate() {
        if number > 0 {
            printer.data("");
        }
        let size: u64 = image.iter().map(|row| row.size).sum();
        let name = image.first().map(|row| format!("{BOLD}{}{BOLD:#} ({})", row.image, row.platform));
        printer.data(format_args!("{}: {} without compression", name.unwrap_or_default(), megabytes(size.into())));
        print_image(image, printer);
    }
}

fn print_image(image: &[Row], printer: Printer) {
    let mut table = vec![["layer", "size", "store paths", "changes with", "shared with"].map(str::to_owned)];
    for row in image {
        let size = megabytes(row.size.into());
        let shared = row.shared_with.join(", ");
        table.push(
            [row.layer.clone(), size, count(row.paths), row.changes.clone(), shared]
                .map(|cell| escape(&cell).into_owned()),
        );
    }
    let width = |column: usize| table.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let [layer, size, paths, changes] = [width(0), width(1), width(2), width(3)];
    for (number, cells) in table.iter().enumerate() {
        let [first, second, third, fourth, last] = cells;
        let line = format!("  {first:<layer$}  {second:>size$}  {third:>paths$}  {fourth:<changes$}  {last}");
        let line = line.trim_end();
        if number == 0 { printer.data(format_args!("{DIM}{line}{DIM:#}")) } else { printer.data(line) }
    }
}
