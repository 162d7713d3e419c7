//! [`Diagnose`]: the place, the hints and the exit code of an error.
//!
//! Every error enum of this crate contains data and implements [`Diagnose`]; only `cli` prints it.
//! Messages are lower-case fragments without a final period, so that they read well after `error: `.

use std::fmt;

use camino::Utf8PathBuf;

/// Who can fix an error, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Wrong input or use: the user corrects a file or an option (exit code 2).
    Input,
    /// The environment lacks something: network, disk, Nix, a tool (exit code 3).
    Environment,
    /// A bug in splitter (exit code 70).
    Bug,
}

/// A place in a file. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, relative to the repository if inside it.
    pub path: Utf8PathBuf,
    /// Line and column, if known.
    pub position: Option<Position>,
}

/// A line and a column, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// Returns the position of a byte offset in `text`. An offset past the end returns the position of the end.
    #[expect(clippy::naive_bytecount, reason = "the compiler vectorises it; no crate for one line")]
    pub fn of_offset(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        Self { line, column }
    }
}

impl Location {
    /// Returns the location of a whole file.
    pub fn file(path: impl Into<Utf8PathBuf>) -> Self {
        Self { path: path.into(), position: None }
    }

    /// Returns the location of a place in a file.
    pub fn at(path: impl Into<Utf8PathBuf>, position: Position) -> Self {
        Self { path: path.into(), position: Some(position) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column }) => write!(f, "{}:{line}:{column}", self.path),
            None => write!(f, "{}", self.path),
        }
    }
}

/// An error with its place and hints for the user.
pub trait Diagnose: std::error::Error {
    /// Returns who can fix the error.
    fn category(&self) -> Category;

    /// Returns the file of the error, and the place in it.
    fn location(&self) -> Option<Location> {
        None
    }

    /// Returns what to do: sentences in the imperative, without the prefix `hint: `.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// How similar a name must be to an unknown one to be suggested, from 0 to 1. The value is clap's.
const SIMILAR: f64 = 0.7;

/// Returns the hint for a name that nothing has: the known name that is most similar to it.
pub fn did_you_mean<'a>(known: impl IntoIterator<Item = &'a str>, found: &str) -> Option<String> {
    let rated = known.into_iter().map(|name| (strsim::jaro(found, name), name));
    let similar = rated.filter(|(similarity, _)| *similarity > SIMILAR);
    similar.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "a\né = x\n";
        assert_eq!(Position::of_offset(text, 0), Position { line: 1, column: 1 });
        assert_eq!(Position::of_offset(text, text.find('=').unwrap()), Position { line: 2, column: 3 });
        assert_eq!(Position::of_offset(text, 999), Position { line: 3, column: 1 });
    }

    #[test]
    fn the_most_similar_name_is_suggested() {
        let known = ["api", "web", "website", "library-ui"];
        assert_eq!(did_you_mean(known, "webiste").as_deref(), Some("did you mean `website`?"));
        assert_eq!(did_you_mean(known, "libary-ui").as_deref(), Some("did you mean `library-ui`?"));
        assert_eq!(did_you_mean(known, "docs"), None);
    }
}
