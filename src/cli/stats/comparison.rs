//! `--against`: compares the runs of a branch with those before it.

use std::collections::BTreeSet;

use serde_json::json;

use super::error::StatsError;
use crate::{
    cli::{
        failure::{Failure, Outcome},
        printer::Printer,
        style::{BAD, BOLD, GOOD},
        table,
        text::{bytes, duration, escape, things},
    },
    history::{
        Run,
        compare::{Change, Comparison, Exceeded},
    },
    repo::Git,
    split::budget::BuildBudget,
};

/// The number of runs before the branch that are compared: what happened long ago says nothing of today.
const BEFORE: usize = 30;
/// The number of lines for each kind of change.
const SHOWN: usize = 10;

pub(super) fn run(
    git: &Git,
    branch: &str,
    runs: &[Run],
    budget: &BuildBudget,
    is_json: bool,
    printer: Printer,
) -> Result<Outcome, Failure> {
    let base = git.ask(&["merge-base", "--end-of-options", branch, "HEAD"])?;
    let base = base.ok_or_else(|| StatsError::NoBase(branch.to_owned()))?;
    let commits = |range: &str| -> Result<BTreeSet<String>, Failure> {
        let listed = git.ask(&["rev-list", "--end-of-options", range])?.unwrap_or_default();
        Ok(listed.lines().map(str::to_owned).collect())
    };
    let (earlier, own) = (commits(&base)?, commits(&format!("{base}..HEAD"))?);
    let is_at =
        |run: &Run, commits: &BTreeSet<String>| run.commit.as_ref().is_some_and(|commit| commits.contains(commit));
    // On the base itself, a run with changes is one of the branch that is about to begin.
    let is_before = |run: &&Run| is_at(run, &earlier) && !run.changed;
    let is_after = |run: &&Run| is_at(run, &own) || (run.changed && run.commit.as_ref() == Some(&base));
    let before: Vec<Run> = runs.iter().rev().filter(is_before).take(BEFORE).cloned().collect();
    let before: Vec<Run> = before.into_iter().rev().collect();
    let after: Vec<Run> = runs.iter().filter(is_after).cloned().collect();
    if after.is_empty() {
        return Err(StatsError::OneSide(format!("of the commits since {branch}")).into());
    }
    if before.is_empty() {
        return Err(StatsError::OneSide(format!("of {branch} up to {}", &base[..base.len().min(12)])).into());
    }
    let comparison = Comparison::of(&before, &after, budget);
    if is_json {
        printer.json(&json_of(&comparison, before.len(), after.len()));
    } else {
        print(&comparison, (before.len(), after.len()), branch, printer);
        print_verdict(&comparison, budget, printer);
    }
    Ok(Outcome::verdict(comparison.exceeded.is_empty(), is_json))
}

fn print(comparison: &Comparison, (before, after): (usize, usize), branch: &str, printer: Printer) {
    let (before, after) = (things(before, "run"), things(after, "run"));
    printer.data(format_args!("{before} of {BOLD}{}{BOLD:#}, {after} since\n", escape(branch)));
    if let Some(time) = &comparison.time {
        let ratio = time.ratio();
        printer.data(format_args!(
            "builds that both have: {} -> {} ({ratio:.2} times)",
            shown_time(time.before),
            shown_time(time.after)
        ));
    }
    if let (Some(before), Some(after)) = comparison.hit_rate {
        printer.data(format_args!("from caches: {:.0} % -> {:.0} %", before * 100.0, after * 100.0));
    }
    rows("build", &comparison.times, shown_time, printer);
    rows("package", &comparison.sizes, bytes, printer);
}

fn print_verdict(comparison: &Comparison, budget: &BuildBudget, printer: Printer) {
    if *budget == BuildBudget::default() {
        printer.note("splitter.json has no `buildBudget`, so nothing is too much");
    } else if comparison.exceeded.is_empty() {
        printer.data(format_args!("\n{GOOD}within the budget{GOOD:#}"));
    }
    for exceeded in &comparison.exceeded {
        printer.error_line(format_args!("{BAD}error{BAD:#}: {}", escape(&words(exceeded))));
    }
}

fn rows(title: &str, changes: &[Change], shown: fn(u64) -> String, printer: Printer) {
    let grown: Vec<&Change> = changes.iter().filter(|change| change.is_notable()).take(SHOWN).collect();
    if grown.is_empty() {
        return;
    }
    let mut table = vec![[title, "before", "after", "times"].map(str::to_owned).to_vec()];
    for change in grown {
        let ratio = format!("{:.2}", change.ratio());
        table.push(vec![change.name.clone(), shown(change.before), shown(change.after), ratio]);
    }
    printer.data("");
    table::print(&table, &["build", "package"], "", printer);
}

fn words(exceeded: &Exceeded) -> String {
    match exceeded {
        Exceeded::BuildTime { found, limit } => {
            format!("builds take {found:.2} times as long, and `buildBudget.time` allows {limit}")
        }
        Exceeded::ClosureSize { change, limit } => format!(
            "{} has {:.2} times its size before ({} instead of {}), and `buildBudget.closureSize` allows {limit}",
            change.name,
            change.ratio(),
            bytes(change.after),
            bytes(change.before)
        ),
        Exceeded::HitRate { found, limit } => {
            format!("{:.0} % came from caches, and `buildBudget.cacheHits` wants {:.0} %", found * 100.0, limit * 100.0)
        }
    }
}

pub(super) fn shown_time(milliseconds: u64) -> String {
    duration(std::time::Duration::from_millis(milliseconds))
}

fn json_of(comparison: &Comparison, before: usize, after: usize) -> serde_json::Value {
    let change = |change: &Change| json!({ "name": change.name, "before": change.before, "after": change.after, "ratio": change.ratio() });
    json!({
        "version": 1,
        "runsBefore": before,
        "runsAfter": after,
        "builds": comparison.times.iter().map(change).collect::<Vec<_>>(),
        "closures": comparison.sizes.iter().map(change).collect::<Vec<_>>(),
        "cacheHitsBefore": comparison.hit_rate.0,
        "cacheHitsAfter": comparison.hit_rate.1,
        "exceeded": comparison.exceeded.iter().map(words).collect::<Vec<_>>(),
    })
}
