//! `cargo xtask test` and `ci`: run all tests, and print the counts at the end.
//!
//! With libtest, a running test cannot skip itself. Tests that lack a tool, such as Nix, print a warning and add a line to
//! a file. The lines are counted here, so a green run does not hide skipped tests.

use std::{
    fs::Permissions,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    time::Instant,
};

use camino::Utf8Path;
use fs_err as fs;

use crate::{Result, book, memory, paths, process, setup};

/// The number of tests by result.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs all tests. Tests that this machine cannot run count as skipped.
pub(crate) fn leniently(args: &[String]) -> Result<()> {
    if let Err(error) = setup::run() {
        eprintln!("WARNING: setup failed; tests that need its tools are SKIPPED\n{error}");
    }
    tests(args).and_then(|counts| counts.verdict())
}

/// Checks formatting, lints and the book, and runs all tests. A skipped test is an error.
pub(crate) fn strictly(args: &[String]) -> Result<()> {
    stage("fmt", || process::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    stage("setup", setup::run)?;
    stage("clippy", || {
        process::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    })?;
    stage("book", book::run)?;
    let counts = stage("test", || tests(args))?;
    counts.verdict()?;
    if counts.skipped > 0 {
        return Err(format!("{} tests were skipped; CI allows none", counts.skipped).into());
    }
    Ok(())
}

fn stage<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    eprintln!("== {name}");
    let outcome = work();
    eprintln!("== {name}: {:.0} s", start.elapsed().as_secs_f32());
    outcome
}

fn cargo(args: &[&str]) -> Command {
    // `cargo run` sets CARGO to its own path.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    // It also sets variables with data of the manifest. Build scripts that depend on them would run again, and their
    // dependents would be compiled again, each time `cargo` and `cargo xtask` are used in turns.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command.current_dir(paths::project()).args(args);
    command
}

fn tests(args: &[String]) -> Result<Counts> {
    let scratch = tempfile::tempdir()?;
    let scratch = Utf8Path::from_path(scratch.path()).ok_or("the path of the temporary folder is not UTF-8")?;
    let (skipped, memory) = (scratch.join("skipped"), scratch.join("memory"));
    fs::create_dir(&memory)?;
    // Some tests run programs as other users.
    fs::set_permissions(scratch, Permissions::from_mode(0o755))?;
    let mut command = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    command.args(args).env("SPLITTER_TOOLS_DIR", paths::tools_dir()).env("SPLITTER_SKIPPED", &skipped);
    let mut child = memory::with_temporary_folder(command, &memory).stdout(Stdio::piped()).spawn()?;
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            std::io::stdout().write_all(&line)?;
            println!();
            counts.add(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait()?;
    counts.move_to_skipped(&fs::read_to_string(&skipped).unwrap_or_default());
    if !status.success() && counts.failed == 0 {
        // The tests did not compile, or a test ended the whole process before it was counted.
        counts.failed = 1;
    }
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    Ok(counts)
}

impl Counts {
    /// Adds the numbers of a line `test result: ok. 3 passed; 0 failed; 1 ignored; …`. Other lines are ignored.
    fn add(&mut self, line: &str) {
        let Some((_, numbers)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for part in numbers.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let number: u64 = number.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// Moves skipped tests from the passed ones, because libtest counts their early return as passed. A test may appear on
    /// several lines `<test>: <reason>`.
    fn move_to_skipped(&mut self, notes: &str) {
        let mut tests: Vec<&str> = notes.lines().map(|line| line.split(": ").next().unwrap_or(line)).collect();
        tests.sort_unstable();
        tests.dedup();
        let skipped = tests.len() as u64;
        self.passed = self.passed.saturating_sub(skipped);
        self.skipped += skipped;
    }

    fn verdict(&self) -> Result<()> {
        if self.failed > 0 { Err(format!("{} tests failed", self.failed).into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_are_added_up_and_others_are_not() {
        let mut counts = Counts::default();
        counts.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s");
        counts.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        counts.add("7 passed; 7 failed");
        assert_eq!(counts, Counts { passed: 15, failed: 2, skipped: 1 });
    }

    #[test]
    fn a_test_that_skips_itself_is_not_a_pass() {
        let mut counts = Counts { passed: 3, failed: 0, skipped: 0 };
        counts.move_to_skipped("e2e::a: no Nix\ne2e::b: no Nix\ne2e::a: no Nix\n");
        assert_eq!(counts, Counts { passed: 1, failed: 0, skipped: 2 });
    }
}
