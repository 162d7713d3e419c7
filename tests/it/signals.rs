//! Signals at random moments: all files are old or all are new, and the next run removes leftovers.
//!
//! A seed decides the moments. `SPLITTER_KILLS` sets their number.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use fs_err as fs;

use crate::{
    guard::other_packages,
    support::{Fault, Package, Small, TestContext, run, succeed},
};

/// Signals and their numbers.
const SIGNALS: [(&str, i32); 4] = [("INT", 2), ("TERM", 15), ("HUP", 1), ("KILL", 9)];

/// Number of killed runs in each of the two tests.
fn kills() -> usize {
    std::env::var("SPLITTER_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// Returns all files in a folder by path, except git's.
fn files(folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in next.read_dir_utf8().unwrap().map(Result::unwrap) {
            let path = entry.path().to_owned();
            match entry.file_type().unwrap().is_dir() {
                true if path.file_name() == Some(".git") => {}
                true => open.push(path),
                false => drop(files.insert(path.strip_prefix(folder).unwrap().to_string(), fs::read(&path).unwrap())),
            }
        }
    }
    files
}

/// Returns the folders without an entry, except git's.
fn empty_folders(folder: &Utf8Path) -> Vec<String> {
    let mut empty = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop().filter(|next| next.file_name() != Some(".git")) {
        let entries: Vec<_> = next.read_dir_utf8().unwrap().map(Result::unwrap).collect();
        if entries.is_empty() {
            empty.push(next.to_string());
        }
        let folders = entries.iter().filter(|entry| entry.file_type().unwrap().is_dir() && entry.file_name() != ".git");
        open.extend(folders.map(|entry| entry.path().to_owned()));
    }
    empty
}

/// Writes these files and removes all others. Folders that become empty are removed too.
fn restore(folder: &Utf8Path, old: &BTreeMap<String, Vec<u8>>) {
    for path in files(folder).keys().filter(|path| !old.contains_key(*path)) {
        fs::remove_file(folder.join(path)).unwrap();
    }
    for (path, content) in
        old.iter().filter(|(path, content)| fs::read(folder.join(path)).ok().as_ref() != Some(content))
    {
        fs::write(folder.join(path), content).unwrap();
    }
    while let Some(empty) = empty_folders(folder).pop() {
        fs::remove_dir(empty).unwrap();
    }
}

/// Returns unfinished files in temporary folders and the cache.
fn unfinished(context: &TestContext) -> BTreeMap<String, Vec<u8>> {
    let mut left = files(&context.folder("tmp"));
    let cache = context.home().join(".cache/splitter/tmp");
    if cache.is_dir() {
        left.extend(files(&cache));
    }
    left
}

fn signal(context: &TestContext, child: &Child, name: &str) {
    succeed(context.command("sh").args(["-c", &format!("kill -{name} {}", child.id())]));
}

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Numbers that look random and are the same in each run.
struct Seeded(u64);

impl Seeded {
    /// Returns a part of a time. Files are written at the end, so half of the parts are in the last quarter.
    fn part_of(&mut self, whole: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = f64::from(u32::try_from(self.0 >> 33).unwrap()) / f64::from(u32::MAX >> 1);
        whole.mul_f64(if self.0 >> 32 & 1 == 0 { part } else { 0.75 + part / 4.0 })
    }
}

/// Kills runs of `splitter <verb>` at random moments within the time of a full run.
fn kill_at_any_moment(verb: &str, small: &Small) {
    let context = &small.context;
    let old = files(&context.repo());
    let reset = || {
        restore(&context.repo(), &old);
        let _ = fs::remove_dir_all(context.home());
        fs::create_dir(context.home()).unwrap();
    };
    let mut whole = Duration::ZERO;
    for _ in 0..2 {
        reset();
        let began = Instant::now();
        succeed(&mut context.splitter(&[verb]));
        whole = began.elapsed();
    }
    let new = files(&context.repo());
    assert_ne!(old, new);
    let mut seeded = Seeded(0x5eed);
    for kill in 0..kills() {
        reset();
        let (name, number) = SIGNALS[kill % SIGNALS.len()];
        let moment = seeded.part_of(whole);
        let mut child = start(context.splitter(&[verb]));
        thread::sleep(moment);
        // It is not reaped yet, so its id is its own.
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::from_named_raw(number).unwrap()).unwrap();
        let status = child.wait().unwrap();
        let place = format!("{verb}, kill {kill}: {name} after {moment:?} of {whole:?}, {status}");
        let now = files(&context.repo());
        if name != "KILL" {
            // Before splitter listens, the system ends it.
            let is_heeded = [Some(0), Some(128 + number)].contains(&status.code()) || status.signal() == Some(number);
            assert!(is_heeded, "{place}");
            assert!(now == old || now == new, "{place}: {:?}", now.keys());
            assert!(unfinished(context).is_empty(), "{place}");
            continue;
        }
        let check = run(&mut context.splitter(&["check"]));
        assert!(!check.contains(".splitter-new"), "{place}: {check}");
        succeed(&mut context.splitter(&[verb]));
        let now = files(&context.repo());
        assert_eq!(now.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>(), "{place}");
        assert!(now == new, "{place}");
        assert_eq!(unfinished(context).len(), 0, "{place}");
        assert_eq!(empty_folders(&context.repo()), [""; 0], "{place}");
    }
}

#[test]
fn an_init_that_is_killed_at_any_moment_writes_all_or_nothing() {
    kill_at_any_moment("init", &Small::new());
}

#[test]
fn an_update_that_is_killed_at_any_moment_writes_all_or_nothing() {
    let small = Small::new();
    small.init();
    small.publish(Package::new("alpha", "1.1.0"));
    small.lock(&other_packages());
    small.context.commit_all("stale");
    kill_at_any_moment("update-hash", &small);
}

/// Starts a run that is in the middle of a stalled download.
fn stalled(small: &Small, verb: &str) -> Child {
    const TARBALL: &str = "/alpha/-/alpha-1.0.0.tgz";
    small.registry.fail(TARBALL, Fault::Stalled, 1);
    let child = start(small.context.splitter(&[verb]));
    let began = Instant::now();
    while !small.registry.take_requests().contains(&format!("GET {TARBALL}")) {
        assert!(began.elapsed() < Duration::from_secs(20), "it asks for nothing");
        thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_signal_during_a_download_ends_the_run_with_its_exit_code_and_cleans_the_cache() {
    for (name, number) in &SIGNALS[..3] {
        let small = Small::new();
        let mut child = stalled(&small, "init");
        signal(&small.context, &child, name);
        assert_eq!(child.wait().unwrap().code(), Some(128 + number), "{name}");
        assert_eq!(small.context.git(&["status", "--porcelain", "--ignored"]), "", "{name}");
        let tmp = small.context.home().join(".cache/splitter/tmp");
        assert_eq!(tmp.read_dir_utf8().unwrap().count(), 0, "{name}");
    }
}

#[test]
fn the_cache_of_a_killed_run_is_cleaned_by_the_next() {
    let small = Small::new();
    let mut child = stalled(&small, "init");
    signal(&small.context, &child, "KILL");
    child.wait().unwrap();
    let tmp = small.context.home().join(".cache/splitter/tmp");
    assert_ne!(tmp.read_dir_utf8().unwrap().count(), 0);
    succeed(&mut small.context.splitter(&["init"]));
    assert_eq!(tmp.read_dir_utf8().unwrap().count(), 0);
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let small = Small::new();
    small.registry.fail("/alpha/-/alpha-1.0.0.tgz", Fault::Stalled, 1);
    let mut nohup = small.context.command("sh");
    nohup.args(["-c", &format!("trap '' HUP; exec '{}' init", env!("CARGO_BIN_EXE_splitter"))]);
    let mut child = start(nohup);
    while small.registry.take_requests().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    signal(&small.context, &child, "HUP");
    signal(&small.context, &child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn programs_that_were_started_end_with_the_run() {
    let mut small = Small::new();
    small.init();
    let (started, ended) = (small.context.folder("started"), small.context.folder("ended"));
    // A Nix that does not answer and ends slowly.
    let nix = small.context.folder("nix.sh");
    let script = format!("trap 'sleep 0.2; : > {ended}; exit 1' TERM\n: > {started}\nwhile :; do sleep 0.05; done\n");
    fs::write(&nix, format!("#!/bin/sh\n{script}")).unwrap();
    succeed(small.context.command("chmod").args(["755", nix.as_str()]));
    small.context.set_env("SPLITTER_NIX", nix.as_str());
    for (name, number) in &SIGNALS[..3] {
        let mut child = start(small.context.splitter(&["verify"]));
        let began = Instant::now();
        while !started.exists() {
            assert!(began.elapsed() < Duration::from_secs(20), "Nix was not started");
            thread::sleep(Duration::from_millis(10));
        }
        signal(&small.context, &child, name);
        assert_eq!(child.wait().unwrap().code(), Some(128 + number), "{name}");
        assert!(ended.exists(), "{name}");
        assert!(unfinished(&small.context).is_empty(), "{name}");
        fs::remove_file(&started).unwrap();
        fs::remove_file(&ended).unwrap();
    }
}

/// Simulates a run that was killed after it had replaced `done` of its files.
fn half_written(context: &TestContext) -> BTreeMap<String, Vec<u8>> {
    succeed(&mut context.splitter(&["init"]));
    let new = files(&context.repo());
    let digest = |path: &str| blake3_of(&new[path]);
    let entry = |path: &str| serde_json::json!({ "path": path, "before": null, "after": digest(path) });
    let paths = ["flake.nix", "nix/splitter/deps.nix", "nix/splitter/build.nix"];
    let plan = serde_json::json!({ "files": paths.map(entry), "folders": [] });
    context.write(".splitter-journal", format!("{plan}\ncomplete\n"));
    for path in &paths[1..] {
        let (folder, name) = path.rsplit_once('/').unwrap();
        fs::rename(context.repo().join(path), context.repo().join(format!("{folder}/.splitter-new-{name}"))).unwrap();
    }
    new
}

fn blake3_of(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

#[test]
fn check_says_that_a_repository_is_half_written_and_the_next_run_completes_it() {
    let small = Small::new();
    let context = &small.context;
    let new = half_written(context);
    crate::support::splitter_snapshot!(context, context.splitter(&["check"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: an earlier run of splitter was interrupted while it replaced files; some are old, some are new
      at .splitter-journal
    hint: run `splitter update-hash` to replace the rest
    ");
    let output = run(&mut context.splitter(&["update-hash"]));
    assert!(output.contains("completed the files of an earlier run that was interrupted\n"), "{output}");
    assert!(files(&context.repo()) == new);
    succeed(&mut context.splitter(&["check"]));
}

#[test]
fn files_that_were_changed_since_a_run_was_killed_are_left_alone() {
    let small = Small::new();
    let context = &small.context;
    half_written(context);
    context.write("nix/splitter/deps.nix", "mine\n");
    let output = run(&mut context.splitter(&["update-hash"]));
    assert!(output.contains("warning: an earlier run was interrupted"), "{output}");
    assert_eq!(context.read("nix/splitter/deps.nix"), "mine\n");
    assert!(!files(&context.repo()).keys().any(|path| path.contains(".splitter-")));
}

#[test]
fn a_journal_that_came_with_a_repository_reaches_nothing_outside() {
    let small = Small::new();
    let context = &small.context;
    let outside = context.folder("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("known"), "known").unwrap();
    fs::os::unix::fs::symlink(&outside, context.repo().join("link")).unwrap();
    let entry = serde_json::json!({ "path": "link/known", "before": blake3_of(b"known"), "after": null });
    context
        .write(".splitter-journal", format!("{}\ncomplete\n", serde_json::json!({ "files": [entry], "folders": [] })));
    succeed(&mut context.splitter(&["init"]));
    assert_eq!(fs::read_to_string(outside.join("known")).unwrap(), "known");
    // A link is not followed either.
    fs::os::unix::fs::symlink(outside.join("known"), context.repo().join(".splitter-journal")).unwrap();
    assert!(run(&mut context.splitter(&["update-hash"])).starts_with("exit: 3\n"));
    assert_eq!(fs::read_to_string(outside.join("known")).unwrap(), "known");
}
