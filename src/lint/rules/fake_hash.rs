//! `fake-hash`: a hash that was to be replaced.

use rnix::ast::AttrpathValue;
use rowan::ast::AstNode as _;

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(super) const RULE: Rule = Rule {
    name: "fake-hash",
    level: Level::Error,
    is_taste: false,
    why: "A placeholder for a hash is left, so this never builds.",
    remedy: "Build it once, and put the hash that Nix prints in its place.",
    about: "`lib.fakeHash`, an empty `hash`, and a hash of only `A` or `0` are placeholders that people use to learn the real one. splitter \
            computes the hashes of npm packages from the lockfile, without such a build.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                "{ lib, fetchurl }: fetchurl { url = \"https://example.com/a\"; hash = lib.fakeHash; }\n",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "flake.nix",
                "{ fetchurl }:\nfetchurl { url = \"https://example.com/a\"; hash = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"; }\n",
            )],
        },
        // A library defines them.
        Example {
            findings: 0,
            files: &[("lib.nix", r#"{ fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; }"#)],
        },
        Example {
            findings: 3,
            files: &[(
                "a.nix",
                "{ a = mkDerivation { outputHash = \"\"; }; b = f { sha256 = \"0000000000000000000000000000000000000000000000000000\"; };\n  c = g { npmDepsHash = \"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"; }; }",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                "{ lib, hash ? lib.fakeHash, cargoHash ? \"\" }: { inherit hash; isFake = hash == lib.fakeHash; fakeSri = f { hash = lib.fakeHash; }; update = g { cargoHash = lib.fakeHash; }; version = \"\"; }",
            )],
        },
    ],
};

/// The names of placeholders in nixpkgs' `lib`.
const FAKE: [&str; 3] = ["fakeHash", "fakeSha256", "fakeSha512"];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for binding in &file.bindings {
        let Some(value) = binding.value() else { continue };
        let name = nix::entry_path(binding).pop().unwrap_or_default();
        let is_hash = name == "hash" || name.ends_with("Hash") || name.ends_with("256") || name.ends_with("512");
        if !is_hash {
            continue;
        }
        if is_meant(binding) {
            continue;
        }
        let is_named = matches!(value, rnix::ast::Expr::Ident(_) | rnix::ast::Expr::Select(_))
            && nix::last_name(&value).is_some_and(|last| FAKE.contains(&last.as_str()));
        let is_written =
            matches!(value, rnix::ast::Expr::Str(_)) && nix::literal(&value).is_some_and(|text| is_fake(&text));
        if is_named || is_written {
            found.add(nix::span(&value), format!("`{name}` is a placeholder"));
        }
    }
}

/// Whether a text is an empty hash, or one of only zeros.
fn is_fake(text: &str) -> bool {
    let digits = text.split_once(['-', ':']).map_or(text, |(_, digits)| digits).trim_end_matches('=');
    digits.is_empty()
        || (digits.len() > 30 && (digits.bytes().all(|byte| byte == b'A') || digits.bytes().all(|byte| byte == b'0')))
}

/// Whether a definition around this one says that the hash is to be wrong: `fakeSri = …`, `cargoUpdate = …`, `no-vendor-hash = …`.
fn is_meant(binding: &AttrpathValue) -> bool {
    let around = binding.syntax().ancestors().skip(1).filter_map(AttrpathValue::cast);
    let mut names = around.flat_map(|outer| nix::entry_path(&outer)).map(|name| name.to_ascii_lowercase());
    let own = nix::entry_path(binding).pop().unwrap_or_default().to_ascii_lowercase();
    ["fake", "placeholder", "dummy"].iter().any(|word| own.contains(word))
        || names.any(|name| ["fake", "update", "hash", "placeholder"].iter().any(|word| name.contains(word)))
}
