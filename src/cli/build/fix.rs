//! `--fix`: writes the lines that mend a failed build, and updates the record.

use std::{collections::BTreeSet, process::Command, sync::LazyLock};

use regex::Regex;

use super::{BuildError, FailedBuild, Report, Run, failure};
use crate::{
    cli::{
        arguments::FetchingOptions,
        failure::Failure,
        fetching::bring_up_to_date,
        init::untracked_files,
        interrupt,
        printer::Printer,
        repository::previous,
        style::{GOOD, ODD},
        text::escape,
    },
    diagnosis::causes::SCRIPTS,
    ending::output,
    names::SETTINGS,
    repo::{Asks, RepoPath, Snapshot, read_text},
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

/// A line of `splitter.json` that this run added.
#[derive(Debug, Clone)]
struct Added {
    mending: Mending,
    /// The build that failed.
    build: String,
    /// The line of its log that led to this one. Empty if a trace did.
    evidence: String,
    /// The lines of its log, without what differs between two runs.
    log: BTreeSet<String>,
}

impl Added {
    /// Whether a build fails after it as it did before. A line that helps must stay, so doubts speak for it.
    fn is_useless(&self, failed: &[FailedBuild], known: &BTreeSet<Mending>) -> bool {
        failed.iter().filter(|build| build.name == self.build).any(|build| {
            if self.evidence.is_empty() { self.has_same_log(build) } else { self.has_same_evidence(build, known) }
        })
    }

    /// Whether each line of the log before is in that of now.
    fn has_same_log(&self, build: &FailedBuild) -> bool {
        !self.log.is_empty() && self.log.is_subset(&stable(&build.log))
    }

    /// Whether the line of the log that led to this one is still there, and nothing more is to be tried because of it.
    fn has_same_evidence(&self, build: &FailedBuild, known: &BTreeSet<Mending>) -> bool {
        let same = || build.causes.iter().filter(|cause| cause.line == self.evidence);
        // Another line for the same evidence is the next step. A script that changed nothing is no step.
        let is_last = || same().flat_map(|cause| &cause.mendings).all(|next| known.contains(next));
        same().next().is_some()
            && (self.mending.setting.is_script() || is_last())
            && (self.mending.setting.names_what_is_missing() || self.has_same_log(build))
    }
}

/// Returns the lines of a log without numbers and hashes of the store: times, processes, and how much a bundler had read when it
/// failed.
fn stable(log: &[String]) -> BTreeSet<String> {
    static VARYING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"/nix/store/[a-z0-9]{32}|\b[0-9][0-9.,:]*( ?(ns|µs|ms|s|m|min|[kMG]i?B)\b)?").ok()
    });
    let plain = |line: &String| match &*VARYING {
        Some(varying) => varying.replace_all(line.trim(), "").into_owned(),
        None => line.trim().to_owned(),
    };
    log.iter().map(plain).collect()
}

/// The text of a file, if it exists.
type Before = Option<String>;

/// All changes of this run.
#[derive(Debug, Default)]
pub(super) struct Fixes {
    pub(super) changes: Vec<Change>,
    /// The text of `splitter.json` before the first change.
    before: Option<Before>,
    added: Vec<Added>,
    /// Everything that was ever added: no line is added twice.
    known: BTreeSet<Mending>,
    tracked: BTreeSet<String>,
}

impl Fixes {
    /// Mends what can be mended, and returns whether there is something new to build. A line that did not help is taken back.
    pub(super) fn mend(&mut self, run: &Run<'_>, report: &mut Report) -> Result<bool, Failure> {
        let mut was_useless = self.take_back(&report.failed, run.printer);
        let (mut is_more, mut track) = self.add(&report.failed, run.printer);
        if !is_more && track.is_empty() {
            if std::mem::take(&mut was_useless) {
                // A trace reads the repository.
                self.write(run)?;
            }
            failure::add_traced(run, run.recorded_state()?, &mut report.failed);
            (is_more, track) = self.add(&report.failed, run.printer);
        }
        if !track.is_empty() {
            add_to_git(run, &track)?;
        }
        if was_useless || is_more {
            self.write(run)?;
        }
        Ok(is_more || !track.is_empty())
    }

    /// Forgets the lines whose reason is still there, and returns whether there are any.
    fn take_back(&mut self, failed: &[FailedBuild], printer: Printer) -> bool {
        let known = &self.known;
        let (useless, useful): (Vec<Added>, Vec<Added>) =
            std::mem::take(&mut self.added).into_iter().partition(|added| added.is_useless(failed, known));
        self.added = useful;
        for Added { mending, .. } in &useless {
            let line = mending.line();
            self.changes.retain(|change| change.line != line);
            printer.note(format_args!("{ODD}- {}{ODD:#}", escape(&line)));
            printer.note("    it did not help");
        }
        !useless.is_empty()
    }

    /// Adds the lines that no earlier round added, and shows each with its reason. Returns whether there are any, and the files
    /// that git must track.
    fn add(&mut self, failed: &[FailedBuild], printer: Printer) -> (bool, Vec<String>) {
        let (mut is_more, mut track) = (false, Vec::new());
        // Of scripts that may help, one workspace's at a time: the nearest come first.
        let mut scripted = BTreeSet::new();
        for (build, cause) in failed.iter().flat_map(|build| build.causes.iter().map(move |cause| (build, cause))) {
            let is_next = cause.mendings.iter().any(|mending| !self.known.contains(mending));
            if cause.id == SCRIPTS && is_next && !scripted.insert(build.name.as_str()) {
                continue;
            }
            for mending in &cause.mendings {
                if self.known.insert(mending.clone()) {
                    self.note(mending.line(), cause.says.clone(), printer);
                    self.added.push(Added {
                        mending: mending.clone(),
                        build: build.name.clone(),
                        evidence: cause.line.clone(),
                        log: stable(&build.log),
                    });
                    is_more = true;
                }
            }
            for path in &cause.track {
                if self.tracked.insert(path.to_string()) {
                    self.note(format!("git add --intent-to-add {path}"), cause.says.clone(), printer);
                    track.push(path.to_string());
                }
            }
        }
        (is_more, track)
    }

    fn note(&mut self, line: String, reason: String, printer: Printer) {
        printer.note(format_args!("{GOOD}+ {}{GOOD:#}", escape(&line)));
        printer.note(format_args!("    {}", escape(&reason)));
        self.changes.push(Change { line, reason });
    }

    /// Writes `splitter.json` as it was before, with the added lines, and updates the record.
    fn write(&mut self, run: &Run<'_>) -> Result<(), Failure> {
        let path = RepoPath::root().child(SETTINGS);
        let before = match &self.before {
            Some(before) => before.clone(),
            None => self.before.insert(read_text(&run.tree, &path)?).clone(),
        };
        let mendings: Vec<Mending> = self.added.iter().map(|added| added.mending.clone()).collect();
        let text = match before {
            _ if !mendings.is_empty() => Some(settings_edit::with(before.as_deref(), &mendings)?),
            before => before,
        };
        let mut files = Files::default();
        if let Some(text) = text {
            files.put(path, text);
        } else {
            files.remove(path);
            self.forget(run)?;
        }
        interrupt::uninterrupted(|| files.write(run.tree.root()))?;
        update_record(run)?;
        let files = untracked_files(run.tree.root());
        if files.is_empty() { Ok(()) } else { self.track(run, &files) }
    }

    /// Makes git forget the `splitter.json` that this run made it track, because the file goes again.
    fn forget(&mut self, run: &Run<'_>) -> Result<(), Failure> {
        self.changes.retain(|change| !change.line.ends_with(SETTINGS));
        git(run, &["rm", "--cached", "--quiet", "--ignore-unmatch"], &[SETTINGS.to_owned()])
    }

    /// Makes git track files that splitter wrote.
    pub(super) fn track(&mut self, run: &Run<'_>, files: &[String]) -> Result<(), Failure> {
        let reason = "Nix sees only files that git tracks".to_owned();
        self.note(format!("git add --intent-to-add {}", files.join(" ")), reason, run.printer);
        add_to_git(run, files)
    }
}

fn add_to_git(run: &Run<'_>, files: &[String]) -> Result<(), Failure> {
    git(run, &["add", "--intent-to-add"], files)
}

fn git(run: &Run<'_>, verb: &[&str], files: &[String]) -> Result<(), Failure> {
    let mut git = Command::new("git");
    git.arg("-C").arg(run.tree.root()).args(verb).arg("--").args(files);
    let fail = |reason: String| BuildError::Git { command: format!("{} {}", verb.join(" "), files.join(" ")), reason };
    let output = output(&mut git).map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into());
    }
    Ok(())
}

/// Updates the record as `update-hash` does.
pub(super) fn update_record(run: &Run<'_>) -> Result<(), Failure> {
    let split = Split::read(&Snapshot::new(run.tree.clone(), Asks::Whole), &Choices::default())?;
    let old = previous(&run.tree, run.printer)?;
    let options = FetchingOptions { offline: false, jobs: crate::fetch::DEFAULT_JOBS };
    let update = bring_up_to_date(&run.tree, &split, old.as_ref(), &options, &Extent::WhatChanged, run.printer)?;
    let mut files = Files::default();
    files.put(record::path(), update.record.render());
    interrupt::uninterrupted(|| files.write(run.tree.root()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnosis::Cause, split::mending::Setting};

    const CAFILE: &str = "error Could not open cafile: ENOENT: no such file or directory, open 'certs/ca.crt'";

    fn build(log: &[&str], evidence: &str, mendings: &[Mending]) -> FailedBuild {
        let cause = Cause {
            id: SCRIPTS,
            says: String::new(),
            line: evidence.to_owned(),
            hint: String::new(),
            page: "",
            mendings: mendings.to_vec(),
            track: Vec::new(),
        };
        FailedBuild {
            name: "web".to_owned(),
            id: None,
            workspace: None,
            derivation: String::new(),
            log: log.iter().map(|line| (*line).to_owned()).collect(),
            said: Vec::new(),
            own: Vec::new(),
            causes: vec![cause],
        }
    }

    fn mending(setting: Setting) -> Mending {
        Mending { workspace: "apps/web".parse().unwrap(), setting }
    }

    fn is_useless(mending: &Mending, before: &[&str], after: &FailedBuild) -> bool {
        let log: Vec<String> = before.iter().map(|line| (*line).to_owned()).collect();
        let evidence = CAFILE.to_owned();
        let added = Added { mending: mending.clone(), build: "web".to_owned(), evidence, log: stable(&log) };
        added.is_useless(std::slice::from_ref(after), &BTreeSet::from([mending.clone()]))
    }

    #[test]
    fn a_script_is_taken_back_only_if_the_build_fails_as_before() {
        let script = mending(Setting::RootScripts("postinstall".to_owned()));
        let before = [CAFILE, "✓ 42 modules transformed", "Could not resolve \"./gen\"", "✗ Build failed in 1.20s"];
        let further = build(&[CAFILE, "Cannot find file 'babel.config.js'", "✗ Build failed in 1.31s"], CAFILE, &[]);
        assert!(!is_useless(&script, &before, &further));
        // The script adds lines of its own.
        let log = [
            "generated 3 files",
            CAFILE,
            "✓ 37 modules transformed",
            "Could not resolve \"./gen\"",
            "✗ Build failed in 804ms",
        ];
        assert!(is_useless(&script, &before, &build(&log, CAFILE, &[])));
        assert!(!is_useless(&script, &before, &build(&log, "another line", &[])));
        // Scripts are tried one after the other, and those that changed nothing go.
        let next = mending(Setting::OwnScripts("prepare".to_owned()));
        assert!(is_useless(&script, &before, &build(&log, CAFILE, std::slice::from_ref(&next))));
        // Another line for the same evidence is worth a try together with this one.
        let copies = mending(Setting::CopyNodeModules);
        assert!(!is_useless(&copies, &before, &build(&log, CAFILE, &[next])));
    }

    #[test]
    fn scripts_are_tried_one_workspace_at_a_time() {
        let [own, of_root] = ["prepare", "postinstall"].map(|name| mending(Setting::OwnScripts(name.to_owned())));
        let first = build(&[CAFILE], CAFILE, std::slice::from_ref(&own));
        let second = build(&[CAFILE], CAFILE, std::slice::from_ref(&of_root));
        let failed = FailedBuild { causes: [first.causes, second.causes].concat(), ..build(&[CAFILE], CAFILE, &[]) };
        let printer = Printer::new(true);
        let mut fixes = Fixes::default();
        assert!(fixes.add(std::slice::from_ref(&failed), printer).0);
        assert_eq!(fixes.known, BTreeSet::from([own]));
        assert!(fixes.add(std::slice::from_ref(&failed), printer).0);
        assert!(fixes.known.contains(&of_root));
        assert!(!fixes.add(&[failed], printer).0);
    }

    #[test]
    fn a_file_that_a_trace_found_is_taken_back_if_the_build_fails_as_before() {
        let mending = mending(Setting::RootFiles("tsconfig.base.json".to_owned()));
        let added = Added { mending, build: "web".to_owned(), evidence: String::new(), log: stable(&["a".to_owned()]) };
        assert!(added.is_useless(&[build(&["a"], CAFILE, &[])], &BTreeSet::new()));
        assert!(!added.is_useless(&[build(&["b"], CAFILE, &[])], &BTreeSet::new()));
        assert!(!added.is_useless(&[], &BTreeSet::new()));
    }

    #[test]
    fn a_file_that_is_still_missing_is_taken_back() {
        let uses = mending(Setting::Uses("packages/stamp".parse().unwrap()));
        let after = build(&[CAFILE, "a new line"], CAFILE, &[]);
        assert!(is_useless(&uses, &[CAFILE, "another one, which another line mended"], &after));
    }
}
