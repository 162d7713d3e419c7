//! `splitter tune`: settings of Nix for this computer.

mod facts;
mod json;
mod show;
mod write;

use camino::Utf8Path;

use self::facts::Facts;
use super::{
    arguments::{Global, TuneOptions, TuneOutput},
    failure::{Failure, Outcome},
    printer::Printer,
    style::BOLD,
};
use crate::tune::{
    Advice, Profile, Situation, advise,
    measure::{self, Amount, Trial},
    render::{self, Format},
};

pub(super) fn run(global: &Global, options: &TuneOptions, printer: Printer) -> Result<Outcome, Failure> {
    options.write.iter().try_for_each(|path| write::check(path))?;
    let facts = Facts::read(global, options, printer)?;
    let situation = facts.situation(options.profile.into(), options.output.ci);
    let mut advice = advise(&situation);
    let trials = if options.measure { measured(&facts, &mut advice, printer)? } else { Vec::new() };
    let output = &options.output;
    if let Some(path) = &options.write {
        return write::write(path, &render::file(&advice, format(output)), (&situation, &advice), printer);
    }
    if output.json {
        printer.json(&json::report(&situation, &advice, &trials));
    } else if output.ci {
        printer.data(render::nix_config(&advice).trim_end());
        show::notes(&advice, printer);
    } else if output.diff {
        print_diff(&advice, printer);
    } else if output.nix_conf || output.nix_os || output.darwin {
        printer.data(render::file(&advice, format(output)).trim_end());
        show::notes(&advice, printer);
    } else {
        show::print(&situation, &advice, &trials, printer);
    }
    Ok(Outcome::Done)
}

const fn format(output: &TuneOutput) -> Format {
    match (output.nix_os, output.darwin) {
        (true, _) => Format::NixOs,
        (_, true) => Format::Darwin,
        _ => Format::NixConf,
    }
}

fn print_diff(advice: &Advice, printer: Printer) {
    let diff = render::diff(advice);
    if advice.checked && diff.is_empty() {
        printer.data("nothing to change");
    } else if diff.is_empty() {
        printer.data("what is set is unknown");
    } else {
        printer.data(diff.trim_end());
    }
    show::notes(advice, printer);
}

/// Measures the advice, and takes back what does not help.
fn measured(facts: &Facts, advice: &mut Advice, printer: Printer) -> Result<Vec<Trial>, Failure> {
    let nix = facts.nix()?;
    if facts.is_busy() {
        printer.warning("other programs keep this computer busy, so this takes more runs and may tell nothing");
    }
    let mut amount = Amount::default();
    amount.delay = facts.delay().unwrap_or(amount.delay);
    let folder = facts.scratch()?;
    let trials = measure::measure(nix, advice, &folder, &amount, &mut |work| {
        printer.note(format_args!(
            "measuring {BOLD}{work}{BOLD:#}, {} to {} times with each setting",
            amount.pairs, amount.most_pairs
        ));
    })?;
    measure::withdraw(advice, &trials);
    Ok(trials)
}

/// Returns the jobs of each profile on this computer.
fn jobs_of_profiles(situation: &Situation<'_>) -> Vec<(Profile, Option<crate::tune::profile::Jobs>)> {
    Profile::ALL.into_iter().map(|profile| (profile, profile.jobs(situation.computer))).collect()
}

/// Returns the folder of a path, to show where it is.
fn parent(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}
