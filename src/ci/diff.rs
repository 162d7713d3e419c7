//! A unified diff of two small texts, which `git apply` accepts.

use std::fmt::Write as _;

/// Number of unchanged lines around each change.
const CONTEXT: usize = 3;

/// Returns the hunks that change `old` to `new`.
pub fn diff(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let steps = steps(&old, &new);
    let mut hunks = String::new();
    let mut at = 0;
    while let Some(first) = steps[at..].iter().position(|(sign, _)| *sign != ' ').map(|found| at + found) {
        let start = first.saturating_sub(CONTEXT).max(at);
        let mut end = first;
        // A hunk ends where twice the context is unchanged.
        while let Some(next) = steps[end..].iter().position(|(sign, _)| *sign != ' ').filter(|gap| *gap <= 2 * CONTEXT)
        {
            end += next + 1;
        }
        let end = (end + CONTEXT).min(steps.len());
        hunk(&mut hunks, &steps, start, end);
        at = end;
    }
    hunks
}

fn hunk(hunks: &mut String, steps: &[(char, &str)], start: usize, end: usize) {
    let count = |steps: &[(char, &str)], other: char| steps.iter().filter(|(sign, _)| *sign != other).count();
    let range = |other: char| {
        let lines = count(&steps[start..end], other);
        (count(&steps[..start], other) + usize::from(lines > 0), lines)
    };
    let ((old, old_lines), (new, new_lines)) = (range('+'), range('-'));
    // Writing to a string cannot fail.
    let _ = writeln!(hunks, "@@ -{old},{old_lines} +{new},{new_lines} @@");
    for (sign, line) in &steps[start..end] {
        hunks.push(*sign);
        hunks.push_str(line);
        if !line.ends_with('\n') {
            hunks.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// Returns every line with its sign: by the longest common subsequence of what is between the common ends.
fn steps<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[before..], &new[before..]);
    let after = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_part, new_part) = (&old_rest[..old_rest.len() - after], &new_rest[..new_rest.len() - after]);
    let kept = |lines: &[&'t str]| -> Vec<(char, &'t str)> { lines.iter().map(|line| (' ', *line)).collect() };
    let mut steps = kept(&old[..before]);
    steps.extend(changed(old_part, new_part));
    steps.extend(kept(&old[old.len() - after..]));
    steps
}

/// The lines of a table that would be larger than this are all replaced.
const LARGEST: usize = 4_000_000;

fn changed<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    let width = new.len() + 1;
    let mut common = vec![0u32; if old.len() * new.len() > LARGEST { 0 } else { (old.len() + 1) * width }];
    if !common.is_empty() {
        for (i, a) in old.iter().enumerate().rev() {
            for (j, b) in new.iter().enumerate().rev() {
                common[i * width + j] = if a == b {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
    }
    let length = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    let (mut i, mut j, mut steps) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] && !common.is_empty() {
            steps.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || length(i + 1, j) >= length(i, j + 1)) {
            steps.push(('-', old[i]));
            i += 1;
        } else {
            steps.push(('+', new[j]));
            j += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distant_changes_are_hunks_of_their_own() {
        let old = (1..=30).map(|number| number.to_string()).collect::<Vec<_>>().join("\n") + "\n";
        let new = old.replace("\n4\n", "\nfour\n").replace("\n20\n", "\n").replace("30\n", "30\n31");
        assert_eq!(
            diff(&old, &new),
            "@@ -1,7 +1,7 @@\n 1\n 2\n 3\n-4\n+four\n 5\n 6\n 7\n@@ -17,7 +17,6 @@\n 17\n 18\n 19\n-20\n 21\n 22\n 23\n\
             @@ -28,3 +27,4 @@\n 28\n 29\n 30\n+31\n\\ No newline at end of file\n"
        );
        assert_eq!(diff(&old, &old), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn git_applies_it(old in "([abc]\n){0,24}", new in "([abc]\n){0,24}") {
            prop_assume!(old != new && !old.is_empty() && !new.is_empty());
            let folder = tempfile::tempdir().unwrap();
            fs_err::write(folder.path().join("f"), &old).unwrap();
            fs_err::write(folder.path().join("p"), format!("--- a/f\n+++ b/f\n{}", diff(&old, &new))).unwrap();
            let output = Command::new("git").args(["apply", "p"]).current_dir(&folder)
                .env("GIT_CEILING_DIRECTORIES", folder.path()).output().unwrap();
            prop_assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            prop_assert_eq!(fs_err::read_to_string(folder.path().join("f")).unwrap(), new);
        }
    }
}
