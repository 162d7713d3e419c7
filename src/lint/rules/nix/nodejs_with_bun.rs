//! `nodejs-with-bun`: Node.js beside Bun.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "nodejs-with-bun",
    level: Level::Info,
    is_taste: true,
    why: "Bun and Node.js are both in the build, which is often needed and sometimes forgotten.",
    remedy: "Remove Node.js if nothing starts it; keep it for Next.js, Vite and programs with `#!/usr/bin/env node`.",
    about: "Many packages have programs that start with `#!/usr/bin/env node`, and some tools need APIs that Bun lacks. splitter's own builds have both.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "web.nix",
                r#"stdenv.mkDerivation {
  name = "web";
  nativeBuildInputs = [ bun nodejs_22 ];
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
  nativeBuildInputs = [ bun ];
}
"#,
            )],
        },
        Example { findings: 0, files: &[("a.nix", "mkShell { packages = [ pkgs.bun pkgs.nodejs ]; }")] },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for derivation in file.derivations() {
        for name in ["nativeBuildInputs", "buildInputs"] {
            let items = derivation.items(name);
            let named =
                |is: fn(&str) -> bool| items.iter().find(|item| nix::last_name(item).is_some_and(|name| is(&name)));
            let node = named(|name| name == "nodejs" || name.starts_with("nodejs_") || name.starts_with("nodejs-"));
            if let (Some(_), Some(node)) = (named(|name| name == "bun"), node) {
                found.add(nix::span(node), "Node.js is beside Bun");
            }
        }
    }
}
