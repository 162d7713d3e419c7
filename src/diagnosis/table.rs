//! The table of failures, `nix-templates/tools/failures.json`, which the builds themselves read too.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Regex, RegexSet};
use serde::Deserialize;

const TABLE: &str = include_str!("../../nix-templates/tools/failures.json");

/// Longer lines are code or data. Their start is enough.
const LINE: usize = 2000;

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Failure {
    /// Its name.
    pub id: String,
    patterns: Vec<String>,
    /// The cause, as the end of a sentence. It may name parts of the line in braces.
    pub says: String,
    /// What to do.
    pub hint: String,
    /// The section of `docs/troubleshooting.md`.
    pub page: String,
}

#[derive(Deserialize)]
struct Table {
    failures: Vec<Failure>,
}

struct Rules {
    failures: Vec<Failure>,
    set: RegexSet,
    /// Each pattern with the number of its failure.
    patterns: Vec<(usize, Regex)>,
}

/// A broken table has no rules. A test reads it.
static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let failures = serde_json::from_str::<Table>(TABLE).map(|table| table.failures).unwrap_or_default();
    let texts: Vec<&String> = failures.iter().flat_map(|failure| &failure.patterns).collect();
    let set = RegexSet::new(&texts).unwrap_or_default();
    let numbered = failures.iter().enumerate();
    let numbered = numbered.flat_map(|(number, failure)| failure.patterns.iter().map(move |text| (number, text)));
    let patterns = numbered.filter_map(|(number, text)| Some((number, Regex::new(text).ok()?))).collect();
    Rules { failures, set, patterns }
});

/// Returns all entries.
#[cfg(test)]
pub(super) fn all() -> &'static [Failure] {
    &RULES.failures
}

/// Returns the entry of a failure.
pub(super) fn failure(id: &str) -> Option<&'static Failure> {
    RULES.failures.iter().find(|failure| failure.id == id)
}

/// What a line of an output says of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The name of the failure.
    pub id: &'static str,
    /// The line, without colours.
    pub line: String,
    /// The parts of the line that the pattern names.
    pub parts: BTreeMap<String, String>,
    /// The lines after it. Some tools name the file there.
    pub after: Vec<String>,
}

/// Cleans a line as `failures.mjs` does.
pub(super) fn plain(line: &str) -> String {
    let cut: String = line.chars().take(LINE).collect();
    crate::nix::command::log::plain(&cut).trim().to_owned()
}

/// Reads a line without colours.
pub(super) fn read(line: &str) -> Option<Hit> {
    let rules = &*RULES;
    let first = rules.set.matches(line).iter().next()?;
    let (number, pattern) = rules.patterns.get(first)?;
    let found = pattern.captures(line)?;
    let part = |name: &str| Some((name.to_owned(), found.name(name)?.as_str().to_owned()));
    let parts = pattern.capture_names().flatten().filter_map(part).collect();
    let id = rules.failures.get(*number)?.id.as_str();
    Some(Hit { id, line: line.to_owned(), parts, after: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_read() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        let patterns: Vec<&String> = table.failures.iter().flat_map(|failure| &failure.patterns).collect();
        assert_eq!(RULES.patterns.len(), patterns.len());
        assert_eq!(RULES.set.len(), patterns.len());
    }

    #[test]
    fn patterns_use_only_what_both_languages_read_alike() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        for pattern in table.failures.iter().flat_map(|failure| &failure.patterns) {
            assert!(pattern.is_ascii() && !pattern.contains('\\'), "{pattern}: escapes differ");
            let groups: Vec<&str> = pattern.split("(?").skip(1).collect();
            let is_name = |group: &&str| group.strip_prefix('<').is_some_and(|name| !name.starts_with(['=', '!']));
            assert!(groups.iter().all(is_name), "{pattern}: only named groups");
            assert!(!pattern.contains("[[") && !pattern.contains("&&"), "{pattern}: classes differ");
        }
    }
}
