//! Lists of what differs, as `check` and `update-hash` print them.

use super::{
    printer::{ODD, Printer},
    text::{count, escape},
};

/// How many lines of one kind are shown.
const SHOWN: usize = 30;

/// Prints lines under a title, and counts those that are too many.
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
