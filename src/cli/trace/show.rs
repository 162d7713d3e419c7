//! The text of `trace`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, ODD},
        text::{count, duration, escape, things},
    },
    nix::command::log::plain,
    proof::trace::{Gap, Outside, Report, Sign, Traced},
    repo::RepoPath,
};

/// Number of missing files shown for a build.
const SHOWN_MISSING: usize = 30;
/// Number of files that may be missing shown for a build.
const SHOWN_LISTED: usize = 4;
/// Number of folders with unread files shown for a build.
const SHOWN_FOLDERS: usize = 8;
/// Number of lines of a failed build shown.
const SHOWN_LOG: usize = 12;

pub(in crate::cli) fn print(report: &Report, time: Duration, is_verbose: bool, printer: Printer) {
    for traced in &report.builds {
        print_build(traced, report, is_verbose, printer);
    }
    for (id, library) in &report.blocked {
        let (name, library) = (id.package(), library.package());
        printer.data(format_args!(
            "{BOLD}{}{BOLD:#} was not traced: it needs {}, which failed\n",
            escape(&name),
            escape(&library)
        ));
    }
    let lines: BTreeSet<String> = report.mendings().iter().map(crate::split::mending::Mending::line).collect();
    if !lines.is_empty() {
        printer.data(format_args!("{BOLD}add to splitter.json{BOLD:#} {DIM}(`splitter trace --write` does it){DIM:#}"));
        for line in lines {
            printer.data(format_args!("  {}", escape(&line)));
        }
        printer.data("");
    }
    print_verdict(report, time, printer);
}

fn print_verdict(report: &Report, time: Duration, printer: Printer) {
    let failed = report.builds.iter().filter(|build| build.is_failed()).count();
    let builds = things(report.builds.len(), "build");
    let about = format!("({builds}, {}, in {})", report.system, duration(time));
    if report.is_complete() {
        printer
            .data(format_args!("{GOOD}complete{GOOD:#}: every build gets the files of git that it looks for {about}"));
        return;
    }
    let mut parts = Vec::new();
    if report.missing() > 0 {
        let number = report.missing();
        parts.push(format!("{} {} missing", things(number, "path"), if number == 1 { "is" } else { "are" }));
    }
    if failed > 0 {
        parts.push(format!("{} failed", things(failed, "build")));
    }
    printer.data(format_args!("{BAD}incomplete{BAD:#}: {} {about}", parts.join(", ")));
}

fn print_build(traced: &Traced, report: &Report, is_verbose: bool, printer: Printer) {
    let Traced { id, note, judgement, .. } = traced;
    let name = id.package();
    let Some(command) = &note.command else {
        printer.data(format_args!("{BOLD}{}{BOLD:#} runs no command, so there is nothing to trace\n", escape(&name)));
        return;
    };
    let seconds = duration(Duration::from_secs_f64(note.seconds.max(0.0)));
    let (read, sources) = (count(judgement.read.len()), things(judgement.sources, "source file"));
    printer.data(format_args!(
        "{BOLD}{}{BOLD:#} read {read} of {sources} in {seconds} ({})",
        escape(&name),
        escape(command)
    ));
    if traced.is_failed() {
        let mark = format!("{BAD}failed{BAD:#}");
        printer.data(format_args!("  {mark} with exit code {}; its trace ends there", note.exit));
        print_log(&note.log, printer);
    }
    if let Some(full) = traced.full.as_ref().filter(|full| full.exit != 0) {
        printer.data(format_args!("  {ODD}failed{ODD:#} over the whole repository too, with exit code {}", full.exit));
        print_log(&full.log, printer);
    }
    print_missing(&judgement.missing, is_verbose, printer);
    print_listed(&judgement.may_be_missing, &name, is_verbose, printer);
    for outside in &judgement.outside {
        print_outside(outside, printer);
    }
    print_unread(&judgement.unread, judgement.sources, is_verbose, printer);
    let is_quiet = judgement.missing.is_empty() && !traced.is_failed();
    if is_quiet {
        let by = if report.is_full { "nothing that the whole repository has" } else { "nothing" };
        printer.data(format_args!("  {GOOD}missing{GOOD:#}   {by}"));
    }
    printer.data("");
}

fn print_log(log: &[String], printer: Printer) {
    for line in log.iter().skip(log.len().saturating_sub(SHOWN_LOG)) {
        printer.data(format_args!("    {DIM}{}{DIM:#}", escape(&plain(line))));
    }
}

fn print_missing(missing: &[Gap], is_verbose: bool, printer: Printer) {
    let shown = if is_verbose { usize::MAX } else { SHOWN_MISSING };
    for Gap { path, sign, reason } in missing.iter().take(shown) {
        let sign = match sign {
            Sign::Package => " (its package)",
            Sign::InLog => " (its log names it)",
            Sign::ReadInFull => " (read with the whole repository)",
            _ => "",
        };
        let (path, text) = (path.to_string(), reason.text());
        printer.data(format_args!("  {BAD}missing{BAD:#}   {}{sign}: {}", escape(&path), escape(&text)));
    }
    more(missing.len(), shown, printer);
}

fn print_listed(listed: &[Gap], name: &str, is_verbose: bool, printer: Printer) {
    if listed.is_empty() {
        return;
    }
    let shown = if is_verbose { usize::MAX } else { SHOWN_LISTED };
    let names: Vec<&str> = listed.iter().take(shown).map(|gap| gap.path.as_str()).collect();
    let rest = if listed.len() > names.len() {
        format!(" and {} more", count(listed.len() - names.len()))
    } else {
        String::new()
    };
    let text = format!("{}{rest}", names.join(", "));
    printer.data(format_args!(
        "  {ODD}unclear{ODD:#}   {}; it listed their folders, and `splitter trace {} --full` tells whether it reads them",
        escape(&text),
        escape(name)
    ));
}

fn print_outside(outside: &Outside, printer: Printer) {
    let Outside { path, is_root_file, read, of, is_alone } = outside;
    let files: Vec<&str> = read.iter().take(SHOWN_LISTED).map(RepoPath::as_str).collect();
    let files = files.join(", ");
    let path = path.to_string();
    let text = match (is_alone, is_root_file) {
        (true, _) => format!("{path}: every build has it, and only this one reads it; name it in its own `rootFiles`"),
        (false, true) => format!("{path}: it reads {} of {}: {files}", read.len(), things(*of, "file")),
        (false, false) => {
            format!("{path}: it reads {} of {} of this workspace: {files}", read.len(), things(*of, "file"))
        }
    };
    printer.data(format_args!("  {ODD}broad{ODD:#}     {}", escape(&text)));
}

fn print_unread(unread: &[RepoPath], sources: usize, is_verbose: bool, printer: Printer) {
    if unread.is_empty() {
        return;
    }
    let text = format!("{} of {}; their edits rebuild it", count(unread.len()), things(sources, "source file"));
    printer.data(format_args!("  {DIM}unread{DIM:#}    {text}"));
    let shown = if is_verbose { usize::MAX } else { SHOWN_FOLDERS };
    let folders = by_folder(unread);
    for (place, number) in folders.iter().take(shown) {
        let number = if *number == 1 { String::new() } else { format!(" ({})", count(*number)) };
        printer.data(format_args!("            {DIM}{}{number}{DIM:#}", escape(place)));
    }
    more(folders.len(), shown, printer);
}

/// Groups files by folder: a single file by its path, several by their folder. The largest groups come first.
fn by_folder(files: &[RepoPath]) -> Vec<(String, usize)> {
    let mut folders: BTreeMap<RepoPath, Vec<&RepoPath>> = BTreeMap::new();
    for file in files {
        folders.entry(file.parent()).or_default().push(file);
    }
    let group = |(folder, files): (RepoPath, Vec<&RepoPath>)| match files.as_slice() {
        [one] => (one.to_string(), 1),
        many => (format!("{folder}/"), many.len()),
    };
    let mut groups: Vec<(String, usize)> = folders.into_iter().map(group).collect();
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    groups
}

fn more(total: usize, shown: usize, printer: Printer) {
    if total > shown {
        printer.data(format_args!("            {DIM}and {} more{DIM:#}", count(total - shown)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_files_are_grouped_by_folder() {
        let files: Vec<RepoPath> =
            ["a/x.ts", "b/1.ts", "b/2.ts", "b/c/3.ts", "z"].iter().map(|path| path.parse().unwrap()).collect();
        let groups: Vec<_> = by_folder(&files).into_iter().map(|(place, number)| format!("{place} {number}")).collect();
        assert_eq!(groups, ["b/ 2", "a/x.ts 1", "b/c/3.ts 1", "z 1"]);
    }
}
