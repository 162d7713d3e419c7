//! `dangerous-setting`: settings that take a protection away.

use super::{super::workflow::settings::all, settings::settings};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    settings::danger,
    view::{NixFile, SettingsFile, YamlFile},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "dangerous-setting",
    level: Level::Warning,
    is_taste: false,
    why: "The setting takes away a protection of the machine or of its builds.",
    remedy: "Remove it.",
    about: "Found are `sandbox = false` and `relaxed`, `accept-flake-config = true`, `require-sigs = false`, `trusted-users` with `*`, and `fsync-metadata = false`. On macOS the sandbox is off by default and breaks some builds: allow the finding there. In the `nix.conf` of a container, which often lacks the rights for a sandbox, it is a hint. In workflows only `require-sigs = false` is found: `sandbox-off` and `accept-flake-config` know more of them.",
    checks: &[Check::Nix(check), Check::Settings(check_settings), Check::Yaml(check_yaml)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "configuration.nix",
                r"{
  nix.settings = {
    sandbox = false;
    cores = 4;
  };
}
",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "configuration.nix",
                r"{
  nix.settings = {
    sandbox = true;
    cores = 4;
  };
}
",
            )],
        },
        Example {
            findings: 2,
            files: &[(
                "nix.conf",
                r"accept-flake-config = true
require-sigs = false
sandbox = true
",
            )],
        },
        Example {
            findings: 1,
            files: &[(
                ".gitlab-ci.yml",
                "build:\n  variables:\n    NIX_CONFIG: require-sigs = false\n  script: [nix build]\n",
            )],
        },
        Example {
            findings: 2,
            files: &[(
                "a.nix",
                r#"{ nix = { settings.trusted-users = [ "root" "*" ]; settings.sandbox = "relaxed"; }; }"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{ nix.settings.trusted-users = [ "root" "@wheel" ]; my.sandbox = false; nix.settings.sandbox = mkDefault true; }"#,
            )],
        },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for setting in settings(file) {
        if let Some((why, remedy)) = danger(&setting.name, &setting.value) {
            found.add_with(setting.key, format!("`{}`: {why}", setting.name), remedy);
        }
    }
}

fn check_settings(file: &SettingsFile<'_>, found: &mut Found<'_>) {
    // A container is the sandbox, and cannot have another one.
    let is_container = file.file.path.contains("container") || file.file.path.contains("docker");
    for setting in file.settings.iter().filter(|setting| !is_container || setting.name != "sandbox") {
        if let Some((why, remedy)) = danger(&setting.name, &setting.value) {
            let message = format!("`{}`: {why}", setting.name);
            if setting.name == "sandbox" && (file.file.path.contains("container") || file.file.path.contains("docker"))
            {
                found.add_minor(setting.range.clone(), message);
            } else {
                found.add_with(setting.range.clone(), message, remedy);
            }
        }
    }
}

fn check_yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for setting in all(file).into_iter().filter(|setting| setting.name == "require-sigs") {
        if let Some((why, remedy)) = danger(&setting.name, &setting.value) {
            found.add_with(setting.range, format!("`{}`: {why}", setting.name), remedy);
        }
    }
}
