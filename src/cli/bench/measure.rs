//! Runs Nix and measures it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BenchError,
    edits::{Edit, Edits},
    images,
    prepare::Prepared,
    stores::{Stores, size_in_cache},
};
use crate::{
    bench::{
        Scenario, Side,
        log::{Follower, Sample},
        plan::Run,
    },
    cli::failure::Failure,
    nix::command::NixError,
    proof::State,
    repo::WorkTree,
};

/// Options of a run without a cache: the network is left out.
const ALONE: [&str; 3] = ["--option", "substituters", ""];
/// Evaluates from the start.
const ANEW: [&str; 3] = ["--option", "eval-cache", "false"];

/// Measures runs, and keeps the stores that later runs need.
pub(super) struct Measurer<'a> {
    pub(super) prepared: &'a mut Prepared,
    pub(super) edits: &'a Edits,
    pub(super) state: &'a State,
    pub(super) tree: &'a WorkTree,
    /// The store of each side where everything is built.
    pub(super) warm: BTreeMap<Side, Utf8PathBuf>,
    /// The sides whose binary cache is filled.
    pub(super) cached: BTreeSet<Side>,
}

/// Why a run was not measured.
pub(super) enum Unmeasured {
    /// The scenario cannot be measured here.
    Skipped(String),
    /// Something else failed.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Unmeasured {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Measurer<'_> {
    /// Measures one run.
    pub(super) fn measure(&mut self, run: Run) -> Result<Sample, Unmeasured> {
        let edit = self.edits.get(&run.scenario).cloned().transpose().map_err(Unmeasured::Skipped)?;
        if run.scenario == Scenario::Image {
            return or_skipped(run, images::measure(self, run.side, edit.as_ref()));
        }
        let (store, is_own) = self.store_for(run.scenario, run.side)?;
        if run.scenario.reads_cache() {
            self.fill_cache(run.side)?;
        }
        let result = self.edited(edit.as_ref(), run.round, |own| own.timed(run, &store));
        if run.scenario == Scenario::Cold && result.is_ok() && !self.warm.contains_key(&run.side) {
            self.warm.insert(run.side, store);
        } else if is_own {
            Stores::remove(&store);
        }
        or_skipped(run, result)
    }

    /// Returns the store for a scenario, and whether it is only for this run.
    fn store_for(&mut self, scenario: Scenario, side: Side) -> Result<(Utf8PathBuf, bool), Unmeasured> {
        Ok(match scenario {
            Scenario::Cold => (self.prepared.stores.copy(&self.prepared.stores.tarballs())?, true),
            Scenario::NewMachine | Scenario::NextCommit => {
                (self.prepared.stores.copy(&self.prepared.stores.tools())?, true)
            }
            // A second round would find what the first one built.
            Scenario::Dependency => {
                let warm = self.warm(side)?;
                (self.prepared.stores.copy(&warm)?, true)
            }
            _ => (self.warm(side)?, false),
        })
    }

    /// Returns the store where everything is built. If no run has made it, it is built now.
    pub(super) fn warm(&mut self, side: Side) -> Result<Utf8PathBuf, Unmeasured> {
        if let Some(store) = self.warm.get(&side) {
            return Ok(store.clone());
        }
        let store = self.prepared.stores.copy(&self.prepared.stores.tarballs())?;
        let mut follower = Follower::default();
        self.build(side, &store, &[&ALONE[..], &ANEW].concat(), &mut follower, Instant::now())
            .map_err(|source| self.failed(side, &follower, source))?;
        self.warm.insert(side, store.clone());
        Ok(store)
    }

    pub(super) fn failed(&self, side: Side, follower: &Follower, source: NixError) -> Failure {
        let names = self.prepared.names.join(", ");
        BenchError::Build { side: side.name(), names, lines: follower.lines(), source: Box::new(source) }.into()
    }

    /// Makes an edit, does something, and takes the edit back.
    pub(super) fn edited<T>(
        &mut self,
        edit: Option<&Edit>,
        round: usize,
        act: impl FnOnce(&mut Self) -> Result<T, Unmeasured>,
    ) -> Result<T, Unmeasured> {
        let Some(edit) = edit else { return act(self) };
        edit.make(&self.prepared.copy, self.state, round)?;
        let result = act(self);
        edit.undo(&self.prepared.copy, self.state, self.tree)?;
        result
    }

    fn timed(&mut self, run: Run, store: &Utf8Path) -> Result<Sample, Unmeasured> {
        let cache = self.prepared.stores.cache(run.side);
        let url = format!("file://{cache}");
        let from_cache = ["--option", "substituters", &url, "--option", "require-sigs", "false"];
        let sources: &[&str] = if run.scenario.reads_cache() { &from_cache } else { &ALONE };
        let evaluation: &[&str] = if run.scenario == Scenario::NoChange { &[] } else { &ANEW };
        let options = [sources, evaluation].concat();
        if run.scenario == Scenario::NoChange {
            // Fills the evaluation cache.
            let mut follower = Follower::default();
            self.build(run.side, store, &options, &mut follower, Instant::now())
                .map_err(|source| self.failed(run.side, &follower, source))?;
        }
        let mut follower = Follower::default();
        let start = Instant::now();
        let result = self.build(run.side, store, &options, &mut follower, start);
        let seconds = start.elapsed().as_secs_f64();
        result.map_err(|source| self.failed(run.side, &follower, source))?;
        let bytes = size_in_cache(&cache, follower.fetched().iter());
        Ok(Sample { bytes, ..follower.end(seconds) })
    }

    pub(super) fn build(
        &self,
        side: Side,
        store: &Utf8Path,
        options: &[&str],
        follower: &mut Follower,
        start: Instant,
    ) -> Result<(), NixError> {
        let nix = self.prepared.nix.clone().with_store(store).with_options(options.iter().copied());
        let installables = self.prepared.installables(side);
        nix.build_followed(&installables, &mut |event| follower.take(start.elapsed().as_secs_f64(), &event))
    }

    /// Fills the binary cache of a side with everything that its builds made and read.
    fn fill_cache(&mut self, side: Side) -> Result<(), Unmeasured> {
        if !self.cached.insert(side) {
            return Ok(());
        }
        let warm = self.warm(side)?;
        let prepared = &self.prepared;
        let measured = prepared.cut.measured.iter().chain(prepared.cut.tarballs.keys());
        let measured: Vec<&str> = measured.map(String::as_str).collect();
        // The store of one side does not have the derivations of the other.
        let all = prepared.plain.outputs_in(&prepared.stores.tools(), &measured)?;
        let inner = prepared.plain.clone().with_store(&warm);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let missing = prepared.plain.missing_in(&warm, &all)?;
        let there: Vec<&str> = all.into_iter().filter(|path| !missing.contains(*path)).collect();
        let url = format!("file://{}?compression=zstd", prepared.stores.cache(side));
        inner.copy(&there, None, &url, &[], &mut |_| {})?;
        Ok(())
    }
}

/// Without a build there is nothing to compare. A failed edit or image is only one scenario less.
fn or_skipped(run: Run, result: Result<Sample, Unmeasured>) -> Result<Sample, Unmeasured> {
    result.map_err(|error| match error {
        Unmeasured::Failed(failure) if run.scenario != Scenario::Cold => {
            Unmeasured::Skipped(format!("the {} build failed: {}", run.side, first_line(&failure)))
        }
        error => error,
    })
}

/// Returns the first line of an error, and the last line of the log or of its cause.
fn first_line(failure: &Failure) -> String {
    let error = failure.error();
    if let Some((first, log)) = error.to_string().split_once('\n') {
        let last = log.lines().rfind(|line| !line.trim_matches([' ', '|']).is_empty()).unwrap_or_default();
        return format!("{first}: {}", last.trim_matches([' ', '|']));
    }
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let last = cause.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let first = error.to_string().lines().next().unwrap_or_default().to_owned();
    if last.is_empty() { first } else { format!("{first}: {}", last.trim()) }
}
