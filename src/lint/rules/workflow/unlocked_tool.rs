//! `unlocked-tool`: a tool from whatever nixpkgs is newest today.

use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{NixCall, YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "unlocked-tool",
    level: Level::Warning,
    is_taste: false,
    why: "The flake has a locked nixpkgs, and this downloads another one, which changes from run to run.",
    remedy: "Add `--inputs-from .` to use the locked nixpkgs, or take the tool from the flake.",
    about: "Found in workflows of a repository with a `flake.lock`: `nix run`, `nix shell`, `nix build`, `nix develop` and `nix profile` of \
            `nixpkgs#…`, and of `github:owner/name` without a tag or commit. Each run then fetches and evaluates a second nixpkgs, and a tool \
            that changed fails the run without a change of yours: for formatters and linters this is a warning, for others a hint. Workflows that run only on a timer, by hand or for tags are not found.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: push\njobs:\n  lint:\n    steps:\n      - run: nix run nixpkgs#statix -- check\n",
                ),
                ("flake.lock", "{ \"nodes\": { \"root\": {}, \"nixpkgs\": {} } }\n"),
            ],
        },
        Example {
            findings: 0,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: push\njobs:\n  lint:\n    steps:\n      - run: nix run --inputs-from . nixpkgs#statix -- check\n      - run: nix run .#lint\n      - run: nix shell nixpkgs/nixos-26.05#jq -c jq\n",
                ),
                ("flake.lock", "{}\n"),
            ],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "on: push\njobs:\n  lint:\n    steps:\n      - run: nix run nixpkgs#statix -- check\n",
            )],
        },
        Example {
            findings: 2,
            files: &[
                (
                    ".github/workflows/ci.yml",
                    "on: push\njobs:\n  lint:\n    steps:\n      - run: nix shell nixpkgs#fd nixpkgs#jq --command fd\n      - run: nix run github:astro/deadnix -- --fail\n      - run: nix run github:astro/deadnix/v1.2.1\n  pinned:\n    steps:\n      - run: nix registry pin nixpkgs\n      - run: nix run nixpkgs#jq\n",
                ),
                ("flake.lock", "{}\n"),
            ],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    let is_workflow = file.file.kind != Kind::Action;
    let has_registry = ["registry pin", "registry add", "flake-registry", "nixpkgs.flake"]
        .iter()
        .any(|word| file.file.text.contains(word));
    if !file.context.has("flake.lock") || !is_workflow || jobs::is_rare(file) {
        return;
    }
    for job in jobs::jobs(file) {
        let pins = job.commands().any(|command| command.has("registry") || command.has("--inputs-from"));
        for command in job.commands().filter(|_| !(pins && has_registry)) {
            let Some(call) = NixCall::of(command).filter(is_use) else { continue };
            let mut tools = call.arguments.iter().filter(|argument| is_unlocked(argument));
            let first = tools.clone().next();
            if let Some(tool) = tools.find(|tool| is_judge(tool)).or(first) {
                let message = format!("`{tool}` is not in `flake.lock`");
                if is_judge(tool) {
                    found.add(command.range.clone(), message);
                } else {
                    found.add_minor(command.range.clone(), message);
                }
            }
        }
    }
}

/// Formatters and linters: a new version of one fails a run without a change of the repository.
const JUDGES: [&str; 16] = [
    "nixfmt",
    "nixfmt-rfc-style",
    "nixfmt-classic",
    "alejandra",
    "nixpkgs-fmt",
    "statix",
    "deadnix",
    "treefmt",
    "prettier",
    "biome",
    "eslint",
    "oxlint",
    "shellcheck",
    "shfmt",
    "actionlint",
    "zizmor",
];

fn is_judge(tool: &str) -> bool {
    let end = tool.rsplit(['#', '/']).next().unwrap_or(tool);
    JUDGES.contains(&end)
}

fn is_use(call: &NixCall<'_>) -> bool {
    let verbs = ["run", "shell", "build", "develop", "profile install", "profile add"];
    let is_locked = ["--inputs-from", "--override-flake", "--flake-registry"].iter().any(|option| call.has(option));
    verbs.iter().any(|verb| call.is(verb)) && !is_locked
}

fn is_unlocked(argument: &str) -> bool {
    let argument = argument.trim_matches(['"', '\'']);
    // A tag, a branch or a commit may follow as a third part.
    let has_version =
        |path: &str| path.split('#').next().is_some_and(|path| path.split('/').count() > 2 || path.contains('?'));
    match argument.strip_prefix("github:") {
        Some(path) => !path.contains('$') && !has_version(path),
        None => argument.starts_with("nixpkgs#"),
    }
}
