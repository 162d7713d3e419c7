//! `accept-flake-config`: every flake may change the settings of Nix.

use super::{secrets_for_forks, settings};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{
        YamlFile,
        jobs::{self, Job},
    },
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "accept-flake-config",
    level: Level::Warning,
    is_taste: false,
    why: "Every flake, that of a pull request too, may then set substituters, hooks and the sandbox of this machine.",
    remedy: "Write the substituters and keys that you want into the settings of the machine, and leave this off.",
    about: "On a runner that is thrown away after a pull request's job, the author of that pull request controls everything anyway, so this is \
            a warning only with the event `pull_request_target`, if the job checks out the head of the pull request. On runners of your own \
            it is a hint. `dangerous-setting` reads `nix.conf` and Nix files.",
    checks: &[Check::Yaml(yaml)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "on: pull_request_target\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: accept-flake-config = true\n",
            )],
        },
        Example {
            findings: 2,
            files: &[(
                ".github/workflows/ci.yml",
                "on: [push, pull_request]\njobs:\n  own:\n    runs-on: [self-hosted, nix]\n    steps:\n      - run: nix build --accept-flake-config\n      - run: nix build --option accept-flake-config true\n  hosted:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: nix build --accept-flake-config\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "on: push\njobs:\n  own:\n    runs-on: self-hosted\n    steps:\n      - run: nix build --accept-flake-config\n",
            )],
        },
    ],
};

fn is_on(name: &str, value: &str) -> bool {
    name == "accept-flake-config" && value == "true"
}

fn yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    let has = |event: &str| jobs::triggers(file).iter().any(|(name, _)| *name == event);
    let (from_forks, with_secrets) = (has("pull_request"), has("pull_request_target"));
    settings::each(file, |name, value, range, jobs| {
        let is_kept = |job: &Job<'_>| {
            let labels = job.labels();
            labels.contains(&"self-hosted")
        };
        let has_head = |job: &Job<'_>| job.steps.iter().any(|step| secrets_for_forks::head(step).is_some());
        let message = "a pull request can change the settings of Nix";
        if is_on(name, value) && with_secrets && jobs.iter().any(has_head) {
            found.add(range, message);
        } else if is_on(name, value) && from_forks && jobs.iter().any(is_kept) {
            found.add_minor(range, message);
        }
    });
}
