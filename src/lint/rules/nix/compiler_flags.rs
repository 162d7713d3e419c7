//! `compiler-flags`: compiler flags for all packages.

use rnix::{
    SyntaxNode,
    ast::{AttrSet, Lambda, LetIn, Param, Paren, With},
};
use rowan::ast::AstNode as _;

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "compiler-flags",
    level: Level::Error,
    is_taste: false,
    why: "Flags for the whole `stdenv` give every package another hash, so no binary cache has any of them.",
    remedy: "Set the flags in the one derivation that gains from them: `env.NIX_CFLAGS_COMPILE`.",
    about: "With `-march=native` the result also depends on the machine that built it, and may fail on another one.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "overlay.nix",
                r#"final: prev: {
  stdenv = prev.stdenvAdapters.withCFlags [ "-O3" "-march=native" ] prev.stdenv;
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "overlay.nix",
                r#"final: prev: {
  codec = prev.codec.overrideAttrs (old: {
    env.NIX_CFLAGS_COMPILE = "-O3";
  });
}
"#,
            )],
        },
        Example {
            findings: 1,
            files: &[(
                "a.nix",
                "import nixpkgs { overlays = [ (self: super: { stdenv = super.impureUseNativeOptimizations super.stdenv; }) ]; }",
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{ a = f { stdenv = prev.clangStdenv; }; b = f { stdenv = withCFlags [ "-O3" ] prev.stdenv; }; }"#,
            )],
        },
    ],
};

/// What gives other flags to a `stdenv`.
const FLAGS: [&str; 6] =
    ["withCFlags", "impureUseNativeOptimizations", "-march=native", "-mtune=native", "NIX_CFLAGS_COMPILE", "-O3"];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for binding in &file.bindings {
        let path = nix::entry_path(binding);
        let is_stdenv = matches!(path.as_slice(), [name] if name == "stdenv")
            || path.last().is_some_and(|name| name == "replaceStdenv");
        let Some(value) = binding.value().filter(|_| is_stdenv) else { continue };
        let text = value.to_string();
        let flag = FLAGS.iter().find(|flag| text.contains(**flag));
        if let Some(flag) = flag.filter(|_| path.len() > 1 || is_in_overlay(binding.syntax())) {
            found.add(nix::key(binding), format!("`{flag}` for every package"));
        }
    }
}

/// Whether a definition is in the set that an overlay returns: `final: prev: { … }`.
fn is_in_overlay(node: &SyntaxNode) -> bool {
    let Some(set) = node.parent().and_then(AttrSet::cast) else { return false };
    let mut above = set.syntax().parent();
    let mut functions = 0;
    while let Some(node) = above {
        if let Some(function) = Lambda::cast(node.clone()) {
            let is_named = matches!(function.param(), Some(Param::IdentParam(_)));
            functions += usize::from(is_named);
        } else if !Paren::can_cast(node.kind()) && !LetIn::can_cast(node.kind()) && !With::can_cast(node.kind()) {
            break;
        }
        above = node.parent();
    }
    functions >= 2
}
