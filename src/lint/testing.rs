//! Runs rules over small repositories.

use super::{Choices, Context, File, Finding, kind_of, lint};

/// The day of all tests: 2026-11-30.
pub(super) const NOW: u64 = 1_796_000_000;

/// Returns the findings in a repository of files.
pub(super) fn findings(files: &[(&str, &str)], choices: &Choices) -> Vec<Finding> {
    let mut paths: Vec<String> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    paths.sort();
    let read = files.iter().filter_map(|(path, text)| Some(File { path, kind: kind_of(path)?, text }));
    let read: Vec<File<'_>> = read.collect();
    lint(&Context { paths: &paths, ignored_locks: &[], files: &read, now: NOW }, choices).findings
}

/// Returns the findings of one rule as `path:line:column message`.
pub(super) fn shown(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    let choices = Choices { is_pedantic: true, ..Choices::default() };
    let found = findings(files, &choices).into_iter().filter(|finding| finding.rule.name == rule);
    found
        .map(|finding| format!("{}:{}:{} {}", finding.path, finding.start.line, finding.start.column, finding.message))
        .collect()
}
