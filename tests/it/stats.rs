//! `splitter stats` over a history that is known.

use std::process::Command;

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Value, json};

use super::tune::evaluated;
use crate::support::{Small, run, splitter_snapshot, succeed};

/// A repository with a history of `main` and of a branch whose builds are slower and larger.
struct Recorded {
    small: Small,
}

impl Recorded {
    fn new() -> Self {
        let small = Small::new();
        small.context.commit_all("first");
        Self { small }
    }

    fn head(&self) -> String {
        self.small.context.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn stats(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.small.context.splitter(&[&["stats"], args].concat());
        command.env("SPLITTER_HISTORY", "history.jsonl");
        command
    }

    /// Adds runs of this commit, a day apart.
    fn add(&self, days: std::ops::Range<u64>, took: u64, size: u64, from_cache: u64) {
        let lines = days.map(|day| {
            let run = json!({
                "version": 1, "at": 1_790_000_000 + day * 86_400, "command": "build", "commit": self.head(),
                "took": took + 1000, "evaluation": 500, "isSuccess": true, "later": "a field of a later version",
                "products": [{ "name": "web", "origin": "built", "closure": size }],
                "builds": [{ "name": "web", "kind": "app", "took": took, "causes": ["apps/web/a.ts changed"] }],
                "fetched": [{ "from": "https://cache.example", "paths": from_cache, "downloaded": 5000, "unpacked": 9000 }],
            });
            format!("{run}\n")
        });
        let file = self.small.context.repo().join("history.jsonl");
        let known = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, known + &lines.collect::<String>()).unwrap();
    }
}

#[test]
fn a_history_is_summed_up() {
    let recorded = Recorded::new();
    recorded.add(0..3, 4000, 50_000_000, 9);
    recorded.add(3..6, 6000, 51_000_000, 9);
    splitter_snapshot!(recorded.small.context, recorded.stats(&[]), @"
    exit: 0
    ----- stdout
    6 runs from 2026-09-21 to 2026-09-26
    a run: [TIME] (median), [TIME] (longest), 1.4 times slower than before
    its evaluation: [TIME] (median), [TIME] (longest), steady
    from caches: 90 % of what the store lacked (54 store paths; 6 were built)

    packages
    package  built  fetched  unchanged  failed     size   before
    web          6        0          0       0  51.0 MB  50.0 MB

    where the time went
    build  builds  median  longest  in all  failed  trend
    web         6   [TIME]    [TIME]  [TIME]       0  1.5 times slower than before

    what was built again, and why
    because of             builds    time  built again
    apps/web/a.ts changed       6  [TIME]  web

    caches
    cache                  store paths  downloaded  unpacked
    https://cache.example           54     30.0 kB   54.0 kB
    ----- stderr
    ");
    let summary: Value = serde_json::from_str(&succeed(&mut recorded.stats(&["--json"]))).unwrap();
    assert_eq!((&summary["runs"], &summary["cacheHits"]), (&json!(6), &json!(0.9)), "{summary:#}");
    assert_eq!(summary["builds"][0]["times"]["sum"], 30_000, "{summary:#}");
    let since = run(&mut recorded.stats(&["--since", "2026-09-24", "--json"]));
    assert!(since.contains("\"runs\": 3"), "{since}");
    splitter_snapshot!(recorded.small.context, recorded.stats(&["--since", "nothing"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: git has no commit `nothing`
    hint: a shallow clone lacks commits: fetch the whole history (`fetch-depth: 0`)
    ");
    let metrics = succeed(&mut recorded.stats(&["--prometheus"]));
    assert!(metrics.contains("splitter_build_seconds{name=\"web\",value=\"median\"} 5\n"), "{metrics}");
    succeed(&mut recorded.stats(&["--html", "stats.html"]));
    assert!(recorded.small.context.read("stats.html").contains("apps/web/a.ts changed"));
}

#[test]
fn a_branch_is_compared_with_the_one_that_it_left() {
    let recorded = Recorded::new();
    let context = &recorded.small.context;
    recorded.add(0..3, 4000, 50_000_000, 9);
    context.git(&["switch", "--quiet", "--create", "feature"]);
    splitter_snapshot!(context, recorded.stats(&["--against", "main"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the history has no run of the commits since main
    hint: run `splitter build` on both branches. In CI, set SPLITTER_HISTORY to a file that is kept between runs
    ");
    context.commit_all("second");
    recorded.add(3..5, 8000, 60_000_000, 1);
    splitter_snapshot!(context, recorded.stats(&["--against", "main"]), @"
    exit: 0
    ----- stdout
    3 runs of main, 2 runs since

    builds that both have: [TIME] -> [TIME] (2.00 times)
    from caches: 90 % -> 50 %

    build  before  after  times
    web     [TIME]  [TIME]   2.00

    package   before    after  times
    web      50.0 MB  60.0 MB   1.20
    ----- stderr
    splitter.json has no `buildBudget`, so nothing is too much
    ");
    context.write("splitter.json", r#"{ "buildBudget": { "time": 1.5, "closureSize": 1.1, "cacheHits": 0.8 } }"#);
    splitter_snapshot!(context, recorded.stats(&["--against", "main"]), @"
    exit: 1
    ----- stdout
    3 runs of main, 2 runs since

    builds that both have: [TIME] -> [TIME] (2.00 times)
    from caches: 90 % -> 50 %

    build  before  after  times
    web     [TIME]  [TIME]   2.00

    package   before    after  times
    web      50.0 MB  60.0 MB   1.20
    ----- stderr
    error: builds take 2.00 times as long, and `buildBudget.time` allows 1.5
    error: web has 1.20 times its size before (60.0 MB instead of 50.0 MB), and `buildBudget.closureSize` allows 1.1
    error: 50 % came from caches, and `buildBudget.cacheHits` wants 80 %
    ");
    splitter_snapshot!(context, recorded.stats(&["--against", "nothing"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: git finds no commit that HEAD and `nothing` have in common
    hint: a shallow clone lacks commits: fetch the whole history (`fetch-depth: 0`)
    ");
}

#[test]
fn a_history_that_is_named_needs_no_repository() {
    let recorded = Recorded::new();
    recorded.add(0..1, 4000, 50_000_000, 9);
    let file = recorded.small.context.repo().join("history.jsonl");
    let mut command = recorded.stats(&["--repo", "/", "--since", "2026-09-01", "--json"]);
    let output = run(command.env("SPLITTER_HISTORY", &file));
    assert!(output.starts_with("exit: 0\n"), "{output}");
    let output = run(recorded.stats(&["--repo", "/"]).env("SPLITTER_HISTORY", "off"));
    assert!(output.starts_with("exit: 0\n") && output.contains("there is no history: SPLITTER_HISTORY"), "{output}");
}

#[test]
fn e2e_a_timer_notes_what_the_store_holds() {
    let recorded = Recorded::new();
    let context = &recorded.small.context;
    let Some(nix) = context.nix() else { return };
    recorded.add(0..3, 4000, 50_000_000, 9);
    let (state, program) = (context.folder("state"), context.folder("package/bin/splitter"));
    fs::create_dir_all(&state).unwrap();
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::os::unix::fs::symlink(env!("CARGO_BIN_EXE_splitter"), &program).unwrap();
    let module = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("nix-modules/stats.nix");
    let (metrics, history) = (state.join("a 'b'.prom"), context.repo().join("history.jsonl"));
    let values = format!(
        "enable = true; package = \"{}\"; metrics = \"{metrics}\"; histories = [ \"{history}\" \"/no/such/file\" ];",
        context.folder("package")
    );
    let one = |is_darwin| {
        format!(
            "(evaluate {{ module = import {module} {{ isDarwin = {is_darwin}; }}; values.splitter.stats = {{ {values} }}; }})"
        )
    };
    let Some(shown) = evaluated(context, &format!("[ {} {} ]", one(false), one(true))) else { return };
    assert_eq!(shown[0]["systemd"]["timers"]["splitter-stats"]["timerConfig"]["OnCalendar"], "daily");
    let daemon = &shown[1]["launchd"]["daemons"]["splitter-stats"];
    assert_eq!(daemon["serviceConfig"]["StartCalendarInterval"][0]["Hour"], 4, "{daemon:#}");
    // The service runs with the history in its state folder, with the real Nix.
    let service = &shown[0]["systemd"]["services"]["splitter-stats"];
    let here = |value: &Value| value.as_str().unwrap().replace("/var/lib/splitter", state.as_str());
    for _ in 0..2 {
        let mut command = Command::new("bash");
        command
            .args(["-euc", &here(&service["script"])])
            .envs(nix.environment(context))
            .env("SPLITTER_NIX", &nix.program);
        succeed(command.env("SPLITTER_HISTORY", here(&service["environment"]["SPLITTER_HISTORY"])));
    }
    let text = fs::read_to_string(&metrics).unwrap();
    assert!(text.contains("splitter_store_paths{part=\"all\"} "), "{text}");
    assert_eq!(fs::read_to_string(state.join("history.jsonl")).unwrap().lines().count(), 2);
}

#[test]
fn a_history_that_is_not_there_or_cut_is_named() {
    let recorded = Recorded::new();
    let context = &recorded.small.context;
    splitter_snapshot!(context, recorded.stats(&[]), @"
    exit: 0
    ----- stdout
    no run in this time
    ----- stderr
    the history has no run yet: [REPO]/history.jsonl; `splitter build` and `splitter cache push` add to it
    ");
    let metrics = succeed(&mut recorded.stats(&["--prometheus"]));
    assert!(metrics.contains("splitter_runs"), "{metrics}");
    // A budget cannot be kept or missed without runs.
    splitter_snapshot!(context, recorded.stats(&["--against", "main"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the history has no run: [REPO]/history.jsonl
    hint: `splitter build` and `splitter cache push` add to it: run one of them
    ");
    context.write("words.txt", "no history\n");
    splitter_snapshot!(context, recorded.stats(&["--history", "words.txt"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    warning: words.txt: 1 line cannot be read: cut, or written by another version of splitter
    error: no line can be read as a run: words.txt
    hint: name a file that SPLITTER_HISTORY named in an earlier run, or update splitter
    ");
    splitter_snapshot!(context, recorded.stats(&["--history", "other.jsonl"]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: `other.jsonl` is no file
    hint: name a file that SPLITTER_HISTORY named in an earlier run
    ");
    recorded.add(0..1, 4000, 50_000_000, 9);
    context.write("history.jsonl", format!("{}{{\"version\":1,\"at\":", context.read("history.jsonl")));
    let output = run(&mut recorded.stats(&["--json"]));
    assert!(output.starts_with("exit: 0\n") && output.contains("history.jsonl: 1 line cannot be read"), "{output}");
    // The same file by two paths, and a copy of it.
    context.write("copy.jsonl", context.read("history.jsonl"));
    let files = ["history.jsonl", "./history.jsonl", "copy.jsonl"].map(|file| ["--history", file]);
    let output = succeed(&mut recorded.stats(&[&files.concat()[..], &["--json"]].concat()));
    assert!(output.contains("\"runs\": 1,"), "{output}");
}
