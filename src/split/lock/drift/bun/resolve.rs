//! What Bun binds a dependency to when it resolves it again, without asking a registry.
//!
//! Bun takes the highest version in the lockfile that the range allows. It asks the registry only if there is none.

use std::collections::HashMap;

use nodejs_semver::{Range, Version};

use super::{
    graph::{Edge, Graph, Kind, Node},
    settings::Settings,
};
use crate::{lockfile::split_name, split::Manifest};

/// What a dependency is bound to.
#[derive(Clone, Copy)]
pub(super) enum Binding {
    /// A workspace or a package of the lockfile.
    To(Node),
    /// Nothing, and Bun does not mind.
    Nothing,
    /// Something that the lockfile does not have, or that only the registry knows.
    Unknown,
}

pub(super) struct Resolver<'r> {
    pub(super) graph: &'r Graph<'r>,
    pub(super) settings: &'r Settings,
    pub(super) root: &'r Manifest,
    /// Workspaces by name.
    pub(super) siblings: HashMap<&'r str, (Node, &'r Manifest)>,
    /// Whether Bun keeps what the lockfile has for a name if a new range allows it.
    pub(super) keeps_bindings: bool,
    /// Whether a peer dependency takes a workspace whose version is not in its range.
    pub(super) peers_take_siblings: bool,
}

impl Resolver<'_> {
    /// Resolves a dependency of the node `asker`, which lies at `place`.
    pub(super) fn resolve(&self, asker: Node, place: &str, edge: &Edge<'_>) -> Binding {
        if edge.is_optional_peer {
            return self.graph.visible(place, edge.name).map_or(Binding::Nothing, Binding::To);
        }
        let Some(specifier) = self.specifier(edge) else { return Binding::Unknown };
        if let Some(target) = specifier.strip_prefix("workspace:") {
            return self.workspace(edge.name, target.trim()).map_or(Binding::Unknown, Binding::To);
        }
        let (name, range) = aliased(edge.name, specifier);
        if !is_range(range) {
            // A git repository, a file, a URL or a tag.
            let mut edges = self.graph.edges.get(asker).into_iter().flatten();
            let same = edges.find(|it| it.name == edge.name && it.specifier == edge.specifier);
            return same.and_then(|it| it.target).map_or(Binding::Unknown, Binding::To);
        }
        if self.keeps_bindings
            && let Some(kept) = self.kept(asker, edge.name, name, range)
        {
            return Binding::To(kept);
        }
        match self.in_range(asker, edge, name, range) {
            // The registry had nothing for it when the lockfile was written.
            Binding::Unknown if self.was_unmet(asker, edge, name, range) => Binding::Nothing,
            binding => binding,
        }
    }

    /// What the asker has under this name, if the range allows it.
    fn kept(&self, asker: Node, alias: &str, name: &str, range: &str) -> Option<Node> {
        let target = self.graph.edges.get(asker)?.iter().find(|it| it.name == alias)?.target?;
        let is_it = self.graph.packages[target].is_some_and(|package| package.name == name);
        self.graph.version(target).filter(|version| is_it && satisfies(version, range)).map(|_| target)
    }

    /// Whether the same request had no package when the lockfile was written, which Bun allows for these kinds.
    fn was_unmet(&self, asker: Node, edge: &Edge<'_>, name: &str, range: &str) -> bool {
        let mut before = self.graph.edges.get(asker).into_iter().flatten();
        let Some(before) = before.find(|it| it.request() == edge.request()) else { return false };
        let is_old = |node: Node| {
            let version = self.graph.workspaces.get(node).and_then(|(_, locked)| locked.version.as_deref());
            self.siblings.contains_key(name) && !version.is_some_and(|version| satisfies(version, range))
        };
        match edge.kind {
            Kind::Optional => before.target.is_none_or(|node| self.graph.is_workspace(node)),
            Kind::Peer => before.target.is_none_or(is_old),
            _ => false,
        }
    }

    /// The specifier that counts: an override, or the entry of a catalog.
    fn specifier<'s>(&'s self, edge: &'s Edge<'_>) -> Option<&'s str> {
        let mut specifier = edge.specifier.trim();
        if !specifier.starts_with("npm:") && !specifier.starts_with("workspace:") {
            specifier = self.settings.overridden(edge.name, self.root).ok()?.unwrap_or(specifier).trim();
        }
        match specifier.strip_prefix("catalog:") {
            Some(catalog) => Some(self.settings.catalogs.get(catalog.trim())?.get(edge.name)?.trim()),
            None => Some(specifier),
        }
    }

    /// The version from a registry that a dependency is bound to, if its range does not allow it.
    pub(super) fn outside(&self, edge: &Edge<'_>) -> Option<&str> {
        let version = self.graph.version(edge.target?);
        // For `*` Bun takes a prerelease if there is nothing else.
        let version = version.filter(|version| edge.kind != Kind::Peer && !version.contains('-'))?;
        let (_, range) = aliased(edge.name, self.specifier(edge)?);
        (is_range(range) && !satisfies(version, range)).then_some(version)
    }

    /// A workspace that a `workspace:` specifier means.
    fn workspace(&self, name: &str, target: &str) -> Option<Node> {
        let (name, range) = split_name(target).unwrap_or((name, target));
        let (node, manifest) = self.siblings.get(name)?;
        (matches!(range, "" | "*" | "^" | "~") || allows(manifest, range)).then_some(*node)
    }

    fn in_range(&self, asker: Node, edge: &Edge<'_>, name: &str, range: &str) -> Binding {
        if let Some((node, manifest)) = self.siblings.get(name)
            && allows(manifest, range)
        {
            return Binding::To(*node);
        }
        let versions = self.graph.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let Some(range) = parse(range) else { return Binding::Unknown };
        if let Some((_, node)) = versions.iter().find(|(version, _)| range.satisfies(version)) {
            return Binding::To(*node);
        }
        match versions.first() {
            // Bun warns of an incorrect peer dependency, and takes what there is. Bun 1.4 only takes what the asker or the root installs.
            Some((_, node)) if edge.kind == Kind::Peer && !self.keeps_bindings => Binding::To(*node),
            Some(_) if edge.kind == Kind::Peer => {
                let own = self.graph.edges.get(asker).into_iter().flatten();
                let mut installed = own.chain(&self.graph.edges[0]).filter(|it| it.kind != Kind::Peer);
                let installed = installed.find(|it| it.name == edge.name).and_then(|it| it.target);
                installed.map_or(Binding::Unknown, Binding::To)
            }
            _ if edge.kind == Kind::Peer && self.peers_take_siblings => {
                self.siblings.get(name).map_or(Binding::Unknown, |(node, _)| Binding::To(*node))
            }
            _ => Binding::Unknown,
        }
    }
}

/// The real name of a package, and the rest of the specifier.
fn aliased<'s>(name: &'s str, specifier: &'s str) -> (&'s str, &'s str) {
    match specifier.strip_prefix("npm:") {
        Some(alias) => split_name(alias).unwrap_or((name, alias)),
        None => (name, specifier),
    }
}

pub(super) fn allows(manifest: &Manifest, range: &str) -> bool {
    let version = manifest.json.get("version").and_then(serde_json::Value::as_str);
    matches!(range, "" | "*") || version.is_some_and(|version| satisfies(version, range))
}

/// Whether a version is in a range.
pub(super) fn satisfies(version: &str, range: &str) -> bool {
    let Ok(version) = Version::parse(version) else { return false };
    parse(range).is_some_and(|range| range.satisfies(&version))
}

fn parse(range: &str) -> Option<Range> {
    Range::parse(if range.is_empty() { "*" } else { range }).ok()
}

/// Whether a specifier is a range of versions: no tag, no URL, no path.
pub(super) fn is_range(specifier: &str) -> bool {
    specifier.is_empty()
        || (specifier.starts_with(|first: char| first.is_ascii_digit() || "^~<>=*xXv".contains(first))
            && !specifier.contains([':', '/'])
            && parse(specifier).is_some())
}
