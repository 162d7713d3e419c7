//! How much Nix does at once, compared with what the computer has.

use super::{Facts, JOBS, OPTIMISE};
use crate::{
    doctor::model::{Entry, Finding},
    machine::Family,
    nix::settings::Settings,
    tune::{Fit, Jobs, Profile},
};

/// From this many processes for each core on, builds are much slower, not just a little.
const BAD: u64 = 4;

pub(super) fn check(settings: &Settings, facts: &Facts<'_>) -> Vec<Entry> {
    jobs(settings, facts).into_iter().chain(optimise(settings, facts)).collect()
}

fn jobs(settings: &Settings, facts: &Facts<'_>) -> Option<Entry> {
    settings.number("max-jobs")?;
    let Some(set) = Jobs::set(settings, facts.computer) else {
        return Some(JOBS.unknown("the number of cores is not known"));
    };
    let Some(fit) = set.fit(facts.computer) else {
        return Some(JOBS.unknown("the number of cores or the memory is not known"));
    };
    let cores = facts.computer.cores.usable.get().and_then(|cores| u64::try_from(cores).ok()).unwrap_or(1);
    let here = cores_here(cores, facts);
    Some(match fit {
        Fit::Nothing => nothing(settings, set, facts),
        Fit::TooMany(processes) => too_many(set, processes, cores, facts),
        Fit::TooFew(_) if set.jobs == 1 => {
            let what = format!("Nix builds one thing at a time on {here}");
            let why = "Most JavaScript builds use few cores for most of their time, so several at once finish earlier.";
            JOBS.found(advised(Finding::advice(40, what, why), set, facts))
        }
        Fit::TooFew(processes) => {
            let what = format!("Nix may start only {processes} processes on {here}");
            let why =
                format!("{} of {cores} cores have nothing to do during a build.", cores.saturating_sub(processes));
            JOBS.found(advised(Finding::advice(39, what, why), set, facts))
        }
        Fit::Suits => {
            let builds = if set.jobs == 1 {
                "1 build at a time".to_owned()
            } else {
                format!("{} builds at once, each", set.jobs)
            };
            JOBS.fine(format!("{builds} with {}, on {here}", of_cores(set.cores)))
        }
    })
}

fn nothing(settings: &Settings, set: Jobs, facts: &Facts<'_>) -> Entry {
    if settings.string("builders").is_some_and(|builders| !builders.trim().is_empty()) {
        return JOBS.fine("nothing is built on this machine (`max-jobs = 0`), but on builders");
    }
    let what = format!("nothing may be built on this machine: `max-jobs = 0`{}", facts.in_file("max-jobs"));
    let why = "There are no other builders, so every build that no cache has fails.";
    JOBS.found(advised(Finding::problem(93, what, why), set, facts))
}

fn too_many(set: Jobs, processes: u64, cores: u64, facts: &Facts<'_>) -> Entry {
    let what = format!("Nix may start {processes} processes on {}", cores_here(cores, facts));
    let memory = facts.computer.memory.usable.get().map(|memory| memory >> 30).unwrap_or_default();
    if set.jobs == 1 {
        let why =
            format!("A build starts a process for each of {}, and they wait for each other.", of_cores(set.cores));
        return JOBS.found(advised(Finding::advice(46, what, why), set, facts));
    }
    let why = format!(
        "`max-jobs = {}` builds run at once, and `cores` gives each {}. They slow each other down, or run out of memory. {} builds of 1 \
         to 4 GB each share {memory} GB of memory.",
        set.jobs,
        of_cores(set.cores),
        set.jobs
    );
    let is_bad = processes >= BAD.saturating_mul(cores);
    let finding = if is_bad { Finding::problem(55, what, why) } else { Finding::advice(46, what, why) };
    JOBS.found(advised(finding, set, facts))
}

/// Adds the settings that `splitter tune` advises.
fn advised(mut finding: Finding, set: Jobs, facts: &Facts<'_>) -> Finding {
    let Some(Jobs { jobs, cores }) = Profile::default().jobs(facts.computer) else { return finding };
    if jobs != set.jobs {
        finding = finding.so(facts.to_set("max-jobs", &jobs.to_string()));
    }
    if cores != set.cores {
        finding = finding.so(facts.to_set("cores", &cores.to_string()));
    }
    finding.so("`splitter tune` shows these and other settings that suit this machine, with their reasons")
}

/// Returns the cores that builds may use, and what limits them.
fn cores_here(usable: u64, facts: &Facts<'_>) -> String {
    let cores = &facts.computer.cores;
    match cores.present.get() {
        Some(present) if u64::try_from(present).is_ok_and(|present| present > usable) => {
            format!("{usable} of {present} cores (the limit is {})", cores.usable.source)
        }
        _ => of_cores(usable),
    }
}

fn of_cores(number: u64) -> String {
    if number == 1 { "1 core".to_owned() } else { format!("{number} cores") }
}

fn optimise(settings: &Settings, facts: &Facts<'_>) -> Option<Entry> {
    if !settings.flag("auto-optimise-store")? {
        return Some(OPTIMISE.fine("new files are not compared with all others"));
    }
    let what = format!(
        "Nix compares every new file with all others: `auto-optimise-store`{}",
        facts.in_file("auto-optimise-store")
    );
    let set = facts.to_set("auto-optimise-store", "false");
    Some(OPTIMISE.found(if facts.computer.operating_system.family == Family::MacOs {
        let why = "On macOS this setting damages the store from time to time (\"cannot link … File exists\").";
        Finding::problem(66, what, why).so(set).run("nix store optimise")
    } else {
        let why = "A `node_modules` folder has up to 200,000 files, and each build that makes one waits for this.";
        Finding::advice(42, what, why).so(set).so("run `nix store optimise` once a week instead")
    }))
}
