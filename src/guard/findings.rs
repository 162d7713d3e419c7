//! Findings of a check as reports need them: a rule, a place, a message, a remedy.

use super::{staged::Staged, verdict::Verdict};
use crate::{
    diagnostic::{Diagnose, Position},
    scaffold::{
        compare::{Change, Differences, FileChange},
        record::{FORMAT_VERSION, GENERATOR, PATH},
        templates,
    },
    shell,
};

/// The rule for errors of the check itself.
pub const ERROR: &str = "error";

/// All rules, each with the statement that must hold.
pub const RULES: [(&str, &str); 8] = [
    ("stale", "splitter.lock.json matches the repository"),
    ("edited", "splitter.lock.json was not edited after splitter wrote it"),
    ("drift", "the lockfile matches the package.json files"),
    ("templates", "the files in nix/splitter are from this version of splitter"),
    ("unstaged", "all changes that the record needs are staged"),
    ("unmerged", "no relevant file has a merge conflict"),
    ("outdated", "splitter.lock.json has the format of this version of splitter"),
    (ERROR, "the repository can be read"),
];

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One of [`RULES`].
    pub rule: &'static str,
    /// The file, relative to the repository.
    pub path: String,
    /// The place in the file, if known.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// Returns the finding for an error of the check itself.
    pub fn of_error(error: &dyn Diagnose) -> Self {
        let location = error.location();
        Self {
            rule: ERROR,
            path: location.as_ref().map_or_else(|| PATH.to_owned(), |at| at.path.to_string()),
            position: location.and_then(|location| location.position),
            message: error.to_string(),
            remedy: error.hints().join("; "),
        }
    }

    fn new(rule: &'static str, path: &str, message: String, remedy: &str) -> Self {
        Self { rule, path: path.to_owned(), position: None, message, remedy: remedy.to_owned() }
    }
}

/// Returns all findings.
pub fn of(staged: &Staged) -> Vec<Finding> {
    match staged {
        Staged::Untouched | Staged::Unused | Staged::Older => Vec::new(),
        Staged::Unmerged(paths) => {
            let finding = |path: &String| {
                Finding::new("unmerged", path, "has an unresolved merge conflict".to_owned(), unmerged_remedy(path))
            };
            paths.iter().map(finding).collect()
        }
        Staged::NoRecord => {
            vec![Finding::new("unstaged", PATH, NOT_STAGED.to_owned(), &format!("run `git add {PATH}`"))]
        }
        Staged::Checked(verdict) => of_verdict(verdict),
    }
}

/// Returns how to resolve a merge conflict in a file.
pub fn unmerged_remedy(path: &str) -> &'static str {
    if path == PATH {
        "resolve the lockfile, run `splitter update-hash`, then `git add` both files"
    } else {
        "resolve it, run the install of the package manager, then `git add` it"
    }
}

/// Returns the findings of a checked tree.
pub fn of_verdict(verdict: &Verdict) -> Vec<Finding> {
    let remedy = remedy(verdict);
    if verdict.is_only_unstaged() {
        let beside = verdict.beside.iter().flat_map(|beside| &beside.unstaged);
        let message = || "differs from the working tree, which is up to date".to_owned();
        return beside.map(|path| Finding::new("unstaged", path, message(), &remedy)).collect();
    }
    let differences = &verdict.differences;
    let mut findings = Vec::new();
    if let Some(format) = differences.older_format {
        findings.push(Finding::new("outdated", PATH, older_words(format), &remedy));
    }
    if differences.is_stale() {
        let parts = summary(differences);
        findings.push(Finding::new("stale", PATH, format!("does not match the repository: {parts}"), &remedy));
    }
    if differences.edited {
        findings.push(Finding::new("edited", PATH, EDITED.to_owned(), &remedy));
    }
    for drift in &differences.drift {
        findings.push(Finding::new("drift", drift.file(verdict.lockfile), drift.to_string(), &remedy));
    }
    for file in &differences.templates {
        let message = template_words(verdict, file).to_owned();
        findings.push(Finding::new("templates", file.path.as_str(), message, &remedy));
    }
    findings
}

/// The message for a record that was edited.
pub const EDITED: &str = "was edited after splitter wrote it";

/// The message for a record that is not staged.
pub const NOT_STAGED: &str = "is not staged, but other files in nix/splitter are";

/// Returns the message for a record of an older splitter.
pub fn older_words(format: u64) -> String {
    format!("was written by an older splitter (format {format}; this version writes format {FORMAT_VERSION})")
}

/// Returns the message for a generated file.
pub fn template_words(verdict: &Verdict, file: &FileChange) -> &'static str {
    match file.change {
        Change::Removed => "is missing",
        Change::Added => "is left over from another version of splitter",
        Change::Changed if verdict.generator == GENERATOR => "was edited, or is from another version of splitter",
        Change::Changed => "is from another version of splitter, or was edited",
    }
}

/// Joins the first differences: `~ react 19.0.0 -> 19.1.0, ~ bun.lock`.
fn summary(differences: &Differences) -> String {
    const SHOWN: usize = 6;
    let packages = differences.packages.iter().map(ToString::to_string);
    let files = differences.files.iter().map(ToString::to_string);
    let all: Vec<String> = packages.chain(files).chain(differences.settings.iter().cloned()).collect();
    let more = if all.len() > SHOWN { format!(", and {} more", all.len() - SHOWN) } else { String::new() };
    format!("{}{more}", all[..all.len().min(SHOWN)].join(", "))
}

/// Returns the commands to run, in order.
pub fn commands(verdict: &Verdict) -> Vec<String> {
    // If the working tree is up to date, only `git add` is left to run.
    let work_tree = verdict.beside.as_ref().and_then(|beside| beside.work_tree.as_ref());
    let differences = work_tree.unwrap_or(&verdict.differences);
    let mut commands = Vec::new();
    let mut written: Vec<String> = Vec::new();
    if !differences.drift.is_empty() {
        commands.push(verdict.install.clone());
        written.push(verdict.lockfile.to_owned());
    }
    let is_rewritten = differences.older_format.is_some() || !differences.templates.is_empty();
    if is_rewritten {
        commands.push("splitter init".to_owned());
        written.push(templates::FOLDER.to_owned());
    }
    if !differences.drift.is_empty() || differences.edited || (differences.is_stale() && !is_rewritten) {
        commands.push("splitter update-hash".to_owned());
        written.push(PATH.to_owned());
    }
    if let Some(beside) = &verdict.beside {
        written.extend(beside.unstaged.iter().cloned());
        written.sort();
        written.dedup();
        if written.iter().any(|path| path == templates::FOLDER) {
            written.retain(|path| path == templates::FOLDER || !path.starts_with(templates::FOLDER));
        }
        let quoted: Vec<String> = written.iter().map(|path| shell::word(path)).collect();
        if !quoted.is_empty() {
            commands.push(format!("git add {}", quoted.join(" ")));
        }
    }
    commands
}

fn remedy(verdict: &Verdict) -> String {
    let commands: Vec<String> = commands(verdict).iter().map(|command| format!("`{command}`")).collect();
    format!("run {}", commands.join(", then "))
}
