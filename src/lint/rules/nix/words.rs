//! Words without which a rule for Nix files finds nothing. Most files have none, and are not parsed.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// Functions that make derivations. See [`crate::lint::view::nix::Derivation`].
const BUILDERS: &[&str] =
    &["mkDerivation", "runCommand", "Npm", "Yarn", "npm", "Bun", "NodePackage", "buildGo", "buildRust", "buildPackage"];

/// Where settings of Nix are.
const SETTINGS: &[&str] = &["nix.settings", "nix = {", "nix={", "nixConfig"];

/// The words of each rule: a file must have one of each list. No word is a part of another one, so that one search finds all.
const WORDS: &[(&str, &[&[&str]])] = &[
    (
        "compiler-flags",
        &[&[
            "withCFlags",
            "impureUseNativeOptimizations",
            "-march=native",
            "-mtune=native",
            "NIX_CFLAGS_COMPILE",
            "-O3",
        ]],
    ),
    ("dangerous-setting", &[SETTINGS]),
    ("dropped-system", &[&["x86_64-darwin"]]),
    (
        "fake-hash",
        &[&[
            "fakeHash",
            "fakeSha256",
            "fakeSha512",
            "AAAAAAAAAA",
            "0000000000",
            "ash = \"\"",
            "256 = \"\"",
            "512 = \"\"",
            "outputHash",
        ]],
    ),
    ("for-all-systems", &[&["genAttrs"]]),
    (
        "import-from-derivation",
        &[
            &["fetchFrom", "fetchgit", "fetchzip", "fetchpatch", "applyPatches", "fetchurl"],
            &["import", "readFile", "readDir"],
        ],
    ),
    (
        "impure-lookup",
        &[&[
            "<nix",
            "currentSystem",
            "currentTime",
            "getEnv",
            "fetchTarball",
            "fetchurl",
            "fetchGit",
            "fetchMercurial",
        ]],
    ),
    ("install-in-build", &[&["npm", "yarn", "bun"], BUILDERS]),
    ("layers-out-of-order", &[&["buildImage", "LayeredImage"], &["layers", "fromImage"]]),
    ("missing-lock", &[&["outputs"]]),
    ("mutable-created", &[&["created"]]),
    ("network-in-build", &[&["curl", "wget", "clone", "npx", "bun", "dlx"], BUILDERS]),
    ("no-chroot", &[&["__noChroot"]]),
    ("node-modules-hash", &[&["outputHash"]]),
    ("nodejs-with-bun", &[&["bun"], &["nodejs"], BUILDERS]),
    ("one-layer-image", &[&["buildImage"]]),
    ("renamed-setting", &[SETTINGS]),
    ("revision-in-name", &[&["self."], BUILDERS]),
    ("substituter-without-key", &[SETTINGS, &["substituters", "binary-caches"]]),
    ("tool-in-nix-image", &[&["buildImage", "LayeredImage"]]),
    ("unknown-setting", &[SETTINGS]),
    (
        "whole-repository",
        &[
            BUILDERS,
            &["npm", "yarn", "bun", "turbo", "lerna", "nx", "npx", "Npm", "Yarn", "Bun", "NodePackage"],
            &["src"],
        ],
    ),
];

/// Finds all words.
static SEARCH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = WORDS.iter().flat_map(|(_, lists)| *lists).flat_map(|words| *words).map(|word| regex::escape(word));
    Regex::new(&words.collect::<Vec<_>>().join("|")).ok()
});

/// The words that a text has.
pub(in crate::lint) struct Words<'a>(Option<Vec<&'a [u8]>>);

impl<'a> Words<'a> {
    pub(in crate::lint) fn of(text: &'a str) -> Self {
        let search = SEARCH.as_ref();
        Self(search.map(|search| {
            let mut found: Vec<&[u8]> = search.find_iter(text.as_bytes()).map(|word| word.as_bytes()).collect();
            found.sort_unstable();
            found.dedup();
            found
        }))
    }

    /// Whether a rule may find something.
    pub(in crate::lint) fn may_find(&self, rule: &str, is_flake: bool) -> bool {
        if matches!(rule, "missing-lock" | "dropped-system") && !is_flake {
            return false;
        }
        let Some(found) = &self.0 else { return true };
        let lists = WORDS.iter().find(|(name, _)| *name == rule).map(|(_, lists)| *lists);
        let has_one = |words: &&[&str]| words.iter().any(|word| found.contains(&word.as_bytes()));
        lists.is_none_or(|lists| lists.iter().all(has_one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_a_part_of_another_one() {
        let words: Vec<&str> = WORDS.iter().flat_map(|(_, lists)| *lists).flat_map(|words| *words).copied().collect();
        for word in &words {
            assert!(words.iter().all(|other| word == other || !other.contains(word)), "{word}");
        }
        assert!(SEARCH.is_some());
        for (name, _) in WORDS {
            assert!(crate::lint::rules::named(name).is_some(), "{name}");
        }
    }
}
