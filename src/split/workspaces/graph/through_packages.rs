//! Workspaces that packages of the lockfile require. A registry package whose dependency or peer is a workspace gets that
//! workspace, so everything that installs the package needs the workspace's files too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    lockfile::{DependencyGroup, Format, LockedDependency, LockedPackage, Lockfile, Requests, Resolution},
    repo::RepoPath,
    split::{
        Manifest, Workspaces,
        sources::root_files::{Edge, EdgeKind, Found},
    },
};

/// For each workspace, those that packages require which it installs.
pub(in crate::split) type ThroughPackages = BTreeMap<RepoPath, BTreeMap<RepoPath, Through>>;

/// How a workspace gets another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) struct Through {
    /// The dependency of the workspace that leads to the other one.
    package: String,
    /// The package that requires the other one.
    requirer: String,
    /// Whether a group of dependencies names it that a production install has.
    at_runtime: bool,
}

/// Finds what packages require of the workspaces.
pub(in crate::split) fn find(lockfile: &Lockfile, workspaces: &Workspaces) -> ThroughPackages {
    let names = names(lockfile, workspaces);
    let is_asked = |dependency: &LockedDependency| names.contains(dependency.name.as_str());
    // Almost no lockfile has such a package.
    if !lockfile.packages.iter().any(|package| is_package(package) && package.dependencies.iter().any(is_asked)) {
        return ThroughPackages::new();
    }
    let lock = Lock::of(lockfile, workspaces);
    let requirers = lock.requirers();
    let mut found = ThroughPackages::new();
    for (from, manifest) in workspaces {
        for (group, name, range) in requests(manifest) {
            let Target::Package(index) = lock.of_workspace(from, manifest, name, range) else { continue };
            for (to, requirer) in requirers[index].iter().filter(|(to, _)| **to != from) {
                let at_runtime = group != DependencyGroup::Development;
                let through = Through {
                    package: lockfile.packages[index].label(),
                    requirer: lockfile.packages[*requirer].label(),
                    at_runtime,
                };
                let known = found.entry(from.clone()).or_default().entry((*to).clone()).or_insert(through);
                known.at_runtime |= at_runtime;
            }
        }
    }
    found
}

/// Adds these edges to those that a search of sources found. `is_known` tells whether an edge, at run time or not, exists already.
pub(super) fn add(
    found: &mut BTreeMap<RepoPath, Found>,
    through: &ThroughPackages,
    is_known: impl Fn(&RepoPath, &RepoPath, bool) -> bool,
) {
    for (from, targets) in through {
        let edges = &mut found.entry(from.clone()).or_default().edges;
        for (to, through) in targets.iter().filter(|(to, through)| !is_known(from, to, through.at_runtime)) {
            let kind = if through.at_runtime { EdgeKind::Import } else { EdgeKind::Tool };
            let Through { package, requirer, .. } = through;
            let reason = if package == requirer {
                format!("installs {package}, which requires it")
            } else {
                format!("installs {package}, which needs {requirer}, which requires it")
            };
            let edge = Edge { kind, reason, is_package: true, file: None, is_of_another: false };
            let known = edges.entry(to.clone()).or_insert_with(|| edge.clone());
            if known.kind != EdgeKind::Import && kind == EdgeKind::Import {
                *known = edge;
            }
        }
    }
}

/// Whether this is a package that an install gets from elsewhere.
fn is_package(package: &LockedPackage) -> bool {
    !matches!(package.resolution, Resolution::Workspace(_) | Resolution::Root)
}

/// The names under which packages may get workspaces.
fn names<'a>(lockfile: &'a Lockfile, workspaces: &'a Workspaces) -> BTreeSet<&'a str> {
    let own = workspaces.iter().filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty());
    let locked = lockfile.packages.iter().filter(|package| matches!(package.resolution, Resolution::Workspace(_)));
    // Bun's key ends with the name that is looked for. An override may give a workspace another one.
    let keys = locked.filter(|_| matches!(lockfile.format, Format::Bun(_))).map(|package| last_name(&package.key));
    own.map(|(_, manifest)| manifest.name.as_str()).chain(keys).collect()
}

/// The dependencies of a manifest, with their groups.
fn requests(manifest: &Manifest) -> impl Iterator<Item = (DependencyGroup, &str, &str)> {
    manifest
        .dependencies
        .iter()
        .flat_map(|(group, specifiers)| specifiers.iter().map(|(name, range)| (*group, name.as_str(), range.as_str())))
}

/// What a name leads to.
enum Target<'a> {
    Package(usize),
    Workspace(&'a RepoPath),
    Nothing,
}

/// A lockfile in which names are looked up as its package manager does.
struct Lock<'a> {
    lockfile: &'a Lockfile,
    /// The packages by key (Bun) or by descriptor (Yarn).
    by_key: HashMap<&'a str, usize>,
    /// The workspaces by name.
    workspaces: BTreeMap<&'a str, &'a RepoPath>,
    /// Names that the root's `resolutions` lead to something other than a workspace.
    elsewhere: BTreeSet<&'a str>,
}

impl<'a> Lock<'a> {
    fn of(lockfile: &'a Lockfile, workspaces: &'a Workspaces) -> Self {
        let packages = lockfile.packages.iter().enumerate();
        let by_key = match (&lockfile.requests, lockfile.format) {
            (Requests::ByDescriptor(locked), _) => {
                locked.descriptors.iter().map(|(descriptor, index)| (descriptor.as_str(), *index)).collect()
            }
            (_, Format::Bun(_)) => packages.map(|(index, package)| (package.key.as_str(), index)).collect(),
            _ => packages
                .flat_map(|(index, package)| {
                    package.descriptors.iter().map(move |descriptor| (descriptor.as_str(), index))
                })
                .collect(),
        };
        let named = workspaces.iter().filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty());
        Self {
            lockfile,
            by_key,
            workspaces: named.map(|(path, manifest)| (manifest.name.as_str(), path)).collect(),
            elsewhere: workspaces.get(&RepoPath::root()).map(elsewhere).unwrap_or_default(),
        }
    }

    /// For each package, the workspaces that it gets, each with the package that requires it. A package gets what the packages
    /// that it requires get.
    fn requirers(&self) -> Vec<BTreeMap<&'a RepoPath, usize>> {
        let packages = &self.lockfile.packages;
        let mut found = vec![BTreeMap::new(); packages.len()];
        let mut requiring: Vec<Vec<usize>> = vec![Vec::new(); packages.len()];
        let mut open: Vec<(usize, &RepoPath, usize)> = Vec::new();
        for (index, package) in packages.iter().enumerate().filter(|(_, package)| is_package(package)) {
            for LockedDependency { name, range } in &package.dependencies {
                match self.of_package(package, name, range) {
                    Target::Package(required) => requiring[required].push(index),
                    Target::Workspace(path) => open.push((index, path, index)),
                    Target::Nothing => {}
                }
            }
        }
        while let Some((index, path, requirer)) = open.pop() {
            if found[index].insert(path, requirer).is_none() {
                open.extend(requiring[index].iter().map(|next| (*next, path, requirer)));
            }
        }
        found
    }

    /// What a workspace gets for a name.
    fn of_workspace(&self, path: &RepoPath, manifest: &Manifest, name: &str, range: &str) -> Target<'a> {
        match self.lockfile.format {
            Format::Bun(_) => {
                let own = if path.is_root() { "" } else { manifest.name.as_str() };
                self.nearest(own, name)
            }
            _ => self.by_descriptor(name, range),
        }
    }

    /// What a package gets for a name.
    fn of_package(&self, package: &LockedPackage, name: &str, range: &str) -> Target<'a> {
        match self.lockfile.format {
            Format::Bun(_) => self.nearest(&package.key, name),
            _ => self.by_descriptor(name, range),
        }
    }

    fn at(&self, index: usize) -> Target<'a> {
        match &self.lockfile.packages[index].resolution {
            Resolution::Workspace(path) => Target::Workspace(path),
            _ => Target::Package(index),
        }
    }

    /// Bun's keys are places in `node_modules`: the nearest one upwards counts.
    fn nearest(&self, from: &str, name: &str) -> Target<'a> {
        let mut folder = from;
        loop {
            let key = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if let Some(index) = self.by_key.get(key.as_str()) {
                return self.at(*index);
            }
            if folder.is_empty() {
                return Target::Nothing;
            }
            folder = folder[..folder.len() - last_name(folder).len()].trim_end_matches('/');
        }
    }

    /// Yarn lists descriptors. A peer has none, and neither has what a workspace satisfies (Yarn 1) or what `resolutions` lead to a
    /// workspace.
    fn by_descriptor(&self, name: &str, range: &str) -> Target<'a> {
        let known = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
        if let Some(index) = known.iter().find_map(|descriptor| self.by_key.get(descriptor.as_str())) {
            return self.at(*index);
        }
        let workspace = self.workspaces.get(name).filter(|_| !self.elsewhere.contains(name));
        workspace.map_or(Target::Nothing, |path| Target::Workspace(path))
    }
}

/// Returns the last package name of a key: `@s/b` of `a/@s/b`.
fn last_name(key: &str) -> &str {
    let Some(slash) = key.rfind('/') else { return key };
    let scope = key[..slash].rfind('/').map_or(0, |slash| slash + 1);
    if key[scope..].starts_with('@') { &key[scope..] } else { &key[slash + 1..] }
}

/// Returns the names for which the root's `resolutions` say that they are no workspace.
fn elsewhere(root: &Manifest) -> BTreeSet<&str> {
    let resolutions = root.json.get("resolutions").and_then(serde_json::Value::as_object);
    let leads_here = |value: &str| ["workspace:", "portal:", "link:"].iter().any(|start| value.starts_with(start));
    let others =
        resolutions.into_iter().flatten().filter(|(_, value)| value.as_str().is_some_and(|value| !leads_here(value)));
    others.map(|(pattern, _)| last_name(without_range(pattern))).collect()
}

/// Removes the range from a pattern of `resolutions`: `a/b@^1` becomes `a/b`.
fn without_range(pattern: &str) -> &str {
    match pattern.rfind('@') {
        Some(at) if at > 0 && !pattern[..at].ends_with('/') => &pattern[..at],
        _ => pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::managers::{bun::lockfile as bun, yarn_lock};

    fn workspaces(manifests: &[(&str, &str)]) -> Workspaces {
        let manifest =
            |(path, text): &(&str, &str)| (path.parse().unwrap(), Manifest::parse("package.json", text).unwrap());
        manifests.iter().map(manifest).collect()
    }

    fn shown(lockfile: &Lockfile, workspaces: &Workspaces) -> Vec<String> {
        let found = find(lockfile, workspaces);
        let edges =
            found.iter().flat_map(|(from, targets)| targets.iter().map(move |(to, through)| (from, to, through)));
        edges
            .map(|(from, to, Through { package, requirer, at_runtime })| {
                format!("{from} -> {to} by {package}, {requirer}{}", if *at_runtime { "" } else { " (development)" })
            })
            .collect()
    }

    const MANIFESTS: [(&str, &str); 4] = [
        ("", r#"{"name": "acme"}"#),
        ("apps/a", r#"{"name": "a", "dependencies": {"outer": "^1.0.0"}}"#),
        ("apps/b", r#"{"name": "b", "devDependencies": {"@s/peers": "^1.0.0"}, "dependencies": {"other": "1"}}"#),
        ("packages/n", r#"{"name": "num", "version": "6.0.9", "devDependencies": {"odd": "^1.0.0"}}"#),
    ];

    #[test]
    fn bun_finds_what_lies_nearest() {
        let integrity = crate::lockfile::Algorithm::Sha512.digest(b"");
        let entry = |key: &str, id: &str, info: &str| format!(r#""{key}": ["{id}", "", {info}, "{integrity}"],"#);
        let text = [
            r#"{"lockfileVersion": 1, "workspaces": {}, "packages": {"num": ["num@workspace:packages/n"],"#.to_owned(),
            entry("odd", "odd@1.0.0", r#"{"dependencies": {"num": "^6.0.0"}}"#),
            entry("outer", "outer@1.0.0", r#"{"dependencies": {"odd": "^1.0.0"}}"#),
            entry("@s/peers", "@s/peers@1.0.0", r#"{"peerDependencies": {"num": "*"}, "optionalPeers": ["num"]}"#),
            entry("other", "other@1.0.0", r#"{"dependencies": {"num": "^5.0.0"}}"#),
            entry("other/num", "num@5.0.0", "{}"),
            "}}".to_owned(),
        ]
        .concat();
        let lockfile = bun::parse(&text).unwrap();
        let expected = [
            "apps/a -> packages/n by outer@1.0.0, odd@1.0.0",
            "apps/b -> packages/n by @s/peers@1.0.0, @s/peers@1.0.0 (development)",
        ];
        assert_eq!(shown(&lockfile, &workspaces(&MANIFESTS)), expected);
        // No workspace has that name.
        let others = [("", r#"{"name": "acme"}"#), ("apps/a", MANIFESTS[1].1)];
        let without = bun::parse(&text.replace("num@workspace:packages/n", "num@6.0.0")).unwrap();
        assert_eq!(shown(&without, &workspaces(&others)), [""; 0]);
    }

    #[test]
    fn yarn_1_finds_what_the_lockfile_lacks() {
        let entry = |key: &str, version: &str, requires: &str| {
            format!(
                "{key}:\n  version \"{version}\"\n  resolved \"https://r.example/a.tgz#00\"\n  dependencies:\n    {requires}\n\n"
            )
        };
        let text = [
            "# yarn lockfile v1\n\n",
            &entry("odd@^1.0.0", "1.0.0", "num \"^6.0.0\""),
            &entry("outer@^1.0.0", "1.0.0", "odd \"^1.0.0\""),
            &entry("other@1", "1.0.0", "num \"^5.0.0\""),
            &entry("num@^5.0.0", "5.0.0", "x \"1\""),
        ]
        .concat();
        let lockfile = yarn_lock::parse(&text).unwrap();
        let by_a = "apps/a -> packages/n by outer@1.0.0, odd@1.0.0";
        assert_eq!(shown(&lockfile, &workspaces(&MANIFESTS)), [by_a]);
        let mut resolved = MANIFESTS;
        resolved[0].1 = r#"{"name": "acme", "resolutions": {"**/num": "6.0.1"}}"#;
        assert_eq!(shown(&lockfile, &workspaces(&resolved)), [""; 0]);
        assert_eq!(["a/b@^1", "@s/b", "**/@s/b@npm:1"].map(without_range), ["a/b", "@s/b", "**/@s/b"]);
    }

    #[test]
    fn yarn_4_finds_descriptors_peers_and_resolutions() {
        let text = "__metadata:\n  version: 8\n\n\
            \"num@npm:^6.0.0, num@workspace:packages/n\":\n  version: 0.0.0-use.local\n  resolution: \"num@workspace:packages/n\"\n\n\
            \"odd@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"odd@npm:1.0.0\"\n  dependencies:\n    num: \"npm:^6.0.0\"\n\n\
            \"outer@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"outer@npm:1.0.0\"\n  dependencies:\n    odd: ^1.0.0\n\n\
            \"@s/peers@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"@s/peers@npm:1.0.0\"\n  peerDependencies:\n    num: \"*\"\n";
        let lockfile = yarn_lock::parse(text).unwrap();
        let expected = [
            "apps/a -> packages/n by outer@1.0.0, odd@1.0.0",
            "apps/b -> packages/n by @s/peers@1.0.0, @s/peers@1.0.0 (development)",
        ];
        assert_eq!(shown(&lockfile, &workspaces(&MANIFESTS)), expected);
    }
}
