//! What all commands of `splitter cache` do first: read the repository, evaluate it, and ask caches.

use std::{collections::BTreeSet, time::Duration};

use super::CacheError;
use crate::{
    caches::{
        Address, CacheChoice,
        closure::{Survey, survey},
        item::Item,
        machine::Machine,
        query::{Asking, Cache, Depth, infos},
        wanted::{Kind, Wanted, wanted},
    },
    cli::{
        arguments::{CacheChoiceOptions, Global},
        build::{ids, named},
        failure::Failure,
        fetching::stall,
        printer::Printer,
        repository::{state, work_tree},
    },
    closure::ClosureError,
    fetch::{self, Environment},
    nix::command::{Nix, NixError},
    proof::{ProofError, State},
    repo::WorkTree,
    system::System,
};

/// A repository, evaluated.
pub(in crate::cli) struct Session {
    pub(in crate::cli) tree: WorkTree,
    pub(in crate::cli) state: State,
    pub(in crate::cli) nix: Nix,
    pub(super) machine: Machine,
    pub(super) environment: Environment,
    pub(in crate::cli) wanted: Wanted,
    pub(super) printer: Printer,
    stall: Duration,
}

impl Session {
    /// Reads the repository and evaluates it once.
    pub(in crate::cli) fn open(
        global: &Global,
        options: &CacheChoiceOptions,
        printer: Printer,
    ) -> Result<Self, Failure> {
        let nix = Nix::require()?;
        let tree = work_tree(global)?;
        let nix_options = options.nix_options.iter().cloned().chain(["--no-write-lock-file".to_owned()]);
        let nix = nix.with_options(nix_options).in_folder(tree.root());
        let environment = Environment::of_process();
        let state = state(&tree)?;
        // Nix builds what the record says.
        if !state.is_recorded {
            return Err(ProofError::Stale.into());
        }
        if !tree.root().join("flake.nix").is_file() {
            return Err(ClosureError::NoFlake { place: state.place }.into());
        }
        let own = [state.system()];
        let systems: &[System] = if options.systems.is_empty() { &own } else { &options.systems };
        let mut wanted = wanted(&nix, ".", &state, systems)?;
        let names = package_names(&state, &options.names);
        wanted.keep(&names).map_err(|name| CacheError::Unknown { name, known: known(&wanted) })?;
        let (machine, stall) = (Machine::read(&nix, &environment)?, stall(&environment)?);
        Ok(Self { tree, state, nix, machine, environment, wanted, printer, stall })
    }

    /// Returns the names of packages for names or folders of workspaces.
    pub(super) fn package_names(&self, names: &[String]) -> Vec<String> {
        package_names(&self.state, names)
    }

    /// Returns what caches are asked with.
    pub(super) fn asking(&self) -> Asking<'_> {
        Asking { stall: self.stall, ..Asking::new(&self.machine, &self.nix, &self.wanted.store) }
    }

    /// Returns the caches that the user named, or else those of `splitter.json` that `is_meant` chooses. A named cache keeps the
    /// keys that `splitter.json` has for it.
    pub(in crate::cli) fn choices(
        &self,
        named: &[Address],
        option: &'static str,
        is_meant: impl Fn(&CacheChoice) -> bool,
    ) -> Result<Vec<CacheChoice>, CacheError> {
        let known = &self.state.split.config.caches;
        let of = |address: &Address| {
            let known = known.iter().find(|choice| choice.address == *address);
            known.cloned().unwrap_or_else(|| CacheChoice::of(address.clone()))
        };
        let chosen: Vec<CacheChoice> = if named.is_empty() {
            known.iter().filter(|choice| is_meant(choice)).cloned().collect()
        } else {
            named.iter().map(of).collect()
        };
        if chosen.is_empty() { Err(CacheError::NoCache(option)) } else { Ok(chosen) }
    }

    /// Asks caches, and those of Nix's settings for what these lack.
    pub(super) fn survey(&self, choices: &[CacheChoice], depth: Depth) -> Result<Survey, Failure> {
        self.survey_of(choices, &self.wanted.roots(), depth)
    }

    /// Like [`Self::survey`], for these paths.
    pub(in crate::cli) fn survey_of(
        &self,
        choices: &[CacheChoice],
        roots: &BTreeSet<Item>,
        depth: Depth,
    ) -> Result<Survey, Failure> {
        let asking = self.asking();
        let open = |choice: &CacheChoice| Cache::new(choice, &asking);
        let named = choices.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let upstream = self.upstream(choices);
        let upstream = upstream.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut survey = fetch::run(survey(&named, &upstream, roots, depth))?;
        self.add_local(&mut survey)?;
        Ok(survey)
    }

    /// Returns the caches of Nix's settings, without those of the team: what only another cache of the team has is missing.
    fn upstream(&self, choices: &[CacheChoice]) -> Vec<CacheChoice> {
        let team = choices.iter().chain(&self.state.split.config.caches);
        let team: BTreeSet<String> = team.filter_map(|choice| bare(&choice.address)).collect();
        let is_other = |address: &&Address| bare(address).is_none_or(|address| !team.contains(&address));
        self.machine.substituters.iter().filter(is_other).cloned().map(CacheChoice::of).collect()
    }

    /// Adds the hashes of the paths that this machine has.
    fn add_local(&self, survey: &mut Survey) -> Result<(), NixError> {
        let named: Vec<usize> = survey.named().collect();
        let is_found = |item: &&Item| named.iter().any(|cache| survey.paths[*item].info(*cache).is_some());
        let paths: Vec<String> =
            survey.paths.keys().filter(is_found).map(|item| item.in_store(&self.wanted.store)).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        for answer in self.nix.infos(None, &paths)? {
            for info in infos(&answer, &self.wanted.store) {
                if let Some(known) = survey.paths.get_mut(&info.item) {
                    known.local = Some(info.nar_hash);
                }
            }
        }
        Ok(())
    }
}

fn package_names(state: &State, names: &[String]) -> Vec<String> {
    let ids = ids(state);
    names.iter().map(|name| named(state, &ids, name)).collect()
}

/// Returns the address of a cache without parameters, to compare it with another.
fn bare(address: &Address) -> Option<String> {
    let text = address.substituter()?;
    Some(text.split('?').next().unwrap_or_default().trim_end_matches('/').to_owned())
}

fn known(wanted: &Wanted) -> Vec<String> {
    let things = wanted.things.iter().filter(|thing| thing.kind != Kind::Input);
    things.map(|thing| thing.name.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}
