//! `sandbox-off`: builds that may read the machine and the network.

use std::ops::Range;

use super::settings;
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{Dockerfile, JsonFile, Script, YamlFile, entries, shell, text},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "sandbox-off",
    level: Level::Warning,
    is_taste: false,
    why: "Without the sandbox a build can read the machine and the network, so its result may differ elsewhere and still get into the cache.",
    remedy: "Leave the sandbox on, and make a download a fixed-output derivation.",
    about: "On macOS the sandbox is off by default, so a job that only runs there is not found. Containers often lack the rights for a sandbox: \
            if you must turn it off there, do not push what is built. `dangerous-setting` reads `nix.conf` and Nix files. `relaxed` lets derivations with `__noChroot` out, and is a hint.",
    checks: &[Check::Yaml(yaml), Check::Script(script), Check::Manifest(manifest), Check::Dockerfile(dockerfile)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: |\n            sandbox = false\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: |\n            sandbox = true\n",
            )],
        },
        Example {
            findings: 4,
            files: &[(
                ".gitlab-ci.yml",
                "variables:\n  NIX_CONFIG: \"sandbox = relaxed\"\nbuild:\n  script:\n    - nix build --option sandbox false .#a\n    - nix build --no-sandbox\n    - NIX_CONFIG='sandbox = false' nix build\n    - nix build --option sandbox true\n",
            )],
        },
        Example { findings: 1, files: &[("Makefile", "build:\n\tnix-build --option sandbox false\n")] },
        Example {
            findings: 1,
            files: &[(
                "package.json",
                "{ \"scripts\": { \"build\": \"nix build --no-sandbox\", \"e2e\": \"chromium --no-sandbox\" } }\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/mac.yml",
                "jobs:\n  mac:\n    runs-on: macos-15\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: sandbox = false\n      - run: chromium --no-sandbox\n",
            )],
        },
    ],
};

fn is_off(name: &str, value: &str) -> bool {
    name == "sandbox" && matches!(value, "false" | "relaxed")
}

/// Adds a finding. `relaxed` only frees derivations that ask for it.
fn add(value: &str, range: Range<usize>, found: &mut Found<'_>) {
    if value == "false" {
        found.add(range, "the sandbox is off");
    } else {
        found.add_minor(range, format!("the sandbox is {value}"));
    }
}

fn yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    settings::each(file, |name, value, range, jobs| {
        if is_off(name, value) && !settings::only_macos(file, jobs) {
            add(value, range, found);
        }
    });
}

fn script(file: &Script<'_>, found: &mut Found<'_>) {
    of_commands(&file.commands, None, found);
}

fn manifest(file: &JsonFile<'_>, found: &mut Found<'_>) {
    for property in file.at(&["scripts"]).into_iter().flat_map(entries) {
        let Some(script) = text(&property.value) else { continue };
        of_commands(&shell::commands(script), Some(&JsonFile::range(&property.value)), found);
    }
}

fn dockerfile(file: &Dockerfile<'_>, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        of_commands(&run.commands(), None, found);
    }
}

fn of_commands(commands: &[shell::Command<'_>], place: Option<&Range<usize>>, found: &mut Found<'_>) {
    for command in commands {
        for (name, value) in settings::of_command(command) {
            if is_off(&name, &value) {
                add(&value, place.cloned().unwrap_or_else(|| command.range.clone()), found);
            }
        }
    }
}
