//! Workspaces that packages of the lockfile require. A registry package whose dependency or peer is a workspace gets that
//! workspace, so everything that installs the package needs the workspace's files too.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    lockfile::{DependencyGroup, Format, LockedDependency, Lockfile, Resolution},
    repo::RepoPath,
    split::{
        Workspaces,
        lookup::{Lookup, Target, is_package, last_name, requests},
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
    let lookup = Lookup::of(lockfile, workspaces);
    let requirers = requirers(&lookup);
    let mut found = ThroughPackages::new();
    for (from, manifest) in workspaces {
        for (group, name, range) in requests(manifest) {
            let Target::Package(index) = lookup.of_workspace(from, manifest, name, range) else { continue };
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

/// The names under which packages may get workspaces.
fn names<'a>(lockfile: &'a Lockfile, workspaces: &'a Workspaces) -> BTreeSet<&'a str> {
    let own = workspaces.iter().filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty());
    let locked = lockfile.packages.iter().filter(|package| matches!(package.resolution, Resolution::Workspace(_)));
    // Bun's key ends with the name that is looked for. An override may give a workspace another one.
    let keys = locked.filter(|_| matches!(lockfile.format, Format::Bun(_))).map(|package| last_name(&package.key));
    own.map(|(_, manifest)| manifest.name.as_str()).chain(keys).collect()
}

/// For each package, the workspaces that it gets, each with the package that requires it. A package gets what the packages
/// that it requires get.
fn requirers<'a>(lookup: &Lookup<'a>) -> Vec<BTreeMap<&'a RepoPath, usize>> {
    let packages = &lookup.lockfile.packages;
    let mut found = vec![BTreeMap::new(); packages.len()];
    let mut requiring: Vec<Vec<usize>> = vec![Vec::new(); packages.len()];
    let mut open: Vec<(usize, &RepoPath, usize)> = Vec::new();
    for (index, package) in packages.iter().enumerate().filter(|(_, package)| is_package(package)) {
        for LockedDependency { name, range } in &package.dependencies {
            match lookup.of_package(package, name, range) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        managers::{bun::lockfile as bun, yarn_lock},
        split::Manifest,
    };

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
