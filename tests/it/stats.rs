//! `splitter stats` over a history that is known.

use serde_json::{Value, json};

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
        let known = fs_err::read_to_string(&file).unwrap_or_default();
        fs_err::write(file, known + &lines.collect::<String>()).unwrap();
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
    assert!(output.starts_with("exit: 2\n") && output.contains("the history has no run"), "{output}");
}

#[test]
fn a_history_that_is_not_there_or_cut_is_named() {
    let recorded = Recorded::new();
    let context = &recorded.small.context;
    splitter_snapshot!(context, recorded.stats(&[]), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the history has no run: [REPO]/history.jsonl
    hint: `splitter build` and `splitter cache push` add to it: run one of them
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
}
