//! Downloads and copies while Nix builds: what runs, and how much came from where.

use std::{
    collections::{BTreeMap, HashMap},
    ops::AddAssign,
    time::{Duration, Instant},
};

use crate::nix::command::log::Activity;

/// What came from one cache, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Received {
    /// What was downloaded. 0 for a cache that is a folder: nothing is downloaded from it.
    pub(super) downloaded: u64,
    /// The size of the store paths.
    pub(super) unpacked: u64,
}

/// A download, a copy, or a request for a store path, which has both as its parts.
#[derive(Debug)]
struct Transfer {
    /// The cache. Empty if the bytes are from elsewhere, such as the tarball of a package.
    cache: String,
    measure: Measure,
    done: u64,
    expected: u64,
}

/// What the number of bytes of a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Downloaded,
    Unpacked,
    /// A request has no bytes of its own.
    Nothing,
}

/// All transfers of a run.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    running: HashMap<u64, Transfer>,
    received: BTreeMap<String, Received>,
    waiting: HashMap<u64, Instant>,
    waited: Duration,
}

impl Transfers {
    /// Takes the start of an activity. One that is neither a transfer nor a wait is ignored.
    pub(super) fn start(&mut self, id: u64, parent: u64, activity: &Activity) {
        let of_parent = || self.running.get(&parent).map(|transfer| transfer.cache.clone()).unwrap_or_default();
        let (cache, measure) = match activity {
            Activity::Substitute { from, .. } => (from.clone(), Measure::Nothing),
            Activity::Copy { from, .. } if is_cache(from) => (from.clone(), Measure::Unpacked),
            Activity::Copy { .. } => (of_parent(), Measure::Unpacked),
            Activity::Download { .. } => (of_parent(), Measure::Downloaded),
            Activity::Waiting => {
                self.waiting.insert(id, Instant::now());
                return;
            }
            Activity::Build { .. } | Activity::Builds => return,
        };
        self.running.insert(id, Transfer { cache, measure, done: 0, expected: 0 });
    }

    pub(super) fn progress(&mut self, id: u64, done: u64, expected: u64) {
        if let Some(transfer) = self.running.get_mut(&id) {
            (transfer.done, transfer.expected) = (done, expected);
        }
    }

    pub(super) fn stop(&mut self, id: u64) {
        if let Some(since) = self.waiting.remove(&id) {
            self.waited += since.elapsed();
        }
        let Some(transfer) = self.running.remove(&id) else { return };
        *self.received.entry(transfer.cache).or_default() += match transfer.measure {
            Measure::Downloaded => Received { downloaded: transfer.done, unpacked: 0 },
            Measure::Unpacked => Received { downloaded: 0, unpacked: transfer.done },
            Measure::Nothing => Received::default(),
        };
    }

    /// Returns the bytes that running transfers have and expect. Nothing if none runs.
    pub(super) fn running(&self) -> Option<(u64, u64)> {
        let counted = self.running.values().filter(|transfer| transfer.measure != Measure::Nothing);
        (!self.running.is_empty()).then(|| counted.fold((0, 0), |sum, one| (sum.0 + one.done, sum.1 + one.expected)))
    }

    /// Returns what came from a cache. The empty name is for what came from elsewhere.
    pub(super) fn received(&self, cache: &str) -> Received {
        self.received.get(cache).copied().unwrap_or_default()
    }

    /// Returns how long builds waited for locks and for other machines, together.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }
}

/// Whether the name of a store is that of a cache.
pub(super) fn is_cache(store: &str) -> bool {
    store.contains("://") && !store.starts_with("local://")
}

impl AddAssign for Received {
    fn add_assign(&mut self, other: Self) {
        self.downloaded += other.downloaded;
        self.unpacked += other.unpacked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nix::command::log::{Event, parse};

    /// The events of a real Nix that gets one path from a cache.
    const LOG: &str = include_str!("../../../tests/nix-log/substituted.txt");

    #[test]
    fn bytes_belong_to_the_cache_that_was_asked() {
        let mut transfers = Transfers::default();
        for event in LOG.lines().filter_map(parse) {
            match event {
                Event::Start { id, parent, activity } => transfers.start(id, parent, &activity),
                Event::Progress { id, done, expected, .. } => transfers.progress(id, done, expected),
                Event::Stop { id } => transfers.stop(id),
                Event::Line { .. } | Event::Phase { .. } | Event::Message { .. } => {}
            }
        }
        let received = transfers.received("http://cache.example");
        assert_eq!(received, Received { downloaded: 13_776, unpacked: 40_664 });
        assert_eq!(transfers.running(), None);
    }

    #[test]
    fn a_wait_is_measured_and_unknown_numbers_do_no_harm() {
        let mut transfers = Transfers::default();
        transfers.start(1, 9, &Activity::Waiting);
        transfers.stop(1);
        transfers.stop(1);
        transfers.progress(7, 1, 2);
        assert!(transfers.waited() > Duration::ZERO);
        assert_eq!(transfers.received(""), Received::default());
    }
}
