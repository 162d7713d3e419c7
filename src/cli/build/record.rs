//! Adds a run to the history, which `splitter stats` reads. A history that cannot be written changes nothing for a build.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;

use super::{
    Course, Report, Why,
    report::{Origin, Row},
};
use crate::{
    fetch::Environment,
    history::{self, Build, Fetched, History, Product},
    nix::command::Nix,
    repo::{Git, WorkTree},
    split::System,
};

/// A run that is to be added when it is over.
pub(super) struct Recorder<'a> {
    history: Option<History>,
    git: &'a Git,
    command: &'static str,
    at: SystemTime,
    started: Instant,
}

impl<'a> Recorder<'a> {
    pub(super) fn start(command: &'static str, tree: &WorkTree, git: &'a Git) -> Self {
        let history = History::of(tree.root(), &Environment::of_process());
        Self { history, git, command, at: SystemTime::now(), started: Instant::now() }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Adds the run, with what `fill` knows of it.
    pub(super) fn add(&self, fill: impl FnOnce(Run) -> Run) {
        let Some(history) = &self.history else { return };
        let run = fill(Run(self.begun())).0;
        if let Err(error) = history.add(run) {
            tracing::debug!(%error, file = %history.file(), "could not add to the history of builds");
        }
    }

    fn begun(&self) -> history::Run {
        let ask = |args: &[&str]| self.git.ask(args).ok().flatten().filter(|answer| !answer.is_empty());
        let at = self.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        history::Run {
            at: at.as_secs(),
            command: self.command.to_owned(),
            splitter: env!("CARGO_PKG_VERSION").to_owned(),
            system: System::of_this_machine().map(|system| system.name().to_owned()).unwrap_or_default(),
            commit: ask(&["rev-parse", "--verify", "--quiet", "HEAD"]),
            branch: ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]),
            changed: self.git.ask(&["diff-index", "--quiet", "HEAD", "--"]).is_ok_and(|same| same.is_none()),
            took: milliseconds(self.elapsed()),
            ..history::Run::default()
        }
    }
}

/// A run whose parts are filled in.
pub(super) struct Run(history::Run);

impl Run {
    /// Takes what Nix did.
    pub(super) fn of_course(mut self, course: &Course, why: &Why) -> Self {
        let build = |build: &super::course::Build| Build {
            name: build.name.clone(),
            kind: build.id.as_ref().map(|id| id.kind().to_owned()),
            machine: build.machine.clone(),
            took: milliseconds(build.took.unwrap_or_default()),
            failed: build.failed,
            causes: build.id.as_ref().map(|id| why.causes(id)).unwrap_or_default(),
        };
        self.0.builds = course.ended.iter().filter(|build| !build.stopped).map(build).collect();
        let fetched = |(from, paths): (&String, &std::collections::BTreeSet<String>)| {
            let received = course.transfers.received(from);
            Fetched {
                from: without_secrets(from),
                paths: paths.len() as u64,
                downloaded: received.downloaded,
                unpacked: received.unpacked,
            }
        };
        self.0.fetched = course.fetched.iter().map(fetched).collect();
        self.0.downloaded = course.transfers.received("").downloaded;
        self.0.waited = milliseconds(course.transfers.waited());
        self
    }

    /// Takes what became of the packages, and asks Nix for the sizes of those that are in the store.
    pub(super) fn of_report(mut self, report: &Report, nix: &Nix) -> Self {
        let paths: Vec<&str> = report.built().map(|row| row.path.as_str()).collect();
        let sizes = if paths.is_empty() { None } else { nix.closure_sizes(&paths).ok() };
        let sizes = sizes.as_ref().map(closure_sizes).unwrap_or_default();
        let product = |row: &Row| Product {
            name: row.name.clone(),
            origin: origin(&row.origin),
            closure: row.path.file_name().and_then(|name| sizes.get(name)).copied(),
        };
        self.0.products = report.rows.iter().map(product).collect();
        self.with_success(report.is_built())
    }

    pub(super) fn with_success(mut self, is_success: bool) -> Self {
        self.0.is_success = is_success;
        self
    }

    pub(super) fn evaluated_in(mut self, time: Duration) -> Self {
        self.0.evaluation = milliseconds(time);
        self
    }
}

fn origin(origin: &Origin) -> history::Origin {
    match origin {
        Origin::Unchanged => history::Origin::Unchanged,
        Origin::Built { .. } => history::Origin::Built,
        Origin::Fetched { .. } => history::Origin::Fetched,
        Origin::Failed | Origin::NotBuilt => history::Origin::Failed,
    }
}

/// The address of a cache may have a password.
fn without_secrets(address: &str) -> String {
    url::Url::parse(address).map_or_else(
        |_| address.to_owned(),
        |mut url| {
            // Neither can fail for an address that has them.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.to_string().trim_end_matches('/').to_owned()
        },
    )
}

/// Reads `closureSize` of `nix path-info --json`, in all forms, by base name.
fn closure_sizes(value: &Value) -> BTreeMap<String, u64> {
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let size = |entry: &Value| entry["closureSize"].as_u64();
    match value.get("info").unwrap_or(value) {
        Value::Array(entries) => {
            entries.iter().filter_map(|entry| Some((base(entry["path"].as_str()?), size(entry)?))).collect()
        }
        Value::Object(entries) => entries.iter().filter_map(|(path, entry)| Some((base(path), size(entry)?))).collect(),
        _ => BTreeMap::new(),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_of_all_forms_are_read() {
        let expected = BTreeMap::from([("a-x".to_owned(), 7)]);
        for value in [
            json!([{ "path": "/nix/store/a-x", "closureSize": 7 }, { "path": "/nix/store/b", "valid": false }]),
            json!({ "/nix/store/a-x": { "closureSize": 7 }, "/nix/store/b": null }),
            json!({ "version": 2, "info": { "a-x": { "closureSize": 7 } } }),
        ] {
            assert_eq!(closure_sizes(&value), expected);
        }
        assert!(closure_sizes(&json!("no")).is_empty());
    }

    #[test]
    fn a_password_of_a_cache_is_not_kept() {
        assert_eq!(without_secrets("https://me:secret@cache.example/x?token=1"), "https://cache.example/x");
        assert_eq!(without_secrets("https://cache.example"), "https://cache.example");
        assert_eq!(without_secrets("file:///srv/cache"), "file:///srv/cache");
    }
}
