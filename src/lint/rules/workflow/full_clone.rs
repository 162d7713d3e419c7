//! `full-clone`: the whole history for a build that does not read it.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{Command, NixCall, YamlFile, jobs},
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
        let is_plain = |command: &Command<'_>| {
            let runs = command.has("run") || command.has("develop") || command.has("shell") || command.has("-c");
            let is_nix = command.program() == "nix" || command.program() == "nix-build";
            (is_nix && !runs) || matches!(command.program(), "echo" | "cat" | "ls" | "df" | "cd")
        };
        let mut actions = job.steps.iter().filter_map(|step| step.uses.as_ref());
        let has_other = actions.any(|uses| uses.action != "actions/checkout" && super::actions::known(uses).is_none());
        let builds = job.commands().any(|command| NixCall::of(command).is_some_and(|call| call.is_build()));
        if has_other || !builds || !job.commands().all(is_plain) {
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
