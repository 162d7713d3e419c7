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
}

impl Resolver<'_> {
    /// Resolves a dependency of the node `asker`, which lies at `place`.
    pub(super) fn resolve(&self, asker: Node, place: &str, edge: &Edge<'_>) -> Binding {
        if edge.is_optional_peer {
            return self.graph.visible(place, edge.name).map_or(Binding::Nothing, Binding::To);
        }
        let mut specifier = edge.specifier.trim();
        if !specifier.starts_with("npm:") && !specifier.starts_with("workspace:") {
            match self.settings.overridden(edge.name, self.root) {
                Ok(Some(overridden)) => specifier = overridden.trim(),
                Ok(None) => {}
                Err(_) => return Binding::Unknown,
            }
        }
        if let Some(catalog) = specifier.strip_prefix("catalog:") {
            match self.settings.catalogs.get(catalog.trim()).and_then(|catalog| catalog.get(edge.name)) {
                Some(of_catalog) => specifier = of_catalog.trim(),
                None => return Binding::Unknown,
            }
        }
        if let Some(target) = specifier.strip_prefix("workspace:") {
            return self.workspace(edge.name, target.trim()).map_or(Binding::Unknown, Binding::To);
        }
        let (name, range) = match specifier.strip_prefix("npm:") {
            Some(alias) => split_name(alias).unwrap_or((edge.name, alias)),
            None => (edge.name, specifier),
        };
        if !is_range(range) {
            return self.same_text(asker, edge);
        }
        self.in_range(edge, name, range)
    }

    /// A workspace that a `workspace:` specifier means.
    fn workspace(&self, name: &str, target: &str) -> Option<Node> {
        let (name, range) = split_name(target).unwrap_or((name, target));
        let (node, manifest) = self.siblings.get(name)?;
        (matches!(range, "" | "*" | "^" | "~") || allows(manifest, range)).then_some(*node)
    }

    fn in_range(&self, edge: &Edge<'_>, name: &str, range: &str) -> Binding {
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
            // Bun warns of an incorrect peer dependency, and takes what there is.
            Some((_, node)) if edge.kind == Kind::Peer => Binding::To(*node),
            _ => Binding::Unknown,
        }
    }

    /// A git repository, a file, a URL or a tag: bound as before if the same text was bound before.
    fn same_text(&self, asker: Node, edge: &Edge<'_>) -> Binding {
        let mut before = self.graph.edges.get(asker).into_iter().flatten();
        let before = before.find(|it| it.name == edge.name && it.specifier == edge.specifier);
        before.and_then(|it| it.target).map_or(Binding::Unknown, Binding::To)
    }
}

fn allows(manifest: &Manifest, range: &str) -> bool {
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
fn is_range(specifier: &str) -> bool {
    specifier.is_empty()
        || (specifier.starts_with(|first: char| first.is_ascii_digit() || "^~<>=*xXv".contains(first))
            && !specifier.contains([':', '/'])
            && parse(specifier).is_some())
}
