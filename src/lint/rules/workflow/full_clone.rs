//! `full-clone`: the whole history for a build that does not read it.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "full-clone",
    level: Level::Info,
    is_taste: false,
    why: "The job fetches the whole history and does nothing but build with Nix, which reads one commit.",
    remedy: "Leave `fetch-depth` out.",
    about: "Found are only jobs whose commands are all calls of Nix. A program that compares commits needs the history: `git describe`, \
            `splitter explain`, `turbo --filter=[…]`.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          fetch-depth: 0\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          fetch-depth: 0\n      - run: nix build && git describe\n  release:\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          fetch-depth: 0\n      - run: nix run .#release\n      - uses: some/release@v1\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        let is_plain = |name: &str| {
            ["nix", "echo", "cat", "ls", "df", "cd"].iter().any(|plain| name == *plain) || name.starts_with("nix-")
        };
        let calls = |name: &str| job.commands().any(|command| command.program() == name && command.has("build"));
        let unknown = job
            .steps
            .iter()
            .filter_map(|step| step.uses.as_ref())
            .any(|uses| uses.action != "actions/checkout" && super::actions::known(uses).is_none());
        let runs = job.commands().any(|command| command.has("run") || command.has("develop") || command.has("-c"));
        if unknown || runs || !calls("nix") || !job.commands().all(|command| is_plain(command.program())) {
            continue;
        }
        for step in job.steps.iter().filter(|step| step.uses("actions/checkout")) {
            if let Some(depth) = step.input("fetch-depth").filter(|depth| depth.text() == Some("0")) {
                found.add(
                    depth.range.clone(),
                    format!("the job `{}` only builds with Nix", job.key.map_or("", |key| &key.text)),
                );
            }
        }
    }
}
