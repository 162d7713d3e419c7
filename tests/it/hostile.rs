//! Repositories and hosts that want to harm the user of splitter: names that draw on the terminal, programs that stay, hosts
//! that say nothing. `hostile_files` has files that never end.

use std::process::Command;

use fs_err as fs;

use crate::support::{Small, run, succeed, tools::skip};

/// Characters that must not reach a terminal.
fn is_unsafe(character: char) -> bool {
    (character.is_control() && character != '\n')
        || "\u{61c}\u{200e}\u{200f}\u{202e}\u{2066}\u{2069}".contains(character)
}

#[test]
fn names_from_a_repository_do_not_draw_on_the_terminal() {
    const EVIL: &str = "\u{1b}[31m\u{9b}2J\u{202e}\u{2066}\r\u{7f}";
    let small = Small::new();
    let context = &small.context;
    // A folder name may have no control characters, but may turn the direction of text.
    fs::rename(context.repo().join("apps/api"), context.repo().join("apps/a\u{202e}pi")).unwrap();
    let lock = context.read("bun.lock").replace("apps/api", "apps/a\u{202e}pi");
    context.write("bun.lock", lock);
    context.edit_manifest("apps/web/package.json", |manifest| {
        manifest["scripts"]["build"] = format!("echo {EVIL} && bun build src/index.ts --outdir dist").into();
        manifest["scripts"]["start"] = format!("node dist/{EVIL}.js").into();
        manifest["dependencies"][format!("x{EVIL}")] = format!("^1{EVIL}").into();
    });
    context.write("splitter.json", "{ \"checks\": [\"te\\u001bst\"] }");
    let commands: [&[&str]; 9] = [
        &["scan"],
        &["scan", "--json"],
        &["check"],
        &["check", "--json"],
        &["graph"],
        &["graph", "--svg"],
        &["init", "-vv"],
        &["explain"],
        &["update-hash"],
    ];
    let sees_nothing_unsafe = |args: &[&str], text: &str| {
        let found = text.chars().find(|character| is_unsafe(*character));
        assert!(found.is_none(), "{args:?}: {found:?} in {}", text.escape_debug());
    };
    for settings in ["{ \"checks\": [\"te\\u001bst\"] }", "{ \"apps\": {\"\\u001b\": 1} }", "{}"] {
        context.write("splitter.json", settings);
        for args in commands {
            sees_nothing_unsafe(args, &run(&mut context.splitter(args)));
        }
    }
    for (name, value) in [("name", EVIL), ("packageManager", EVIL), ("version", EVIL)] {
        let before = context.read("apps/web/package.json");
        context.edit_manifest("apps/web/package.json", |manifest| manifest[name] = value.into());
        for args in commands {
            sees_nothing_unsafe(args, &run(&mut context.splitter(args)));
        }
        context.write("apps/web/package.json", before);
    }
    let lock = context.read("bun.lock");
    context.write("bun.lock", lock.replace("alpha@1.0.0", &format!("alpha@1.0.0{}", "\\u001b[2J\u{202e}")));
    sees_nothing_unsafe(&["scan"], &run(&mut context.splitter(&["scan"])));
}

#[test]
fn programs_end_with_a_run_that_is_killed_and_the_next_run_removes_its_folders() {
    let mut small = Small::new();
    small.init();
    let context = &small.context;
    let (started, ended) = (context.folder("started"), context.folder("ended"));
    let nix = context.folder("nix.sh");
    // A Nix that does not answer.
    let script = format!("trap ': > {ended}; exit 1' TERM\n: > {started}\nwhile :; do sleep 0.05; done\n");
    fs::write(&nix, format!("#!/bin/sh\n{script}")).unwrap();
    succeed(context.command("chmod").args(["755", nix.as_str()]));
    small.context.set_env("SPLITTER_NIX", nix.as_str());
    let context = &small.context;
    let kill = || {
        let mut child = quiet(context.splitter(&["verify"])).spawn().unwrap();
        wait_until(|| started.exists());
        child.kill().unwrap();
        child.wait().unwrap();
        wait_until(|| ended.exists());
        fs::remove_file(&started).unwrap();
        fs::remove_file(&ended).unwrap();
        let tmp = context.folder("tmp");
        tmp.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect::<Vec<_>>()
    };
    let first = kill();
    assert_eq!(first.len(), 1, "{first:?}");
    std::thread::sleep(std::time::Duration::from_millis(200));
    let second = kill();
    assert_eq!(second.len(), 1, "{second:?}");
    assert_ne!(first, second);
}

fn quiet(mut command: Command) -> Command {
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    command
}

fn wait_until(is_done: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !is_done() {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "it takes too long");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn a_registry_that_says_nothing_ends_the_run_and_is_named() {
    use std::net::TcpListener;
    let mut small = Small::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    small.context.write(".npmrc", format!("registry=http://{host}/\n"));
    small.context.set_env("SPLITTER_STALL_TIMEOUT", "0.3");
    let began = std::time::Instant::now();
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.starts_with("exit: 3\n") && output.contains(&host), "{output}");
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    small.context.set_env("SPLITTER_STALL_TIMEOUT", "soon");
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.contains("`SPLITTER_STALL_TIMEOUT` is not a time: expected seconds, found `soon`"), "{output}");
    assert!(output.starts_with("exit: 2\n"), "{output}");
}

/// Git has a variable for tests that makes every repository another user's.
#[test]
fn a_repository_of_another_user_is_named_as_such() {
    let mut small = Small::new();
    small.init();
    small.context.set_env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let commands: [&[&str]; 4] = [&["check", "--staged"], &["explain"], &["graph"], &["hook", "install"]];
    for args in commands {
        let output = run(&mut small.context.splitter(args));
        assert!(output.starts_with("exit: 3\n"), "{args:?}: {output}");
        assert!(output.contains("because it belongs to another user (\"dubious ownership\")"), "{args:?}: {output}");
        assert!(output.contains("hint: change the owner of the repository"), "{args:?}: {output}");
    }
    let output = run(&mut small.context.splitter(&["init"]));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    assert!(output.contains("git does not use this repository, because it belongs to another user"), "{output}");
}

#[test]
fn a_process_that_may_open_few_files_says_so() {
    let small = Small::new();
    let mut has_failed = false;
    for limit in 8..20 {
        let script = format!("ulimit -n {limit}; exec '{}' init", env!("CARGO_BIN_EXE_splitter"));
        let output = run(small.context.command("sh").args(["-c", &script]));
        let says_so = output.starts_with("exit: 3\n") && output.contains("hint: raise the limit of open files");
        has_failed |= says_so;
        assert!(says_so || output.starts_with("exit: 0\n"), "{limit}: {output}");
    }
    assert!(has_failed);
}

/// Limits do not hold for root, so the program runs as a user that has no processes.
#[test]
fn a_process_that_may_start_no_thread_says_so() {
    const AS_NOBODY: [&str; 6] = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    let small = Small::without_git();
    let context = &small.context;
    succeed(context.command("chmod").args(["-R", "a+rX", context.folder("").as_str()]));
    let may_change = context.command("setpriv").args(AS_NOBODY).args(["prlimit", "--nproc=1:1", "true"]).output();
    if !may_change.is_ok_and(|output| output.status.success()) {
        skip::<()>("root, setpriv and prlimit are needed to run a program as another user");
        return;
    }
    let limited = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_splitter");
        let mut command = context.command("setpriv");
        run(command.args(AS_NOBODY).args(["prlimit", "--nproc=1:1", program]).args(args))
    };
    for args in [["scan"], ["graph"], ["init"]] {
        let output = limited(&args);
        assert!(output.starts_with("exit: 3\n"), "{args:?}: {output}");
        assert!(output.contains("raise the limit of processes"), "{args:?}: {output}");
    }
}
