//! The report for people.

use std::fmt::Display;

use super::{Printer, jobs_of_profiles};
use crate::{
    cli::{
        style::{BOLD, DIM, GOOD, NOTE, ODD},
        text::{bytes, escape},
    },
    machine::{Fact, Medium, Sureness},
    tune::{
        Advice, Recommendation, Situation, State,
        measure::{Runs, Trial, Verdict},
        notes::{claims, file_of},
        render::shown,
    },
};

pub(super) fn print(situation: &Situation<'_>, advice: &Advice, trials: &[Trial], printer: Printer) {
    print_computer(situation, printer);
    print_nix(situation, printer);
    print_settings(advice, printer);
    print_trials(trials, printer);
    print_profiles(situation, printer);
    print_claims(situation, printer);
    notes(advice, printer);
    if advice.written().next().is_some() {
        printer.note(format_args!(
            "{NOTE}next{NOTE:#}: `{BOLD}splitter tune --nix-conf{BOLD:#}` prints lines for {}; `--nixos` and `--darwin` print modules",
            file_of(situation)
        ));
    }
}

/// Prints notes to stderr.
pub(super) fn notes(advice: &Advice, printer: Printer) {
    for note in &advice.notes {
        printer.note(format_args!("{ODD}note{ODD:#}: {}", escape(&note.text)));
        if let Some(hint) = &note.hint {
            printer.note(format_args!("{NOTE}hint{NOTE:#}: {}", escape(hint)));
        }
    }
}

fn heading(name: &str, printer: Printer) {
    printer.data(format_args!("{BOLD}{name}{BOLD:#}"));
}

fn row(name: &str, value: impl Display, source: &str, sureness: Sureness, printer: Printer) {
    let sure = match sureness {
        Sureness::Certain => "",
        Sureness::Likely => "likely: ",
        Sureness::Unknown => "unknown: ",
    };
    printer.data(format_args!("  {name:<11} {value}  {DIM}{sure}{}{DIM:#}", escape(source)));
}

fn fact<T>(name: &str, fact: &Fact<T>, value: impl Fn(&T) -> String, printer: Printer) {
    let text = fact.value.as_ref().map_or_else(|| "?".to_owned(), value);
    row(name, escape(&text), &fact.source, fact.sureness, printer);
}

fn print_computer(situation: &Situation<'_>, printer: Printer) {
    let computer = situation.computer;
    heading("this computer", printer);
    let system = &computer.operating_system;
    let version = system.version.value.clone().unwrap_or_default();
    fact("system", &system.name, |name| format!("{name} {version}").trim_end().to_owned(), printer);
    let of = |all: Option<String>| all.map_or_else(String::new, |all| format!(" of {all}"));
    let all = computer.cores.present.value.filter(|all| Some(*all) != computer.cores.usable.value);
    fact("cores", &computer.cores.usable, |cores| format!("{cores}{}", of(all.map(|all| all.to_string()))), printer);
    let all = computer.memory.present.value.filter(|all| Some(*all) != computer.memory.usable.value);
    fact("memory", &computer.memory.usable, |memory| format!("{}{}", bytes(*memory), of(all.map(bytes))), printer);
    let store = &computer.store;
    let system = store.file_system.value.clone().unwrap_or_else(|| "?".to_owned());
    let place = |device: &String| format!("{} on {device} ({system})", store.folder);
    fact("store", &store.device, place, printer);
    fact("medium", &store.medium, |medium| medium_name(*medium).to_owned(), printer);
    fact(
        "writes",
        &store.writes,
        |writes| format!("{:.2} ms, slowest tenth {:.2} ms", writes.median_ms, writes.slow_ms),
        printer,
    );
    let all = store.bytes.value.map(bytes);
    fact("free", &store.free_bytes, |free| format!("{}{}", bytes(*free), of(all.clone())), printer);
    let kind = &computer.kind;
    let yes = |is: &bool| if *is { "yes" } else { "no" }.to_owned();
    fact("virtual", &kind.virtual_machine, yes, printer);
    fact("container", &kind.container, yes, printer);
    fact("CI", &kind.ci, yes, printer);
}

const fn medium_name(medium: Medium) -> &'static str {
    match medium {
        Medium::SolidState => "solid state",
        Medium::Rotating => "rotating disk",
        Medium::Memory => "memory",
        Medium::Network => "network",
    }
}

fn print_nix(situation: &Situation<'_>, printer: Printer) {
    printer.data("");
    heading("Nix", printer);
    let Some(nix) = situation.nix else {
        row("version", "?", "Nix was not found", Sureness::Unknown, printer);
        return;
    };
    match &nix.version {
        Some(version) => {
            row(
                "version",
                format_args!("{} {}", version.flavour.name(), escape(&version.text)),
                "nix --version",
                Sureness::Certain,
                printer,
            );
        }
        None => row("version", "?", "nix --version prints an unknown text", Sureness::Unknown, printer),
    }
    if let Some(store) = &nix.store {
        let trust = match store.trusted {
            Some(true) => "trusts you",
            Some(false) => "does not trust you",
            None => "does not say whether it trusts you",
        };
        row("store", format_args!("{}, {trust}", escape(&store.url)), "nix store info", Sureness::Certain, printer);
    }
    for answer in situation.answers {
        let time = answer.milliseconds.map_or_else(|| "no answer".to_owned(), |time| format!("{time} ms"));
        let source = answer.trouble.as_deref().unwrap_or("the fastest of three answers");
        row("cache", format_args!("{} {time}", escape(&answer.url)), source, Sureness::Certain, printer);
    }
}

fn print_settings(advice: &Advice, printer: Printer) {
    printer.data("");
    heading(&format!("settings, profile {} ({})", advice.profile.name(), advice.profile.purpose()), printer);
    let width = advice.settings.iter().map(|setting| setting.setting.len()).max().unwrap_or(0);
    for setting in &advice.settings {
        printer.data(format_args!("  {:<width$}  {}", setting.setting, change(setting)));
        printer.data(format_args!("  {:<width$}    {DIM}{}{DIM:#}", "", escape(&setting.reason)));
    }
    if let Some(schedule) = advice.schedule {
        printer.data(format_args!("  weekly  nix-collect-garbage --delete-older-than {}d", schedule.days_kept));
        if schedule.optimise {
            printer.data("  weekly  nix store optimise");
        }
    }
    for withheld in &advice.withheld {
        printer.data(format_args!("  {DIM}not {}: {}{DIM:#}", escape(&withheld.setting), escape(&withheld.reason)));
    }
}

fn change(setting: &Recommendation) -> String {
    let value = escape(&shown(&setting.setting, &setting.value.to_string())).into_owned();
    let current = setting.current.as_deref().map(|current| escape(&shown(&setting.setting, current)).into_owned());
    match (setting.state, current) {
        (State::Change, Some(current)) if !setting.setting.starts_with("extra-") => {
            format!("{current} → {GOOD}{value}{GOOD:#}")
        }
        (State::Change, _) => format!("{GOOD}+ {value}{GOOD:#}"),
        (State::Set, _) => format!("{value} (set already)"),
        (State::Default, _) => format!("{value} (the default)"),
        (State::Unknown, _) => format!("{GOOD}{value}{GOOD:#}"),
    }
}

fn print_trials(trials: &[Trial], printer: Printer) {
    if trials.is_empty() {
        return;
    }
    printer.data("");
    heading("measured", printer);
    for trial in trials {
        let changed = trial.settings.iter().filter(|pair| pair.before != pair.after);
        let settings: Vec<String> =
            changed.map(|pair| format!("{} {} → {}", pair.setting, pair.before, pair.after)).collect();
        let verdict = match trial.verdict {
            Verdict::Helps => format!("{GOOD}helps{GOOD:#}"),
            Verdict::NoGain => "no gain, so not recommended".to_owned(),
            Verdict::Slower => format!("{ODD}slower, so not recommended{ODD:#}"),
            Verdict::CannotTell => format!("{ODD}cannot tell, because runs of the same setting differ by more{ODD:#}"),
        };
        printer.data(format_args!("  {}: {}", escape(&trial.work), escape(&settings.join(", "))));
        printer.data(format_args!(
            "    {} → {}, {} runs each, ratio {:.2}: {verdict}",
            median(&trial.before),
            median(&trial.after),
            trial.before.len(),
            trial.ratio
        ));
    }
}

/// Returns the median with the fastest and the slowest run.
fn median(seconds: &[f64]) -> String {
    Runs::of(seconds)
        .map_or_else(|| "?".to_owned(), |runs| format!("{:.2} s ({:.2} to {:.2})", runs.median, runs.least, runs.most))
}

fn print_profiles(situation: &Situation<'_>, printer: Printer) {
    printer.data("");
    heading("profiles here, as max-jobs × cores", printer);
    for (profile, jobs) in jobs_of_profiles(situation) {
        let jobs = jobs.map_or_else(|| "?".to_owned(), |jobs| format!("{} × {}", jobs.jobs, jobs.cores));
        let chosen = if profile == situation.profile { ", chosen" } else { "" };
        printer.data(format_args!("  {:<16} {jobs:<8} {DIM}{}{chosen}{DIM:#}", profile.name(), profile.purpose()));
    }
}

fn print_claims(situation: &Situation<'_>, printer: Printer) {
    printer.data("");
    heading("usual advice that is wrong here", printer);
    for claim in claims(situation) {
        printer.data(format_args!("  {}", claim.claim));
        printer.data(format_args!("    {DIM}{}{DIM:#}", escape(&claim.truth)));
    }
}
