//! Streams that cannot be written: a full disk, a reader that stopped, a closed stream. The verdict stays the same.

use std::process::Command;

use crate::{
    guard::{Guarded, RECORD, other_packages},
    support::{Small, run, succeed},
};

/// Shell redirections that make stdout and stderr unwritable.
const GONE: [&str; 6] = [">/dev/full", ">/dev/full 2>&1", "2>/dev/full >&2", ">&-", ">&- 2>&-", "2>&- | true"];

/// Returns a shell command that runs `splitter` with redirected streams. Its exit code is the one of splitter.
fn redirected(small: &Small, arguments: &str, streams: &str) -> Command {
    let program = env!("CARGO_BIN_EXE_splitter");
    let line = format!("set -o pipefail; '{program}' {arguments} {streams}");
    let mut command = small.context.command("bash");
    command.args(["-c", &line]);
    command
}

fn code(command: &mut Command) -> i32 {
    command.output().unwrap().status.code().unwrap()
}

/// The small repository, initialised, with a staged lockfile that does not match the record.
fn stale() -> Small {
    let small = Small::new();
    small.init();
    small.lock(&other_packages());
    small.context.git(&["add", "--all"]);
    small
}

#[test]
fn a_stale_check_says_so_in_its_exit_code_when_its_text_cannot_be_written() {
    let small = stale();
    for format in ["text", "json", "github", "sarif", "junit"] {
        for which in ["", "--staged"] {
            for streams in GONE {
                let check = format!("check --format {format} {which}");
                assert_eq!(code(&mut redirected(&small, &check, streams)), 1, "{check} {streams}");
            }
        }
    }
}

#[test]
fn a_fresh_check_is_fresh_when_its_text_cannot_be_written_but_a_report_is_lost() {
    let small = Small::new();
    small.init();
    for (format, expected) in [("text", 0), ("github", 0), ("json", 3), ("sarif", 3), ("junit", 3)] {
        let check = format!("check --format {format}");
        assert_eq!(code(&mut redirected(&small, &check, ">/dev/full")), expected, "{check}");
        assert_eq!(code(&mut redirected(&small, &check, "| true")), 0, "{check} | true");
        assert_eq!(code(&mut redirected(&small, &check, "2>/dev/full")), 0, "{check} 2>/dev/full");
    }
    let output = run(&mut redirected(&small, "--quiet check", ">/dev/full"));
    let warning = "warning: could not write the output to stdout: No space left on device (os error 28)\n";
    assert_eq!(output, format!("exit: 0\n----- stdout\n----- stderr\n{warning}"));
}

#[test]
fn no_stream_lets_the_hook_pass_a_stale_commit() {
    let guarded = Guarded::new();
    let context = guarded.context();
    succeed(&mut context.splitter(&["hook", "install"]));
    guarded.make_stale();
    let head = context.git(&["rev-parse", "HEAD"]);
    for streams in GONE {
        let line = format!("set -o pipefail; git commit --all --message stale {streams}");
        let mut commit = context.command("bash");
        assert_ne!(code(commit.args(["-c", &line])), 0, "{streams}");
        assert_eq!(context.git(&["rev-parse", "HEAD"]), head, "{streams}");
    }
}

#[test]
fn the_hook_updates_the_record_when_it_cannot_say_so() {
    let guarded = Guarded::new();
    let context = guarded.context();
    context.write("splitter.json", "{ \"hook\": { \"update\": true } }\n");
    succeed(&mut context.splitter(&["init"]));
    succeed(&mut context.splitter(&["hook", "install"]));
    context.commit_all("updates");
    guarded.make_stale();
    // Fills the cache for the update, and restores the record.
    let old = context.read(RECORD);
    succeed(&mut context.splitter(&["update-hash"]));
    let new = context.read(RECORD);
    context.write(RECORD, old);
    let mut commit = context.command("bash");
    succeed(commit.args(["-c", "git commit --all --message updated 2>/dev/full"]));
    assert_eq!(context.git(&["show", &format!("HEAD:{RECORD}")]), new.trim_end());
    assert_eq!(context.git(&["status", "--porcelain"]), "");
}

#[test]
fn hook_status_says_no_in_its_exit_code() {
    let small = Small::new();
    for streams in GONE {
        assert_eq!(code(&mut redirected(&small, "hook status", streams)), 1, "{streams}");
    }
}

#[test]
fn a_result_that_a_full_disk_lost_is_a_failure() {
    let small = Small::new();
    small.init();
    for command in ["scan", "scan --json", "explain", "explain --json", "graph", "update-hash", "init", "--help"] {
        assert_eq!(code(&mut redirected(&small, command, ">/dev/full")), 3, "{command}");
        assert_eq!(code(&mut redirected(&small, command, "| true")), 0, "{command} | true");
        assert_eq!(code(&mut redirected(&small, command, "2>/dev/full")), 0, "{command} 2>/dev/full");
        assert_eq!(code(&mut redirected(&small, &format!("-vv {command}"), "2>/dev/full")), 0, "-vv {command}");
        assert_eq!(code(&mut redirected(&small, command, ">/dev/null 2>&-")), 0, "{command} 2>&-");
    }
    let output = run(&mut redirected(&small, "scan --json", ">/dev/full"));
    assert!(output.ends_with("error: could not write the output to stdout: No space left on device (os error 28)\n"));
}

#[test]
fn a_failure_keeps_its_exit_code_when_it_cannot_be_told() {
    let small = Small::new();
    for (command, expected) in [("check", 2), ("check --format sarif", 2), ("scan --app nothing", 2), ("nothing", 2)] {
        for streams in GONE {
            assert_eq!(code(&mut redirected(&small, command, streams)), expected, "{command} {streams}");
        }
    }
}

#[test]
fn an_update_whose_reader_went_away_does_all_of_its_work() {
    let small = stale();
    small.publish(other_packages().remove(0));
    succeed(&mut redirected(&small, "update-hash", "| true"));
    succeed(&mut small.context.splitter(&["check"]));
}
