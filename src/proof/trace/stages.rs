//! Builds traces although a library fails.
//!
//! A traced build gets the real output of the libraries that it needs. If the build of a library fails, Nix builds nothing that
//! needs it. Then the traces run in stages: the libraries first, each after those that it needs. Builds that need one that fails
//! are left out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    TraceError,
    run::{Notes, Runner},
};
use crate::split::plan::{Derivations, Id};

/// The builds that were traced, and those that could not be, each with the library that failed.
pub(super) type Staged = (BTreeMap<Id, Notes>, BTreeMap<Id, Id>);

/// Traces all builds at once, or in stages if that fails and some of them need libraries.
pub(super) fn run(
    runner: &Runner,
    derivations: &Derivations,
    ids: &[Id],
    watch: &mut dyn FnMut(&str),
) -> Result<Staged, TraceError> {
    let outputs = runner.outputs(ids)?;
    let all: Vec<&Id> = ids.iter().collect();
    let error = match runner.build(&all, &outputs, watch) {
        Ok(notes) => return Ok((ids.iter().cloned().zip(notes).collect(), BTreeMap::new())),
        Err(error) => error,
    };
    let wanted: BTreeSet<Id> = ids.iter().flat_map(|id| derivations.with_libraries(id)).cloned().collect();
    if wanted.iter().all(|id| derivations.with_libraries(id).len() < 2) {
        return Err(error);
    }
    in_stages(runner, derivations, wanted, watch)
}

fn in_stages(
    runner: &Runner,
    derivations: &Derivations,
    wanted: BTreeSet<Id>,
    watch: &mut dyn FnMut(&str),
) -> Result<Staged, TraceError> {
    let all: Vec<Id> = wanted.into_iter().collect();
    let outputs = runner.outputs(&all)?;
    let mut open: Vec<&Id> = all.iter().collect();
    let (mut notes, mut blocked): Staged = (BTreeMap::new(), BTreeMap::new());
    while !open.is_empty() {
        let needs = |id: &Id| {
            derivations.with_libraries(id).into_iter().filter(|other| **other != *id).cloned().collect::<Vec<Id>>()
        };
        let failed = |id: &Id, notes: &BTreeMap<Id, Notes>| {
            needs(id).into_iter().find(|other| notes.get(other).is_some_and(|found| found.note.exit != 0))
        };
        open.retain(|id| match failed(id, &notes) {
            Some(library) => {
                blocked.insert((*id).clone(), library);
                false
            }
            None => true,
        });
        let is_ready = |id: &&Id| needs(id).iter().all(|other| notes.contains_key(other));
        let (ready, rest): (Vec<&Id>, Vec<&Id>) = open.into_iter().partition(is_ready);
        if ready.is_empty() {
            break;
        }
        let found = runner.build(&ready, &outputs, watch)?;
        notes.extend(ready.into_iter().cloned().zip(found));
        open = rest;
    }
    Ok((notes, blocked))
}
