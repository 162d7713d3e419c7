//! `unchecked-envrc`: a script from the network that runs in every shell.

use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{Command, Script},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "unchecked-envrc",
    level: Level::Error,
    is_taste: false,
    why: "A script from the network runs in the shell of everyone who enters the folder, and no hash checks it.",
    remedy: "Use `source_url URL HASH`; `direnv fetchurl URL` prints the hash.",
    about: "Found are `source_url` without a hash, and `curl` or `wget` whose output a shell runs.",
    checks: &[Check::Script(check)],
    examples: &[
        Example { findings: 1, files: &[(".envrc", "eval \"$(curl -sL https://example.com/direnvrc)\"\nuse flake\n")] },
        Example {
            findings: 0,
            files: &[(
                ".envrc",
                "if ! has nix_direnv_version || ! nix_direnv_version 3.2.0; then\n  source_url \"https://raw.githubusercontent.com/nix-community/nix-direnv/3.2.0/direnvrc\" \"sha256-hW6NC1JHue3IjZN3uDM6l6I2PMaauqd2D7hXYJ1Zfr4=\"\nfi\nuse flake\nexport IP=$(curl -s https://example.com/ip)\n",
            )],
        },
        Example {
            findings: 2,
            files: &[(".envrc", "source_url https://example.com/a\nsource <(curl https://example.com/b)\n")],
        },
        Example { findings: 0, files: &[("Makefile", "a:\n\teval \"$(curl -sL https://example.com/x)\"\n")] },
    ],
};

fn check(file: &Script<'_>, found: &mut Found<'_>) {
    if file.file.kind != Kind::Envrc {
        return;
    }
    for command in &file.commands {
        let has_no_hash = command.program() == "source_url" && command.words.len() < 3;
        if has_no_hash || runs_download(file, command) {
            found.add(command.range.clone(), format!("`{}` runs a script that no hash checks", command.program()));
        }
    }
}

/// Whether a download is the script of `eval`, `source` or a shell.
fn runs_download(file: &Script<'_>, command: &Command<'_>) -> bool {
    let is_download = matches!(command.program(), "curl" | "wget");
    let before = file.file.text[..command.range.start].rsplit('\n').next().unwrap_or_default();
    let after = file.file.text[command.range.end..].split('\n').next().unwrap_or_default().trim_start();
    let opens = ["eval \"$(", "eval $(", "source <(", ". <(", "source /dev/stdin <<<"]
        .iter()
        .any(|open| before.trim_end().ends_with(open));
    let is_piped = after
        .strip_prefix('|')
        .is_some_and(|next| ["sh", "bash", "source"].contains(&next.split_whitespace().next().unwrap_or_default()));
    is_download && (opens || is_piped)
}
