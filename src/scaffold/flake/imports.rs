//! Finds out whether a flake uses splitter already, directly or through files that it imports.

use std::collections::BTreeSet;

use rnix::ast::{InterpolPart, PathRel, Select, Str};
use rowan::ast::AstNode as _;

use super::{parsed, syntax::select_path};
use crate::repo::{RepoPath, Tree, TreeError, read_text};

/// The uses of splitter in the Nix files of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// The file that imports `nix/splitter`, if one does.
    pub folder: Option<RepoPath>,
    /// The file that uses splitter as an input of the flake, if one does.
    pub input: Option<RepoPath>,
    /// The file that reads the systems from the record, as flakes of older versions do.
    pub record: Option<RepoPath>,
}

/// The limit on imported files that are read.
const MOST: usize = 64;

/// Files of `nix/splitter` that provide builds when they are imported.
const DOORS: [&str; 4] = ["", "/default.nix", "/flake-module.nix", "/module.nix"];

/// Finds the uses of splitter in `file` and in the files that it imports.
pub fn uses(tree: &dyn Tree, file: &RepoPath) -> Result<Uses, TreeError> {
    let mut uses = Uses::default();
    let mut seen = BTreeSet::new();
    let mut open = vec![file.clone()];
    while let Some(path) = open.pop().filter(|_| seen.len() < MOST) {
        if !seen.insert(path.clone()) {
            continue;
        }
        let Some(text) = read_text(tree, &path)? else { continue };
        let Some(Found { paths, takes_input }) = parsed(&text, found) else { continue };
        if takes_input {
            uses.input.get_or_insert_with(|| path.clone());
        }
        for target in paths {
            // A string such as `"${self}/nix/splitter"` starts at the root, a path at its file.
            let folder = if target.starts_with('/') { RepoPath::root() } else { path.parent() };
            let Ok(target) = folder.resolve(target.trim_start_matches('/')) else { continue };
            match target.as_str().strip_prefix(crate::scaffold::templates::FOLDER) {
                Some(rest) if DOORS.contains(&rest) => uses.folder.get_or_insert_with(|| path.clone()),
                Some("/splitter.lock.json") => uses.record.get_or_insert_with(|| path.clone()),
                Some(rest) if rest.starts_with('/') => continue,
                _ => {
                    let is_nix = target.file_name().rsplit_once('.').is_some_and(|(_, end)| end == "nix");
                    open.push(if is_nix { target } else { target.child("default.nix") });
                    continue;
                }
            };
        }
    }
    Ok(uses)
}

struct Found {
    paths: Vec<String>,
    takes_input: bool,
}

fn found(root: &rnix::Root) -> Found {
    let mut found = Found { paths: Vec::new(), takes_input: false };
    for node in root.syntax().descendants() {
        if let Some(path) = PathRel::cast(node.clone()) {
            found.paths.push(path.to_string());
        } else if let Some(text) = Str::cast(node.clone()) {
            found.paths.extend(rooted(&text));
        } else if let Some(select) = Select::cast(node) {
            let names = select_path(&select);
            let is_module = names.iter().any(|name| name == "splitter")
                && names.iter().any(|name| ["flakeModule", "flakeModules"].contains(&name.as_str()));
            found.takes_input |= is_module || names.iter().any(|name| name == "mkSplit");
        }
    }
    found
}

/// Returns the path in `"${self}/…"` or in `self + "/…"`.
fn rooted(text: &Str) -> Option<String> {
    match &text.normalized_parts()[..] {
        [InterpolPart::Literal(path)] | [InterpolPart::Interpolation(_), InterpolPart::Literal(path)] => {
            path.starts_with('/').then(|| path.clone())
        }
        _ => None,
    }
}
