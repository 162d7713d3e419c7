//! What happens while Nix builds: its events, gathered to builds with their logs and to downloads.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use super::{
    names::Names,
    transfers::{Transfers, is_cache},
};
use crate::{
    diagnosis::Collector,
    nix::command::log::{Activity, Event, announced, name_of, plain},
    split::plan::Id,
};

/// The number of last lines of a build to keep.
const LINES_KEPT: usize = 200;
/// The length of a line to keep.
const LINE_KEPT: usize = 2000;

/// A build that runs or has run.
#[derive(Debug)]
pub(super) struct Build {
    /// The path of the derivation.
    pub(super) derivation: String,
    /// The derivation, if it is one of splitter's.
    pub(super) id: Option<Id>,
    /// Its name to show.
    pub(super) name: String,
    /// The other machine that builds it. Empty for this one.
    pub(super) machine: String,
    pub(super) phase: String,
    pub(super) started: Instant,
    /// The time that it took, once it has ended.
    pub(super) took: Option<Duration>,
    pub(super) failed: bool,
    /// Whether Nix counted it neither as done nor as failed when it ended.
    pub(super) stopped: bool,
    /// The last lines of its log.
    pub(super) log: VecDeque<String>,
    pub(super) hits: Collector,
}

/// A change of what happens.
#[derive(Debug)]
pub(super) enum Step<'a> {
    Started(&'a Build),
    Ended(&'a Build),
    Line(&'a Build, &'a str),
    /// A message of Nix: a warning or an error.
    Message(&'a str),
    /// Something else, such as a download.
    Other,
}

/// Everything that has happened.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) names: Names,
    pub(super) running: BTreeMap<u64, Build>,
    pub(super) ended: Vec<Build>,
    /// The derivations that Nix announced to build, and that have not begun.
    pub(super) planned: BTreeSet<String>,
    /// The caches that store paths came from, with these.
    pub(super) fetched: BTreeMap<String, BTreeSet<String>>,
    /// Downloads and copies.
    pub(super) transfers: Transfers,
    /// Errors of Nix.
    pub(super) errors: Vec<String>,
    /// The activity of all builds, and the number of builds that it counts as failed.
    all: Option<u64>,
    failed: u64,
    failures: u64,
    /// The number of builds that it counts as done, and those that were seen to end so.
    done: u64,
    successes: u64,
}

impl Course {
    pub(super) fn new(names: Names) -> Self {
        Self { names, ..Self::default() }
    }

    /// Takes an event, and passes what it means to `show`.
    pub(super) fn take(&mut self, event: Event, show: &mut dyn FnMut(&Self, Step<'_>)) {
        match event {
            Event::Start { id, parent, activity } => {
                self.transfers.start(id, parent, &activity);
                self.start(id, activity, show);
            }
            Event::Stop { id } => self.stop(id, show),
            Event::Line { id, text } => self.line(id, &text, show),
            Event::Phase { id, name } => {
                if let Some(build) = self.running.get_mut(&id) {
                    build.phase = name;
                }
            }
            Event::Progress { id, done, expected, failed } => {
                if self.all == Some(id) {
                    (self.done, self.failed) = (done, failed);
                } else {
                    self.transfers.progress(id, done, expected);
                }
            }
            Event::Message { level, text } => self.message(level, &text, show),
        }
    }

    fn start(&mut self, id: u64, activity: Activity, show: &mut dyn FnMut(&Self, Step<'_>)) {
        match activity {
            Activity::Builds => self.all = Some(id),
            Activity::Build { derivation, machine } => {
                self.planned.remove(&derivation);
                let known = self.names.id(&derivation);
                let name = known.as_ref().map_or_else(|| name_of(&derivation).to_owned(), ToString::to_string);
                let build = Build {
                    id: known,
                    derivation,
                    name,
                    machine,
                    phase: String::new(),
                    started: Instant::now(),
                    took: None,
                    failed: false,
                    stopped: false,
                    log: VecDeque::new(),
                    hits: Collector::default(),
                };
                self.running.insert(id, build);
                if let Some(build) = self.running.get(&id) {
                    show(self, Step::Started(build));
                }
            }
            Activity::Substitute { path, from } | Activity::Copy { path, from } => {
                // A cache is asked by `Substitute`, and the copy out of it is reported as well.
                if is_cache(&from) {
                    self.fetched.entry(from).or_default().insert(path);
                }
                show(self, Step::Other);
            }
            Activity::Download { .. } | Activity::Waiting => show(self, Step::Other),
        }
    }

    fn stop(&mut self, id: u64, show: &mut dyn FnMut(&Self, Step<'_>)) {
        self.transfers.stop(id);
        let Some(mut build) = self.running.remove(&id) else { return };
        build.took = Some(build.started.elapsed());
        // Nix counts a build right before it ends. If it counts neither, it was told to stop.
        build.failed = self.failed > self.failures;
        self.failures += u64::from(build.failed);
        build.stopped = !build.failed && self.done <= self.successes;
        self.successes += u64::from(!build.failed && !build.stopped);
        self.ended.push(build);
        if let Some(build) = self.ended.last() {
            show(self, Step::Ended(build));
        }
    }

    fn line(&mut self, id: u64, text: &str, show: &mut dyn FnMut(&Self, Step<'_>)) {
        let Some(build) = self.running.get_mut(&id) else { return };
        build.hits.add(text);
        if build.log.len() == LINES_KEPT {
            build.log.pop_front();
        }
        build.log.push_back(plain(text).chars().take(LINE_KEPT).collect());
        if let Some(build) = self.running.get(&id) {
            show(self, Step::Line(build, text));
        }
    }

    fn message(&mut self, level: u64, text: &str, show: &mut dyn FnMut(&Self, Step<'_>)) {
        for line in text.lines() {
            if let Some(derivation) = announced(line) {
                self.planned.insert(derivation.to_owned());
            }
        }
        let text = plain(text);
        if level == 0 {
            self.errors.push(text.clone());
        }
        if level <= 1 {
            show(self, Step::Message(&text));
        }
    }

    /// Decides what failed, when all is over: the builds that Nix's errors name, and those that were stopped in a run without
    /// success.
    pub(super) fn settle(&mut self, is_success: bool) {
        for build in &mut self.ended {
            build.failed |= self.errors.iter().any(|error| is_about(error, &build.derivation));
            build.failed |= build.stopped && !is_success;
        }
        for (_, mut build) in std::mem::take(&mut self.running) {
            build.failed = true;
            self.ended.push(build);
        }
    }

    /// Returns the build of a derivation.
    pub(super) fn build_of(&self, derivation: &str) -> Option<&Build> {
        self.ended.iter().find(|build| build.derivation == derivation)
    }

    /// Returns what Nix says of a failed build. An exit code alone says less than the log, and is left out: only Nix knows of a
    /// missing output, another hash, a signal or a full disk.
    pub(super) fn said_of(&self, derivation: &str) -> Vec<String> {
        let is_news = |error: &&String| is_about(error, derivation) && !error.contains("with exit code");
        let lines = self.errors.iter().filter(is_news).flat_map(|error| {
            error.lines().map(str::trim).take_while(|line| !is_log(line)).filter(|line| !line.is_empty())
        });
        lines.map(|line| line.trim_start_matches("error: ").to_owned()).collect()
    }

    /// Returns the cache that a store path came from.
    pub(super) fn source_of(&self, path: &str) -> Option<&str> {
        self.fetched.iter().find(|(_, paths)| paths.contains(path)).map(|(from, _)| from.as_str())
    }
}

/// Whether an error says that this derivation itself failed, and not one that it needs.
fn is_about(error: &str, derivation: &str) -> bool {
    let first = error.lines().next().unwrap_or_default();
    first.contains(derivation) && !error.contains("dependenc") && !error.contains("dependency failed")
}

/// Whether the rest of an error repeats the log.
fn is_log(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.starts_with("last ") && line.contains("log lines") || line.starts_with("for full logs")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nix::command::log::parse;

    /// The real log of three derivations, of which one fails, with a library and a path from a cache.
    const LOG: &str = include_str!("../../../tests/nix-log/three.txt");

    #[test]
    fn the_log_of_a_real_nix_is_followed() {
        let mut course = Course::default();
        let mut steps = Vec::new();
        let mut open = 0;
        for event in LOG.lines().filter_map(parse) {
            course.take(event, &mut |course, step| {
                open = open.max(course.planned.len());
                match step {
                    Step::Started(build) => steps.push(format!("{} starts", build.name)),
                    Step::Ended(build) if build.failed => steps.push(format!("{} failed", build.name)),
                    Step::Ended(build) => steps.push(format!("{} ends", build.name)),
                    Step::Line(build, line) => steps.push(format!("{}> {}", build.name, plain(line))),
                    Step::Message(_) | Step::Other => {}
                }
            });
        }
        course.settle(false);
        let expected = [
            "library-ui-0.1.0 starts",
            "library-ui-0.1.0> building",
            "library-ui-0.1.0 ends",
            "docs-2 starts",
            "docs-2 ends",
            "web-1.0.0 starts",
            "web-1.0.0> ui",
            "web-1.0.0> error: Could not resolve: \"@acme/theme\"",
            "web-1.0.0 failed",
        ];
        assert_eq!((steps, open), (expected.map(str::to_owned).to_vec(), 4));
        let failed: Vec<&Build> = course.ended.iter().filter(|build| build.failed).collect();
        assert_eq!(failed.iter().map(|build| build.name.as_str()).collect::<Vec<_>>(), ["web-1.0.0"]);
        assert_eq!(failed[0].hits.hits().iter().map(|hit| hit.id).collect::<Vec<_>>(), ["module"]);
        assert_eq!(course.source_of("/nix/store/1851yc5n27pwiwd4kmfs3r2kzmwbhm80-cached-1"), Some("file:///srv/cache"));
        assert!(course.errors[0].contains("builder failed with exit code 3"), "{:?}", course.errors);
        // It needs a build that failed, and did not fail itself.
        assert!(course.build_of("/nix/store/39fxzmrv5sh1xgzzbfwl85v7dqvsi75y-api-1.0.0.drv").is_none());
    }

    #[test]
    fn what_only_nix_knows_of_a_failure_is_kept() {
        let said = |error: &str| Course { errors: vec![error.to_owned()], ..Course::default() }.said_of("/s/a.drv");
        let error = "error: builder for '/s/a.drv' failed to produce output path for output 'out' at '/s/a'";
        assert_eq!(said(error), ["builder for '/s/a.drv' failed to produce output path for output 'out' at '/s/a'"]);
        let error =
            "error: hash mismatch in fixed-output derivation '/s/a.drv':\n  specified: sha256-A\n     got: sha256-B";
        assert_eq!(said(error).len(), 3);
        let error = "error: builder for '/s/a.drv' failed due to signal 9 (Killed);\n  last 1 log lines:\n  > x\n";
        assert_eq!(said(error), ["builder for '/s/a.drv' failed due to signal 9 (Killed);"]);
        assert_eq!(said("error: builder for '/s/a.drv' failed with exit code 1;\n  last 1 log lines:\n  > x"), [""; 0]);
        assert_eq!(said("error: 1 dependencies of derivation '/s/a.drv' failed to build"), [""; 0]);
    }

    proptest! {
        #[test]
        fn lines_that_are_cut_or_mixed_do_no_harm(order in prop::collection::vec((0..129_usize, 0..200_usize), 0..60)) {
            let lines: Vec<&str> = LOG.lines().collect();
            let mut course = Course::default();
            for (line, length) in order {
                let text: String = lines[line % lines.len()].chars().take(if length > 150 { 9999 } else { length }).collect();
                if let Some(event) = parse(&text) {
                    course.take(event, &mut |_, _| {});
                }
            }
            course.settle(true);
        }
    }
}
