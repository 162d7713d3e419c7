//! Lists of differences, printed by `check`, `update-hash` and `explain`.

use super::{
    printer::Printer,
    style::ODD,
    text::{count, escape},
};

/// Number of lines shown for each list.
const SHOWN: usize = 30;

/// Prints the first lines under a title, and the number of the others.
pub(super) fn print_list(title: &str, lines: impl ExactSizeIterator<Item = String>, printer: Printer) {
    let total = lines.len();
    if total == 0 {
        return;
    }
    if !title.is_empty() {
        printer.data(format_args!("  {title}"));
    }
    for line in lines.take(SHOWN) {
        printer.data(format_args!("    {}", escape(&line)));
    }
    if total > SHOWN {
        printer.data(format_args!("    {ODD}and {} more{ODD:#}", count(total - SHOWN)));
    }
}
