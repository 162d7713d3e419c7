//! Times pairs of runs, computes medians, and prints the tables.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::Result;

/// The result of a row.
pub(super) struct Row {
    /// The name of the row.
    pub(super) name: &'static str,
    /// The targets.
    pub(super) targets: Vec<Target>,
    /// The command for comparison.
    pub(super) rival: &'static str,
    /// The times of splitter and of the rival, run by run. Without a rival, `theirs` is empty.
    pub(super) ours: Vec<Duration>,
    pub(super) theirs: Vec<Duration>,
    /// The peak memory of all runs, in bytes.
    pub(super) memory: Option<u64>,
}

/// A limit for a row.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// The median time in milliseconds.
    Milliseconds(f64),
    /// The median of splitter's time divided by the rival's.
    Ratio(f64),
    /// The peak memory in megabytes.
    Megabytes(f64),
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        let ratios = self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64());
        median(ratios.collect())
    }

    fn misses(&self, target: Target) -> bool {
        let (found, limit) = match target {
            Target::Milliseconds(limit) => (median(milliseconds(&self.ours)), limit),
            Target::Ratio(limit) => (self.ratio(), limit),
            Target::Megabytes(limit) => (self.memory.map(megabytes), limit),
        };
        found.is_some_and(|found| found > limit)
    }
}

/// Prepares a run and returns its command. Only the command is timed.
pub(super) type Prepare<'a> = &'a mut dyn FnMut() -> Result<Command>;

/// Runs both in turns. The order alternates, and the first pair does not count.
pub(super) fn pairs(
    runs: usize,
    ours: Prepare<'_>,
    theirs: Prepare<'_>,
) -> Result<(Vec<Duration>, Vec<Duration>, Option<u64>)> {
    let (mut our_times, mut their_times, mut memory) = (Vec::new(), Vec::new(), None);
    for run in 0..=runs {
        let second = if run % 2 == 1 { Some(time(&mut theirs()?)?) } else { None };
        let first = time(&mut ours()?)?;
        let second = match second {
            Some(second) => second,
            None => time(&mut theirs()?)?,
        };
        if run > 0 {
            our_times.push(first.0);
            their_times.push(second.0);
            memory = memory.max(first.1);
        }
    }
    Ok((our_times, their_times, memory))
}

/// Runs one command. The first run does not count.
pub(super) fn alone(runs: usize, ours: Prepare<'_>) -> Result<(Vec<Duration>, Option<u64>)> {
    let mut times = Vec::new();
    let mut memory = None;
    for run in 0..=runs {
        let (time, used) = time(&mut ours()?)?;
        if run > 0 {
            times.push(time);
            memory = memory.max(used);
        }
    }
    Ok((times, memory))
}

/// Returns the time and the peak memory of a command, which must succeed.
fn time(command: &mut Command) -> Result<(Duration, Option<u64>)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let memory = thread::spawn({
        let id = child.id();
        move || peak_memory(id)
    });
    let status = child.wait()?;
    let time = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?} failed: {status}").into());
    }
    Ok((time, memory.join().unwrap_or_default()))
}

/// Returns the peak memory of a process, or `None` if the system does not report it. The value is polled until the process
/// ends. It only rises, so at most the last moment is missed.
fn peak_memory(id: u32) -> Option<u64> {
    let mut peak = None;
    let mut pause = Duration::from_millis(20);
    loop {
        thread::sleep(pause);
        let Ok(status) = fs_err::read_to_string(format!("/proc/{id}/status")) else { return peak };
        let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) else { return peak };
        peak = line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib * 1024).or(peak);
        pause = Duration::from_millis(10);
    }
}

fn milliseconds(times: &[Duration]) -> Vec<f64> {
    times.iter().map(|time| time.as_secs_f64() * 1000.0).collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Prints the rows as a table that can go into `docs/measurements.md`.
pub(super) fn print_table(rows: &[Row]) {
    println!("| what | target | splitter, median (range) | compared with, median (range) | ratio | verdict |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for row in rows {
        let targets: Vec<_> = row.targets.iter().map(|target| describe(*target)).collect();
        let missed: Vec<_> = row.targets.iter().filter(|target| row.misses(**target)).map(|t| describe(*t)).collect();
        let memory = row.memory.filter(|_| row.targets.iter().any(|target| matches!(target, Target::Megabytes(_))));
        let memory = memory.map_or(String::new(), |bytes| format!(", {:.0} MB", megabytes(bytes)));
        let rival = format!("{}: {}", row.rival, span(&row.theirs));
        let theirs = if row.theirs.is_empty() { String::new() } else { rival };
        let ratio = row.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let verdict = if missed.is_empty() { "met".to_owned() } else { format!("**missed**: {}", missed.join(", ")) };
        let (name, targets, ours) = (row.name, targets.join(", "), span(&row.ours));
        println!("| {name} | {targets} | {ours}{memory} | {theirs} | {ratio} | {verdict} |");
    }
}

/// The result of one command on a repository with `size` workspaces.
pub(super) struct Growth {
    pub(super) command: &'static str,
    pub(super) shape: &'static str,
    pub(super) size: usize,
    pub(super) times: Vec<Duration>,
    pub(super) memory: Option<u64>,
}

impl Growth {
    /// Returns time and memory as a cell of a table.
    pub(super) fn cell(&self) -> String {
        let memory = self.memory.map_or(String::new(), |bytes| format!(", {:.0} MB", megabytes(bytes)));
        format!("{}{memory}", span(&self.times))
    }
}

/// Prints a table with a row for each command and shape, and a column for each size.
pub(super) fn print_growth(table: &[Growth]) {
    let sizes: BTreeSet<usize> = table.iter().map(|found| found.size).collect();
    let rows: BTreeSet<(&str, &str)> = table.iter().map(|found| (found.command, found.shape)).collect();
    let heads: Vec<String> = sizes.iter().map(|size| format!("{size} workspaces")).collect();
    println!("| what | shape | {} |", heads.join(" | "));
    println!("| --- | --- |{}", " --- |".repeat(sizes.len()));
    for (command, shape) in rows {
        let cell = |size: &usize| {
            let found = table.iter().find(|row| (row.command, row.shape, row.size) == (command, shape, *size));
            found.map_or(String::new(), Growth::cell)
        };
        let cells: Vec<String> = sizes.iter().map(cell).collect();
        println!("| {command} | {shape} | {} |", cells.join(" | "));
    }
}

fn describe(target: Target) -> String {
    match target {
        Target::Milliseconds(limit) => format!("≤ {limit} ms"),
        Target::Ratio(limit) => format!("≤ {limit:.3} ×"),
        Target::Megabytes(limit) => format!("≤ {limit} MB"),
    }
}

fn span(times: &[Duration]) -> String {
    let values = milliseconds(times);
    let (least, most) = (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max));
    format!("{:.1} ms ({least:.1} to {most:.1})", median(values).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_that_of_neighbours() {
        let times = |list: &[u64]| list.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        // The machine is ten times slower for the last pair, which must not change the ratio.
        let (ours, theirs) = (times(&[10, 12, 110]), times(&[10, 10, 100]));
        let row =
            Row { name: "x", targets: vec![Target::Ratio(1.1)], rival: "y", ours, theirs, memory: Some(1_000_000) };
        assert!(row.ratio().is_some_and(|ratio| (ratio - 1.1).abs() < 1e-9));
        assert!(!row.misses(Target::Ratio(1.11)) && row.misses(Target::Ratio(1.0)));
        assert!(row.misses(Target::Milliseconds(11.9)) && !row.misses(Target::Milliseconds(12.0)));
        assert!(row.misses(Target::Megabytes(0.9)));
    }

    #[test]
    fn an_even_number_of_values_has_a_median_too() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }
}
