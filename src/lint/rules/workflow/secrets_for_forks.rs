//! `secrets-for-forks`: Nix evaluates a stranger's code in a job that has secrets.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{
        YamlFile,
        jobs::{self, Step},
        yaml::Node,
    },
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "secrets-for-forks",
    level: Level::Error,
    is_taste: false,
    why: "The workflow runs with the repository's secrets, and Nix builds the code of a pull request in it.",
    remedy: "Use the event `pull_request`, and give forks a cache that they can read and not write.",
    about: "A pull request can change `flake.nix`, so `nix build`, `nix develop` and `nix run` do what its author wants. In a job with a push \
            token that author can put any path into the cache. zizmor reports every such event (`dangerous-triggers`); this rule only \
            reports a job that checks out the head of the pull request and then calls Nix.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "on: pull_request_target\njobs:\n  build:\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "on: [pull_request]\njobs:\n  build:\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/label.yml",
                "on:\n  pull_request_target:\njobs:\n  build:\n    steps:\n      - uses: actions/checkout@v7\n      - run: nix run .#label\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    if !jobs::triggers(file).iter().any(|(name, _)| *name == "pull_request_target") {
        return;
    }
    for job in jobs::jobs(file) {
        let Some((at, head)) = job.steps.iter().enumerate().find_map(|(at, step)| Some((at, head(step)?))) else {
            continue;
        };
        let runs_nix = job.steps[at + 1..]
            .iter()
            .any(|step| step.commands.iter().any(|command| command.program().starts_with("nix")));
        let is_guarded = job.node.get("if").and_then(Node::text).is_some_and(|text| text.contains("head.repo"));
        if runs_nix && !is_guarded {
            found.add(head.range.clone(), "Nix builds the head of a pull request in a job that has secrets");
        }
    }
}

/// Returns the reference of a checkout, if it is the head of a pull request at the root of the workspace.
pub(super) fn head<'f>(step: &Step<'f>) -> Option<&'f Node> {
    let is_root = step.input("path").is_none() && step.input("sparse-checkout").is_none();
    let node = step.input("ref").filter(|_| step.uses("actions/checkout") && is_root)?;
    let text = node.text()?;
    let is_head = ["pull_request.head", "github.head_ref", "refs/pull/", "merge_commit_sha"]
        .iter()
        .any(|part| text.contains(part));
    is_head.then_some(node)
}
