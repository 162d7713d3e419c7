//! `import-from-derivation`: builds in the middle of an evaluation.

use rnix::ast::{BinOpKind, Expr, InterpolPart};

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "import-from-derivation",
    level: Level::Warning,
    is_taste: false,
    why: "Nix must build something before it can evaluate the rest, one at a time, and `nix flake check` needs machines of all systems.",
    remedy: "Read a file of the repository or of a flake input instead: inputs are fetched, not built.",
    about: "Found is an `import`, a `readFile` or a `readDir` of what `fetchFromGitHub`, `pkgs.fetchurl`, `applyPatches` and the like make in this file. What `runCommand` makes is mostly read on purpose, and is not found. `nix eval --option allow-import-from-derivation false` shows all of them, also those in other files. `builtins.fetchTarball` and flake inputs are no derivations.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "a.nix",
                r#"{ pkgs }:
let source = pkgs.fetchFromGitHub { owner = "a"; repo = "b"; rev = "v1"; hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
in import source { }
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r"{ inputs }:
import inputs.source { }
",
            )],
        },
        Example {
            findings: 3,
            files: &[(
                "b.nix",
                r#"{ a = import (applyPatches { src = nixpkgs; }); b = builtins.readFile "${pkgs.fetchgit { url = "a"; }}/x"; c = lib.importJSON (pkgs.fetchurl { url = "x"; }); }"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "b.nix",
                r#"{ a = import ./a.nix; b = builtins.readFile "${self}/x"; c = import (builtins.fetchTarball { url = "x"; sha256 = "y"; }); d = import "${pkgs.path}/nixos";
 e = callPackage (fetchFromGitHub { }) { }; h = builtins.readFile (runCommand "a" { } "x"); f = import (fetchTarball "x") { pkgs = runCommand "a" { } ""; }; g = builtins.readFile (builtins.fetchurl { url = "x"; sha256 = "y"; }); }"#,
            )],
        },
    ],
};

/// Functions that read while Nix evaluates.
const READERS: [&str; 7] = ["import", "readFile", "readDir", "importJSON", "importTOML", "scopedImport", "pathExists"];

/// Functions that fetch or patch sources as derivations. What `runCommand` and `mkDerivation` make is read on purpose, by code that knows.
const MAKERS: [&str; 8] = [
    "fetchFromGitHub",
    "fetchFromGitLab",
    "fetchFromGitea",
    "fetchFromSourcehut",
    "fetchgit",
    "fetchzip",
    "fetchpatch",
    "applyPatches",
];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for call in &file.calls {
        let (head, arguments) = nix::call(&Expr::Apply(call.clone()));
        let Some(reader) = nix::last_name(&head).filter(|name| READERS.contains(&name.as_str())) else { continue };
        if let Some(maker) = arguments.first().and_then(|argument| maker(argument, 4)) {
            found.add(nix::span(&head), format!("`{reader}` of what `{maker}` builds"));
        }
    }
}

/// Returns the function that makes the derivation in an argument: the argument itself, or the beginning of its path.
fn maker(argument: &Expr, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match nix::resolve(argument) {
        call @ Expr::Apply(_) => {
            let (head, _) = nix::call(&call);
            let name = nix::last_name(&head)?;
            let path = nix::path(&head);
            let is_builtin = path.first().is_some_and(|first| first == "builtins");
            // `pkgs.fetchurl` builds, `builtins.fetchurl` does not.
            let is_fetcher = name == "fetchurl" && path.len() > 1;
            (!is_builtin && (is_fetcher || MAKERS.contains(&name.as_str()))).then_some(name)
        }
        Expr::Str(text) => match text.parts().next() {
            Some(InterpolPart::Interpolation(first)) => maker(&first.expr()?, depth),
            _ => None,
        },
        Expr::BinOp(sum) if sum.operator() == Some(BinOpKind::Add) => maker(&sum.lhs()?, depth),
        _ => None,
    }
}
