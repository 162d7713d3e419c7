//! `update-in-build`: a job that throws the lock away before it builds.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixCall, YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "update-in-build",
    level: Level::Warning,
    is_taste: false,
    why: "The job updates the lock and then builds, so it tests other inputs than those in the repository, and misses every cache.",
    remedy: "Build what is locked, and update the lock in a workflow of its own that opens a pull request.",
    about: "Workflows that run only on a timer or by hand are not found, nor jobs that commit what they update.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "on: push\njobs:\n  build:\n    steps:\n      - run: nix flake update\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/update.yml",
                "on:\n  push:\n  schedule:\n    - cron: '0 0 * * 0'\njobs:\n  update:\n    steps:\n      - run: |\n          nix flake update\n          nix flake check\n          git commit -am update\n  build:\n    steps:\n      - run: nix flake update --flake ./test\n      - run: nix build\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    if jobs::is_rare(file) {
        return;
    }
    for job in jobs::jobs(file) {
        if super::actions::commits(&job) {
            continue;
        }
        let mut update = None;
        for command in job.commands() {
            let Some(call) = NixCall::of(command) else { continue };
            let is_whole = call.arguments.is_empty() && call.options.is_empty();
            if call.is("flake update") && is_whole {
                update = Some(command.range.clone());
            } else if call.is_build()
                && let Some(range) = update.take()
            {
                found.add(range, format!("`{}` follows", command.words[..command.words.len().min(3)].join(" ")));
            }
        }
    }
}
