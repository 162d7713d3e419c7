//! `envrc-use-nix`: the shell of `shell.nix` beside a flake.

use crate::lint::{Check, Example, Found, Kind, Level, Rule, view::Script};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "envrc-use-nix",
    level: Level::Info,
    is_taste: true,
    why: "The command `use nix` reads `shell.nix`, whose packages may come from another nixpkgs than the flake beside it.",
    remedy: "Use `use flake`.",
    about: "A `shell.nix` that reads the flake (flake-compat) is fine, so this is off by default. With neither, nothing is found.",
    checks: &[Check::Script(check)],
    examples: &[
        Example { findings: 1, files: &[(".envrc", "use nix\n"), ("flake.nix", "{ outputs = _: { }; }\n")] },
        Example { findings: 0, files: &[(".envrc", "use nix\n"), ("shell.nix", "{ }\n")] },
        Example {
            findings: 0,
            files: &[(".envrc", "use flake || use nix\n"), ("flake.nix", "{ outputs = _: { }; }\n")],
        },
    ],
};

fn check(file: &Script<'_>, found: &mut Found<'_>) {
    let uses = |what: &str| {
        let is_use = |name: &str, command: &crate::lint::view::Command<'_>| {
            (command.program() == "use" && command.verb() == Some(name)) || command.program() == format!("use_{name}")
        };
        file.commands.iter().find(|command| is_use(what, command))
    };
    if file.file.kind == Kind::Envrc
        && file.context.has(&file.file.beside("flake.nix"))
        && uses("flake").is_none()
        && let Some(command) = uses("nix")
    {
        found.add(command.range.clone(), "`use nix` beside a flake");
    }
}
