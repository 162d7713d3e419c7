//! The text of `verify`: a matrix of edits and packages.

use std::time::Duration;

use crate::{
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD},
        text::{duration, escape, things},
    },
    proof::{Cell, Proof, Row},
    split::{System, plan::Effect},
};

/// Total width of the columns. If the names are wider, numbers replace them.
const WIDTH: usize = 60;

pub(super) fn print(proof: &Proof, system: System, time: Duration, printer: Printer) {
    let headings = headings(proof, printer);
    let what = proof.rows.iter().map(|row| row.edit.name.len()).max().unwrap_or(0);
    let path = proof.rows.iter().map(|row| row.edit.path.as_str().chars().count()).max().unwrap_or(0).min(60);
    let titles: Vec<_> = headings.iter().map(|name| format!("{BOLD}{name}{BOLD:#}")).collect();
    printer.data(format_args!("{:what$}  {:path$}  {}", "", "", titles.join("  ")));
    for row in &proof.rows {
        print_row(row, &headings, proof, (what, path), printer);
    }
    printer.data(format_args!("\n{DIM}. kept   R rebuilt   ! unexpected{DIM:#}"));
    print_surprises(proof, printer);
    let edits = things(proof.rows.len(), "edit");
    let packages = things(proof.packages.len(), "package");
    let surprises: usize = proof.rows.iter().map(|row| row.surprises().count()).sum();
    let verdict = match surprises {
        0 => format!("{GOOD}agreed{GOOD:#}: after each edit, Nix rebuilds what splitter expects, and nothing else"),
        number => format!("{BAD}failed{BAD:#}: {}", things(number, "unexpected result")),
    };
    printer.data(format_args!("{verdict} ({edits}, {packages}, {system}, in {})", duration(time)));
}

/// Returns a heading for each package.
fn headings(proof: &Proof, printer: Printer) -> Vec<String> {
    let width: usize = proof.packages.iter().map(|name| name.len() + 2).sum();
    if width <= WIDTH {
        return proof.packages.clone();
    }
    for (index, name) in proof.packages.iter().enumerate() {
        printer.data(format_args!("{:>3}  {}", index + 1, escape(name)));
    }
    printer.data("");
    (1..=proof.packages.len()).map(|number| format!("{number:>2}")).collect()
}

fn print_row(row: &Row, headings: &[String], proof: &Proof, (what, path): (usize, usize), printer: Printer) {
    let cells = headings.iter().zip(&proof.packages).map(|(heading, name)| {
        let width = heading.chars().count();
        match row.cells.get(name) {
            Some(cell) if cell.is_surprise() => format!("{BAD}{:>width$}{BAD:#}", "!"),
            Some(Cell { is_changed: true, .. }) => format!("{BOLD}{:>width$}{BOLD:#}", "R"),
            _ => format!("{DIM}{:>width$}{DIM:#}", "."),
        }
    });
    let cells: Vec<_> = cells.collect();
    let name = shortened(row.edit.path.as_str(), path);
    printer.data(format_args!("{:what$}  {:path$}  {}", row.edit.name, escape(&name), cells.join("  ")));
}

/// Shortens a path to its end if it is too long.
fn shortened(path: &str, width: usize) -> String {
    let length = path.chars().count();
    if length <= width {
        return path.to_owned();
    }
    let rest: String = path.chars().skip(length + 1 - width).collect();
    format!("…{rest}")
}

fn print_surprises(proof: &Proof, printer: Printer) {
    for row in &proof.rows {
        for (name, cell) in row.surprises() {
            let text = match cell.model {
                Effect::Kept => "expected kept, found rebuilt",
                _ => "expected rebuilt, found kept",
            };
            let path = escape(row.edit.path.as_str());
            printer.data(format_args!("{BAD}{name}{BAD:#}: {text} after the edit of {path} ({})", row.edit.name));
        }
    }
}
