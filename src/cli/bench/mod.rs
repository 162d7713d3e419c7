//! `splitter bench`: measures the split of a repository against the usual build.

mod edits;
mod error;
mod images;
mod machine;
mod measure;
mod memory;
mod prepare;
mod progress;
mod show;
mod stores;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use self::{
    edits::Edits,
    error::BenchError,
    measure::{Measurer, Unmeasured},
    memory::Memory,
    prepare::Prepared,
    progress::Progress,
};
use super::{
    arguments::{BenchOptions, Global},
    build::{ids, named},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::{state, work_tree},
};
use crate::{
    bench::{
        Scenario,
        log::Sample,
        plan::{Run, left, runs},
        report::{Report, Repository, Row, date},
    },
    nix::command::Nix,
    proof::{ProofError, State},
    repo::WorkTree,
    shell,
    split::plan::Id,
};

pub(super) fn run(global: &Global, options: &BenchOptions, printer: Printer) -> Result<Outcome, Failure> {
    if std::env::consts::OS != "linux" {
        return Err(BenchError::System(std::env::consts::OS).into());
    }
    show::check(&options.reports)?;
    let nix = Nix::require()?;
    let tree = work_tree(global)?;
    let state = state(&tree)?;
    if !state.is_recorded {
        return Err(ProofError::Stale.into());
    }
    let names = names(&state, &options.names)?;
    let scenarios = options.scenarios();
    let rounds = options.rounds();
    let version = nix.version()?;
    let key = [version.as_str(), env!("CARGO_PKG_VERSION"), &names.join(" "), &options.nix_options.join(" ")];
    let mut memory = Memory::of(tree.root(), &state, &key, options.fresh);
    let edits = edits::of(&state, &tree, &names)?;
    let mut skipped = BTreeMap::new();
    let prepared = measure_all(
        &Bench { state: &state, tree: &tree, edits: &edits, printer },
        &names,
        options,
        &mut memory,
        &mut skipped,
    )?;
    let report = Report {
        version: Report::version(),
        repository: repository(&state, &tree, &names),
        machine: machine::machine(&nix, state.system().name()),
        command: command(options),
        date: date(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())),
        runs: rounds,
        rows: rows(&scenarios, &memory.samples, &edits, &skipped),
        notes: notes(),
    };
    memory.forget();
    show::print(&report, printer);
    show::write(&report, &options.reports, printer)?;
    if prepared.is_some() {
        printer.note("removing the stores");
    }
    // Hundreds of thousands of files take a while, so the report comes first.
    drop(prepared);
    Ok(Outcome::Done)
}

/// What a bench measures.
struct Bench<'a> {
    state: &'a State,
    tree: &'a WorkTree,
    edits: &'a Edits,
    printer: Printer,
}

/// Measures all runs that no earlier bench measured. Returns the stores, if there are any.
fn measure_all(
    bench: &Bench<'_>,
    names: &[String],
    options: &BenchOptions,
    memory: &mut Memory,
    skipped: &mut BTreeMap<Scenario, String>,
) -> Result<Option<Prepared>, Failure> {
    let rounds = options.rounds();
    let mut rest = runs(&options.scenarios(), rounds);
    let all = rest.len();
    rest.retain(|run| !memory.samples.contains_key(run));
    if rest.is_empty() {
        return Ok(None);
    }
    if rest.len() < all {
        bench.printer.note(format_args!(
            "{} of {all} runs are from an interrupted bench (`--fresh` measures them again)",
            all - rest.len()
        ));
    }
    let mut prepared = Prepared::new((bench.state, bench.tree), names, &options.nix_options, bench.printer)?;
    let mut measurer = Measurer {
        prepared: &mut prepared,
        edits: bench.edits,
        state: bench.state,
        tree: bench.tree,
        warm: BTreeMap::new(),
        cached: BTreeSet::new(),
    };
    let progress = Progress::new(bench.printer);
    for (at, run) in rest.iter().enumerate() {
        if skipped.contains_key(&run.scenario) {
            continue;
        }
        let taken = memory.samples.iter().map(|(run, sample)| (*run, sample.seconds)).collect();
        progress.begin(*run, rounds, left(&rest[at..], &taken));
        match measurer.measure(*run) {
            Ok(sample) => {
                progress.end(*run, &sample);
                memory.keep(*run, sample);
            }
            Err(Unmeasured::Skipped(why)) => {
                progress.note(&format!("{}: skipped: {why}", run.scenario.title()));
                skipped.insert(run.scenario, why);
            }
            Err(Unmeasured::Failed(failure)) => return Err(failure),
        }
    }
    drop(progress);
    Ok(Some(prepared))
}

/// Returns the packages to build: those that the user named, or all apps.
fn names(state: &State, given: &[String]) -> Result<Vec<String>, BenchError> {
    let ids = ids(state);
    let known: Vec<String> =
        state.derivations.iter().filter(|(id, _)| matches!(id, Id::App(_))).map(|(id, _)| id.package()).collect();
    if known.is_empty() {
        return Err(BenchError::NoPackages);
    }
    if given.is_empty() {
        return Ok(known);
    }
    let chosen: BTreeSet<String> = given.iter().map(|name| named(state, &ids, name)).collect();
    if let Some(name) = chosen.iter().find(|name| !known.contains(*name)) {
        return Err(BenchError::Unknown { name: name.clone(), known });
    }
    Ok(chosen.into_iter().collect())
}

fn repository(state: &State, tree: &WorkTree, names: &[String]) -> Repository {
    let pin = &state.split.pin.manager;
    Repository {
        name: tree.root().file_name().unwrap_or_default().to_owned(),
        package_manager: format!("{} {}", pin.name.command(), pin.version),
        packages: state.split.dependencies.len(),
        workspaces: state.split.graph.workspaces().filter(|workspace| !workspace.path.is_root()).count(),
        files: state.derivations.files().len(),
        built: names.to_vec(),
    }
}

fn rows(
    scenarios: &[Scenario],
    samples: &BTreeMap<Run, Sample>,
    edits: &Edits,
    skipped: &BTreeMap<Scenario, String>,
) -> Vec<Row> {
    let row = |scenario: &Scenario| {
        let edited = edits.get(scenario).and_then(|edit| edit.as_ref().ok()).map(|edit| edit.path.to_string());
        Row::of(*scenario, samples, edited, skipped.get(scenario).cloned())
    };
    scenarios.iter().map(row).collect()
}

/// Returns the command that repeats this bench.
fn command(options: &BenchOptions) -> String {
    let mut words = vec!["splitter".to_owned(), "bench".to_owned()];
    words.extend(options.names.iter().cloned());
    if options.quick {
        words.push("--quick".to_owned());
    }
    words.extend(options.runs.map(|runs| format!("--runs={runs}")));
    words.extend(options.scenarios.iter().map(|scenario| format!("--scenario={}", scenario.name())));
    if !options.nix_options.is_empty() {
        words.push("--".to_owned());
        words.extend(options.nix_options.iter().cloned());
    }
    words.iter().map(|word| shell::word(word)).collect::<Vec<_>>().join(" ")
}

/// Returns what a reader must know to judge the numbers.
fn notes() -> Vec<String> {
    [
        "Unsplit is one derivation for each app. It has the whole repository as source, installs the packages, and builds the libraries and the app, with the programs and the settings of the split builds.",
        "Both sides install offline from the same tarballs. The network is left out: tools and tarballs are in the store before a run begins.",
        "Each run has a store of its own, on the same disk. Both sides take turns, and a factor is the median of the ratios of neighbours.",
        "Times are of the whole nix build. The log tells install, build and register apart: after the last line of a build, Nix hashes and registers the output, and removes the folder of the build. Work that runs at once shares its time.",
        "Files of earlier runs may still be in the memory of the system.",
    ]
    .map(str::to_owned)
    .into()
}
