//! Prints tables for people.

use super::{printer::Printer, style::DIM, text::escape};

/// Prints a table whose first line has the titles. Columns are aligned to the right as numbers are, except those with one of the
/// titles in `texts`.
pub(super) fn print(table: &[Vec<String>], texts: &[&str], indent: &str, printer: Printer) {
    for (number, line) in lines(table, texts).into_iter().enumerate() {
        let line = format!("{indent}{line}");
        if number == 0 { printer.data(format_args!("{DIM}{line}{DIM:#}")) } else { printer.data(line) }
    }
}

fn lines(table: &[Vec<String>], texts: &[&str]) -> Vec<String> {
    let titles: &[String] = table.first().map_or(&[], Vec::as_slice);
    let cell = |line: &[String], column: usize| escape(line.get(column).map_or("", String::as_str)).into_owned();
    let width = |column: usize| table.iter().map(|line| cell(line, column).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |line: &Vec<String>| {
        let cells = widths.iter().enumerate().map(|(column, width)| {
            let cell = cell(line, column);
            let is_text = texts.contains(&titles[column].as_str());
            if is_text { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_to_the_right_and_texts_to_the_left() {
        let table = [["name", "size"], ["a", "12"], ["a\u{1b}", "3"]].map(|line| line.map(str::to_owned).to_vec());
        assert_eq!(lines(&table, &["name"]), ["name     size", "a          12", "a\\u{1b}     3"]);
        assert!(lines(&[], &[]).is_empty());
    }
}
