//! `impure-build`: a build in CI that reads the environment.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixCall, YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "impure-build",
    level: Level::Info,
    is_taste: false,
    why: "An impure evaluation is not cached, and reads variables and files that other machines lack.",
    remedy: "Pass what it reads as an input, an option or a file of the repository.",
    about: "`nix build --impure --expr …` needs the option and is not found. devenv needs it too: there `--no-pure-eval` says the same.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - run: NIXPKGS_ALLOW_UNFREE=1 nix build --impure .#web\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - run: nix build --impure --expr '(import ./.).x'\n      - run: nix eval --impure --expr 1\n      - run: nix-build --impure\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for command in jobs::jobs(file).iter().flat_map(jobs::Job::commands) {
        let Some(call) = NixCall::of(command) else { continue };
        let has_file = ["--expr", "-f", "--file"].iter().any(|option| call.has(option));
        if call.program == "nix" && call.is_build() && call.has("--impure") && !has_file {
            found.add(command.range.clone(), "builds with an impure evaluation");
        }
    }
}
