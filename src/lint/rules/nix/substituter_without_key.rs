//! `substituter-without-key`: a cache that is ignored.

use super::{super::workflow::settings::all, settings::settings};
use crate::lint::{
    Check, Example, Found, Kind, Level, Rule,
    view::{NixFile, SettingsFile, YamlFile},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "substituter-without-key",
    level: Level::Warning,
    is_taste: false,
    why: "Nix ignores what a cache has if it does not know the cache's key, so everything is built.",
    remedy: "Add the key of the cache to `extra-trusted-public-keys`.",
    about: "Keys in any other Nix file of the repository count. `cache.nixos.org` needs none, since Nix knows its key.",
    checks: &[Check::Nix(check), Check::Settings(check_settings), Check::Yaml(check_yaml)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r#"{
  nixConfig.extra-substituters = [ "https://acme.cachix.org" ];
  outputs = _: { };
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "flake.nix",
                r#"{
  nixConfig = {
    extra-substituters = [ "https://acme.cachix.org" ];
    extra-trusted-public-keys = [ "acme.cachix.org-1:mB9FSh9qf2dCimDSUo8Zy7bkq5CX+/rkCWyvRCYg3Fs=" ];
  };
  outputs = _: { };
}
"#,
            )],
        },
        Example {
            findings: 1,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  a:\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: |\n            extra-substituters = https://cache.acme.org\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                ".github/workflows/ci.yml",
                "jobs:\n  a:\n    steps:\n      - uses: cachix/install-nix-action@v31\n        with:\n          extra_nix_config: |\n            extra-substituters = https://cache.acme.org\n            extra-trusted-public-keys = ${{ vars.KEY }}\n",
            )],
        },
        Example { findings: 1, files: &[("nix.conf", "binary-caches = https://acme.cachix.org\n")] },
        Example {
            findings: 1,
            files: &[(
                "nix.conf",
                r"substituters = https://cache.nixos.org https://acme.cachix.org
",
            )],
        },
        Example {
            findings: 0,
            files: &[
                (
                    "nix.conf",
                    r"substituters = https://cache.nixos.org/
",
                ),
                ("a.nix", r#"{ nix.settings.substituters = [ "https://a.cachix.org" ]; }"#),
                ("b.nix", r#"{ nix.settings.trusted-public-keys = [ "a" ]; }"#),
            ],
        },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    let has_keys = || {
        let texts = file.context.of_kinds(&[Kind::Nix]).map(|file| file.text);
        texts.into_iter().any(|text| {
            ["trusted-public-keys", "trustedPublicKeys", "cache-public-keys"].iter().any(|word| text.contains(word))
        })
    };
    for setting in settings(file) {
        if needs_key(&setting.name, &setting.value) && !has_keys() {
            found.add(setting.key, format!("`{}` without a public key", setting.name));
        }
    }
}

fn check_settings(file: &SettingsFile<'_>, found: &mut Found<'_>) {
    let has_keys = ["trusted-public-keys", "cache-public-keys"].iter().any(|word| file.file.text.contains(word));
    for setting in file.settings.iter().filter(|setting| !has_keys && needs_key(&setting.name, &setting.value)) {
        found.add(setting.range.clone(), format!("`{}` without a public key", setting.name));
    }
}

/// A workflow may have its keys in a variable, in the flake, or through the action of its cache.
fn check_yaml(file: &YamlFile<'_>, found: &mut Found<'_>) {
    let has_key = |text: &str| {
        ["public-keys", "public_keys", "cachix/cachix-action", "cachix use", "attic use"]
            .iter()
            .any(|word| text.contains(word))
    };
    let flake = file.context.file("flake.nix").map_or("", |flake| flake.text);
    if has_key(file.file.text) || has_key(flake) {
        return;
    }
    for setting in all(file).into_iter().filter(|setting| needs_key(&setting.name, &setting.value)) {
        found.add(setting.range, format!("`{}` without a public key", setting.name));
    }
}

/// Whether a setting names a cache whose key Nix does not know.
fn needs_key(name: &str, value: &str) -> bool {
    let is_list = matches!(name, "substituters" | "extra-substituters" | "binary-caches" | "extra-binary-caches");
    let is_foreign = |word: &str| {
        ["https://", "http://", "s3://"].iter().any(|scheme| word.starts_with(scheme))
            && !word.contains("cache.nixos.org")
            && !word.contains("trusted=")
            && !word.contains('_')
    };
    is_list && value.split_whitespace().any(is_foreign)
}
