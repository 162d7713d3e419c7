//! `--fix`: writes the lines that mend a failed build, and updates the record.

use std::{collections::BTreeSet, process::Command};

use super::{BuildError, FailedBuild, Report, Run};
use crate::{
    cli::{
        arguments::FetchingOptions,
        failure::Failure,
        fetching::bring_up_to_date,
        init::untracked_files,
        interrupt,
        printer::{GOOD, Printer},
        repository::previous,
        text::escape,
    },
    ending::output,
    names::SETTINGS,
    repo::{RepoPath, read_text},
    scaffold::{files::Files, record, settings_edit, update::Extent},
    split::{Choices, Split, mending::Mending},
};

/// A change of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// What was changed: a line of `splitter.json`, or `git add`.
    pub(super) line: String,
    /// Why.
    pub(super) reason: String,
}

/// All changes of this run.
#[derive(Debug, Default)]
pub(super) struct Fixes {
    pub(super) changes: Vec<Change>,
    written: BTreeSet<Mending>,
    tracked: BTreeSet<String>,
}

impl Fixes {
    /// Mends what can be mended, and returns whether something changed.
    pub(super) fn mend(&mut self, run: &Run<'_>, report: &Report) -> Result<bool, Failure> {
        let (mendings, track) = self.wanted(&report.failed, run.printer);
        if mendings.is_empty() && track.is_empty() {
            return Ok(false);
        }
        if !track.is_empty() {
            self.add_to_git(run, &track)?;
        }
        if !mendings.is_empty() {
            let path = RepoPath::root().child(SETTINGS);
            let old = read_text(&run.tree, &path)?;
            let text = settings_edit::with(old.as_deref(), &mendings)?;
            if old.as_deref() == Some(text.as_str()) {
                return Ok(!track.is_empty());
            }
            let mut files = Files::default();
            files.put(path, text);
            interrupt::uninterrupted(|| files.write(run.tree.root()))?;
            self.update_record(run)?;
            let files = untracked_files(run.tree.root());
            if !files.is_empty() {
                self.track(run, &files)?;
            }
        }
        Ok(true)
    }

    /// Collects the lines that no earlier round wrote, and shows each with its reason.
    fn wanted(&mut self, failed: &[FailedBuild], printer: Printer) -> (Vec<Mending>, Vec<String>) {
        let (mut mendings, mut track) = (Vec::new(), Vec::new());
        for cause in failed.iter().flat_map(|build| &build.causes) {
            for mending in &cause.mendings {
                if self.written.insert(mending.clone()) {
                    self.note(mending.line(), cause.says.clone(), printer);
                    mendings.push(mending.clone());
                }
            }
            for path in &cause.track {
                if self.tracked.insert(path.to_string()) {
                    self.note(format!("git add --intent-to-add {path}"), cause.says.clone(), printer);
                    track.push(path.to_string());
                }
            }
        }
        (mendings, track)
    }

    fn note(&mut self, line: String, reason: String, printer: Printer) {
        printer.note(format_args!("{GOOD}+ {}{GOOD:#}", escape(&line)));
        printer.note(format_args!("    {}", escape(&reason)));
        self.changes.push(Change { line, reason });
    }

    /// Updates the record as `update-hash` does.
    pub(super) fn update_record(&mut self, run: &Run<'_>) -> Result<(), Failure> {
        let split = Split::read(&run.tree, &Choices::default())?;
        let old = previous(&run.tree, run.printer)?;
        let options = FetchingOptions { offline: false, jobs: crate::fetch::DEFAULT_JOBS };
        let update =
            bring_up_to_date(&run.tree, &split, old.as_ref(), &options, &Extent::WhatChanged, run.printer)?;
        let mut files = Files::default();
        files.put(record::path(), update.record.render());
        interrupt::uninterrupted(|| files.write(run.tree.root()))?;
        Ok(())
    }

    /// Makes git track files that splitter wrote.
    pub(super) fn track(&mut self, run: &Run<'_>, files: &[String]) -> Result<(), Failure> {
        let reason = "Nix sees only files that git tracks".to_owned();
        self.note(format!("git add --intent-to-add {}", files.join(" ")), reason, run.printer);
        self.add_to_git(run, files)
    }

    fn add_to_git(&self, run: &Run<'_>, files: &[String]) -> Result<(), Failure> {
        let mut git = Command::new("git");
        git.arg("-C").arg(run.tree.root()).args(["add", "--intent-to-add", "--"]).args(files);
        let fail = |reason: String| BuildError::Track { files: files.to_vec(), reason };
        let output = output(&mut git).map_err(|error| fail(error.to_string()))?;
        if !output.status.success() {
            return Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into());
        }
        Ok(())
    }
}
