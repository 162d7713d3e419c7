//! `imperative-nix`: `nix-env`, `nix-channel` and `nix-shell -p` in CI.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixCall, YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "imperative-nix",
    level: Level::Info,
    is_taste: true,
    why: "The commands `nix-env`, `nix-channel` and `nix-shell -p` take their packages from a channel, which no file of the repository pins.",
    remedy: "Take the tools from the flake: `nix develop -c …`, `nix run .#…`.",
    about: "`nix-shell` and `nix-build` with a pinned `shell.nix` are as reproducible as a flake. That they are old is no fault, so this is a \
            matter of taste and off by default.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 2,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - run: nix-env -iA nixpkgs.jq\n      - run: nix-shell -p jq --run 'jq .'\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    steps:\n      - run: nix-shell --run make\n      - run: nix-build -A web\n      - run: nix-env -q\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for command in jobs::jobs(file).iter().flat_map(jobs::Job::commands) {
        let Some(call) = NixCall::of(command) else { continue };
        let installs =
            command.words.iter().any(|word| word.starts_with("-i") || *word == "--install") && !call.has("-f");
        let is_imperative = match call.program {
            "nix-env" => installs,
            "nix-channel" => call.has("--add") || call.has("--update"),
            "nix-shell" => call.has("-p") || call.has("--packages"),
            _ => false,
        };
        if is_imperative {
            found.add(command.range.clone(), format!("`{}` takes packages from a channel", call.program));
        }
    }
}
