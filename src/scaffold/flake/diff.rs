//! Renders insertions as a diff without context lines. `git apply --unidiff-zero` accepts it.

use std::fmt::Write as _;

use super::insert::{Insertion, apply, line_start};

/// Returns the hunks of a diff that makes the insertions.
pub fn diff(source: &str, insertions: &[Insertion]) -> String {
    let mut starts: Vec<usize> = insertions.iter().map(|insertion| line_start(source, insertion.offset)).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut hunks = String::new();
    let mut added = 0;
    for start in starts {
        let old = source[start..].split_inclusive('\n').next().unwrap_or_default();
        let here = |insertion: &&Insertion| line_start(source, insertion.offset) == start;
        let moved = |insertion: &Insertion| Insertion::at(insertion.offset - start, insertion.text.clone());
        let own: Vec<Insertion> = insertions.iter().filter(here).map(moved).collect();
        added += hunk(&mut hunks, source[..start].matches('\n').count(), added, old, &apply(old, &own));
    }
    hunks
}

/// Writes the hunk of one line, and returns the number of added lines.
fn hunk(hunks: &mut String, before: usize, added: usize, old: &str, new: &str) -> usize {
    let kept = new.strip_suffix(old).filter(|above| above.ends_with('\n'));
    let (removed, lines) = kept.map_or((Some(old), new), |above| (None, above));
    let count = lines.lines().count();
    let (from, length) = if removed.is_some() { (before + 1, 1) } else { (before, 0) };
    // Writing to a string cannot fail.
    let _ = writeln!(hunks, "@@ -{from},{length} +{},{count} @@", before + added + 1);
    for (sign, text) in [('-', removed.unwrap_or_default()), ('+', lines)] {
        for line in text.lines() {
            let _ = writeln!(hunks, "{sign}{line}");
        }
    }
    if removed.is_some() { count - 1 } else { count }
}
