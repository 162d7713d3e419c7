//! `garbage-in-ci`: garbage collection on a machine that is thrown away.

use super::actions::{self, Role};
use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{Command, NixCall, YamlFile, jobs},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "garbage-in-ci",
    level: Level::Warning,
    is_taste: false,
    why: "The runner is thrown away after the job, so the collection takes minutes and frees nothing that anybody needs.",
    remedy: "Leave it out; before a store is saved, use `gc-max-store-size` of cache-nix-action.",
    about: "A job that needs the room for later steps, or that saves the store afterwards, is not found.",
    checks: &[Check::Yaml(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: nix build\n      - run: nix-collect-garbage -d\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: nix build .#a\n      - run: nix-collect-garbage\n      - run: nix build .#b\n  saved:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: nix-community/cache-nix-action@v7\n      - run: nix build && nix store gc\n  own:\n    runs-on: self-hosted\n    steps:\n      - run: nix store gc\n",
            )],
        },
    ],
};

fn check(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for job in jobs::jobs(file) {
        let saves = job.steps.iter().any(|step| {
            matches!(actions::role(step), Some(Role::StoreCache | Role::Cache))
                || step.uses.as_ref().is_some_and(|uses| uses.action.contains("cache"))
        });
        if file.file.kind != Kind::Workflow || !job.is_hosted(file) || saves {
            continue;
        }
        let commands: Vec<&Command<'_>> = job.commands().collect();
        let Some(at) = commands.iter().rposition(|command| collects(command)) else { continue };
        let needs_room = commands[at + 1..].iter().any(|command| !matches!(command.program(), "echo" | "df" | "du"))
            || job.steps.iter().any(|step| step.uses.is_some() && step.node.range.start > commands[at].range.start);
        if !needs_room {
            found.add(commands[at].range.clone(), "nothing follows that needs the room");
        }
    }
}

fn collects(command: &Command<'_>) -> bool {
    let is_gc = |call: &NixCall<'_>| {
        call.program == "nix-collect-garbage"
            || call.is("store gc")
            || (call.program == "nix-store" && call.has("--gc"))
    };
    NixCall::of(command).as_ref().is_some_and(is_gc)
}
