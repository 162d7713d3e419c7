//! `unknown-setting`: settings that no Nix has.

use super::{super::workflow::settings::all, settings::settings};
use crate::lint::{
    Check, Edit, Example, Found, Level, Rule,
    settings::{Unknown, unknown},
    view::{NixFile, SettingsFile, YamlFile},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "unknown-setting",
    level: Level::Error,
    is_taste: false,
    why: "Nix ignores a setting that it does not know, and a NixOS or nix-darwin configuration with one does not build.",
    remedy: "Remove it.",
    about: "Only misspelt names and names that people copied from each other are found, because a newer Nix may have new settings. `nix config show` lists those of the installed Nix.",
    checks: &[Check::Nix(check), Check::Settings(check_settings), Check::Yaml(check_yaml)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "configuration.nix",
                r"{
  nix.settings = {
    max-jobs = 4;
    parallel-builds = true;
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
    max-jobs = 4;
    http-connections = 50;
  };
}
",
            )],
        },
        Example {
            findings: 1,
            files: &[("flake.nix", r#"{ nixConfig.extra-substitutors = [ "x" ]; outputs = _: { }; }"#)],
        },
        Example {
            findings: 2,
            files: &[(
                "nix.conf",
                r"parallel-builds = 4
cores = 2
trusted-publik-keys = a
",
            )],
        },
        Example {
            findings: 2,
            files: &[(
                ".github/workflows/ci.yml",
                "env:\n  NIX_CONFIG: parallel-builds = 4\njobs:\n  a:\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: |\n            experimental-feature = flakes\n            cores = 2\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                "{ services.nix.settings = { }; my.settings.parallel-builds = true; nix.settings = mkIf x { lazy-trees = true; some-new-thing = 1; }; }",
            )],
        },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for setting in settings(file) {
        if let Some(unknown) = unknown(&setting.name) {
            found.add_with(setting.key, message(&setting.name), unknown.remedy());
        }
    }
}

fn check_settings(file: &SettingsFile<'_>, found: &mut Found<'_>) {
    for setting in &file.settings {
        match unknown(&setting.name) {
            Some(Unknown::Misspelt(known)) => {
                let title = Unknown::Misspelt(known.clone()).remedy();
                let name = setting.range.start..setting.range.start + setting.name.len();
                found.add_fixed(
                    setting.range.clone(),
                    message(&setting.name),
                    &title,
                    vec![Edit { range: name, text: known }],
                );
            }
            Some(unknown) => found.add_with(setting.range.clone(), message(&setting.name), unknown.remedy()),
            None => {}
        }
    }
}

fn check_yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    for setting in all(file) {
        if let Some(unknown) = unknown(&setting.name) {
            found.add_with(setting.range, message(&setting.name), unknown.remedy());
        }
    }
}

fn message(name: &str) -> String {
    format!("no Nix has the setting `{name}`")
}
