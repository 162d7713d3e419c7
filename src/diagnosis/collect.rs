//! Collects the lines of a log that say something of a failure.

use super::table::{Hit, plain, read};

/// A broken build can print the same error for each of a thousand files.
const HITS: usize = 200;
/// The lines after a hit that are kept.
const AFTER: usize = 3;

/// The start of splitter's own error in a build.
const OWN: &str = "splitter: error: ";

/// The hits in a log, each once, in the order of the log.
#[derive(Debug, Default)]
pub struct Collector {
    hits: Vec<Hit>,
    /// The number of lines that the last hit still gets.
    open: usize,
    /// The lines of splitter's own error, which repeat what was found.
    own: Vec<String>,
}

impl Collector {
    /// Adds a line, with its colours.
    pub fn add(&mut self, line: &str) {
        let line = plain(line);
        if line.starts_with(OWN) || (!self.own.is_empty() && self.own.len() < HITS) {
            self.own.push(line);
        } else if let Some(hit) = read(&line) {
            let is_known = self.hits.iter().any(|known| known.id == hit.id && known.parts == hit.parts);
            self.open = 0;
            if !is_known && self.hits.len() < HITS {
                self.hits.push(hit);
                self.open = AFTER;
            }
        } else if self.open > 0 && !line.is_empty() {
            self.open -= 1;
            if let Some(hit) = self.hits.last_mut() {
                hit.after.push(line);
            }
        }
    }

    /// Returns the lines of the error with which splitter ended the build.
    pub fn own_lines(&self) -> &[String] {
        &self.own
    }

    /// Returns the hits.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }
}
