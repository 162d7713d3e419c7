//! `network-in-build`: downloads where no network is.

use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, shell::Command},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "network-in-build",
    level: Level::Warning,
    is_taste: false,
    why: "A build has no network, so this download fails, or passes only on machines without a sandbox.",
    remedy: "Fetch the file with `fetchurl` and its hash, and use it in the build.",
    about: "Downloads in fixed outputs, from this machine (`localhost`), and in programs that run later are not found. `npx` and `bunx` run installed packages too, so they count only with a version or `--yes`.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "web.nix",
                r#"stdenv.mkDerivation {
  name = "web";
  buildPhase = ''
    curl -L https://example.com/fonts.zip -o fonts.zip
  '';
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
  fonts = fetchurl { url = "https://example.com/fonts.zip"; hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; };
  buildPhase = "unzip $fonts";
}
"#,
            )],
        },
        Example {
            findings: 3,
            files: &[(
                "a.nix",
                r#"{
  a = runCommand "a" { } "git clone https://example.com/a; npx --yes tsc";
  b = stdenv.mkDerivation { postInstall = "bunx esbuild@0.20 x"; };
}"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{
  a = runCommand "a" { outputHash = "x"; } "curl https://example.com/a";
  b = stdenv.mkDerivation { checkPhase = "curl http://localhost:3000/; npx tsc; curl --version; git clone $src x"; };
  c = writeShellScriptBin "c" "curl https://example.com/a";
}"#,
            )],
        },
    ],
};

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for derivation in file.derivations() {
        let text = derivation.text();
        if derivation.is_fixed() || text.contains("__impure") {
            continue;
        }
        for script in derivation.scripts() {
            for command in script.commands().filter(downloads) {
                let program = command.program().to_owned();
                found.add(command.range, format!("`{program}` downloads in a derivation without a hash"));
            }
        }
    }
}

/// Whether a command needs the network.
fn downloads(command: &Command<'_>) -> bool {
    let has_address = || command.words.iter().any(|word| is_far(word.trim_matches(['"', '\''])));
    match command.program() {
        "curl" | "wget" => has_address(),
        "git" => command.verb() == Some("clone") && has_address(),
        "npx" | "bunx" => {
            let has_version = command.verb().is_some_and(|package| package.rfind('@').is_some_and(|at| at > 0));
            has_version || command.has("--yes") || command.has("-y")
        }
        "pnpm" | "yarn" => command.verb() == Some("dlx"),
        _ => false,
    }
}

/// Whether a word is an address of another machine.
fn is_far(word: &str) -> bool {
    let rest = ["https://", "http://", "git@", "ssh://", "git://"].iter().find_map(|scheme| word.strip_prefix(scheme));
    rest.is_some_and(|host| {
        !["localhost", "127.", "[::1]", "0.0.0.0", "$", "_"].iter().any(|near| host.starts_with(near))
    })
}
