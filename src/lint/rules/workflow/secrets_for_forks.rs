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
            reports a job that checks out the head of the pull request and then calls Nix. It is not found if the job has no secret and a token that \
            may only read, or if its condition asks for a label, an author or the result of another job.",
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
        // Another job lets only members through.
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "on: pull_request_target\njobs:\n  build:\n    needs: [authorize]\n    if: needs.authorize.outputs.result == 'authorized'\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: nix build\n        env:\n          KEY: ${{ secrets.KEY }}\n",
            )],
        },
        // There is nothing to steal.
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "on: pull_request_target\npermissions: {}\njobs:\n  build:\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "on: pull_request_target\njobs:\n  build:\n    permissions: {}\n    steps:\n      - uses: actions/checkout@v7\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n      - uses: cachix/cachix-action@v17\n        with:\n          authToken: ${{ secrets.CACHIX }}\n      - run: nix build\n",
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
        if runs_nix && !is_guarded(job.node) && has_secrets(file, job.node) {
            found.add(head.range.clone(), "Nix builds the head of a pull request in a job that has secrets");
        }
    }
}

/// Whether someone or another job decides for each pull request whether the job runs: by the repository, a label, an environment with reviewers.
fn is_guarded(job: &Node) -> bool {
    let condition = job.get("if").and_then(Node::text).unwrap_or_default();
    let asks = ["head.repo", "needs.", "label", "author_association", "actor"];
    job.get("environment").is_some() || asks.iter().any(|part| condition.contains(part))
}

/// Whether a job has a secret, or a token that may change something.
fn has_secrets(file: &YamlFile<'_>, job: &Node) -> bool {
    let permissions = job.get("permissions").or_else(|| file.root()?.get("permissions"));
    let may_write = permissions.is_none_or(|permissions| match permissions.text() {
        Some(all) => all != "read-all",
        None => permissions.entries().iter().any(|(_, node)| node.text() == Some("write")),
    });
    let text = file.file.text.get(job.range.clone()).unwrap_or_default();
    may_write || text.replace("secrets.GITHUB_TOKEN", "").contains("secrets.")
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
