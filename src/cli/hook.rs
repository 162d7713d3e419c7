//! `splitter hook`: manages the git hook beside existing hooks. The hook itself calls `run`.

use camino::Utf8Path;

use super::{
    arguments::{Global, HookCommand},
    failure::{Failure, Outcome},
    interrupt,
    printer::Printer,
    repository::work_tree,
    style::{BAD, BOLD, GOOD, NOTE},
};
use crate::{
    diagnostic::Category,
    guard::{
        hook::{self, Done, HookPlace, SKIP, is_found, is_skipped},
        renewal::Renewal,
        staged,
    },
    repo::{GitIndex, WorkTree},
    scaffold::record::PATH,
};

pub(super) fn run(global: &Global, command: &HookCommand, printer: Printer) -> Result<Outcome, Failure> {
    match command {
        HookCommand::Install => install(&place(global)?, printer),
        HookCommand::Uninstall => uninstall(&place(global)?, printer),
        HookCommand::Status => status(&place(global)?, printer),
        HookCommand::Run => run_hook(global, printer),
    }
}

fn place(global: &Global) -> Result<HookPlace, Failure> {
    Ok(HookPlace::find(work_tree(global)?.root())?)
}

pub(super) fn install(place: &HookPlace, printer: Printer) -> Result<Outcome, Failure> {
    match interrupt::uninterrupted(|| hook::install(place))? {
        Done::Written(places) => {
            printer.data(format_args!("{GOOD}installed{GOOD:#}: {}", places.join(", ")));
            Ok(say_what_runs(place, printer)?)
        }
        Done::Unchanged => {
            printer.data("unchanged: the git hook is already installed");
            Ok(say_what_runs(place, printer)?)
        }
        Done::Print { owner, place, lines } => {
            printer.note(format_args!("{owner} manages the hooks in this repository; nothing was written."));
            printer.note(format_args!("Add these lines to {BOLD}{place}{BOLD:#}:\n"));
            printer.data(lines.trim_end());
            Ok(Outcome::Done)
        }
    }
}

/// Warns about installed hooks that will not run.
fn say_what_runs(place: &HookPlace, printer: Printer) -> Result<Outcome, Failure> {
    for status in hook::status(place)?.iter().filter(|status| !status.runs()) {
        printer.warning(format_args!("{} will not run splitter: {}", status.event, status.reason));
    }
    if !is_found(&place.top, &place.root) {
        printer.note(format_args!("{NOTE}hint{NOTE:#}: add `splitter` to PATH, or install `nix-splitter` as a development dependency; the git hook looks for it there"));
    }
    Ok(Outcome::Done)
}

fn uninstall(place: &HookPlace, printer: Printer) -> Result<Outcome, Failure> {
    match interrupt::uninterrupted(|| hook::uninstall(place))? {
        Done::Written(places) => printer.data(format_args!("{GOOD}removed{GOOD:#}: {}", places.join(", "))),
        _ => printer.data("unchanged: the git hook is not installed"),
    }
    for status in hook::status(place)? {
        if let Some(from) = status.from {
            printer.note(format_args!(
                "{} still runs splitter from {from}, which splitter did not write; remove it there",
                status.event
            ));
        }
    }
    Ok(Outcome::Done)
}

fn status(place: &HookPlace, printer: Printer) -> Result<Outcome, Failure> {
    let all = hook::status(place)?;
    for status in &all {
        let event = status.event;
        let through = if status.reason.is_empty() { String::new() } else { format!(" ({})", status.reason) };
        match &status.from {
            Some(from) => printer.data(format_args!("{event}: {GOOD}runs{GOOD:#} from {from}{through}")),
            None => printer.data(format_args!("{event}: {BAD}does not run{BAD:#}: {}", status.reason)),
        }
    }
    let mut works = all.iter().all(hook::Status::runs);
    if works && !is_found(&place.top, &place.root) {
        printer.data("but `splitter` is neither in PATH nor in node_modules/.bin, so the git hook checks nothing");
        works = false;
    }
    if works && is_skipped() {
        printer.data(format_args!("but {SKIP}=0 is set, which skips the git hook"));
        works = false;
    }
    Ok(Outcome::verdict(works, false))
}

/// Checks the staged files for the hook. It stops a commit only if the staged files are wrong, not if the check itself fails.
fn run_hook(global: &Global, printer: Printer) -> Result<Outcome, Failure> {
    if is_skipped() {
        return Ok(Outcome::Done);
    }
    match guard(global, printer) {
        Err(failure) if failure.error().category() != Category::Input => {
            failure.report(printer);
            printer.note("splitter could not check this commit and lets it pass; run `splitter check`");
            Ok(Outcome::Done)
        }
        result => {
            if !matches!(result, Ok(Outcome::Done)) {
                printer.error_line(format_args!("(to commit anyway: `{SKIP}=0 git commit …`)"));
            }
            result
        }
    }
}

fn guard(global: &Global, printer: Printer) -> Result<Outcome, Failure> {
    // The hook ignores a branch without a lockfile.
    let folder = global.repo.as_deref().unwrap_or(Utf8Path::new("."));
    let Ok(root) = staged::root(folder) else { return Ok(Outcome::Done) };
    let (found, index) = staged::look(&root)?;
    if found.is_fresh() {
        return Ok(Outcome::Done);
    }
    if let Some(index) = index.filter(|_| found.is_only_stale())
        && bring_up_to_date(&index, &WorkTree::at(root), printer)
    {
        return Ok(Outcome::Done);
    }
    super::check::print_refusal(&found, printer);
    Ok(Outcome::Difference)
}

/// Updates the record of a commit. Returns whether it was updated.
fn bring_up_to_date(index: &GitIndex, work_tree: &WorkTree, printer: Printer) -> bool {
    let updated = Renewal::of(index, work_tree).and_then(|renewal| match renewal {
        Some(renewal) => interrupt::uninterrupted(|| renewal.write(work_tree)).map(|()| true),
        None => Ok(false),
    });
    match updated {
        Ok(true) => {
            printer.note(format_args!("splitter: {GOOD}updated{GOOD:#} {PATH} and added it to the commit"));
            true
        }
        Ok(false) => false,
        Err(error) => {
            printer.note(format_args!("splitter could not update {PATH} from its cache: {error}"));
            false
        }
    }
}
