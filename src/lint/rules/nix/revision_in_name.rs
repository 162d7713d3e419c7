//! `revision-in-name`: a name that every commit changes.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "revision-in-name",
    level: Level::Warning,
    is_taste: false,
    why: "The name or version contains the commit, so every commit builds this again, though its sources are filtered.",
    remedy: "Take the version from `package.json`, and put the commit into the image or the deployment.",
    about: "This is about derivations whose `src` is narrower than the repository. If `src` is the whole repository, every commit changes it anyway.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r#"{ outputs = { self, nixpkgs }: {
  packages.x86_64-linux.web = nixpkgs.legacyPackages.x86_64-linux.stdenv.mkDerivation {
    pname = "web";
    version = self.shortRev or "dirty";
    src = nixpkgs.lib.fileset.toSource { root = ./.; fileset = ./web; };
  };
}; }
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "flake.nix",
                r#"{ outputs = { self, nixpkgs }: {
  packages.x86_64-linux.web = nixpkgs.legacyPackages.x86_64-linux.stdenv.mkDerivation {
    pname = "web";
    version = "1.2.0";
    src = nixpkgs.lib.fileset.toSource { root = ./.; fileset = ./web; };
  };
}; }
"#,
            )],
        },
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r#"{ outputs = { self }: let version = "0-${self.lastModifiedDate}"; src = lib.cleanSourceWith { src = ./.; filter = f; };
in { a = stdenv.mkDerivation { pname = "a"; inherit version src; }; }; }"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "flake.nix",
                r#"{ outputs = { self }: { a = stdenv.mkDerivation { name = "a-${self.rev}"; src = ./.; }; b = stdenv.mkDerivation { version = self.rev; src = self; };
 c = stdenv.mkDerivation { version = self.rev; src = lib.cleanSource ./.; }; }; }"#,
            )],
        },
    ],
};

/// What flakes say of their commit.
const OF_COMMIT: [&str; 7] =
    [".rev", ".shortRev", ".dirtyRev", ".dirtyShortRev", ".lastModified", ".lastModifiedDate", ".revCount"];

/// Functions that filter sources.
const FILTERS: [&str; 8] = [
    "cleanSourceWith",
    "toSource",
    "gitTracked",
    "sourceByRegex",
    "sourceFilesBySuffices",
    "gitignoreSource",
    "filterSource",
    "cleanCargoSource",
];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for derivation in file.derivations() {
        let source = derivation.attribute("src").map(|source| nix::call(&nix::resolve(&source)).0);
        let filter = source.and_then(|head| nix::last_name(&head));
        if !filter.is_some_and(|name| FILTERS.contains(&name.as_str())) {
            continue;
        }
        for name in ["name", "version", "pname"] {
            let Some(value) = derivation.attribute(name) else { continue };
            let text = nix::resolve(&value).to_string();
            let word = OF_COMMIT.iter().find(|word| text.contains(&format!("self{word}")));
            if let Some(word) = word {
                found.add(derivation.place(name), format!("`{name}` contains `self{word}`"));
            }
        }
    }
}
