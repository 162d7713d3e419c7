//! `envrc-without-nix-direnv`: a dev shell that direnv evaluates each time.

use crate::lint::{Check, Example, Found, Kind, Level, Rule, view::Script};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "envrc-without-nix-direnv",
    level: Level::Info,
    is_taste: true,
    why: "Without nix-direnv, `use flake` evaluates the shell each time someone enters the folder, and garbage collection deletes it.",
    remedy: "Load nix-direnv with its hash: `splitter init` writes such an `.envrc`.",
    about: "Many people have nix-direnv in their own configuration, and then nothing is missing. So this is off by default.",
    checks: &[Check::Script(check)],
    examples: &[
        Example { findings: 1, files: &[(".envrc", "use flake\n")] },
        Example {
            findings: 0,
            files: &[(
                ".envrc",
                "if ! has nix_direnv_version || ! nix_direnv_version 3.2.0; then\n  source_url \"https://raw.githubusercontent.com/nix-community/nix-direnv/3.2.0/direnvrc\" \"sha256-hW6NC1JHue3IjZN3uDM6l6I2PMaauqd2D7hXYJ1Zfr4=\"\nfi\nuse flake\n",
            )],
        },
        Example { findings: 0, files: &[(".envrc", "eval \"$(devenv direnvrc)\"\nuse devenv\n")] },
    ],
};

fn check(file: &Script<'_>, found: &mut Found<'_>) {
    if file.file.kind != Kind::Envrc || file.file.text.contains("direnvrc") || file.file.text.contains("nix_direnv") {
        return;
    }
    let uses = |command: &&crate::lint::view::Command<'_>| {
        command.program() == "use_flake"
            || (command.program() == "use" && matches!(command.verb(), Some("flake" | "nix")))
    };
    if let Some(command) = file.commands.iter().find(uses) {
        found.add(command.range.clone(), "evaluates the shell each time");
    }
}
