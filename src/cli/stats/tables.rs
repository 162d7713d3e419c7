//! The tables of the summary, for the terminal and for the page.

use super::comparison::shown_time;
use crate::{
    cli::text::{bytes, count},
    history::{
        Times,
        summary::{BuildRow, ProductRow, Sizes, Summary},
    },
};

/// The number of characters of a cause. The whole text is in the JSON.
const CAUSE: usize = 60;
/// Titles of the columns that are not numbers.
pub(super) const TEXTS: [&str; 8] =
    ["package", "build", "image", "layer", "because of", "built again", "cache", "trend"];

/// A table.
pub(super) struct Table {
    pub(super) title: &'static str,
    /// The titles of the columns, and the rows.
    pub(super) lines: Vec<Vec<String>>,
    /// The number of rows that are left out.
    pub(super) left: usize,
}

/// Returns all tables, each with so many rows at most.
pub(super) fn all(summary: &Summary, most: usize) -> [Table; 5] {
    [
        products(summary, most),
        builds(summary, most),
        causes(summary, most),
        layers(summary, most),
        caches(summary, most),
    ]
}

/// Makes a table of the first rows.
fn shown<T>(title: &'static str, most: usize, titles: &[&str], rows: &[T], line: impl Fn(&T) -> Vec<String>) -> Table {
    let titles = titles.iter().map(|&title| title.to_owned()).collect();
    let lines = std::iter::once(titles).chain(rows.iter().take(most).map(line)).collect();
    Table { title, lines, left: rows.len().saturating_sub(most) }
}

fn products(summary: &Summary, most: usize) -> Table {
    let titles = ["package", "built", "fetched", "unchanged", "failed", "size", "before"];
    shown("packages", most, &titles, &summary.products, |row: &ProductRow| {
        let numbers = [row.built, row.fetched, row.unchanged, row.failed].map(count);
        std::iter::once(row.name.clone()).chain(numbers).chain(last_two(&row.closures)).collect()
    })
}

fn layers(summary: &Summary, most: usize) -> Table {
    shown("layers of images", most, &["image", "layer", "size", "before"], &summary.layers, |row| {
        [row.image.clone(), row.layer.clone()].into_iter().chain(last_two(&row.sizes)).collect()
    })
}

/// Returns the last size, and the one before.
fn last_two(sizes: &Sizes) -> [String; 2] {
    let mut sizes = sizes.iter().rev().map(|(_, size)| bytes(*size));
    [sizes.next().unwrap_or_default(), sizes.next().unwrap_or_default()]
}

fn builds(summary: &Summary, most: usize) -> Table {
    let titles = ["build", "builds", "median", "longest", "in all", "failed", "trend"];
    shown("where the time went", most, &titles, &summary.builds, |row: &BuildRow| {
        let time = |time: Option<u64>| time.map(shown_time).unwrap_or_default();
        vec![
            row.name.clone(),
            count(row.times.len()),
            time(row.times.median()),
            time(row.times.longest()),
            shown_time(row.times.sum()),
            count(row.failed),
            trend(&row.times).unwrap_or_default(),
        ]
    })
}

fn causes(summary: &Summary, most: usize) -> Table {
    shown(
        "what was built again, and why",
        most,
        &["because of", "builds", "time", "built again"],
        &summary.causes,
        |row| {
            let names: Vec<&str> = row.names.iter().map(String::as_str).take(3).collect();
            let more = row.names.len().saturating_sub(names.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let cause = shortened(&row.cause);
            vec![cause, count(row.builds), shown_time(row.took), format!("{}{more}", names.join(", "))]
        },
    )
}

/// Cuts a cause in its middle: a file is known by its beginning and its end.
fn shortened(cause: &str) -> String {
    let characters: Vec<char> = cause.chars().collect();
    let half = CAUSE / 2;
    if characters.len() <= CAUSE {
        return cause.to_owned();
    }
    characters[..half].iter().chain(&['…']).chain(&characters[characters.len() - half..]).collect()
}

fn caches(summary: &Summary, most: usize) -> Table {
    shown("caches", most, &["cache", "store paths", "downloaded", "unpacked"], &summary.caches, |row| {
        vec![row.from.clone(), count(to_usize(row.paths)), bytes(row.downloaded), bytes(row.unpacked)]
    })
}

/// Says whether things became slower, if it is worth a word.
pub(super) fn trend(times: &Times) -> Option<String> {
    let trend = times.trend()?;
    if trend >= 1.1 {
        Some(format!("{trend:.1} times slower than before"))
    } else if trend <= 0.9 && trend > 0.0 {
        Some(format!("{:.1} times faster than before", 1.0 / trend))
    } else {
        Some("steady".to_owned())
    }
}

pub(super) fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
