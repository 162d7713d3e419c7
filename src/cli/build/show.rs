//! Prints the result for people.

use super::{
    FailedBuild, Fixes, Report, Run,
    report::{Origin, Row},
};
use crate::{
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, NOTE, Style},
        text::{count, duration, escape, things},
    },
    diagnosis::Cause,
    names::DOCS,
};

/// The last lines of a log that are shown.
const LINES: usize = 20;
/// The causes of one failed build that are shown.
const CAUSES: usize = 8;

pub(super) fn print(report: &Report, fixes: &Fixes, run: &Run<'_>) {
    let printer = run.printer;
    for (from, paths) in &report.fetched {
        printer.note(format_args!("fetched {} from {}", things(*paths, "path"), escape(from)));
    }
    for build in &report.failed {
        print_failed(build, run);
    }
    for error in &report.errors {
        printer.error_line(escape(error));
    }
    let width = report.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let texts: Vec<(Style, String)> = report.rows.iter().map(|row| outcome(row, report)).collect();
    let text_width = texts.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    for (row, (style, text)) in report.rows.iter().zip(texts) {
        let name = &row.name;
        let link = row.link.as_ref().map(|link| {
            let space = text_width - text.chars().count() + 2;
            format!("{:space$}{DIM}{link}{DIM:#}", "")
        });
        let link = link.unwrap_or_default();
        printer.data(format_args!("{BOLD}{name:<width$}{BOLD:#}  {style}{text}{style:#}{link}"));
    }
    if run.options.fix && !report.failed.is_empty() {
        let lines = match fixes.changes.len() {
            0 => "no line of splitter.json is known to mend this".to_owned(),
            number => format!("{} made; no other line is known to mend this", things(number, "change")),
        };
        printer.note(format_args!("{NOTE}--fix{NOTE:#}: {lines}"));
    }
}

/// Says how a package came about.
fn outcome(row: &Row, report: &Report) -> (Style, String) {
    let (style, text) = match &row.origin {
        Origin::Unchanged => (GOOD, "unchanged".to_owned()),
        Origin::Built { took, machine } if machine.is_empty() => (GOOD, format!("built in {}", duration(*took))),
        Origin::Built { took, machine } => (GOOD, format!("built in {} on {machine}", duration(*took))),
        Origin::Fetched { from } => (GOOD, format!("from {from}")),
        Origin::Failed => (BAD, "failed".to_owned()),
        Origin::NotBuilt => {
            let failed: Vec<&str> = report.failed.iter().map(|build| build.name.as_str()).collect();
            let because =
                if failed.is_empty() { String::new() } else { format!(", because {} failed", failed.join(", ")) };
            (BAD, format!("not built{because}"))
        }
    };
    (style, escape(&text).into_owned())
}

fn print_failed(build: &FailedBuild, run: &Run<'_>) {
    let printer = run.printer;
    let place = build.workspace.as_ref().map(|path| format!(" in {path}")).unwrap_or_default();
    printer.error_line(format_args!("{BAD}error{BAD:#}: the build of {}{place} failed", escape(&build.name)));
    // With `-v` the whole log is above.
    if !run.is_verbose {
        let folded = folded(&build.log);
        for (line, times) in &folded[folded.len().saturating_sub(LINES)..] {
            let again = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            printer.error_line(format_args!("  {DIM}|{DIM:#} {}{DIM}{again}{DIM:#}", escape(line)));
        }
    }
    for line in &build.said {
        printer.error_line(format_args!("  {}", escape(line)));
    }
    for line in own_lines(build) {
        printer.error_line(format_args!("  {}", escape(line.trim_start_matches("splitter: error: "))));
    }
    for cause in build.causes.iter().take(CAUSES) {
        print_cause(cause, printer);
    }
    if build.causes.len() > CAUSES {
        printer.error_line(format_args!("  and {} more", count(build.causes.len() - CAUSES)));
    }
    let log = format!("nix log {}", build.derivation);
    printer.error_line(format_args!("  the whole log: `{log}`"));
}

/// Returns lines with the number of times that each follows itself.
fn folded(lines: &[String]) -> Vec<(&str, usize)> {
    let mut folded: Vec<(&str, usize)> = Vec::new();
    for line in lines {
        match folded.last_mut() {
            Some((last, times)) if last == line => *times += 1,
            _ => folded.push((line, 1)),
        }
    }
    folded
}

/// Returns the lines of the error in the log that the causes do not replace. Only the derivation knows some scripts that did not
/// run, and they may explain what nothing else does.
fn own_lines(build: &FailedBuild) -> Vec<&str> {
    let lines = build.own.iter().map(String::as_str).filter(|line| !line.is_empty());
    if build.causes.is_empty() {
        return lines.collect();
    }
    let is_explained = build.causes.iter().any(|cause| cause.is_mendable() || cause.id == "scripts");
    let is_about_scripts = |line: &str| line.contains(" did not run") || line.contains("scripts that were not run");
    let is_more = |line: &str| !is_explained && is_about_scripts(line) && !line.trim().starts_with("perhaps because");
    lines.enumerate().filter(|(at, line)| *at == 0 || is_more(line)).map(|(_, line)| line).collect()
}

fn print_cause(cause: &Cause, printer: Printer) {
    printer.error_line(format_args!("{NOTE}cause{NOTE:#}: {}", escape(&cause.says)));
    if !cause.line.is_empty() {
        let short: String = cause.line.chars().take(200).collect();
        printer.error_line(format_args!("  {DIM}{}{DIM:#}", escape(&short)));
    }
    for mending in &cause.mendings {
        printer.error_line(format_args!("{NOTE}hint{NOTE:#}: add to splitter.json: {}", escape(&mending.line())));
    }
    if !cause.hint.is_empty() && cause.mendings.is_empty() {
        printer.error_line(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&cause.hint)));
    }
    printer.error_line(format_args!("  {DIM}{DOCS}/troubleshooting.md#{}{DIM:#}", cause.page));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        repo::RepoPath,
        split::mending::{Mending, Setting},
    };

    fn shown(mendings: &[Mending]) -> Vec<String> {
        let own = [
            "splitter: error: `vite build` failed in apps/web: exit code 1; its output is above",
            "hint: postinstall of the root did not run; if the build needs it, add to splitter.json: …",
            "perhaps because `a.json` is not among the sources of this build: …",
        ];
        let cause = Cause {
            id: "file",
            says: String::new(),
            line: String::new(),
            hint: String::new(),
            page: "",
            mendings: mendings.to_vec(),
            track: Vec::new(),
        };
        let build = FailedBuild {
            name: "web".to_owned(),
            id: None,
            workspace: None,
            derivation: String::new(),
            log: Vec::new(),
            own: own.map(str::to_owned).to_vec(),
            said: Vec::new(),
            causes: vec![cause],
        };
        own_lines(&build).into_iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn lines_that_repeat_are_shown_once() {
        let lines = ["a", "b", "b", "a"].map(str::to_owned);
        assert_eq!(folded(&lines), [("a", 1), ("b", 2), ("a", 1)]);
    }

    #[test]
    fn scripts_that_did_not_run_are_named_if_nothing_mends_the_build() {
        assert_eq!(shown(&[]), ["splitter:", "hint:"]);
        let mending = Mending { workspace: RepoPath::root(), setting: Setting::CopyNodeModules };
        assert_eq!(shown(&[mending]), ["splitter:"]);
    }
}
