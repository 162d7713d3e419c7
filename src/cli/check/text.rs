//! The text and the JSON of `check`.

use serde::Serialize;

use crate::{
    cli::{
        changes::print_list,
        printer::Printer,
        style::{BAD, BOLD, GOOD},
        text::things,
    },
    guard::{
        findings::{EDITED, NOT_STAGED, commands, older_words, template_words, unmerged_remedy},
        staged::Staged,
        verdict::Verdict,
    },
    scaffold::{
        compare::Differences,
        record::{GENERATOR, PATH},
        templates,
    },
};

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    fresh: bool,
    #[serde(flatten)]
    differences: &'a Differences,
    #[serde(skip_serializing_if = "Option::is_none")]
    unstaged: Option<&'a [String]>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unmerged: &'a [String],
}

pub(super) fn json(staged: &Staged, printer: Printer) {
    let nothing = Differences::default();
    let record = [PATH.to_owned()];
    let mut report =
        Report { version: 1, fresh: staged.is_fresh(), differences: &nothing, unstaged: None, unmerged: &[] };
    match staged {
        Staged::Untouched | Staged::Unused | Staged::Older => {}
        Staged::Unmerged(paths) => report.unmerged = paths,
        Staged::NoRecord => report.unstaged = Some(&record),
        Staged::Checked(verdict) => {
            report.differences = &verdict.differences;
            report.unstaged = verdict.beside.as_ref().map(|beside| beside.unstaged.as_slice());
        }
    }
    // Texts and lists always serialise.
    printer.data(serde_json::to_string_pretty(&report).unwrap_or_default());
}

/// Prints the findings. Prints nothing if no relevant file is staged.
pub(in crate::cli) fn text(staged: &Staged, printer: Printer) {
    match staged {
        Staged::Untouched | Staged::Unused | Staged::Older => {}
        Staged::Unmerged(paths) => {
            printer.data(format_args!("{BAD}unmerged{BAD:#}: these files have unresolved merge conflicts"));
            print_list("", paths.iter().map(|path| format!("{path}: {}", unmerged_remedy(path))), printer);
        }
        Staged::NoRecord => {
            printer.data(format_args!("{BAD}unstaged{BAD:#}: {PATH} {NOT_STAGED}"));
            print_commands(&[format!("git add {PATH}")], printer);
        }
        Staged::Checked(verdict) => verdict_text(verdict, printer),
    }
}

fn verdict_text(verdict: &Verdict, printer: Printer) {
    let differences = &verdict.differences;
    if differences.is_empty() {
        printer.data(format_args!(
            "{GOOD}fresh{GOOD:#}: {PATH} is up to date ({}, {})",
            things(verdict.packages, "package"),
            things(verdict.workspaces, "workspace")
        ));
        return;
    }
    if verdict.is_only_unstaged() {
        printer.data(format_args!(
            "{BAD}unstaged{BAD:#}: the working tree is up to date, but these changes are not staged"
        ));
        let unstaged = verdict.beside.as_ref().map_or(&[][..], |beside| &beside.unstaged);
        print_list("", unstaged.iter().cloned(), printer);
    } else {
        print_differences(verdict, printer);
    }
    print_commands(&commands(verdict), printer);
    if verdict.beside.as_ref().is_some_and(|beside| beside.is_partial) {
        printer.data("git commits only the paths that you name; name these files too, or commit without paths");
    }
}

fn print_differences(verdict: &Verdict, printer: Printer) {
    let differences = &verdict.differences;
    if let Some(format) = differences.older_format {
        printer.data(format_args!("{BAD}outdated{BAD:#}: {PATH} {}", older_words(format)));
    }
    if differences.is_stale() {
        let repository = if verdict.beside.is_some() { "the staged files" } else { "this repository" };
        printer.data(format_args!("{BAD}stale{BAD:#}: {PATH} does not match {repository}"));
        print_list("packages", differences.packages.iter().map(ToString::to_string), printer);
        print_list("files", differences.files.iter().map(ToString::to_string), printer);
        print_list("settings", differences.settings.iter().map(|text| format!("~ {text}")), printer);
    }
    if differences.edited {
        printer.data(format_args!("{BAD}edited{BAD:#}: {PATH} {EDITED}"));
    }
    if !differences.drift.is_empty() {
        printer.data(format_args!("{BAD}drift{BAD:#}: {} does not match the package.json files", verdict.lockfile));
        print_list("", differences.drift.iter().map(ToString::to_string), printer);
    }
    if !differences.templates.is_empty() {
        let folder = templates::FOLDER;
        printer.data(format_args!("{BAD}templates{BAD:#}: files in {folder} differ from those of {GENERATOR}"));
        let lines = differences.templates.iter().map(|file| format!("{} {}", file.path, template_words(verdict, file)));
        print_list("", lines, printer);
    }
}

/// ``run `a`, then `b` ``
fn print_commands(commands: &[String], printer: Printer) {
    let words: Vec<String> = commands.iter().map(|command| format!("`{BOLD}{command}{BOLD:#}`")).collect();
    if !words.is_empty() {
        printer.data(format_args!("run {}", words.join(", then ")));
    }
}
