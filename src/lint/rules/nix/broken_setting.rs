//! `broken-setting`: a line at which Nix stops.

use super::super::workflow::settings;
use crate::lint::{
    Check, Edit, Example, Found, Level, Rule,
    view::{Broken, SettingsFile, YamlFile},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "broken-setting",
    level: Level::Error,
    is_taste: false,
    why: "Nix stops with `syntax error in configuration line`, whatever the command is.",
    remedy: "Write `name = value`, with spaces around the sign.",
    about: "Nix splits a line at white space and wants `=` as the second word, so `max-jobs=3` is an error too. Only lines that begin with the \
            name of a setting are found.",
    checks: &[Check::Settings(check), Check::Yaml(check_yaml)],
    examples: &[
        Example {
            findings: 2,
            files: &[("nix.conf", "max-jobs 3\ncores=4\nexperimental-features = nix-command flakes\n")],
        },
        Example { findings: 0, files: &[("nix.conf", "max-jobs = 3\n!include secrets.conf\n")] },
        Example { findings: 0, files: &[("tmpfiles.d/nix.conf", "d /nix 0755 root root - -\n")] },
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  a:\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: |\n            keep-outputs true\n            cores = 2\n",
            )],
        },
    ],
};

fn check(file: &SettingsFile<'_>, found: &mut Found<'_>) {
    for Broken { range, mended } in &file.broken {
        let message = message(&file.file.text[range.clone()]);
        match mended {
            Some(text) => {
                let edit = Edit { range: range.clone(), text: text.clone() };
                found.add_fixed(range.clone(), message, &format!("Write `{text}`."), vec![edit]);
            }
            None => found.add(range.clone(), message),
        }
    }
}

fn check_yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for Broken { range, mended } in settings::broken(file) {
        let message = message(file.file.text.get(range.clone()).unwrap_or_default());
        match mended {
            Some(text) => found.add_with(range, message, format!("Write `{text}`.")),
            None => found.add(range, message),
        }
    }
}

fn message(line: &str) -> String {
    format!("Nix cannot read the line `{}`", line.lines().next().unwrap_or_default())
}
