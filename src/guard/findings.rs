//! What a check found, one thing each, as tools of others want it: a rule, a place, words, what to do.

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

/// The rule of what could not be checked at all.
pub const ERROR: &str = "error";

/// Every rule, and what it says.
pub const RULES: [(&str, &str); 8] = [
    ("stale", "the recorded dependencies and workspaces are those of the repository"),
    ("edited", "splitter.lock.json is as splitter wrote it"),
    ("drift", "the manifests and the lockfile agree"),
    ("templates", "the files of nix/splitter are those of this version of splitter"),
    ("unstaged", "what is staged is as right as the work tree"),
    ("unmerged", "no file that matters has a merge conflict"),
    ("outdated", "splitter.lock.json has the format of this version of splitter"),
    (ERROR, "the repository can be read"),
];

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One of [`RULES`].
    pub rule: &'static str,
    /// The file, relative to the repository.
    pub path: String,
    /// The place in it, where one is known.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// Why nothing could be checked.
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

/// All that was found; nothing where all is right.
pub fn of(staged: &Staged) -> Vec<Finding> {
    match staged {
        Staged::Untouched | Staged::Unused | Staged::Older => Vec::new(),
        Staged::Unmerged(paths) => {
            let finding = |path: &String| {
                Finding::new("unmerged", path, "a merge conflict is not resolved".to_owned(), unmerged_remedy(path))
            };
            paths.iter().map(finding).collect()
        }
        Staged::NoRecord => {
            let message = format!("{PATH} is not staged, though the files beside it are");
            vec![Finding::new("unstaged", PATH, message, &format!("run `git add {PATH}`"))]
        }
        Staged::Checked(verdict) => of_verdict(verdict),
    }
}

/// What resolves a conflict in a file.
pub fn unmerged_remedy(path: &str) -> &'static str {
    if path == PATH {
        "resolve the lockfile, then run `splitter update-hash` and `git add` both"
    } else {
        "resolve it, run the package manager's install, then `git add` it"
    }
}

fn of_verdict(verdict: &Verdict) -> Vec<Finding> {
    let remedy = remedy(verdict);
    if verdict.is_only_unstaged() {
        let beside = verdict.beside.iter().flat_map(|beside| &beside.unstaged);
        let message = || "the work tree is right, but this file is not staged as it is there".to_owned();
        return beside.map(|path| Finding::new("unstaged", path, message(), &remedy)).collect();
    }
    let differences = &verdict.differences;
    let mut findings = Vec::new();
    if let Some(format) = differences.older_format {
        findings.push(Finding::new("outdated", PATH, older_words(format), &remedy));
    }
    if differences.is_stale() {
        let parts = summary(differences);
        findings.push(Finding::new("stale", PATH, format!("does not fit the repository: {parts}"), &remedy));
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

/// What is said of a record that someone edited.
pub const EDITED: &str = "was edited: it is not as splitter wrote it";

/// What is said of a record that an older splitter wrote.
pub fn older_words(format: u64) -> String {
    format!("was written by an older splitter (format {format}, this one writes {FORMAT_VERSION})")
}

/// What is said of a static file.
pub fn template_words(verdict: &Verdict, file: &FileChange) -> &'static str {
    match file.change {
        Change::Removed => "is missing",
        Change::Added => "was left by another version of splitter",
        Change::Changed if verdict.generator == GENERATOR => "was edited, or written by another version of splitter",
        Change::Changed => "was written by another version of splitter, or edited",
    }
}

/// `~ react 19.0.0 -> 19.1.0, ~ bun.lock`, the first few.
fn summary(differences: &Differences) -> String {
    const SHOWN: usize = 6;
    let packages = differences.packages.iter().map(ToString::to_string);
    let files = differences.files.iter().map(ToString::to_string);
    let all: Vec<String> = packages.chain(files).chain(differences.settings.iter().cloned()).collect();
    let more = if all.len() > SHOWN { format!(", and {} more", all.len() - SHOWN) } else { String::new() };
    format!("{}{more}", all[..all.len().min(SHOWN)].join(", "))
}

/// What to run, in the order in which it helps.
pub fn commands(verdict: &Verdict) -> Vec<String> {
    // Where the work tree is right already, there is nothing to run but `git add`.
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
