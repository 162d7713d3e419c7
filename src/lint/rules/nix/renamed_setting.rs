//! `renamed-setting`: names of settings from Nix 1.

use super::{super::workflow::settings::all, settings::settings};
use crate::lint::{
    Check, Edit, Example, Found, Level, Rule,
    settings::renamed,
    view::{NixFile, SettingsFile, YamlFile},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "renamed-setting",
    level: Level::Warning,
    is_taste: false,
    why: "The name is from Nix 1; if the new name is set too, the later line wins, and NixOS always sets the new one.",
    remedy: "Write the new name.",
    about: "Nix still reads the old names, so in `nix.conf` and in workflows this is a hint. In `nix.settings` it is a warning for those settings \
            that NixOS itself writes under the new name, later in the file: there the old name has no effect.",
    checks: &[Check::Nix(check), Check::Settings(check_settings), Check::Yaml(check_yaml)],
    examples: &[
        Example {
            findings: 2,
            files: &[(
                "nix.conf",
                "binary-caches = https://cache.nixos.org\nbuild-max-jobs = 4\nkeep-outputs = true\n",
            )],
        },
        Example { findings: 0, files: &[("nix.conf", "substituters = https://cache.nixos.org\nmax-jobs = 4\n")] },
        Example {
            findings: 1,
            files: &[(
                "configuration.nix",
                "{ nix.settings = { build-cores = 4; max-jobs = 2; }; nix.binaryCaches = [ ]; }\n",
            )],
        },
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "env:\n  NIX_CONFIG: extra-binary-caches = https://a.example\njobs: {}\n",
            )],
        },
    ],
};

/// What `nix.settings` of NixOS always has.
const OF_NIXOS: [&str; 5] = ["cores", "max-jobs", "sandbox", "substituters", "trusted-public-keys"];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for setting in settings(file) {
        let Some(new) = renamed(&setting.name) else { continue };
        let message = message(&setting.name, &new);
        if OF_NIXOS.contains(&new.as_str()) && !file.is_flake() {
            found.add_with(setting.key, message, format!("Write `{new}`."));
        } else {
            found.add_minor(setting.key, message);
        }
    }
}

fn check_settings(file: &SettingsFile<'_>, found: &mut Found<'_>) {
    for setting in &file.settings {
        let Some(new) = renamed(&setting.name) else { continue };
        let name = setting.range.start..setting.range.start + setting.name.len();
        let edit = Edit { range: name, text: new.clone() };
        found.add_minor_fixed(
            setting.range.clone(),
            message(&setting.name, &new),
            &format!("Write `{new}`."),
            vec![edit],
        );
    }
}

fn check_yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for setting in all(file) {
        if let Some(new) = renamed(&setting.name) {
            found.add_minor(setting.range, message(&setting.name, &new));
        }
    }
}

fn message(old: &str, new: &str) -> String {
    format!("`{old}` is the old name of `{new}`")
}
