//! The settings of Nix in Nix files: `nix.settings` of NixOS and nix-darwin, `nixConfig` of flakes.

use std::ops::Range;

use rnix::ast::{AttrpathValue, Expr};
use rowan::ast::AstNode as _;

use crate::lint::view::{NixFile, nix};

/// A setting.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    /// The values as words, as far as they are written in the file.
    pub(super) value: String,
    /// The bytes of the definition's path.
    pub(super) key: Range<usize>,
}

/// Returns the settings in a file.
pub(super) fn settings(file: &NixFile<'_>) -> Vec<Set> {
    let mut found = Vec::new();
    for binding in &file.bindings {
        let path = whole_path(binding);
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let name = match names.as_slice() {
            [.., "nix", "settings", name] => *name,
            ["nixConfig", name] if file.is_flake() => *name,
            _ => continue,
        };
        let Some(value) = binding.value() else { continue };
        found.push(Set { name: name.to_owned(), value: words(&value), key: nix::key(binding) });
    }
    found
}

/// Returns the path of a definition from the outermost set: `nix.settings.cores` for `{ nix = { settings.cores = 4; }; }`. Sets that are
/// arguments of functions (`mkIf condition { … }`) belong to the path.
fn whole_path(binding: &AttrpathValue) -> Vec<String> {
    let mut path = nix::entry_path(binding);
    let mut above = binding.syntax().parent();
    while let Some(node) = above {
        if let Some(outer) = AttrpathValue::cast(node.clone()) {
            path.splice(0..0, nix::entry_path(&outer));
        } else if rnix::ast::Lambda::can_cast(node.kind()) || rnix::ast::LetIn::can_cast(node.kind()) {
            // What a function returns is not at the place of the function.
            if path.len() > 3 {
                break;
            }
        }
        above = node.parent();
    }
    path
}

/// Returns the words of a value: of a string, a list of strings, a boolean or a number.
fn words(value: &Expr) -> String {
    match nix::resolve(value) {
        Expr::List(list) => list.items().map(|item| words(&item)).collect::<Vec<_>>().join(" "),
        Expr::With(with) => with.body().map_or_else(String::new, |body| words(&body)),
        Expr::Apply(call) => call.argument().map_or_else(String::new, |last| words(&last)),
        Expr::BinOp(both) => {
            both.lhs().into_iter().chain(both.rhs()).map(|side| words(&side)).collect::<Vec<_>>().join(" ")
        }
        Expr::Str(text) => nix::texts(&Expr::Str(text)).into_iter().map(|text| text.text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
