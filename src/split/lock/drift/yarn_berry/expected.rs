//! The entry that Yarn writes for a workspace or a linked folder, from its manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Project;
use crate::{
    lockfile::{DependencyGroup, LockedEntry},
    repo::RepoPath,
    split::{
        Manifest,
        lock::drift::{Drift, ranges},
    },
};

type Strings = BTreeMap<String, String>;

/// What a manifest contributes to its entry.
pub(super) struct Expected {
    /// All dependencies that are installed.
    pub(super) dependencies: Strings,
    /// The same, as written in the manifest.
    written: Strings,
    peers: Strings,
    meta: BTreeMap<String, Strings>,
    peers_meta: BTreeMap<String, Strings>,
    bin: Strings,
}

/// The settings in a locked entry.
pub(super) struct Settings<'a> {
    pub(super) meta: &'a BTreeMap<String, Strings>,
    pub(super) peers_meta: &'a BTreeMap<String, Strings>,
    pub(super) bin: &'a Strings,
}

impl Expected {
    /// Returns the entry of a workspace.
    pub(super) fn of_workspace(project: &Project<'_>, manifest: &Manifest) -> Self {
        Self::of(
            project,
            manifest,
            &[DependencyGroup::Runtime, DependencyGroup::Optional, DependencyGroup::Development],
        )
    }

    /// Returns the entry of a folder that `portal:` leads to.
    pub(super) fn of_portal(project: &Project<'_>, manifest: &Manifest) -> Self {
        Self::of(project, manifest, &[DependencyGroup::Runtime, DependencyGroup::Optional])
    }

    /// Later groups win.
    fn of(project: &Project<'_>, manifest: &Manifest, groups: &[DependencyGroup]) -> Self {
        let group = |group| manifest.dependencies.get(&group).into_iter().flatten();
        let normalised = |(package, range): (&String, &String)| (package.clone(), project.normalised(range));
        let mut meta = settings(manifest.json.get("dependenciesMeta"), &["built", "optional", "unplugged"]);
        for (package, _) in group(DependencyGroup::Optional) {
            meta.entry(package.clone()).or_default().insert("optional".to_owned(), "true".to_owned());
        }
        Self {
            dependencies: groups.iter().flat_map(|name| group(*name)).map(normalised).collect(),
            written: groups
                .iter()
                .flat_map(|name| group(*name))
                .map(|(name, range)| (name.clone(), range.clone()))
                .collect(),
            peers: group(DependencyGroup::Peer).map(|(package, range)| (package.clone(), peer(range))).collect(),
            meta,
            peers_meta: settings(manifest.json.get("peerDependenciesMeta"), &["optional"]),
            bin: bin(manifest),
        }
    }

    /// Compares everything except dependencies.
    pub(super) fn compare_settings(&self, file: &RepoPath, locked: &Settings<'_>, drifts: &mut Vec<Drift>) {
        for (field, expected, locked) in [
            ("dependenciesMeta", &self.meta, locked.meta),
            ("peerDependenciesMeta", &self.peers_meta, locked.peers_meta),
        ] {
            compare_maps(file, field, &flat(expected), &flat(locked), drifts);
        }
        compare_maps(file, "bin", &self.bin, locked.bin, drifts);
    }

    /// Compares dependencies and peer dependencies.
    pub(super) fn compare_dependencies(&self, file: &RepoPath, locked: &LockedEntry, drifts: &mut Vec<Drift>) {
        let groups =
            [(&self.dependencies, &self.written, &locked.dependencies), (&self.peers, &self.peers, &locked.peers)];
        for (expected, written, locked) in groups {
            for (package, range) in expected.iter().filter(|(package, range)| locked.get(*package) != Some(*range)) {
                let specifier = written.get(package).unwrap_or(range).clone();
                let (manifest, package) = (file.clone(), package.clone());
                drifts.push(match locked.get(&package) {
                    None => Drift::Added { manifest, package, specifier },
                    Some(locked) => Drift::Changed { manifest, package, locked: locked.clone(), specifier },
                });
            }
        }
        let removed = groups
            .iter()
            .flat_map(|(expected, _, locked)| locked.keys().filter(|package| !expected.contains_key(*package)));
        let removed: BTreeSet<&String> = removed.collect();
        drifts.extend(
            removed.into_iter().map(|package| Drift::Removed { manifest: file.clone(), package: package.clone() }),
        );
    }
}

/// Yarn replaces the range of a peer that is neither a range nor a workspace.
fn peer(range: &str) -> String {
    let is_known = range.starts_with("workspace:") || ranges::is_range(range);
    if is_known { range } else { "*" }.to_owned()
}

/// Returns the boolean settings of packages. An object with a value of another kind is ignored as a whole.
fn settings(field: Option<&Value>, names: &[&str]) -> BTreeMap<String, Strings> {
    let mut settings = BTreeMap::new();
    for (package, object) in field.and_then(Value::as_object).into_iter().flatten() {
        let values = names.iter().filter_map(|name| Some((*name, object.get(name)?)));
        let values: Option<Strings> =
            values.map(|(name, value)| Some((name.to_owned(), value.as_bool()?.to_string()))).collect();
        settings.extend(values.filter(|values| !values.is_empty()).map(|values| (package.clone(), values)));
    }
    settings
}

fn bin(manifest: &Manifest) -> Strings {
    let file = |path: &str| path.replace('\\', "/");
    let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    match manifest.json.get("bin") {
        Some(Value::String(path)) if !path.trim().is_empty() && ranges::is_ident(&manifest.name) => {
            Strings::from([(base(&manifest.name), file(path))])
        }
        Some(Value::Object(fields)) => fields
            .iter()
            .filter_map(|(name, path)| Some((base(name), path.as_str().filter(|path| !path.trim().is_empty())?)))
            .map(|(name, path)| (name, file(path)))
            .collect(),
        _ => Strings::new(),
    }
}

fn flat(settings: &BTreeMap<String, Strings>) -> Strings {
    let of = |(package, values): (&String, &Strings)| {
        values.iter().map(|(name, value)| (format!("{package}.{name}"), value.clone())).collect::<Vec<_>>()
    };
    settings.iter().flat_map(of).collect()
}

fn compare_maps(file: &RepoPath, field: &str, expected: &Strings, locked: &Strings, drifts: &mut Vec<Drift>) {
    let keys: BTreeSet<&String> = expected.keys().chain(locked.keys()).collect();
    for key in keys {
        let (found, locked) = (expected.get(key), locked.get(key));
        if found != locked {
            let setting = format!("{field}.{key}");
            drifts.push(Drift::setting(file, &setting, found.map(String::as_str), locked.map(String::as_str)));
        }
    }
}
