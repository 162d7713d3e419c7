//! The time that is left, from the times of earlier builds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{course::Course, memory::Memory};
use crate::split::plan::{Derivations, Id};

/// Returns the time left until all wanted derivations are built. Nothing if a build waits or runs whose time is not known.
pub(super) fn left(
    course: &Course,
    memory: &Memory,
    derivations: &Derivations,
    wanted: &BTreeSet<Id>,
    jobs: usize,
) -> Option<Duration> {
    let mut open: BTreeMap<Id, Duration> = BTreeMap::new();
    let known = |id: &Id| memory.time(&id.to_string()).map(Duration::from_millis);
    for id in course.planned.iter().filter_map(|derivation| course.names.id(derivation)) {
        let time = known(&id)?;
        open.insert(id, time);
    }
    for build in course.running.values() {
        let Some(id) = &build.id else { continue };
        open.insert(id.clone(), known(id)?.saturating_sub(build.started.elapsed()));
    }
    if open.is_empty() {
        return None;
    }
    let longest = wanted.iter().map(|id| way(id, &open, derivations, &mut BTreeMap::new())).max().unwrap_or_default();
    let sum: Duration = open.values().sum();
    let shared = sum / u32::try_from(jobs.max(1)).unwrap_or(1);
    Some(longest.max(shared))
}

/// Returns the time until a derivation is built: its own, after the longest of those that it needs.
fn way(
    id: &Id,
    open: &BTreeMap<Id, Duration>,
    derivations: &Derivations,
    seen: &mut BTreeMap<Id, Duration>,
) -> Duration {
    if let Some(known) = seen.get(id) {
        return *known;
    }
    // A ring, which Nix would not build, ends here.
    seen.insert(id.clone(), Duration::ZERO);
    let before = derivations.needs(id).into_iter().map(|needed| way(needed, open, derivations, seen)).max();
    let time = before.unwrap_or_default() + open.get(id).copied().unwrap_or_default();
    seen.insert(id.clone(), time);
    time
}
