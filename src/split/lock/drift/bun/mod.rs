//! Drift of a `bun.lock`: whether `bun install --frozen-lockfile` accepts the repository, and if not, why.
//!
//! Bun does not compare texts. It applies the manifests to the lockfile, resolves what changed, works out the place of every
//! package again, and refuses if a package appeared, vanished or moved. So it accepts a new range that allows the locked version,
//! and the install is what the manifests say. Its `bun.lock` even keeps the old range of a workspace (Bun 1.2 and 1.3), so a
//! comparison of texts would report drift that no command can mend. splitter does the same steps without a registry. Where only a
//! registry could tell (a new tag), it reports drift.
//!
//! `tests/it/frozen_bun.rs` compares the verdicts with those of real Buns.

mod graph;
mod hoist;
mod resolve;
mod settings;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::{
    graph::{Edge, Graph, Kind, Node, of_workspace},
    resolve::{Binding, Resolver},
    settings::Settings,
};
use super::{Drift, specifiers};
use crate::{
    lockfile::{BunRequests, LockedWorkspace, Lockfile},
    repo::RepoPath,
    split::{Manifest, Workspaces, manifest_path},
};

/// Finds drift. `bun` is the version of the pinned Bun.
pub(super) fn find(workspaces: &Workspaces, lockfile: &Lockfile, requests: &BunRequests, bun: &str) -> Vec<Drift> {
    let Some(root) = workspaces.get(&RepoPath::root()) else { return Vec::new() };
    if requests.workspaces.is_empty() {
        return Vec::new();
    }
    let comparison = Comparison {
        rules: Rules::of(bun),
        settings: Settings::of(root),
        graph: Graph::of(lockfile, requests),
        root,
        workspaces,
        requests,
        patches: &lockfile.patches,
    };
    comparison.drift()
}

/// What differs between versions of Bun.
struct Rules {
    /// Bun 1.4 or later. It refuses every change of `overrides`, and of catalog entries that are in use or in the lockfile. It takes
    /// a workspace without a `package.json` for one that was pruned from the checkout.
    is_new: bool,
    /// Whether an optional peer dependency keeps a package that nothing else needs.
    holds_optional_peers: bool,
}

impl Rules {
    fn of(bun: &str) -> Self {
        let mut numbers = bun.split('.').map(|number| number.parse::<u64>().unwrap_or_default());
        let is_new = (numbers.next(), numbers.next()) >= (Some(1), Some(4));
        Self { is_new, holds_optional_peers: !is_new }
    }
}

struct Comparison<'c> {
    rules: Rules,
    settings: Settings,
    graph: Graph<'c>,
    root: &'c Manifest,
    workspaces: &'c Workspaces,
    requests: &'c BunRequests,
    patches: &'c BTreeMap<String, RepoPath>,
}

impl Comparison<'_> {
    fn drift(&self) -> Vec<Drift> {
        let (mut drifts, is_changed) = self.causes();
        if drifts.is_empty() && is_changed && self.is_beyond_rules() {
            drifts = self.specifier_drift(&self.resolver()).into_iter().map(|(drift, _)| drift).collect();
        }
        drifts
    }

    /// Whether Bun 1.2 and 1.3 treat the repository in ways that these rules do not follow: they replace a workspace that the root
    /// has in `optionalDependencies`.
    fn is_beyond_rules(&self) -> bool {
        let is_workspace = |edge: &Edge<'_>| edge.target.is_some_and(|target| self.graph.is_workspace(target));
        !self.rules.is_new && self.graph.edges[0].iter().any(|edge| edge.kind == Kind::Optional && is_workspace(edge))
    }

    /// Returns the drift, and whether anything differs at all.
    fn causes(&self) -> (Vec<Drift>, bool) {
        let mut drifts = self.workspaces_drift();
        drifts.extend(self.lockfile_drift());
        let overrides = settings::changed_overrides(&self.settings, self.requests);
        let catalogs = settings::changed_catalogs(&self.settings, self.requests);
        if self.rules.is_new {
            drifts.extend(overrides.iter().cloned());
            drifts.extend(catalogs.iter().filter(|drift| self.is_compared(drift)).cloned());
        }
        let resolver = self.resolver();
        let mut changed = Changed::default();
        let graph = self.applied(&resolver, &overrides, &catalogs, &mut changed);
        drifts.append(&mut changed.unknown);
        if !self.rules.is_new && (changed.any || !catalogs.is_empty() || self.has_other_settings()) {
            drifts.extend(self.unmet_peers());
        }
        let is_same = drifts.is_empty() && (!changed.any || self.has_same_places(&graph));
        if is_same || !drifts.is_empty() {
            return (drifts, changed.any);
        }
        // What is harmless by itself is not the cause, unless there is no other.
        let causes = self.specifier_drift(&resolver);
        let (harmless, causes): (Vec<_>, Vec<_>) = causes.into_iter().partition(|(_, is_harmless)| *is_harmless);
        let mut causes: Vec<_> = causes.into_iter().map(|(drift, _)| drift).collect();
        causes.extend(overrides);
        causes.extend(catalogs);
        if causes.is_empty() {
            causes = harmless.into_iter().map(|(drift, _)| drift).collect();
        }
        if causes.is_empty() {
            causes.push(Drift::Settings);
        }
        (causes, true)
    }

    /// Workspaces that appeared, vanished or got another name.
    fn workspaces_drift(&self) -> Vec<Drift> {
        let mut drifts = Vec::new();
        for (path, manifest) in self.workspaces {
            match self.requests.workspaces.get(path) {
                None => drifts.push(Drift::WorkspaceAdded { workspace: path.clone() }),
                Some(locked) if !path.is_root() && !manifest.name.is_empty() && manifest.name != locked.name => {
                    drifts.push(Drift::WorkspaceRenamed {
                        manifest: manifest_path(path),
                        locked: locked.name.clone(),
                        name: manifest.name.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        if !self.rules.is_new {
            let removed = self.requests.workspaces.keys().filter(|path| !self.workspaces.contains_key(*path));
            drifts.extend(removed.map(|path| Drift::WorkspaceRemoved { workspace: path.clone() }));
        }
        drifts
    }

    /// Entries of the lockfile that are missing, or that nothing needs: what a merge may leave.
    fn lockfile_drift(&self) -> Vec<Drift> {
        let mut drifts = Vec::new();
        for (node, edges) in self.graph.edges.iter().enumerate() {
            let is_missing =
                |edge: &&Edge<'_>| matches!(edge.kind, Kind::Runtime | Kind::Development) && edge.target.is_none();
            let asker = match (self.graph.packages[node], self.graph.workspaces.get(node)) {
                (Some(package), _) => package.key.as_str(),
                (None, Some((path, _))) => path.as_str(),
                (None, None) => "",
            };
            drifts.extend(edges.iter().filter(is_missing).map(|edge| Drift::PackageMissing {
                asker: asker.to_owned(),
                package: edge.name.to_owned(),
                specifier: edge.specifier.to_owned(),
            }));
        }
        if self.rules.holds_optional_peers {
            let unneeded =
                self.graph.reached().into_iter().zip(&self.graph.packages).filter(|(is_reached, _)| !is_reached);
            let unneeded = unneeded.filter_map(|(_, package)| *package);
            drifts.extend(unneeded.map(|package| Drift::PackageUnneeded { package: package.key.clone() }));
        }
        drifts
    }

    /// Whether Bun 1.4 refuses this change of a catalog entry whatever it resolves to. It passes over new ones that nobody uses.
    fn is_compared(&self, drift: &Drift) -> bool {
        let Drift::Catalog { catalog, package, locked, .. } = drift else { return false };
        let is_use =
            |specifier: &String| specifier.trim().strip_prefix("catalog:").is_some_and(|of| of.trim() == catalog);
        locked.is_some()
            || self
                .workspaces
                .values()
                .flat_map(|manifest| manifest.dependencies.values())
                .any(|specifiers| specifiers.get(package).is_some_and(is_use))
    }

    fn resolver(&self) -> Resolver<'_> {
        let nodes = self.graph.workspaces.iter().enumerate();
        let siblings: HashMap<_, _> = nodes
            .filter_map(|(node, (path, _))| {
                let manifest = self.workspaces.get(*path)?;
                Some((manifest.name.as_str(), (node, manifest)))
            })
            .collect();
        Resolver {
            graph: &self.graph,
            settings: &self.settings,
            root: self.root,
            siblings,
            keeps_bindings: self.rules.is_new,
            peers_take_siblings: self.rules.is_new,
        }
    }

    /// Returns the graph with the manifests applied to it.
    fn applied<'a>(
        &'a self,
        resolver: &Resolver<'_>,
        overrides: &[Drift],
        catalogs: &[Drift],
        changed: &mut Changed,
    ) -> Graph<'a> {
        let mut graph = self.graph.clone();
        // Bun 1.2 and 1.3 then take every workspace for changed.
        let resolves_all = !self.rules.is_new && (!overrides.is_empty() || self.has_other_settings());
        for (node, (path, locked)) in self.graph.workspaces.iter().enumerate() {
            let Some(manifest) = self.workspaces.get(*path) else { continue };
            let place = if path.is_root() { "" } else { locked.name.as_str() };
            let wanted = requested(manifest);
            let before = &self.graph.edges[node];
            let is_changed = (resolves_all && node != 0)
                || !is_same_request(before, &wanted)
                || !catalogs.is_empty() && wanted.iter().any(|edge| edge.specifier.starts_with("catalog:"))
                || wanted.iter().any(|edge| overrides.iter().any(|it| it.package() == Some(edge.name)))
                || wanted.iter().any(|edge| self.left_its_workspace(resolver, node, place, edge));
            if !is_changed {
                changed.unknown.extend(before.iter().filter_map(|edge| Self::outside(resolver, edge, path)));
                continue;
            }
            changed.any = true;
            changed.unknown.extend(self.repeated(before, &wanted, path));
            // Bun 1.2 and 1.3 install an optional peer dependency when an override of it changes.
            let is_peer =
                |it: &&Drift| wanted.iter().any(|edge| edge.is_optional_peer && it.package() == Some(edge.name));
            changed.unknown.extend(overrides.iter().filter(is_peer).cloned());
            let bound = wanted.into_iter().map(|edge| {
                // Bun keeps what the root has, and resolves all of another workspace again.
                let kept = before.iter().find(|it| node == 0 && it.request() == edge.request());
                let is_kept = kept.is_some() && overrides.is_empty() && catalogs.is_empty();
                let kept =
                    kept.filter(|it| is_kept && !it.target.is_some_and(|target| self.graph.is_workspace(target)));
                changed.unknown.extend(kept.and_then(|edge| Self::outside(resolver, edge, path)));
                let binding = match kept.and_then(|it| it.target) {
                    Some(target) => Binding::To(target),
                    None => resolver.resolve(node, place, &edge),
                };
                self.bind(binding, edge, path, changed)
            });
            let all = before.iter().filter(|edge| edge.kind == Kind::Workspace).copied().chain(bound).collect();
            graph.edges[node] = all;
        }
        if !overrides.is_empty() {
            self.apply_overrides(&mut graph, resolver, overrides, changed);
        }
        graph
    }

    /// The drift of a dependency that is locked at a version out of its range. Bun 1.2 and 1.3 install that version all the same.
    fn outside(resolver: &Resolver<'_>, edge: &Edge<'_>, path: &RepoPath) -> Option<Drift> {
        let version = resolver.outside(edge)?.to_owned();
        let (package, specifier) = (edge.name.to_owned(), edge.specifier.to_owned());
        Some(Drift::LockedOutOfRange { manifest: manifest_path(path), package, specifier, version })
    }

    /// Binds a dependency, and notes the drift if that needs the registry.
    fn bind<'a>(&self, binding: Binding, edge: Edge<'a>, path: &RepoPath, changed: &mut Changed) -> Edge<'a> {
        let target = match binding {
            Binding::To(target) => Some(target),
            Binding::Nothing => None,
            Binding::Unknown => {
                changed.unknown.push(self.unknown(&edge, path));
                None
            }
        };
        Edge { target, ..edge }
    }

    /// Whether `trustedDependencies` or `patchedDependencies` differ. Neither is drift: Bun takes those of the manifest.
    fn has_other_settings(&self) -> bool {
        let trusted = self.root.json.get("trustedDependencies").and_then(serde_json::Value::as_array);
        let trusted = trusted.map(|names| names.iter().filter_map(serde_json::Value::as_str).collect::<BTreeSet<_>>());
        let locked = self.requests.trusted.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let patches = self.root.patches.iter().map(|(package, path)| (package.as_str(), path.as_str()));
        trusted != locked || !patches.eq(self.patches.iter().map(|(package, path)| (package.as_str(), path.as_str())))
    }

    /// Peer dependencies on workspaces out of range. With any change, Bun 1.2 and 1.3 ask the registry for them.
    fn unmet_peers(&self) -> Vec<Drift> {
        let mut drifts = Vec::new();
        for (path, manifest) in self.workspaces {
            for edge in requested(manifest) {
                let sibling = self.workspaces.iter().find(|(path, it)| !path.is_root() && it.name == edge.name);
                let Some((_, sibling)) = sibling.filter(|_| edge.kind == Kind::Peer && !edge.is_optional_peer) else {
                    continue;
                };
                if resolve::is_range(edge.specifier) && !resolve::allows(sibling, edge.specifier) {
                    drifts.push(self.unknown(&edge, path));
                }
            }
        }
        drifts
    }

    /// The drift of packages that a manifest has in several groups, if one of them changed. Versions of Bun choose differently.
    fn repeated(&self, before: &[Edge<'_>], wanted: &[Edge<'_>], path: &RepoPath) -> Vec<Drift> {
        let installed = || wanted.iter().filter(|edge| edge.kind != Kind::Peer);
        let is_repeated = |edge: &&Edge<'_>| installed().filter(|it| it.name == edge.name).count() > 1;
        let is_new = |edge: &&Edge<'_>| !before.iter().any(|it| it.request() == edge.request());
        installed().filter(is_new).filter(is_repeated).map(|edge| self.unknown(edge, path)).collect()
    }

    /// Whether a dependency was bound to a workspace, and is no longer.
    fn left_its_workspace(&self, resolver: &Resolver<'_>, node: Node, place: &str, edge: &Edge<'_>) -> bool {
        let before = self.graph.edges[node].iter().find(|it| it.request() == edge.request());
        let Some(target) = before.and_then(|it| it.target).filter(|target| self.graph.is_workspace(*target)) else {
            return false;
        };
        match resolver.resolve(node, place, edge) {
            Binding::To(now) => now != target,
            // A peer dependency that no workspace satisfied before either gets the workspace all the same.
            Binding::Nothing => edge.kind != Kind::Peer,
            Binding::Unknown => true,
        }
    }

    /// Packages ask for what is overridden too.
    fn apply_overrides(
        &self,
        graph: &mut Graph<'_>,
        resolver: &Resolver<'_>,
        overrides: &[Drift],
        changed: &mut Changed,
    ) {
        let names: BTreeSet<_> = overrides.iter().filter_map(Drift::package).collect();
        for node in self.graph.workspaces.len()..graph.edges.len() {
            let place = self.graph.packages[node].map_or("", |package| package.key.as_str());
            for edge in graph.edges[node].iter_mut().filter(|edge| names.contains(edge.name)) {
                changed.any = true;
                edge.target = match resolver.resolve(node, place, edge) {
                    Binding::To(target) => Some(target),
                    Binding::Nothing => None,
                    Binding::Unknown => {
                        changed.unknown.extend(overrides.iter().filter(|it| it.package() == Some(edge.name)).cloned());
                        None
                    }
                };
            }
        }
    }

    /// The drift of a dependency that the lockfile has nothing for.
    fn unknown(&self, edge: &Edge<'_>, path: &RepoPath) -> Drift {
        let manifest = manifest_path(path);
        let (package, specifier) = (edge.name.to_owned(), edge.specifier.to_owned());
        let sibling = self.workspaces.iter().find(|(path, sibling)| !path.is_root() && sibling.name == edge.name);
        let locked = self.requests.workspaces.get(path).map(|locked| specifiers(locked.dependencies.values()));
        let locked = locked.as_ref().and_then(|locked| locked.get(edge.name));
        // A package in several groups may be drift though the workspace is in the range of each.
        if let Some((workspace, sibling)) = sibling.filter(|(_, sibling)| !resolve::allows(sibling, edge.specifier)) {
            let version = sibling.json.get("version").and_then(serde_json::Value::as_str).map(str::to_owned);
            return Drift::WorkspaceOutOfRange { manifest, package, specifier, workspace: workspace.clone(), version };
        }
        match locked {
            None => Drift::Added { manifest, package, specifier },
            Some(locked) if locked.contains(edge.specifier) => Drift::Unresolved { manifest, package, specifier },
            Some(locked) => {
                let locked = locked.first().copied().unwrap_or_default().to_owned();
                Drift::Changed { manifest, package, locked, specifier }
            }
        }
    }

    fn has_same_places(&self, graph: &Graph<'_>) -> bool {
        let holds = self.rules.holds_optional_peers;
        let (before, after) = (hoist::places(&self.graph, holds), hoist::places(graph, holds));
        before.is_some() && before == after
    }

    /// The differing specifiers, and whether each is harmless by itself: it is bound to what it was bound to.
    fn specifier_drift(&self, resolver: &Resolver<'_>) -> Vec<(Drift, bool)> {
        let mut drifts = Vec::new();
        for (node, (path, locked)) in self.graph.workspaces.iter().enumerate() {
            let Some(manifest) = self.workspaces.get(*path) else { continue };
            let place = if path.is_root() { "" } else { locked.name.as_str() };
            let is_harmless = |edge: &Edge<'_>| {
                let binding = resolver.resolve(node, place, edge);
                matches!(binding, Binding::To(target) if self.graph.visible(place, edge.name) == Some(target))
            };
            compare(path, manifest, locked, &is_harmless, &mut drifts);
        }
        drifts
    }
}

/// What applying the manifests changed.
#[derive(Default)]
struct Changed {
    any: bool,
    /// The drift of what the lockfile has nothing for.
    unknown: Vec<Drift>,
}

/// The dependencies of a manifest, bound to nothing.
fn requested(manifest: &Manifest) -> Vec<Edge<'_>> {
    let meta = manifest.json.get("peerDependenciesMeta").and_then(serde_json::Value::as_object);
    let is_optional =
        |meta: &serde_json::Value| meta.get("optional").and_then(serde_json::Value::as_bool) == Some(true);
    let optional = meta.into_iter().flatten().filter(|(_, meta)| is_optional(meta));
    let optional: BTreeSet<String> = optional.map(|(name, _)| name.clone()).collect();
    of_workspace(&manifest.dependencies, &optional)
}

fn is_same_request(before: &[Edge<'_>], wanted: &[Edge<'_>]) -> bool {
    let mut before: Vec<_> = before.iter().filter(|edge| edge.kind != Kind::Workspace).map(Edge::request).collect();
    let mut wanted: Vec<_> = wanted.iter().map(Edge::request).collect();
    before.sort_unstable();
    wanted.sort_unstable();
    before == wanted
}

fn compare(
    path: &RepoPath,
    manifest: &Manifest,
    locked: &LockedWorkspace,
    is_harmless: &dyn Fn(&Edge<'_>) -> bool,
    drifts: &mut Vec<(Drift, bool)>,
) {
    let file = manifest_path(path);
    let known = specifiers(locked.dependencies.values());
    let groups = of_workspace(&locked.dependencies, &locked.optional_peers);
    for edge in requested(manifest) {
        let (package, specifier) = (edge.name.to_owned(), edge.specifier.to_owned());
        let manifest = file.clone();
        let drift = match known.get(edge.name) {
            None => Drift::Added { manifest, package, specifier },
            Some(known) if !known.contains(edge.specifier) => {
                let locked = known.first().copied().unwrap_or_default().to_owned();
                Drift::Changed { manifest, package, locked, specifier }
            }
            Some(_) if groups.iter().any(|it| it.request() == edge.request()) => continue,
            Some(_) => {
                let locked = groups.iter().find(|it| it.name == edge.name).map(kind_text).unwrap_or_default();
                Drift::Moved { manifest, package, locked, group: kind_text(&edge) }
            }
        };
        drifts.push((drift, is_harmless(&edge)));
    }
    let wanted: BTreeMap<_, _> = specifiers(manifest.dependencies.values());
    let removed = known.keys().filter(|package| !wanted.contains_key(*package));
    drifts.extend(
        removed.map(|package| (Drift::Removed { manifest: file.clone(), package: (*package).to_owned() }, false)),
    );
}

fn kind_text(edge: &Edge<'_>) -> &'static str {
    match edge.kind {
        Kind::Workspace => "workspaces",
        Kind::Development => "devDependencies",
        Kind::Optional => "optionalDependencies",
        Kind::Runtime => "dependencies",
        Kind::Peer if edge.is_optional_peer => "peerDependencies, as an optional one",
        Kind::Peer => "peerDependencies",
    }
}

#[cfg(test)]
mod tests;
