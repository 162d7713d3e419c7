//! `splitter stats`: what builds did over time, from the history that `splitter build` and `splitter cache push` write.

mod comparison;
mod error;
mod html;
mod json;
mod prometheus;
mod show;
mod store;
mod tables;

use std::{collections::BTreeSet, time::SystemTime};

use camino::Utf8PathBuf;

use self::error::StatsError;
use super::{
    arguments::{Global, Since, StatsOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::work_tree,
    text::things,
};
use crate::{
    fetch::Environment,
    history::{History, Run, summary::Summary},
    image::labels::time,
    nix::command::Nix,
    repo::Git,
    scaffold::files,
    split::config,
};

pub(super) fn run(global: &Global, options: &StatsOptions, printer: Printer) -> Result<Outcome, Failure> {
    let mut runs = runs(options, &histories(global, options)?, printer)?;
    if let Some(branch) = &options.against {
        let tree = work_tree(global)?;
        let budget = config::read(&tree)?.build_budget;
        return comparison::run(&Git::at(tree.root()), branch, &runs, &budget, options.json, printer);
    }
    if options.store {
        let measured = store::measure(&Nix::require()?)?;
        let run = Run { at: now(), command: "stats".to_owned(), store: Some(measured), ..Run::default() };
        if options.record {
            record(&histories(global, options)?, run.clone())?;
        }
        runs.push(run);
    }
    summarized(global, options, &runs, printer)
}

fn summarized(global: &Global, options: &StatsOptions, runs: &[Run], printer: Printer) -> Result<Outcome, Failure> {
    let since = options.since.as_ref().map(|since| beginning(since, global)).transpose()?;
    let runs: Vec<Run> =
        runs.iter().filter(|run| since.as_ref().is_none_or(|since| since.includes(run))).cloned().collect();
    let summary = Summary::of(&runs);
    if let Some(path) = &options.html {
        files::put(path, html::page(&summary).as_bytes())
            .map_err(|source| StatsError::Write { path: path.clone(), source })?;
        printer.note(format_args!("wrote {path}"));
    }
    if options.json {
        printer.json(&json::render(&summary));
    } else if options.prometheus {
        printer.data(prometheus::render(&summary).trim_end());
    } else if options.html.is_none() {
        show::print(&summary, printer);
    }
    Ok(Outcome::Done)
}

/// Returns the histories that were named, or the one of this repository. A history that a variable names needs no repository.
fn histories(global: &Global, options: &StatsOptions) -> Result<Vec<History>, Failure> {
    if !options.history.is_empty() {
        return Ok(unique(&options.history).into_iter().map(History::at).collect());
    }
    let environment = Environment::of_process();
    let history = match History::named(&environment) {
        Some(named) => named,
        None => History::of(work_tree(global)?.root(), &environment),
    };
    Ok(history.into_iter().collect())
}

/// Leaves out files that were named before, also by another path.
fn unique(files: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
    let mut seen = BTreeSet::new();
    let is_new = |file: &&Utf8PathBuf| seen.insert(file.canonicalize_utf8().unwrap_or_else(|_| (*file).clone()));
    files.iter().filter(is_new).cloned().collect()
}

fn runs(options: &StatsOptions, histories: &[History], printer: Printer) -> Result<Vec<Run>, Failure> {
    let mut runs: Vec<Run> = Vec::new();
    let mut has_unreadable = false;
    for history in histories {
        let file = history.file();
        if !options.history.is_empty() && !file.is_file() {
            return Err(StatsError::NoHistory(file.to_owned()).into());
        }
        let read = history.read().map_err(|source| StatsError::Read { path: file.to_owned(), source })?;
        if read.unreadable > 0 {
            has_unreadable = true;
            let lines = things(read.unreadable, "line");
            printer.warning(format_args!(
                "{file}: {lines} cannot be read: cut, or written by another version of splitter"
            ));
        }
        runs.extend(read.runs);
    }
    let runs = once(runs);
    let files = || histories.iter().map(|history| history.file().to_owned()).collect();
    if runs.is_empty() && has_unreadable {
        return Err(StatsError::Unreadable { files: files() }.into());
    }
    if runs.is_empty() && options.against.is_some() {
        return Err(StatsError::Empty { files: files() }.into());
    }
    if runs.is_empty() && !options.store {
        note_emptiness(histories, printer);
    }
    Ok(runs)
}

/// Sorts runs by their times, and leaves out copies: CI keeps the same runs in caches and in artifacts.
fn once(runs: Vec<Run>) -> Vec<Run> {
    let mut sorted: Vec<Run> = Vec::with_capacity(runs.len());
    let mut all = runs;
    all.sort_by_key(|run| run.at);
    for run in all {
        let mut earlier = sorted.iter().rev().take_while(|earlier| earlier.at == run.at);
        if !earlier.any(|earlier| *earlier == run) {
            sorted.push(run);
        }
    }
    sorted
}

/// A history without runs is not the user's fault: nothing was built since the file exists.
fn note_emptiness(histories: &[History], printer: Printer) {
    match histories.first() {
        Some(history) => printer.note(format_args!(
            "the history has no run yet: {}; `splitter build` and `splitter cache push` add to it",
            history.file()
        )),
        None => printer.note("there is no history: SPLITTER_HISTORY is `off`, or HOME is not set"),
    }
}

fn record(histories: &[History], run: Run) -> Result<(), StatsError> {
    let history = histories.first().ok_or(StatsError::Off)?;
    history.add(run).map_err(|source| StatsError::Write { path: history.file().to_owned(), source })
}

/// The first moment to show.
enum Beginning {
    Second(u64),
    /// A day in universal time, as `2026-01-31`.
    Day(String),
}

impl Beginning {
    fn includes(&self, run: &Run) -> bool {
        match self {
            Self::Second(second) => run.at >= *second,
            Self::Day(day) => time(run.at).is_some_and(|time| time.as_str() >= day.as_str()),
        }
    }
}

fn beginning(since: &Since, global: &Global) -> Result<Beginning, Failure> {
    Ok(match since {
        Since::Ago(seconds) => Beginning::Second(now().saturating_sub(*seconds)),
        Since::Date(day) => Beginning::Day(day.clone()),
        Since::Commit(name) => {
            let commit = format!("{name}^{{commit}}");
            let git = Git::at(work_tree(global)?.root());
            let answer = git.ask(&["show", "--no-patch", "--format=%ct", "--end-of-options", &commit])?;
            let second = answer.and_then(|answer| answer.trim().parse().ok());
            Beginning::Second(second.ok_or_else(|| StatsError::NoCommit(name.clone()))?)
        }
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns the day of a run, as `2026-01-31`.
fn day(second: u64) -> String {
    time(second).map_or_else(|| "after the year 9999".to_owned(), |time| time[..10].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_runs_count_once() {
        let run = |at, took| Run { at, took, ..Run::default() };
        let (a, b, c) = (run(1, 5), run(1, 6), run(2, 5));
        assert_eq!(once(vec![c.clone(), a.clone(), b.clone(), a.clone(), c.clone()]), [a, b, c]);
    }
}
