//! `no-nix-cache`: a job that builds everything anew each time.

use super::actions::{self, Role};
use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{
        Command, NixCall, YamlFile,
        jobs::{self, Job, Step},
    },
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "no-nix-cache",
    level: Level::Warning,
    is_taste: false,
    why: "The runner starts with an empty store, so each run downloads and installs all packages and builds everything again.",
    remedy: "Add a store cache or a binary cache after Nix is installed; `splitter ci init` writes such a workflow.",
    about: "Found are jobs that install Nix on a runner of GitHub and call `nix build`, `nix-build` or `nix flake check` on the repository, \
            with nothing that could bring earlier builds: no cache action, no substituter in the workflow, in its local actions or in \
            `flake.nix`. A flake without `checks` builds nothing in `nix flake check`. It is a warning in a repository with a lockfile of \
            JavaScript packages, whose install alone pays for a cache; elsewhere it is only a hint, because one derivation of the whole \
            repository is built again with any cache. Workflows that no pull request waits for are not found, nor jobs that commit: release \
            builds should not trust a cache. Dev shells are not found either: most come from cache.nixos.org.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: pull_request\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v7\n      - uses: cachix/install-nix-action@v31\n      - run: nix build\n",
                ),
                ("bun.lock", "{}\n"),
            ],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "on: pull_request\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v7\n      - uses: cachix/install-nix-action@v31\n      - uses: cachix/cachix-action@v17\n        with:\n          name: example\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: [push]\njobs:\n  own:\n    runs-on: self-hosted\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - run: nix build\n  local:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: ./.github/actions/nix\n      - uses: cachix/install-nix-action@v31\n      - run: nix build\n  fmt:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - run: nix flake check --no-build\n      - run: nix develop -c just fmt\n      - run: nix build nixpkgs#hello\n",
                ),
                (
                    ".github/actions/nix/action.yml",
                    "runs:\n  using: composite\n  steps:\n    - uses: Mic92/hestia@v3\n",
                ),
            ],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/release.yml",
                "on:\n  push:\n    tags: ['v*']\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - run: nix build\n",
            )],
        },
        Example {
            findings: 0,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/install-nix-action@v31\n      - run: nix build\n",
                ),
                (
                    "flake.nix",
                    "{ nixConfig.extra-substituters = [ \"https://example.cachix.org\" ]; outputs = _: { }; }\n",
                ),
            ],
        },
        Example {
            findings: 1,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: push\njobs:\n  build:\n    strategy:\n      matrix:\n        os: [ubuntu-latest, macos-latest]\n    runs-on: ${{ matrix.os }}\n    steps:\n      - uses: DeterminateSystems/nix-installer-action@main\n      - run: nix flake check -L\n",
                ),
                ("flake.nix", "{ outputs = _: { checks = { }; }; }\n"),
            ],
        },
    ],
};

/// Lockfiles of JavaScript packages.
const LOCKFILES: [&str; 5] = ["bun.lock", "bun.lockb", "yarn.lock", "package-lock.json", "pnpm-lock.yaml"];

/// Words of a flake that has checks.
const CHECKS: [&str; 5] = ["checks", "treefmt", "git-hooks", "pre-commit", "flake-parts"];

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    if file.file.kind != Kind::Workflow || !jobs::is_waited_for(file) {
        return;
    }
    let flake = file.context.file("flake.nix").map_or("", |flake| flake.text);
    if actions::mentions_cache(file.file.text) || actions::mentions_cache(flake) {
        return;
    }
    for job in jobs::jobs(file) {
        let Some(installer) = job.steps.iter().find(|step| actions::role(step) == Some(Role::Installer)) else {
            continue;
        };
        if !job.is_hosted(file)
            || actions::may_cache(&job)
            || actions::local(file, &job).may_cache
            || actions::commits(&job)
        {
            continue;
        }
        if let Some(range) = build(&job, flake) {
            let name = job.key.map_or("", |key| key.text.as_str());
            let line = crate::diagnostic::Position::of_offset(file.file.text, range.start).line;
            let range = installer.uses.as_ref().map_or(installer.node.range.clone(), |uses| uses.range.clone());
            let message = format!("the job `{name}` builds with Nix (line {line}) and has no cache");
            if LOCKFILES.iter().any(|name| file.context.has(name)) {
                found.add(range, message);
            } else {
                found.add_minor(range, message);
            }
        }
    }
}

/// Returns the first command that builds something of the repository.
fn build(job: &Job<'_>, flake: &str) -> Option<std::ops::Range<usize>> {
    let builds = |step: &&Step<'_>| step.uses.is_none();
    let mut commands = job.steps.iter().filter(builds).flat_map(|step| &step.commands);
    let is_build = |command: &&Command<'_>| {
        NixCall::of(command).is_some_and(|call| {
            let is_empty = call.is("flake check") && !CHECKS.iter().any(|word| flake.contains(word));
            call.is_own_build() && !is_empty
        })
    };
    commands.find(is_build).map(|command| command.range.clone())
}
