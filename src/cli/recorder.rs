//! Adds a run to the history, which `splitter stats` reads. A history that cannot be written changes nothing for the command.

use std::time::{Duration, Instant, SystemTime};

use crate::{
    fetch::Environment,
    history::{History, Run},
    repo::{Git, WorkTree},
    split::System,
};

/// A run that is to be added when it is over.
pub(in crate::cli) struct Recorder<'a> {
    history: Option<History>,
    git: &'a Git,
    command: &'static str,
    at: SystemTime,
    started: Instant,
}

impl<'a> Recorder<'a> {
    pub(in crate::cli) fn start(command: &'static str, tree: &WorkTree, git: &'a Git) -> Self {
        let history = History::of(tree.root(), &Environment::of_process());
        Self { history, git, command, at: SystemTime::now(), started: Instant::now() }
    }

    pub(in crate::cli) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Adds the run, with what `fill` knows of it.
    pub(in crate::cli) fn add(&self, fill: impl FnOnce(Run) -> Run) {
        let Some(history) = &self.history else { return };
        let run = fill(self.begun());
        if let Err(error) = history.add(run) {
            tracing::debug!(%error, file = %history.file(), "could not add to the history of builds");
        }
    }

    fn begun(&self) -> Run {
        let ask = |args: &[&str]| self.git.ask(args).ok().flatten().filter(|answer| !answer.is_empty());
        let at = self.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Run {
            at: at.as_secs(),
            command: self.command.to_owned(),
            splitter: env!("CARGO_PKG_VERSION").to_owned(),
            system: System::of_this_machine().map(|system| system.name().to_owned()).unwrap_or_default(),
            commit: ask(&["rev-parse", "--verify", "--quiet", "HEAD"]),
            branch: ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]),
            changed: self.git.ask(&["diff-index", "--quiet", "HEAD", "--"]).is_ok_and(|same| same.is_none()),
            took: milliseconds(self.elapsed()),
            ..Run::default()
        }
    }
}

/// Returns a time in the unit of the history.
pub(in crate::cli) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
