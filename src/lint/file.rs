//! A file that is read, its repository, and where rules put what they find.

use std::ops::Range;

use super::{
    choices::Choices,
    kind::Kind,
    model::{Edit, Finding, Fix, Level, Rule},
};
use crate::diagnostic::Position;

/// A file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// The path in the repository.
    pub path: &'a str,
    /// What it is.
    pub kind: Kind,
    /// The text.
    pub text: &'a str,
}

/// The repository around a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The paths of all files that git has or would add, sorted.
    pub paths: &'a [String],
    /// The paths of `flake.lock` files that exist and that git ignores.
    pub ignored_locks: &'a [String],
    /// All files that are read.
    pub files: &'a [File<'a>],
    /// Today, in seconds since 1970.
    pub now: u64,
}

impl<'a> Context<'a> {
    /// Whether the repository has a file.
    pub fn has(&self, path: &str) -> bool {
        self.paths.binary_search_by(|other| other.as_str().cmp(path)).is_ok()
    }

    /// Returns the read files of some kinds.
    pub fn of_kinds(&self, kinds: &'static [Kind]) -> impl Iterator<Item = &'a File<'a>> {
        self.files.iter().filter(|file| kinds.contains(&file.kind))
    }

    /// Returns the read file at a path.
    pub fn file(&self, path: &str) -> Option<&'a File<'a>> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl<'a> File<'a> {
    /// Returns the path of a file in the same folder.
    pub fn beside(&self, name: &str) -> String {
        self.path.rsplit_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}"))
    }

    /// Returns the name.
    pub fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The findings in one file. [`super::lint`] sets the rule before each check.
#[derive(Debug)]
pub struct Found<'a> {
    file: File<'a>,
    choices: &'a Choices,
    rule: &'static Rule,
    findings: Vec<Finding>,
}

impl<'a> Found<'a> {
    pub(super) fn new(file: File<'a>, choices: &'a Choices, rule: &'static Rule) -> Self {
        Self { file, choices, rule, findings: Vec::new() }
    }

    pub(super) fn start(&mut self, rule: &'static Rule) {
        self.rule = rule;
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Adds a finding at some bytes of the file. The message is a lower-case fragment: what is wrong, with names.
    pub fn add(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.put(range, message.into(), None, None);
    }

    /// Adds a finding that is only worth to know, although the rule's level is higher.
    pub fn add_minor(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.put_minor(range, message.into(), None);
    }

    /// Adds a finding that is only worth to know and that `--fix` mends.
    pub fn add_minor_fixed(&mut self, range: Range<usize>, message: impl Into<String>, title: &str, edits: Vec<Edit>) {
        self.put_minor(range, message.into(), Some(Fix { title: title.to_owned(), edits }));
    }

    fn put_minor(&mut self, range: Range<usize>, message: String, fix: Option<Fix>) {
        if self.choices.is_pedantic {
            let count = self.findings.len();
            self.put(range, message, None, fix);
            self.findings[count..].iter_mut().for_each(|finding| finding.level = Level::Info);
        }
    }

    /// Adds a finding with a remedy that is more exact than the rule's.
    pub fn add_with(&mut self, range: Range<usize>, message: impl Into<String>, remedy: impl Into<String>) {
        self.put(range, message.into(), Some(remedy.into()), None);
    }

    /// Adds a finding that `--fix` mends.
    pub fn add_fixed(&mut self, range: Range<usize>, message: impl Into<String>, title: &str, edits: Vec<Edit>) {
        self.put(range, message.into(), None, Some(Fix { title: title.to_owned(), edits }));
    }

    fn put(&mut self, range: Range<usize>, message: String, remedy: Option<String>, fix: Option<Fix>) {
        let text = self.file.text;
        let Some(level) = self.choices.level(self.rule, self.file.path) else { return };
        let (start, end) = (Position::of_offset(text, range.start), Position::of_offset(text, range.end));
        let path = self.file.path.to_owned();
        self.findings.push(Finding { rule: self.rule, level, path, range, start, end, message, remedy, fix });
    }
}
