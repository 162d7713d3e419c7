//! The first lines of a written file: the choices that made it, and a digest that shows edits.

use serde::{Deserialize, Serialize};

use super::{
    actions::{Dated, Pins, without_pins},
    settings::Settings,
};

/// Starts the second line of each written file.
const MARK: &str = "# splitter ci: ";

/// The first line.
const ADVICE: &str = "# Written by `splitter ci init`. To change it, run that again with other options; add jobs of your own in other files.";

#[derive(Serialize, Deserialize)]
struct Line {
    digest: String,
    settings: Settings,
}

/// Adds the first lines to the text of a file.
pub(super) fn signed(settings: &Settings, body: &str) -> String {
    let line = Line { digest: digest(body), settings: settings.clone() };
    // Settings are strings and lists, which always serialise.
    let line = serde_json::to_string(&line).unwrap_or_default();
    format!("{ADVICE}\n{MARK}{line}\n\n{body}")
}

/// Returns the choices that made a file, and whether the file was edited since. Nothing if splitter did not write it.
pub(super) fn origin(text: &str) -> Option<(Settings, bool)> {
    let (first, rest) = text.split_once('\n')?;
    let (second, body) = rest.split_once('\n')?;
    let Line { digest: recorded, settings } = serde_json::from_str(second.strip_prefix(MARK)?).ok()?;
    let is_edited = first != ADVICE || body.strip_prefix('\n').is_none_or(|body| digest(body) != recorded);
    Some((settings, is_edited))
}

/// Returns whether splitter wrote a file, although an edit may have removed the choices that made it.
pub(super) fn is_marked(text: &str) -> bool {
    text.lines().take(2).any(|line| line == ADVICE || line.starts_with(MARK))
}

/// Updates of actions are no edits.
fn digest(body: &str) -> String {
    blake3::hash(without_pins(body).as_bytes()).to_hex()[..16].to_owned()
}

/// A difference between a written file and what this program would write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The file is missing.
    Missing,
    /// splitter did not write the file.
    Foreign,
    /// Somebody edited the file.
    Edited,
    /// Another version of splitter wrote the file, or its choices changed.
    Outdated,
    /// Actions are older than the table. Everything else is right.
    Dated(Vec<Dated>),
    /// The file is written for other choices, which have no such file.
    Unwanted,
}

/// Compares a file with what would be written. Nothing means that they are the same.
pub(super) fn compare(found: Option<&str>, wanted: Option<&str>, pins: &Pins) -> Option<Finding> {
    let (found, wanted) = match (found, wanted) {
        (None, None) => return None,
        (None, Some(_)) => return Some(Finding::Missing),
        (Some(found), None) => return origin(found).map(|_| Finding::Unwanted),
        (Some(found), Some(wanted)) => (found, wanted),
    };
    if found == wanted {
        return None;
    }
    match origin(found) {
        Some((_, false)) => {}
        None if !is_marked(found) => return Some(Finding::Foreign),
        Some(_) | None => return Some(Finding::Edited),
    }
    let dated = pins.dated_in(found);
    if !dated.is_empty() && without_pins(found) == without_pins(wanted) {
        return Some(Finding::Dated(dated));
    }
    Some(Finding::Outdated)
}
