//! Renders insertions as a unified diff, which `git apply` accepts.

use std::{fmt::Write as _, ops::Range};

use super::insert::{Insertion, apply, line_start};

/// Number of unchanged lines around each change.
const CONTEXT: usize = 3;

/// A change of one line, or new lines before it.
struct Edit {
    /// The line, counted from zero.
    line: usize,
    /// Whether the line is replaced.
    replaces: bool,
    new: String,
}

impl Edit {
    /// Returns the lines of the hunk that would hold this edit alone.
    fn range(&self, lines: usize) -> Range<usize> {
        let end = self.line + usize::from(self.replaces) + CONTEXT;
        self.line.saturating_sub(CONTEXT)..end.min(lines)
    }
}

/// Returns the hunks of a diff that makes the insertions.
pub fn diff(source: &str, insertions: &[Insertion]) -> String {
    let lines: Vec<&str> = source.split_inclusive('\n').collect();
    let mut groups: Vec<(Range<usize>, Vec<Edit>)> = Vec::new();
    for edit in edits(source, insertions) {
        let range = edit.range(lines.len());
        match groups.last_mut().filter(|(last, _)| range.start <= last.end) {
            Some((last, edits)) => {
                last.end = last.end.max(range.end);
                edits.push(edit);
            }
            None => groups.push((range, vec![edit])),
        }
    }
    let mut hunks = String::new();
    let mut new_start = 0;
    let mut old_end = 0;
    for (range, edits) in groups {
        new_start += range.start - old_end;
        old_end = range.end;
        new_start += hunk(&mut hunks, &lines, range, &edits, new_start);
    }
    hunks
}

/// Returns the changed lines in order.
fn edits(source: &str, insertions: &[Insertion]) -> Vec<Edit> {
    let mut starts: Vec<usize> = insertions.iter().map(|insertion| line_start(source, insertion.offset)).collect();
    starts.sort_unstable();
    starts.dedup();
    let edit = |start: usize| {
        let old = source[start..].split_inclusive('\n').next().unwrap_or_default();
        let here = |insertion: &&Insertion| line_start(source, insertion.offset) == start;
        let moved = |insertion: &Insertion| Insertion::at(insertion.offset - start, insertion.text.clone());
        let own: Vec<Insertion> = insertions.iter().filter(here).map(moved).collect();
        let new = apply(old, &own);
        let line = source[..start].matches('\n').count();
        match new.strip_suffix(old).filter(|above| above.ends_with('\n')) {
            Some(above) => Edit { line, replaces: false, new: above.to_owned() },
            None => Edit { line, replaces: true, new },
        }
    };
    starts.into_iter().map(edit).collect()
}

/// Writes a hunk, and returns the number of lines that it has in the new file.
fn hunk(hunks: &mut String, lines: &[&str], range: Range<usize>, edits: &[Edit], new_start: usize) -> usize {
    let mut body = String::new();
    let mut new_lines = range.len();
    let mut at = range.start;
    for edit in edits {
        lines[at..edit.line].iter().for_each(|line| write_line(&mut body, ' ', line));
        at = edit.line;
        if edit.replaces {
            write_line(&mut body, '-', lines[at]);
            at += 1;
            new_lines -= 1;
        }
        for line in edit.new.split_inclusive('\n') {
            write_line(&mut body, '+', line);
            new_lines += 1;
        }
    }
    lines[at..range.end].iter().for_each(|line| write_line(&mut body, ' ', line));
    let old = range.len();
    // Writing to a string cannot fail.
    let _ = writeln!(hunks, "@@ -{},{old} +{},{new_lines} @@", range.start + usize::from(old > 0), new_start + 1);
    hunks.push_str(&body);
    new_lines
}

fn write_line(body: &mut String, sign: char, line: &str) {
    body.push(sign);
    body.push_str(line);
    if !line.ends_with('\n') {
        body.push_str("\n\\ No newline at end of file\n");
    }
}
