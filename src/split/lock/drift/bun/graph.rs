//! The packages of a `bun.lock` and their dependencies.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use nodejs_semver::Version;

use crate::{
    lockfile::{BunRequests, DependencyGroup, LockedPackage, LockedWorkspace, Lockfile, Resolution},
    repo::RepoPath,
};

/// A workspace or a package: an index into a graph. The root is 0.
pub(super) type Node = usize;

/// The kind of a dependency, in the order in which Bun hoists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// The root has every workspace.
    Workspace,
    Development,
    Optional,
    Runtime,
    Peer,
}

impl Kind {
    pub(super) const fn of(group: DependencyGroup) -> Self {
        match group {
            DependencyGroup::Runtime => Self::Runtime,
            DependencyGroup::Development => Self::Development,
            DependencyGroup::Optional => Self::Optional,
            DependencyGroup::Peer => Self::Peer,
        }
    }
}

/// A dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Edge<'l> {
    pub(super) name: &'l str,
    pub(super) specifier: &'l str,
    pub(super) kind: Kind,
    pub(super) is_optional_peer: bool,
    /// What it is bound to, if anything.
    pub(super) target: Option<Node>,
}

impl Edge<'_> {
    /// What a manifest says of it.
    pub(super) fn request(&self) -> (&str, &str, Kind, bool) {
        (self.name, self.specifier, self.kind, self.is_optional_peer)
    }
}

/// Workspaces, then packages. A package that is installed at several places is one node.
#[derive(Clone)]
pub(super) struct Graph<'l> {
    /// The dependencies of each node.
    pub(super) edges: Vec<Vec<Edge<'l>>>,
    /// The package of each node. Workspaces have no package.
    pub(super) packages: Vec<Option<&'l LockedPackage>>,
    /// The workspaces, by their nodes.
    pub(super) workspaces: Vec<(&'l RepoPath, &'l LockedWorkspace)>,
    /// The node at each place.
    places: HashMap<&'l str, Node>,
    /// The places of packages that ship inside another one.
    pub(super) bundled: HashSet<&'l str>,
    /// The packages of registries by their real names, the highest version first.
    pub(super) by_name: HashMap<&'l str, Vec<(Version, Node)>>,
}

impl<'l> Graph<'l> {
    /// Reads the graph as the lockfile has it.
    pub(super) fn of(lockfile: &'l Lockfile, requests: &'l BunRequests) -> Self {
        let workspaces: Vec<_> = requests.workspaces.iter().collect();
        let mut graph = Self {
            edges: vec![Vec::new(); workspaces.len()],
            packages: vec![None; workspaces.len()],
            workspaces,
            places: HashMap::new(),
            bundled: HashSet::new(),
            by_name: HashMap::new(),
        };
        let first_places = graph.add_packages(&lockfile.packages);
        graph.bind(&first_places, requests);
        graph
    }

    /// Adds the packages. Returns the entry with the first place of each.
    fn add_packages(&mut self, packages: &'l [LockedPackage]) -> Vec<(Node, usize)> {
        let paths: BTreeMap<_, _> = self.workspaces.iter().enumerate().map(|(node, (path, _))| (*path, node)).collect();
        let mut known: HashMap<&str, Vec<Node>> = HashMap::new();
        let mut first_places = Vec::new();
        for (index, package) in packages.iter().enumerate() {
            if package.bundled {
                self.bundled.insert(&package.key);
            }
            if let Resolution::Workspace(path) = &package.resolution {
                if let Some(node) = paths.get(path) {
                    self.places.insert(&package.key, *node);
                }
                continue;
            }
            let same = known.entry(&package.name).or_default();
            let is_same = |node: &&Node| self.packages[**node].is_some_and(|it| it.resolution == package.resolution);
            let node = same.iter().find(is_same).copied().unwrap_or_else(|| {
                let node = self.packages.len();
                self.packages.push(Some(package));
                self.edges.push(Vec::new());
                same.push(node);
                first_places.push((node, index));
                node
            });
            self.places.insert(&package.key, node);
        }
        for (name, nodes) in known {
            let mut versions: Vec<_> =
                nodes.into_iter().filter_map(|node| Some((self.version(node)?.parse().ok()?, node))).collect();
            versions.sort_by_key(|(version, _): &(Version, Node)| Reverse(version.clone()));
            self.by_name.insert(name, versions);
        }
        first_places
    }

    fn bind(&mut self, first_places: &[(Node, usize)], requests: &'l BunRequests) {
        for node in 0..self.workspaces.len() {
            let (path, workspace) = self.workspaces[node];
            let from = if path.is_root() { "" } else { workspace.name.as_str() };
            let edges = of_workspace(&workspace.dependencies, &workspace.optional_peers);
            self.edges[node] = edges.into_iter().map(|edge| self.bound(from, edge)).collect();
        }
        for (node, (_, workspace)) in self.workspaces.iter().enumerate().skip(1) {
            self.edges[0].push(Edge {
                name: &workspace.name,
                specifier: "",
                kind: Kind::Workspace,
                is_optional_peer: false,
                target: Some(node),
            });
        }
        for (node, index) in first_places {
            let Some(package) = self.packages[*node] else { continue };
            let edges = requests.dependencies.get(*index).into_iter().flatten().map(|request| Edge {
                name: &request.package,
                specifier: &request.specifier,
                kind: Kind::of(request.group),
                is_optional_peer: request.is_optional_peer,
                target: None,
            });
            self.edges[*node] = edges.map(|edge| self.bound(&package.key, edge)).collect();
        }
    }

    fn bound<'e>(&self, from: &str, edge: Edge<'e>) -> Edge<'e> {
        Edge { target: self.visible(from, edge.name), ..edge }
    }

    /// Finds what a package at the place `from` gets for `package`.
    pub(super) fn visible(&self, mut from: &str, package: &str) -> Option<Node> {
        while !from.is_empty() {
            if let Some(node) = self.places.get([from, "/", package].concat().as_str()) {
                return Some(*node);
            }
            from = parent(from);
        }
        self.places.get(package).copied()
    }

    /// Whether the root reaches each node.
    pub(super) fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.edges.len()];
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut reached[node], true) {
                continue;
            }
            open.extend(self.edges[node].iter().filter_map(|edge| edge.target));
        }
        reached
    }

    /// The version of a package from a registry.
    pub(super) fn version(&self, node: Node) -> Option<&'l str> {
        match &self.packages[node]?.resolution {
            Resolution::Registry { version, .. } => Some(version),
            _ => None,
        }
    }

    /// Whether a node is a workspace.
    pub(super) fn is_workspace(&self, node: Node) -> bool {
        node < self.workspaces.len()
    }
}

/// The place in which the package at a place lies. A scope is a part of its name.
fn parent(place: &str) -> &str {
    let Some((rest, _)) = place.rsplit_once('/') else { return "" };
    match rest.rsplit_once('/') {
        Some((outer, scope)) if scope.starts_with('@') => outer,
        None if rest.starts_with('@') => "",
        _ => rest,
    }
}

/// The dependencies of a workspace, bound to nothing.
pub(super) fn of_workspace<'m>(
    dependencies: &'m BTreeMap<DependencyGroup, BTreeMap<String, String>>,
    optional_peers: &BTreeSet<String>,
) -> Vec<Edge<'m>> {
    let all = dependencies.iter().flat_map(|(group, specifiers)| specifiers.iter().map(move |entry| (*group, entry)));
    all.map(|(group, (name, specifier))| Edge {
        name,
        specifier,
        kind: Kind::of(group),
        is_optional_peer: group == DependencyGroup::Peer && optional_peers.contains(name),
        target: None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn a_scope_is_part_of_a_name() {
        for (place, outer) in [("a", ""), ("@s/a", ""), ("a/b", "a"), ("a/@s/b", "a"), ("@s/a/b", "@s/a")] {
            assert_eq!(parent(place), outer, "{place}");
        }
        assert_eq!(parent("@s/a/@t/b"), "@s/a");
    }
}
