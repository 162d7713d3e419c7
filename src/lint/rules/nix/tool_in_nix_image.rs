//! `tool-in-nix-image`: tools that nothing in an image runs.

use rnix::ast::{AttrSet, Expr};

use super::mutable_created::image;
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "tool-in-nix-image",
    level: Level::Info,
    is_taste: false,
    why: "The image carries a tool for people, with everything that it needs, and that is sent, stored and scanned with it.",
    remedy: "Remove it, and use `kubectl debug` or a second image to look into a running container.",
    about: "The list of contents is read, not what the program does: keep the tool if the program starts it, and allow the finding.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "image.nix",
                r#"dockerTools.streamLayeredImage {
  name = "web";
  contents = [ web pkgs.vim pkgs.cacert ];
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "image.nix",
                r#"dockerTools.streamLayeredImage {
  name = "web";
  contents = [ web pkgs.cacert ];
}
"#,
            )],
        },
        Example {
            findings: 2,
            files: &[(
                "a.nix",
                r#"buildImage { copyToRoot = pkgs.buildEnv { name = "root"; paths = with pkgs; [ git htop bash ]; }; }"#,
            )],
        },
    ],
};

/// Tools that people use in a shell.
const TOOLS: [&str; 20] = [
    "vim",
    "neovim",
    "nano",
    "emacs",
    "git",
    "gitMinimal",
    "htop",
    "btop",
    "curl",
    "wget",
    "less",
    "man",
    "strace",
    "tmux",
    "ripgrep",
    "fd",
    "jq",
    "tree",
    "unzip",
    "procps",
];

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for (_, set) in file.calls.iter().filter_map(image) {
        for item in contents(&set, &["contents", "copyToRoot"]) {
            let name = nix::last_name(&item).unwrap_or_default();
            if TOOLS.contains(&name.as_str()) {
                found.add(nix::span(&item), format!("`{name}` is in the image"));
            }
        }
    }
}

/// Returns what some attributes of an image put into it: a list, one thing, or the paths of a `buildEnv`.
pub(super) fn contents(set: &AttrSet, names: &[&str]) -> Vec<Expr> {
    let mut items = Vec::new();
    for value in names.iter().filter_map(|name| nix::value_in(set, name)) {
        let before = items.len();
        nix::list_items(&value, 8, &mut items);
        if items.len() == before {
            items.push(value);
        }
    }
    items.iter().flat_map(|item| paths(item).unwrap_or_else(|| vec![item.clone()])).collect()
}

/// Returns the paths of `buildEnv { paths = [ … ]; }`.
fn paths(item: &Expr) -> Option<Vec<Expr>> {
    let (_, arguments) = nix::call(&nix::resolve(item));
    let Expr::AttrSet(inner) = nix::resolve(arguments.last()?) else { return None };
    let mut items = Vec::new();
    nix::list_items(&nix::value_in(&inner, "paths")?, 8, &mut items);
    Some(items)
}
