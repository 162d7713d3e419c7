//! What Nix's log says of a run: which derivations it built, what it fetched, and where the time went.
//!
//! The log has no times. The caller adds the time at which each event arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::nix::command::log::{Activity, Event, name_of};

/// What Nix does at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// It evaluates the flake, which copies the sources to the store.
    Evaluate,
    /// It gets store paths from a cache, or downloads tarballs.
    Fetch,
    /// A package manager installs packages.
    Install,
    /// A library, an app or something else is built.
    Build,
    /// It hashes an output, looks for references in it, and registers it.
    Register,
    /// It does something that the log does not tell.
    Other,
}

impl Work {
    /// All kinds of work, in their usual order.
    pub const ALL: [Self; 6] = [Self::Evaluate, Self::Fetch, Self::Install, Self::Build, Self::Register, Self::Other];

    /// Returns the name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Fetch => "fetch",
            Self::Install => "install",
            Self::Build => "build",
            Self::Register => "register",
            Self::Other => "other",
        }
    }
}

/// One run, measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The time of the whole command, in seconds.
    pub seconds: f64,
    /// Where the time went, in seconds. The sum is the whole time.
    pub work: BTreeMap<Work, f64>,
    /// The names of the derivations that were built, in their order.
    pub built: Vec<String>,
    /// The names of the store paths that came from the cache.
    pub fetched: Vec<String>,
    /// What was downloaded or sent, in bytes.
    pub bytes: u64,
}

/// A build that runs.
#[derive(Debug)]
struct Running {
    name: String,
    work: Work,
    since: f64,
    /// When its builder last printed something.
    heard: f64,
}

/// Follows the log of one run.
#[derive(Debug, Default)]
pub struct Follower {
    builds: HashMap<u64, Running>,
    /// Fetches that run, with their starts.
    fetches: HashMap<u64, f64>,
    /// Work with its start and its end.
    spans: Vec<(f64, f64, Work)>,
    evaluated: Option<f64>,
    built: Vec<String>,
    fetched: BTreeSet<String>,
    /// The last lines of builds.
    lines: VecDeque<String>,
}

/// The number of lines that are kept for the message of a build that fails.
const LINES: usize = 12;
/// The start of the names of the usual builds, which tell their steps as phases.
const UNSPLIT: &str = "unsplit-";

impl Follower {
    /// Takes an event that arrived this many seconds after the start.
    pub fn take(&mut self, at: f64, event: &Event) {
        match event {
            Event::Start { id, activity, .. } => self.start(*id, at, activity),
            Event::Stop { id } => self.stop(*id, at),
            Event::Line { id, text } => {
                if self.lines.len() == LINES {
                    self.lines.pop_front();
                }
                self.lines.push_back(text.clone());
                if let Some(build) = self.builds.get_mut(id) {
                    build.heard = at;
                }
            }
            Event::Phase { id, name } => self.phase(*id, at, name),
            Event::Message { text, .. } => {
                if text.contains("will be built") || text.contains("will be fetched") {
                    self.evaluated.get_or_insert(at);
                }
            }
            Event::Progress { .. } => {}
        }
    }

    fn start(&mut self, id: u64, at: f64, activity: &Activity) {
        match activity {
            Activity::Builds => {
                self.evaluated.get_or_insert(at);
            }
            Activity::Build { derivation, .. } => {
                self.evaluated.get_or_insert(at);
                let name = name_of(derivation).to_owned();
                let work = work_of(&name);
                self.builds.insert(id, Running { name, work, since: at, heard: at });
            }
            Activity::Substitute { path, .. } => {
                self.evaluated.get_or_insert(at);
                self.fetched.insert(path.clone());
                self.fetches.insert(id, at);
            }
            // Nix fetches its inputs before it knows what to build.
            Activity::Copy { .. } | Activity::Download { .. } => {
                if self.evaluated.is_some() {
                    self.fetches.insert(id, at);
                }
            }
            Activity::Waiting => {}
        }
    }

    fn phase(&mut self, id: u64, at: f64, name: &str) {
        let Some(build) = self.builds.get_mut(&id) else { return };
        build.heard = at;
        let next = match name {
            "install" => Work::Install,
            "library" | "build" => Work::Build,
            "register" => Work::Register,
            _ => return,
        };
        if build.name.starts_with(UNSPLIT) {
            self.spans.push((build.since, at, build.work));
            (build.since, build.work) = (at, next);
        }
    }

    fn stop(&mut self, id: u64, at: f64) {
        if let Some(since) = self.fetches.remove(&id) {
            self.spans.push((since, at, Work::Fetch));
        }
        let Some(build) = self.builds.remove(&id) else { return };
        // After its last line the builder ends, and Nix registers the output.
        self.spans.push((build.since, build.heard.max(build.since), build.work));
        self.spans.push((build.heard.max(build.since), at, Work::Register));
        self.built.push(build.name);
    }

    /// Returns the measured run, which ended this many seconds after the start.
    pub fn end(mut self, seconds: f64) -> Sample {
        let open: Vec<u64> = self.builds.keys().chain(self.fetches.keys()).copied().collect();
        for id in open {
            self.stop(id, seconds);
        }
        let evaluated = self.evaluated.unwrap_or(seconds).min(seconds);
        self.spans.push((0.0, evaluated, Work::Evaluate));
        let work = sweep(&self.spans, seconds);
        let fetched = self.fetched.iter().map(|path| name_of(path).to_owned()).collect();
        Sample { seconds, work, built: self.built, fetched, bytes: 0 }
    }

    /// Returns the last lines of builds.
    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    /// Returns the store paths that came from a cache.
    pub fn fetched(&self) -> &BTreeSet<String> {
        &self.fetched
    }
}

fn work_of(name: &str) -> Work {
    if name.starts_with("node-modules") {
        Work::Install
    } else if name.starts_with("deps-") {
        Work::Fetch
    } else {
        Work::Build
    }
}

/// Divides the time of a run. If several kinds of work run at once, each gets the same part of that time.
fn sweep(spans: &[(f64, f64, Work)], seconds: f64) -> BTreeMap<Work, f64> {
    let mut edges: Vec<(f64, Work, i32)> = Vec::new();
    for (from, to, work) in spans.iter().filter(|(from, to, _)| from < to) {
        edges.extend([(*from, *work, 1), (*to, *work, -1)]);
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut active: BTreeMap<Work, i32> = BTreeMap::new();
    let mut times: BTreeMap<Work, f64> = BTreeMap::new();
    let mut last = 0.0;
    for (at, work, change) in edges.into_iter().chain([(seconds, Work::Other, 0)]) {
        let at = at.min(seconds);
        let running: Vec<Work> = active.iter().filter(|(_, count)| **count > 0).map(|(work, _)| *work).collect();
        let running = if running.is_empty() { vec![Work::Other] } else { running };
        #[expect(clippy::cast_precision_loss, reason = "at most six kinds")]
        let part = (at - last).max(0.0) / running.len() as f64;
        for work in running {
            *times.entry(work).or_default() += part;
        }
        *active.entry(work).or_default() += change;
        last = f64::max(last, at);
    }
    times.retain(|_, time| *time > 0.0);
    times
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nix::command::log::parse;

    fn build(id: u64, name: &str) -> Event {
        let derivation = format!("/s/{}-{name}.drv", "a".repeat(32));
        Event::Start { id, parent: 0, activity: Activity::Build { derivation, machine: String::new() } }
    }

    fn followed(events: &[(f64, Event)], end: f64) -> Sample {
        let mut follower = Follower::default();
        for (at, event) in events {
            follower.take(*at, event);
        }
        follower.end(end)
    }

    #[test]
    fn time_is_divided_by_what_runs() {
        let line = |id| Event::Line { id, text: "x".to_owned() };
        let phase = |id, name: &str| Event::Phase { id, name: name.to_owned() };
        let events = [
            (1.0, Event::Start { id: 1, parent: 0, activity: Activity::Builds }),
            (1.0, build(2, "node-modules")),
            (3.0, build(3, "library-ui")),
            (4.0, line(2)),
            (5.0, Event::Stop { id: 2 }),
            (7.0, phase(3, "installPhase")),
            (7.0, Event::Stop { id: 3 }),
        ];
        let sample = followed(&events, 8.0);
        let expected = [
            (Work::Evaluate, 1.0),
            (Work::Install, 2.5),
            (Work::Build, 3.0),
            (Work::Register, 0.5),
            (Work::Other, 1.0),
        ];
        assert_eq!(sample.work, expected.into());
        assert_eq!(sample.built, ["node-modules", "library-ui"]);
        // The usual build tells its steps.
        let events = [
            (0.5, build(2, "unsplit-web")),
            (0.5, phase(2, "install")),
            (2.5, phase(2, "library")),
            (3.5, phase(2, "build")),
            (4.0, phase(2, "buildPhase")),
            (5.0, phase(2, "register")),
            (6.0, Event::Stop { id: 2 }),
        ];
        let expected = [(Work::Evaluate, 0.5), (Work::Install, 2.0), (Work::Build, 2.5), (Work::Register, 1.0)];
        assert_eq!(followed(&events, 6.0).work, expected.into());
        // Without anything to do, all is evaluation.
        assert_eq!(followed(&[], 2.0).work, [(Work::Evaluate, 2.0)].into());
    }

    #[test]
    fn the_log_of_a_real_nix_is_followed() {
        let mut follower = Follower::default();
        let events = include_str!("../../tests/nix-log/three.txt").lines().filter_map(parse);
        let mut at = 0.0;
        for event in events {
            at += 0.1;
            follower.take(at, &event);
        }
        assert_eq!(follower.fetched().len(), 1);
        let sample = follower.end(at);
        assert_eq!(sample.built, ["library-ui-0.1.0", "docs-2", "web-1.0.0"]);
        assert_eq!(sample.fetched, ["cached-1"]);
        assert!((sample.work.values().sum::<f64>() - at).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(spans in prop::collection::vec((0.0..10.0_f64, 0.0..10.0_f64, 0..5_usize), 0..12)) {
            let spans: Vec<_> = spans.into_iter().map(|(from, to, work)| (from, to, Work::ALL[work])).collect();
            let times = sweep(&spans, 10.0);
            prop_assert!((times.values().sum::<f64>() - 10.0).abs() < 1e-6, "{times:?}");
        }
    }
}
