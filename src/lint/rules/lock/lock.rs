//! The nodes of `flake.lock` that are nixpkgs.

use std::ops::Range;

use jsonc_parser::{ast::Value, common::Ranged as _};

use crate::{
    lint::{
        Context, File, Kind,
        view::{JsonFile, entries, get, text},
    },
    nix::release::Release,
};

/// A nixpkgs.
#[derive(Debug)]
pub struct Nixpkgs {
    /// The name of the input.
    pub input: String,
    /// The bytes of the node's name.
    pub(super) place: Range<usize>,
    /// The branch that the flake names.
    pub branch: Option<String>,
    /// Whether the flake names a commit instead.
    pub(super) is_commit: bool,
    /// The time of the pinned commit.
    pub last_modified: Option<u64>,
    /// Whether it is the repository of the Nix project on GitHub, and no fork, archive or mirror.
    pub(super) is_official: bool,
}

impl Nixpkgs {
    /// Returns its release, if its branch is that of one.
    pub fn release(&self) -> Option<Release> {
        Release::of_branch(self.branch.as_deref()?)
    }
}

/// Returns the nixpkgs that the flake itself has as inputs.
pub(super) fn direct_nixpkgs(file: &JsonFile<'_>) -> Vec<Nixpkgs> {
    let Some(root) = root(file) else { return Vec::new() };
    let inputs = root.inputs();
    let found = inputs.into_iter().filter_map(|(input, name)| nixpkgs(file, input, &name));
    found.collect()
}

/// Returns the nixpkgs that the flake builds with, forks, archives and mirrors included: the input with that name, or else the first one.
pub fn main_nixpkgs(text: &str) -> Option<Nixpkgs> {
    // This parser has a limit of nesting, which the other one lacks.
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let (context, file) = (Context::default(), File { path: "flake.lock", kind: Kind::Lock, text });
    let file = JsonFile::parse(&context, file)?;
    let inputs = root(&file)?.inputs().into_iter();
    let found = inputs.filter_map(|(input, name)| any_nixpkgs(&file, input, &name));
    found.min_by_key(|nixpkgs| nixpkgs.input != "nixpkgs")
}

/// Returns the nixpkgs that only inputs of inputs are, by the direct input that brings each, with the bytes of their names.
pub(super) fn indirect_nixpkgs(file: &JsonFile<'_>) -> Vec<(String, Range<usize>)> {
    let Some(root) = root(file) else { return Vec::new() };
    let direct = root.inputs();
    let mut found = Vec::new();
    for (input, name) in &direct {
        let Some(node) = file.at(&["nodes", name]) else { continue };
        // `nixpkgs-lib` is only the library, a small part of it.
        for (_, inner) in Inputs(node).inputs().into_iter().filter(|(name, _)| !name.ends_with("lib")) {
            let is_own = direct.iter().any(|(_, other)| *other == inner);
            if let Some(node) = nixpkgs(file, input.clone(), &inner).filter(|_| !is_own) {
                found.push((node.input, node.place));
            }
        }
    }
    found
}

/// A node whose inputs are read.
struct Inputs<'v, 'a>(&'v Value<'a>);

impl Inputs<'_, '_> {
    /// Returns the inputs that are nodes of their own, by name. Those that follow another one are lists.
    fn inputs(&self) -> Vec<(String, String)> {
        let Some(inputs) = get(self.0, "inputs") else { return Vec::new() };
        let own =
            entries(inputs).filter_map(|input| Some((input.name.as_str().to_owned(), text(&input.value)?.to_owned())));
        own.collect()
    }
}

fn root<'v, 'a>(file: &'v JsonFile<'a>) -> Option<Inputs<'v, 'a>> {
    let name = file.at(&["root"]).and_then(text)?;
    file.at(&["nodes", name]).map(Inputs)
}

fn nixpkgs(file: &JsonFile<'_>, input: String, name: &str) -> Option<Nixpkgs> {
    any_nixpkgs(file, input, name).filter(|nixpkgs| nixpkgs.is_official)
}

fn any_nixpkgs(file: &JsonFile<'_>, input: String, name: &str) -> Option<Nixpkgs> {
    let nodes = file.at(&["nodes"])?;
    let node = entries(nodes).find(|node| node.name.as_str() == name)?;
    let original = |key: &str| get(&node.value, "original").and_then(|original| get(original, key)).and_then(text);
    let locked = get(&node.value, "locked")?;
    let is_named = get(locked, "repo").and_then(text).is_some_and(|repo| repo.eq_ignore_ascii_case("nixpkgs"));
    let is_official =
        is_named && get(locked, "owner").and_then(text).is_some_and(|owner| owner.eq_ignore_ascii_case("nixos"));
    let is_nixpkgs = is_named
        || input == "nixpkgs"
        || original("id") == Some("nixpkgs")
        || get(locked, "url").and_then(text).is_some_and(|url| url.contains("/nixpkgs"));
    let last_modified = match get(locked, "lastModified") {
        Some(Value::NumberLit(number)) => number.value.parse().ok(),
        _ => None,
    };
    is_nixpkgs.then(|| Nixpkgs {
        input,
        place: node.name.start()..node.name.end(),
        branch: original("ref").map(str::to_owned),
        is_commit: original("rev").is_some(),
        last_modified,
        is_official,
    })
}
