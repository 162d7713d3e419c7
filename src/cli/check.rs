//! `splitter check`: is `splitter.lock.json` right for this lock set? No network, no subprocess.

use serde::Serialize;

use super::{
    arguments::{CheckOptions, Global},
    changes::{package_line, print_list, sign},
    failure::{Failure, Outcome},
    printer::{BAD, BOLD, GOOD, Printer},
    repository::work_tree,
    text::things,
};
use crate::{
    parallel::both,
    repo::WorkTree,
    scaffold::{
        compare::{Differences, compare, outputs},
        record::{PATH, Record, RecordError},
    },
    split::{Choices, Split},
};

pub(super) fn run(global: &Global, options: &CheckOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    let (record, split) = both(|| recorded(&tree), || Split::read(&tree, &Choices::default()));
    let ((record, outputs), split) = (record?, split?);
    let differences = compare(&split, &record, outputs);
    if options.json {
        print_json(&differences, printer);
    } else {
        print_text(&split, &differences, &record, printer);
    }
    // The program ends now: giving back thousands of texts one by one would only take time.
    std::mem::forget((split, record));
    Ok(if differences.is_empty() { Outcome::Done } else { Outcome::Difference })
}

/// The record, and what is wrong with its own fixed outputs.
fn recorded(tree: &WorkTree) -> Result<(Record, Vec<String>), RecordError> {
    let record = Record::read(tree)?.ok_or(RecordError::Absent)?;
    let outputs = outputs(&record);
    Ok((record, outputs))
}

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    fresh: bool,
    #[serde(flatten)]
    differences: &'a Differences,
}

fn print_json(differences: &Differences, printer: Printer) {
    let report = Report { version: 1, fresh: differences.is_empty(), differences };
    // A report is texts and lists: it always serialises.
    printer.data(serde_json::to_string_pretty(&report).unwrap_or_default());
}

fn print_text(split: &Split, differences: &Differences, record: &Record, printer: Printer) {
    if differences.is_empty() {
        printer.data(format_args!(
            "{GOOD}fresh{GOOD:#}: {PATH} is right for {} in {}",
            things(record.dependencies.len(), "package"),
            things(record.workspaces.len(), "workspace")
        ));
        return;
    }
    if !differences.record_is_fresh() {
        printer.data(format_args!("{BAD}stale{BAD:#}: {PATH} does not fit this repository"));
        print_list("packages", differences.packages.iter().map(package_line), printer);
        let files = differences.files.iter().map(|file| format!("{} {}", sign(file.change), file.path));
        print_list("files", files, printer);
        print_list("settings", differences.settings.iter().map(|text| format!("~ {text}")), printer);
    }
    if !differences.drift.is_empty() {
        printer.data(format_args!("{BAD}drift{BAD:#}: the manifests and {} disagree", split.lockfile.format.file()));
        print_list("", differences.drift.iter().map(ToString::to_string), printer);
    }
    printer.data(remedy(split, differences));
}

fn remedy(split: &Split, differences: &Differences) -> String {
    let command = |text: &str| format!("{BOLD}{text}{BOLD:#}");
    if differences.drift.is_empty() {
        format!("run `{}`", command("splitter update-hash"))
    } else {
        let install = format!("{} install", split.pin.manager.name.command());
        format!("run `{}`, then `{}`", command(&install), command("splitter update-hash"))
    }
}
