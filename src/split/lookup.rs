//! Looks up names in a lockfile as its package manager does: which package a workspace, or another package, gets for a name.

use std::collections::{BTreeMap, HashMap};

use crate::{
    lockfile::{DependencyGroup, Format, LockedPackage, Lockfile, Requests, Resolution},
    repo::RepoPath,
    split::{Manifest, Workspaces},
};

/// Whether this is a package that an install gets from elsewhere.
pub(in crate::split) fn is_package(package: &LockedPackage) -> bool {
    !matches!(package.resolution, Resolution::Workspace(_) | Resolution::Root)
}

/// The dependencies of a manifest, with their groups.
pub(in crate::split) fn requests(manifest: &Manifest) -> impl Iterator<Item = (DependencyGroup, &str, &str)> {
    manifest
        .dependencies
        .iter()
        .flat_map(|(group, specifiers)| specifiers.iter().map(|(name, range)| (*group, name.as_str(), range.as_str())))
}

/// What a name leads to.
#[derive(Clone, Copy)]
pub(in crate::split) enum Target<'a> {
    Package(usize),
    Workspace(&'a RepoPath),
    Nothing,
}

/// A lockfile in which names are looked up as its package manager does.
pub(in crate::split) struct Lookup<'a> {
    pub(in crate::split) lockfile: &'a Lockfile,
    /// The packages by key (Bun) or by descriptor (Yarn).
    by_key: HashMap<&'a str, usize>,
    /// The workspaces by name.
    workspaces: BTreeMap<&'a str, &'a RepoPath>,
    /// Names that the root's `resolutions` lead to something other than a workspace, with what they lead to.
    elsewhere: BTreeMap<&'a str, &'a str>,
}

impl<'a> Lookup<'a> {
    pub(in crate::split) fn of(lockfile: &'a Lockfile, workspaces: &'a Workspaces) -> Self {
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

    /// What a workspace gets for a name.
    pub(in crate::split) fn of_workspace(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        name: &str,
        range: &str,
    ) -> Target<'a> {
        match self.lockfile.format {
            Format::Bun(_) => {
                let own = if path.is_root() { "" } else { manifest.name.as_str() };
                self.nearest(own, name)
            }
            _ => self.by_descriptor(name, range),
        }
    }

    /// What a package gets for a name.
    pub(in crate::split) fn of_package(&self, package: &LockedPackage, name: &str, range: &str) -> Target<'a> {
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
        for range in std::iter::once(range).chain(self.elsewhere.get(name).copied()) {
            let known = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
            if let Some(index) = known.iter().find_map(|descriptor| self.by_key.get(descriptor.as_str())) {
                return self.at(*index);
            }
        }
        let workspace = self.workspaces.get(name).filter(|_| !self.elsewhere.contains_key(name));
        workspace.map_or(Target::Nothing, |path| Target::Workspace(path))
    }
}

/// Returns the last package name of a key: `@s/b` of `a/@s/b`.
pub(in crate::split) fn last_name(key: &str) -> &str {
    let Some(slash) = key.rfind('/') else { return key };
    let scope = key[..slash].rfind('/').map_or(0, |slash| slash + 1);
    if key[scope..].starts_with('@') { &key[scope..] } else { &key[slash + 1..] }
}

/// Returns the names for which the root's `resolutions` say that they are no workspace, each with what it says.
fn elsewhere(root: &Manifest) -> BTreeMap<&str, &str> {
    let resolutions = root.json.get("resolutions").and_then(serde_json::Value::as_object);
    let leads_here = |value: &str| ["workspace:", "portal:", "link:"].iter().any(|start| value.starts_with(start));
    let all = resolutions.into_iter().flatten().filter_map(|(pattern, value)| Some((pattern, value.as_str()?)));
    all.filter(|(_, value)| !leads_here(value))
        .map(|(pattern, value)| (last_name(without_range(pattern)), value))
        .collect()
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

    #[test]
    fn a_pattern_of_resolutions_is_read_without_its_range() {
        assert_eq!(["a/b@^1", "@s/b", "**/@s/b@npm:1"].map(without_range), ["a/b", "@s/b", "**/@s/b"]);
    }
}
