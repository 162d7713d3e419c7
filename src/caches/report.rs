//! What each cache lacks of each thing, and what that costs: [`Report`].

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Trouble,
    closure::{Lack, Survey},
    item::Item,
    wanted::{Thing, Wanted},
};

/// Whether a cache has a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Everything that Nix would fetch of it.
    Complete,
    /// The thing itself with all references, but not this many paths that its build needs after an edit.
    Inputs(usize),
    /// The thing itself, but not this many paths that it refers to: Nix builds it again.
    Holes(usize),
    /// A file about it or its archive, but Nix would not take it.
    Refused,
    /// Nothing.
    Missing,
    /// Its paths are known only after its build.
    Unknown,
    /// The cache does not answer.
    Away,
}

impl State {
    /// Whether nothing is missing, as far as it can be known.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::Unknown)
    }

    /// Whether the thing itself would be fetched and not built.
    pub fn is_fetched(self) -> bool {
        matches!(self, Self::Complete | Self::Inputs(_))
    }

    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Inputs(_) => "inputsMissing",
            Self::Holes(_) => "holes",
            Self::Refused => "refused",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Away => "away",
        }
    }
}

/// A thing, and which caches have it.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// The thing.
    pub thing: &'a Thing,
    /// Whether each named cache has it, together with the caches of Nix's settings.
    pub states: Vec<State>,
    /// Whether all caches together have it.
    pub together: State,
    /// The bytes that an empty machine fetches of it.
    pub fetch: u64,
}

/// A named cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRow {
    /// The address.
    pub address: String,
    /// Why it does not answer.
    pub away: Option<Trouble>,
    /// The paths that Nix would get neither from it nor from the caches of its settings.
    pub lacks: BTreeMap<Item, Lack>,
    /// The paths of which this machine has another build than the cache.
    pub differs: BTreeSet<Item>,
}

/// What caches have of everything that is wanted.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The named caches.
    pub caches: Vec<CacheRow>,
    /// The caches of Nix's settings that do not answer.
    pub upstream_away: Vec<(String, Trouble)>,
    /// The things.
    pub rows: Vec<Row<'a>>,
    /// The bytes that an empty machine fetches of everything.
    pub fetch: u64,
}

impl<'a> Report<'a> {
    /// Compares what is wanted with what caches said.
    pub fn of(wanted: &'a Wanted, survey: &Survey) -> Self {
        let upstream: Vec<usize> = survey.upstream().collect();
        let named: Vec<usize> = survey.named().collect();
        let with = |cache: usize| -> Vec<usize> { [cache].into_iter().chain(upstream.iter().copied()).collect() };
        let all: Vec<usize> = named.iter().chain(&upstream).copied().collect();
        let roots = wanted.roots();
        let row = |thing: &'a Thing| Row {
            thing,
            states: named.iter().map(|cache| state_in(survey, thing, *cache, &with(*cache))).collect(),
            together: state(survey, thing, &all),
            fetch: survey.bytes_to_fetch(&thing.paths, &all),
        };
        let cache = |cache: usize| CacheRow {
            address: survey.caches[cache].address.clone(),
            away: survey.caches[cache].away.clone(),
            lacks: if survey.caches[cache].away.is_some() {
                BTreeMap::new()
            } else {
                survey.holes(&roots, &with(cache))
            },
            differs: survey
                .paths
                .iter()
                .filter(|(_, known)| known.differs(cache))
                .map(|(item, _)| item.clone())
                .collect(),
        };
        let away = |cache: &usize| Some((survey.caches[*cache].address.clone(), survey.caches[*cache].away.clone()?));
        Self {
            caches: named.iter().copied().map(cache).collect(),
            upstream_away: upstream.iter().filter_map(away).collect(),
            rows: wanted.things.iter().map(row).collect(),
            fetch: survey.bytes_to_fetch(&roots, &all),
        }
    }

    /// Whether all caches together have everything.
    pub fn is_complete(&self) -> bool {
        self.rows.iter().all(|row| row.together.is_complete())
    }

    /// Whether one cache has everything, without the other named ones.
    pub fn is_complete_in(&self, cache: usize) -> bool {
        self.rows.iter().all(|row| row.states.get(cache).is_some_and(|state| state.is_complete()))
    }

    /// Whether no named cache answers.
    pub fn is_blind(&self) -> bool {
        !self.caches.is_empty() && self.caches.iter().all(|cache| cache.away.is_some())
    }

    /// Returns the things that an empty machine would build.
    pub fn would_build(&self) -> impl Iterator<Item = &'a Thing> {
        let is_built = |row: &&Row<'a>| row.thing.derivation.is_some() && !row.together.is_fetched();
        self.rows.iter().filter(is_built).map(|row| row.thing)
    }
}

fn state_in(survey: &Survey, thing: &Thing, cache: usize, with_upstream: &[usize]) -> State {
    if survey.caches[cache].away.is_some() { State::Away } else { state(survey, thing, with_upstream) }
}

fn state(survey: &Survey, thing: &Thing, caches: &[usize]) -> State {
    if thing.paths.is_empty() {
        return State::Unknown;
    }
    let own: Vec<Lack> = thing.paths.iter().filter_map(|item| survey.lack(item, caches)).collect();
    // A dev shell has no path of its own, so what it lacks are holes.
    let is_one = thing.paths.len() == own.len();
    if own.iter().any(|lack| *lack != Lack::Missing) {
        return State::Refused;
    }
    if !own.is_empty() && is_one {
        return State::Missing;
    }
    match survey.holes(&thing.paths, caches).len() {
        0 => match survey.holes(thing.inputs_of_a_rebuild(), caches).len() {
            0 => State::Complete,
            lacking => State::Inputs(lacking),
        },
        lacking => State::Holes(lacking),
    }
}

#[cfg(test)]
mod tests;
