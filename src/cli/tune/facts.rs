//! Collects what the advice is made from.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::{Failure, Global, Printer, TuneOptions};
use crate::{
    fetch::{Cache, Environment},
    machine::{self, Computer, Root as _, STORE, ThisComputer},
    nix::{
        command::{Nix, NixError},
        installed::{self, LIMIT, NoAnswer},
        settings::text_of,
    },
    repo::{WorkTree, WorkTreeError},
    split::{caches::CacheChoice, config},
    tune::{
        Installed, Profile, Situation, TeamCache,
        network::{self, Answer},
    },
};

pub(super) struct Facts {
    computer: Computer,
    nix: Option<(Nix, Installed)>,
    caches: Vec<TeamCache>,
    answers: Vec<Answer>,
    environment: Environment,
}

impl Facts {
    pub(super) fn read(global: &Global, options: &TuneOptions, printer: Printer) -> Result<Self, Failure> {
        let environment = Environment::of_process();
        let caches = caches(global)?;
        let nix = match Nix::find() {
            Some(nix) => Some(installed(nix, printer)?),
            None => None,
        };
        let store = environment.get("NIX_STORE_DIR").unwrap_or(STORE);
        let mut computer = Computer::of(&ThisComputer, store);
        if let Ok(folder) = Cache::default_root(&environment) {
            match machine::measure_writes(&folder) {
                Ok(writes) => {
                    let is_here = machine::is_same_disk(&ThisComputer, folder.as_str(), store);
                    computer.store = computer.store.with_writes(writes, is_here);
                }
                Err(error) => printer.warning(format_args!("small writes to {folder} were not timed: {error}")),
            }
        }
        let answers = if options.offline { Vec::new() } else { network::ask(&urls(nix.as_ref(), &caches))? };
        Ok(Self { computer, nix, caches, answers, environment })
    }

    pub(super) fn situation(&self, profile: Profile, for_ci: bool) -> Situation<'_> {
        Situation {
            computer: &self.computer,
            nix: self.nix.as_ref().map(|(_, installed)| installed),
            caches: &self.caches,
            answers: &self.answers,
            for_ci: for_ci || self.computer.kind.ci.holds(),
            profile,
        }
    }

    pub(super) fn nix(&self) -> Result<&Nix, NixError> {
        self.nix.as_ref().map(|(nix, _)| nix).ok_or(NixError::Missing)
    }

    /// Returns the folder for scratch stores: on the disk where the cache is.
    pub(super) fn scratch(&self) -> Result<Utf8PathBuf, Failure> {
        Ok(Cache::default_root(&self.environment)?)
    }

    /// Returns how late the slowest cache answers. A cache on this computer is no model for the others.
    pub(super) fn delay(&self) -> Option<Duration> {
        let late = self.answers.iter().filter_map(|answer| answer.milliseconds).max().filter(|late| *late > 0)?;
        Some(Duration::from_millis(late.min(200)))
    }

    /// Whether other programs use half of the cores.
    pub(super) fn is_busy(&self) -> bool {
        let load = ThisComputer.read("/proc/loadavg");
        let load: Option<f64> = load.and_then(|text| text.split(' ').next()?.parse().ok());
        #[expect(clippy::cast_precision_loss, reason = "no computer has so many cores")]
        let cores = self.computer.cores.usable.value.unwrap_or(1) as f64;
        load.is_some_and(|load| load > cores / 2.0)
    }
}

/// Returns the caches of the repository. Outside of a repository there are none.
fn caches(global: &Global) -> Result<Vec<TeamCache>, Failure> {
    let tree = match WorkTree::discover(global.repo.as_deref().unwrap_or(".".into())) {
        Ok(tree) => tree,
        Err(WorkTreeError::NotFound(_)) if global.repo.is_none() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    Ok(config::read(&tree)?.caches.iter().map(team_cache).collect())
}

fn team_cache(choice: &CacheChoice) -> TeamCache {
    TeamCache {
        address: choice.address.to_string(),
        substituter: choice.address.substituter(),
        keys: choice.public_keys.iter().map(ToString::to_string).collect(),
        unsigned: choice.address.is_trusted(),
    }
}

/// Asks Nix. A configuration that Nix refuses, or a Nix that hangs, is an error; a daemon that does not answer is a warning.
fn installed(nix: Nix, printer: Printer) -> Result<(Nix, Installed), NoAnswer> {
    let asked = installed::Installed::ask(&nix, LIMIT);
    if let Some(other) = asked.is_other() {
        return Err(other);
    }
    let version = match asked.version {
        Ok(version) => Some(version),
        Err(NoAnswer::Form { .. }) => None,
        Err(error) => return Err(error),
    };
    let mut warnings = asked.warnings;
    let more: Vec<_> = asked.store_warnings.into_iter().filter(|warning| !warnings.contains(warning)).collect();
    warnings.extend(more);
    let store =
        asked.store.inspect_err(|error| printer.warning(format_args!("the store does not answer: {error}"))).ok();
    Ok((nix, Installed { version, settings: asked.settings?, warnings, store }))
}

/// Returns the caches that Nix asks, and those of the repository.
fn urls(nix: Option<&(Nix, Installed)>, caches: &[TeamCache]) -> Vec<String> {
    let set = nix.and_then(|(_, installed)| installed.settings.get("substituters"));
    let set = set.map(|setting| text_of(&setting.value)).unwrap_or_default();
    let mut urls: Vec<String> = set.split_whitespace().map(|url| url.trim_end_matches('/').to_owned()).collect();
    for url in caches.iter().filter_map(|cache| cache.substituter.as_deref()) {
        let url = url.trim_end_matches('/');
        if !urls.iter().any(|known| known == url) {
            urls.push(url.to_owned());
        }
    }
    urls
}
