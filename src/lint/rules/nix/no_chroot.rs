//! `no-chroot`: builds outside of the sandbox.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "no-chroot",
    level: Level::Error,
    is_taste: false,
    why: "Nix refuses `__noChroot` while the sandbox is on, which is the default, so this builds only where someone relaxed it.",
    remedy: "Remove `__noChroot`, and make what needs the network a derivation with a hash.",
    about: r#"With `sandbox = true` the build fails with "derivation … has `__noChroot` set, but that's not allowed when `sandbox` is `true`". With `sandbox = relaxed` it sees the network and the files of the machine."#,
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "web.nix",
                r#"stdenv.mkDerivation {
  name = "web";
  __noChroot = true;
  buildPhase = "make";
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "web.nix",
                r#"stdenv.mkDerivation {
  name = "web";
  __noChroot = false;
  buildPhase = "make"; # not __noChroot = true
}
"#,
            )],
        },
        Example { findings: 1, files: &[("a.nix", "{ a = f { __noChroot = stdenv.isDarwin; }; }")] },
        Example { findings: 0, files: &[("a.nix", r#"{ __noChroot ? false }: { a = "__noChroot = true"; }"#)] },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for binding in &file.bindings {
        let is_it = nix::entry_path(binding).last().is_some_and(|name| name == "__noChroot");
        let is_on = binding.value().is_some_and(|value| is_on(&value));
        if is_it && is_on {
            found.add(nix::key(binding), "`__noChroot` takes the build out of the sandbox");
        }
    }
}

/// Whether a value is `true` for some system. A value that is passed on is not this file's choice.
fn is_on(value: &rnix::ast::Expr) -> bool {
    let text = value.to_string();
    text == "true" || text.contains("isDarwin") || text.contains("isLinux")
}
