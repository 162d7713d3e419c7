//! How much Nix does at once, compared with what the computer has.

use super::{Facts, JOBS, OPTIMISE};
use crate::{
    doctor::model::{Entry, Finding},
    machine::Family,
    nix::settings::Settings,
    tune::profile::{Jobs, Profile},
};

/// From this many processes for each core on, builds slow each other down.
const TOO_MANY: u64 = 4;
/// With fewer cores, one build at a time is right.
const FEW_CORES: u64 = 4;

pub(super) fn check(settings: &Settings, facts: &Facts<'_>) -> Vec<Entry> {
    jobs(settings, facts).into_iter().chain(optimise(settings, facts)).collect()
}

fn jobs(settings: &Settings, facts: &Facts<'_>) -> Option<Entry> {
    let jobs = settings.number("max-jobs")?;
    let Some(cores) = facts.computer.cores.usable.get().and_then(|cores| u64::try_from(cores).ok()) else {
        return Some(JOBS.unknown("the number of cores is not known"));
    };
    let each = match settings.number("cores")? {
        0 => cores,
        each => each,
    };
    let memory = facts.computer.memory.usable.get();
    let advised = Profile::default().jobs(facts.computer);
    let set = |finding: Finding| match advised {
        Some(Jobs { jobs, cores }) => {
            let finding = finding.so(facts.to_set("max-jobs", &jobs.to_string()));
            let finding = finding.so(facts.to_set("cores", &cores.to_string()));
            finding.so("`splitter tune` shows these and other settings that suit this machine, with their reasons")
        }
        None => finding,
    };
    if jobs == 0 {
        let has_builders = settings.string("builders").is_some_and(|builders| !builders.trim().is_empty());
        if has_builders {
            return Some(JOBS.fine("nothing is built on this machine (`max-jobs = 0`), but on builders"));
        }
        let what = format!("nothing may be built on this machine: `max-jobs = 0`{}", facts.in_file("max-jobs"));
        let why = "There are no other builders, so every build that no cache has fails.";
        return Some(JOBS.found(set(Finding::problem(93, what, why))));
    }
    let here = cores_here(cores, facts);
    let processes = jobs.saturating_mul(each);
    if jobs > 1 && processes >= TOO_MANY.saturating_mul(cores) {
        let what = format!("Nix may start {processes} processes on {here}");
        let memory =
            memory.map(|memory| format!(" {jobs} builds of 1 to 4 GB each share {} GB of memory.", memory >> 30));
        let why = format!(
            "`max-jobs = {jobs}` builds run at once, and `cores` gives each {}. They slow each other down, or run out of memory.{}",
            of_cores(each),
            memory.unwrap_or_default()
        );
        return Some(JOBS.found(set(Finding::problem(55, what, why))));
    }
    if jobs == 1 && cores >= FEW_CORES && advised.is_some_and(|advised| advised.jobs > 1) {
        let what = format!("Nix builds one thing at a time on {here}");
        let why = "Most JavaScript builds use few cores for most of their time, so several at once finish earlier.";
        return Some(JOBS.found(set(Finding::advice(40, what, why))));
    }
    let builds = if jobs == 1 { "1 build at a time".to_owned() } else { format!("{jobs} builds at once, each") };
    Some(JOBS.fine(format!("{builds} with {}, on {here}", of_cores(each))))
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
