//! Gathers the facts and makes all checks: [`examine`].

use std::{
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    builders::{self, Builder},
    caches::{self, probe},
    clock, host,
    model::{Entry, Report},
    nix::{
        self,
        place::{self, Place},
    },
    repository::{self, facts::Facts},
};
use crate::{
    caches::{CacheChoice, machine::Machine, query::Asking},
    fetch::{Environment, FetchError},
    machine::{Computer, STORE, ThisComputer},
    nix::{
        command::{Nix, limited},
        installed::{Installed, LIMIT, NoAnswer},
        settings::{Flavour, Settings, StoreInfo, Version},
    },
    parallel::both,
    repo::WorkTree,
};

/// The time for a test of the system.
const SHORT: Duration = Duration::from_secs(2);

/// Where Nix is if it is not in PATH.
const ELSEWHERE: [&str; 3] =
    ["/nix/var/nix/profiles/default/bin/nix", "/run/current-system/sw/bin/nix", "/root/.nix-profile/bin/nix"];

/// The result of all checks.
pub struct Examination {
    /// The results.
    pub report: Report,
    /// The version of Nix, if it is known.
    pub nix: Option<Version>,
    /// Why nothing is known of Nix, although it is installed.
    pub blind: Option<NoAnswer>,
}

/// Examines this machine, and a repository if there is one.
pub fn examine(tree: Option<&WorkTree>, is_offline: bool) -> Result<Examination, FetchError> {
    let environment = Environment::of_process();
    let (repository, local) = both(|| tree.map(Facts::read), || Local::read(&environment));
    let team: &[CacheChoice] =
        repository.as_ref().and_then(|facts| facts.model.as_ref().ok()).map_or(&[], |model| &model.caches);
    let remote = Remote::ask(&local, team, &environment, is_offline)?;
    let now = SystemTime::now();
    let mut entries = nix::check(&local.facts(&environment, !team.is_empty()));
    if let Some(settings) = local.settings() {
        let flake = repository.as_ref().and_then(|facts| facts.flake.as_deref());
        entries.extend(of_remote(&remote, settings, &local, flake, is_offline));
        if !is_offline {
            entries.push(clock::check(&remote.probes, now));
        }
    }
    entries.extend(host::check(&local.host(&environment)));
    let seconds = now.duration_since(UNIX_EPOCH).map(|time| time.as_secs()).unwrap_or_default();
    let is_ci = local.computer.kind.ci.holds();
    entries.extend(repository.iter().flat_map(|facts| repository::check(facts, seconds, is_ci)));
    entries.sort_by_key(|entry| entry.check.group);
    let nix = local.installed().and_then(|installed| installed.version.clone().ok());
    Ok(Examination { report: Report { entries }, nix, blind: local.blind() })
}

fn of_remote(remote: &Remote, settings: &Settings, local: &Local, flake: Option<&str>, is_offline: bool) -> Vec<Entry> {
    let place = &local.place;
    let facts = caches::Facts {
        probes: &remote.probes,
        settings,
        place,
        is_trusted: local.store_is(|store| store.trusted == Some(true)),
        flake,
        is_offline,
    };
    let mut entries = caches::check(&facts);
    let answers = (!is_offline).then_some(remote.builder_answers.as_slice());
    entries.extend(builders::check(&remote.builders, answers, settings, place));
    entries
}

/// What this machine says without a network.
struct Local {
    nix: Option<(Nix, Installed)>,
    computer: Computer,
    place: Place,
    store: String,
    namespaces: Option<bool>,
    build_dir: Option<(PathBuf, u32)>,
    git: Option<String>,
    kept_builds: usize,
}

impl Local {
    fn read(environment: &Environment) -> Self {
        let store = environment.get("NIX_STORE_DIR").unwrap_or(STORE).to_owned();
        let state = environment.get("NIX_STATE_DIR").map_or_else(|| PathBuf::from("/nix/var/nix"), PathBuf::from);
        let (nix, (computer, git, namespaces)) = thread::scope(|scope| {
            let nix = scope.spawn(|| {
                let nix = Nix::find()?;
                let installed = Installed::ask(&nix, LIMIT);
                Some((nix, installed))
            });
            let namespaces = scope.spawn(namespaces);
            let git = scope.spawn(git);
            let computer = Computer::of(&ThisComputer, &store);
            let nix = nix.join().unwrap_or_else(|panic| resume_unwind(panic));
            let git = git.join().unwrap_or_else(|panic| resume_unwind(panic));
            (nix, (computer, git, namespaces.join().unwrap_or_else(|panic| resume_unwind(panic))))
        });
        let installed = nix.as_ref().map(|(_, installed)| installed);
        let version = installed.and_then(|installed| installed.version.as_ref().ok());
        let has_daemon = installed.is_some_and(has_daemon);
        let flavour = version.map_or(Flavour::Nix, |version| version.flavour);
        let has_modules = computer.operating_system.modules.holds();
        let place = Place::of(flavour, has_modules, has_daemon, &place::folder(environment));
        let build_dir = installed.and_then(|installed| build_dir(installed, &state));
        Self { place, build_dir, nix, computer, namespaces, git, kept_builds: host::kept_builds(&state), store }
    }

    fn installed(&self) -> Option<&Installed> {
        self.nix.as_ref().map(|(_, installed)| installed)
    }

    fn settings(&self) -> Option<&Settings> {
        self.installed()?.settings.as_ref().ok()
    }

    fn store_is(&self, holds: impl Fn(&StoreInfo) -> bool) -> bool {
        self.installed().is_some_and(|installed| installed.store.as_ref().is_ok_and(holds))
    }

    fn facts<'a>(&'a self, environment: &'a Environment, has_team_caches: bool) -> nix::Facts<'a> {
        nix::Facts {
            installed: self.installed(),
            elsewhere: ELSEWHERE.iter().map(PathBuf::from).find(|path| path.is_file()),
            place: self.place.clone(),
            files: place::files(environment),
            environment,
            computer: &self.computer,
            namespaces: self.namespaces,
            build_dir: self.build_dir.clone(),
            has_team_caches,
        }
    }

    fn host<'a>(&'a self, environment: &'a Environment) -> host::Facts<'a> {
        host::Facts {
            computer: &self.computer,
            settings: self.settings(),
            has_daemon: self.installed().is_some_and(has_daemon),
            is_case_insensitive: host::is_case_insensitive(&self.store),
            kept_builds: self.kept_builds,
            environment,
            git: self.git.clone(),
        }
    }

    /// Returns why nothing is known of an installed Nix.
    fn blind(&self) -> Option<NoAnswer> {
        let installed = self.installed().filter(|installed| installed.is_other().is_none())?;
        let first = installed.version.as_ref().err().or(installed.settings.as_ref().err())?;
        // What Nix itself says of a wrong setting is a finding.
        first.reason().is_none().then(|| first.clone())
    }
}

fn has_daemon(installed: &Installed) -> bool {
    match &installed.store {
        Ok(store) => store.is_daemon(),
        // If it does not answer, it is probably the daemon that is missing.
        Err(_) => true,
    }
}

/// Returns the folder of builds, with its permissions.
fn build_dir(installed: &Installed, state: &Path) -> Option<(PathBuf, u32)> {
    let set = installed.settings.as_ref().ok().and_then(|settings| settings.string("build-dir").map(PathBuf::from));
    let folder = set.unwrap_or_else(|| state.join("builds"));
    let mode = mode(&fs_err::metadata(&folder).ok()?)?;
    Some((folder, mode))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn mode(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(metadata.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> Option<u32> {
    None
}

fn git() -> Option<String> {
    let output = limited::output(Command::new("git").arg("--version"), SHORT).ok()??;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(text.trim_start_matches("git version ").to_owned())
}

/// Tries whether a program may have namespaces of its own, as Nix does before it builds.
#[cfg(target_os = "linux")]
fn namespaces() -> Option<bool> {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "--pid", "--fork", "--net", "true"]);
    Some(limited::output(&mut command, SHORT).ok()??.status.success())
}

#[cfg(not(target_os = "linux"))]
fn namespaces() -> Option<bool> {
    None
}

/// What other machines say.
#[derive(Default)]
struct Remote {
    probes: Vec<probe::Probe>,
    builders: Vec<Builder>,
    builder_answers: Vec<Option<String>>,
}

impl Remote {
    fn ask(
        local: &Local,
        team: &[CacheChoice],
        environment: &Environment,
        is_offline: bool,
    ) -> Result<Self, FetchError> {
        let (Some((nix, installed)), Some(settings)) = (&local.nix, local.settings()) else {
            return Ok(Self::default());
        };
        let mut machine = Machine::of(&installed.shown, environment);
        machine.substituters.retain(|address| !installed.ignores_cache(&address.to_string()));
        let asked = probe::list(&machine, team);
        let builders = builders::list(settings);
        if is_offline {
            let probes = asked.into_iter().map(|asked| probe::Probe { asked, seen: probe::Seen::Unasked });
            return Ok(Self { probes: probes.collect(), builders, builder_answers: Vec::new() });
        }
        let sample = probe::sample(Path::new(&local.store), nix.program());
        let asking = Asking { stall: LIMIT, attempts: 1, ..Asking::new(&machine, nix, &local.store) };
        let (answers, probes) =
            both(|| builders::ask(&builders, nix.program(), LIMIT), || probe::ask(asked, &asking, &sample, LIMIT));
        Ok(Self { probes: probes?, builder_answers: answers, builders })
    }
}
