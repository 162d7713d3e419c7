//! `for-all-systems`: systems listed by hand.

use rnix::ast::Expr;

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "for-all-systems",
    level: Level::Info,
    is_taste: true,
    why: "The systems are listed by hand, which is a matter of style: nixpkgs and many flakes do the same.",
    remedy: "Nothing is wrong with it; `flake-parts` and the flake `systems` let users choose other systems.",
    about: "`genAttrs [ … ]` evaluates only the systems that are asked for, and needs no input. This rule exists because blog posts call it an anti-pattern.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r#"{ outputs = { nixpkgs, ... }: {
  packages = nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-darwin" ] (system: { });
}; }
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "flake.nix",
                r"{ outputs = { nixpkgs, systems, ... }: {
  packages = nixpkgs.lib.genAttrs (import systems) (system: { });
}; }
",
            )],
        },
        Example {
            findings: 1,
            files: &[(
                "flake.nix",
                r#"{ outputs = _: let all = [ "x86_64-linux" ]; forAll = lib.genAttrs all; in { a = forAll f; }; }"#,
            )],
        },
        Example { findings: 0, files: &[("a.nix", r#"genAttrs [ "a" "b" ] f"#)] },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for call in &file.calls {
        let (head, arguments) = nix::call(&Expr::Apply(call.clone()));
        let Some(Expr::List(list)) = arguments.first().map(nix::resolve) else { continue };
        let is_system =
            |item: Expr| nix::literal(&item).is_some_and(|text| text.ends_with("-linux") || text.ends_with("-darwin"));
        if nix::last_name(&head).as_deref() == Some("genAttrs") && list.items().any(is_system) {
            found.add(nix::span(&head), "`genAttrs` over a list of systems");
        }
    }
}
