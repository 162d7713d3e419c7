//! Rules and findings.

use std::ops::Range;

use super::{
    file::Found,
    view::{Dockerfile, JsonFile, NixFile, Script, SettingsFile, YamlFile},
};
use crate::diagnostic::Position;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth to know. Only `--pedantic` shows it, and it never fails a run.
    Info,
    /// Costs time, or fails on another machine.
    Warning,
    /// Breaks the build or its caching.
    Error,
}

impl Level {
    /// Returns the name in reports and in `splitter.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Returns the level of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|level| level.name() == name)
    }
}

/// Something that slows builds down or breaks them.
#[derive(Debug)]
pub struct Rule {
    /// The name, without the prefix `splitter/`.
    pub name: &'static str,
    /// The level of its findings, unless `splitter.json` says otherwise.
    pub level: Level,
    /// Whether people disagree about it, so that it is off without `--pedantic`.
    pub is_taste: bool,
    /// The reason in one sentence.
    pub why: &'static str,
    /// What to do, in the imperative.
    pub remedy: &'static str,
    /// More about it for its page, as Markdown.
    pub about: &'static str,
    /// What it reads, and how.
    pub checks: &'static [Check],
    /// Files that it finds, and similar ones that it does not find.
    pub examples: &'static [Example],
}

impl Rule {
    /// Returns the id in reports.
    pub fn id(&self) -> String {
        format!("splitter/{}", self.name)
    }
}

/// How a rule reads one kind of file.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Nix files.
    Nix(fn(&NixFile<'_>, &mut Found<'_>)),
    /// `flake.lock`.
    Lock(fn(&JsonFile<'_>, &mut Found<'_>)),
    /// Workflows, pipelines and composite actions of CI systems.
    Yaml(fn(&YamlFile<'_>, &mut Found<'_>)),
    /// Dockerfiles.
    Dockerfile(fn(&Dockerfile<'_>, &mut Found<'_>)),
    /// `nix.conf`.
    Settings(fn(&SettingsFile<'_>, &mut Found<'_>)),
    /// `.envrc`, justfile, Makefile.
    Script(fn(&Script<'_>, &mut Found<'_>)),
    /// `package.json`.
    Manifest(fn(&JsonFile<'_>, &mut Found<'_>)),
}

/// A small repository with or without the fault of a rule. Tests check each, and the rule's page shows the first of both sorts.
#[derive(Debug)]
pub struct Example {
    /// How many findings the rule has in it.
    pub findings: usize,
    /// Paths and texts. The first is the one that the page shows.
    pub files: &'static [(&'static str, &'static str)],
}

/// A fault in a file.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Its level in this repository.
    pub level: Level,
    /// The file, relative to the repository.
    pub path: String,
    /// The bytes in the file.
    pub range: Range<usize>,
    /// Where it starts.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
    /// What is wrong.
    pub message: String,
    /// What to do here, if it is more exact than the rule's remedy.
    pub remedy: Option<String>,
    /// How `--fix` mends it.
    pub fix: Option<Fix>,
}

/// How to mend a fault without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// The edits, in any order, without overlap.
    pub edits: Vec<Edit>,
}

/// A replacement of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub range: Range<usize>,
    /// The new text.
    pub text: String,
}
