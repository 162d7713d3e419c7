//! Drift of a `yarn.lock` of Yarn 1, which records descriptors, and no workspaces.
//!
//! `yarn install --frozen-lockfile` refuses only if the root manifest itself asks for something that the lockfile does not
//! have. For everything else, dependencies of workspaces included, Yarn 1 asks the registry for what is missing, and installs
//! other versions on other days. That is no frozen install, and a build without network cannot do it. So the rule here is
//! stricter: the lockfile must have all that anything asks for. Source: `PackageResolver`, `ResolutionMap` and
//! `InstallationIntegrityChecker` of Yarn 1.22.
//!
//! Three things are no drift: descriptors that nothing asks for (nothing is installed for them), peer dependencies (Yarn 1
//! does not install them), and links.

use std::collections::{BTreeMap, BTreeSet};

use super::{Drift, ranges, resolutions};
use crate::{
    lockfile::{DependencyGroup, LockedDescriptors},
    repo::{RepoPath, Tree},
    split::{Manifest, SplitError, Workspaces, manifest_path},
};

/// Finds drift in a lockfile that records descriptors.
pub(super) fn find(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    locked: &LockedDescriptors,
) -> Result<Vec<Drift>, SplitError> {
    let overrides = resolutions::read(tree, &workspaces[&RepoPath::root()])?;
    let mut walk = Walk {
        locked,
        overrides: overrides.into_iter().filter_map(|(key, range)| Override::parse(key, range)).collect(),
        siblings: workspaces.values().map(|manifest| (manifest.name.as_str(), manifest)).collect(),
        walked: vec![false; locked.packages.len()],
        replaced: BTreeSet::new(),
        drifts: Vec::new(),
    };
    for index in 0..walk.overrides.len() {
        walk.follow_override(index);
    }
    // The root's own dependencies come first. They belong to all workspaces together once more.
    walk.follow_manifest(&RepoPath::root(), &workspaces[&RepoPath::root()], &[], true);
    for (path, manifest) in workspaces {
        let name = if path.is_root() { &[][..] } else { &[manifest.name.as_str()][..] };
        walk.follow_manifest(path, manifest, &[&[AGGREGATOR], name].concat(), false);
    }
    walk.refuse_replaced(&workspaces[&RepoPath::root()]);
    Ok(walk.drifts)
}

/// The package that Yarn makes up, which depends on all workspaces. Its real name is random.
const AGGREGATOR: &str = "workspace-aggregator";

/// An entry of `resolutions`.
struct Override {
    key: String,
    /// The parts of the path of packages that it matches.
    pattern: Vec<String>,
    package: String,
    range: String,
}

impl Override {
    /// Reads an entry. Yarn warns of others, and ignores them.
    fn parse(key: String, range: String) -> Option<Self> {
        let mut parts: Vec<&str> = key.split('/').collect();
        let name = parts.pop()?;
        let package = match parts.last() {
            Some(scope) if scope.starts_with('@') => [scope, "/", name].concat(),
            _ => name.to_owned(),
        };
        let is_known = ranges::is_range(&range) || range.contains([':', '/']);
        if name.is_empty() || name.contains('*') || !is_known {
            return None;
        }
        let anywhere = if package == key { "**/" } else { "" };
        let pattern = [anywhere, &key].concat().split('/').map(str::to_owned).collect();
        Some(Self { key, pattern, package, range })
    }

    fn descriptor(&self) -> String {
        descriptor(&self.package, &self.range)
    }
}

struct Walk<'a> {
    locked: &'a LockedDescriptors,
    overrides: Vec<Override>,
    siblings: BTreeMap<&'a str, &'a Manifest>,
    /// Packages whose dependencies were followed. Yarn follows them once.
    walked: Vec<bool>,
    /// Descriptors whose package is replaced by one of another version.
    replaced: BTreeSet<String>,
    drifts: Vec<Drift>,
}

/// What the lockfile has for a descriptor.
enum Found {
    /// Its package.
    Package(usize),
    /// Nothing, and nothing is needed.
    Nothing,
    /// Nothing, or a version that is not in the range.
    Missing(Option<String>),
}

impl<'a> Walk<'a> {
    /// Looks up an entry of `resolutions`. Yarn does so whether anything uses it.
    fn follow_override(&mut self, index: usize) {
        let one = &self.overrides[index];
        if let Some(package) = self.locked.descriptors.get(&one.descriptor()) {
            // An entry of another version is an "incorrect entry", which Yarn replaces.
            self.follow_package(*package, &[&one.package.clone()]);
            return;
        }
        let manifest = manifest_path(&RepoPath::root());
        let locked = self.versions(&one.package);
        let setting = format!("resolutions.{}", one.key);
        self.drifts.push(Drift::setting(&manifest, &setting, Some(&one.range), locked.as_deref()));
    }

    fn follow_manifest(&mut self, path: &RepoPath, manifest: &'a Manifest, parents: &[&str], is_top: bool) {
        for (package, range) in requests(manifest) {
            let locked = match self.look_up(path, package, range, parents, is_top) {
                Found::Package(index) => {
                    self.follow_package(index, &[parents, &[package]].concat());
                    continue;
                }
                Found::Nothing => continue,
                Found::Missing(locked) => locked,
            };
            let (manifest, package, specifier) = (manifest_path(path), package.to_owned(), range.to_owned());
            self.drifts.push(match locked {
                Some(locked) => Drift::Changed { manifest, package, locked, specifier },
                None => Drift::Added { manifest, package, specifier },
            });
        }
    }

    fn follow_package(&mut self, index: usize, parents: &[&str]) {
        if std::mem::replace(&mut self.walked[index], true) {
            return;
        }
        for (package, range) in &self.locked.packages[index].1 {
            // A folder in a package, named by a path in Yarn's cache: Yarn reads it from the package.
            if range.starts_with("file:") && !self.locked.descriptors.contains_key(&descriptor(package, range)) {
                continue;
            }
            match self.look_up(&RepoPath::root(), package, range, parents, false) {
                Found::Package(next) => self.follow_package(next, &[parents, &[package.as_str()]].concat()),
                Found::Nothing => {}
                Found::Missing(version) => self.drifts.push(Drift::Unlocked {
                    dependent: parents.last().copied().unwrap_or_default().to_owned(),
                    package: package.clone(),
                    range: range.clone(),
                    locked: version.or_else(|| self.versions(package)),
                }),
            }
        }
    }

    /// Looks up a request. `is_top` is true for the dependencies of the root itself, to which no resolution applies.
    fn look_up(&mut self, path: &RepoPath, package: &str, range: &str, parents: &[&str], is_top: bool) -> Found {
        let key = descriptor(package, range);
        if !is_top && let Some(one) = self.overriding(package, parents) {
            let found = self.locked.descriptors.get(&one.descriptor()).copied();
            let locked = self.locked.descriptors.get(&key).copied();
            if let (Some(found), Some(locked)) = (found, locked)
                && self.locked.packages[found].0 != self.locked.packages[locked].0
            {
                self.replaced.insert(key);
            }
            return found.map_or(Found::Nothing, Found::Package);
        }
        let local = || local_descriptors(path, package, range).into_iter();
        let mut keys = std::iter::once(key).chain(local());
        if let Some(index) = keys.find_map(|key| self.locked.descriptors.get(&key).copied()) {
            let version = &self.locked.packages[index].0;
            let is_incorrect = !range.is_empty() && ranges::is_range(range) && !ranges::satisfies(version, range);
            // Yarn itself writes incorrect entries for packages with resolutions.
            let is_kept = !is_incorrect || (!is_top && self.overrides.iter().any(|one| one.package == package));
            return if is_kept { Found::Package(index) } else { Found::Missing(Some(version.clone())) };
        }
        let is_sibling = self.siblings.get(package).is_some_and(|sibling| satisfies(sibling, range));
        if is_sibling || range.starts_with("link:") { Found::Nothing } else { Found::Missing(None) }
    }

    fn overriding(&self, package: &str, parents: &[&str]) -> Option<&Override> {
        let mut candidates = self.overrides.iter().filter(|one| one.package == package).peekable();
        candidates.peek()?;
        let path: Vec<&str> = parents.iter().flat_map(|name| name.split('/')).chain(package.split('/')).collect();
        candidates.find(|one| matches(&one.pattern, &path))
    }

    /// Adds drift for dependencies of the root whose entry is removed, because a resolution replaces it elsewhere.
    fn refuse_replaced(&mut self, root: &Manifest) {
        for (package, range) in requests(root) {
            let key = descriptor(package, range);
            if self.replaced.contains(&key)
                && let Some(one) = self.overrides.iter().find(|one| one.package == package)
            {
                let setting = format!("resolutions.{}", one.key);
                let locked = self.locked.descriptors.get(&key).map(|index| self.locked.packages[*index].0.as_str());
                let manifest = manifest_path(&RepoPath::root());
                self.drifts.push(Drift::setting(&manifest, &setting, Some(&one.range), locked));
            }
        }
    }

    /// Returns the versions of a package in the lockfile.
    fn versions(&self, package: &str) -> Option<String> {
        let start = [package, "@"].concat();
        let keys = self.locked.descriptors.range(start.clone()..).take_while(|(key, _)| key.starts_with(&start));
        let versions: BTreeSet<&str> = keys.map(|(_, index)| self.locked.packages[*index].0.as_str()).collect();
        (!versions.is_empty()).then(|| versions.into_iter().collect::<Vec<_>>().join(", "))
    }
}

/// Returns what a manifest asks for. If a package is in several groups, the first range other than `*` counts.
fn requests(manifest: &Manifest) -> BTreeMap<&str, &str> {
    let mut requests: BTreeMap<&str, &str> = BTreeMap::new();
    let groups = [DependencyGroup::Optional, DependencyGroup::Runtime, DependencyGroup::Development];
    for (package, range) in groups.iter().filter_map(|group| manifest.dependencies.get(group)).flatten() {
        let known = requests.entry(package).or_insert(range);
        if known.is_empty() || *known == "*" {
            *known = if range.is_empty() { *known } else { range };
        }
    }
    requests
}

/// Whether a glob matches a path. A part of the glob is `**`, or may contain `*`.
fn matches(pattern: &[String], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|skipped| matches(rest, &path[skipped..])),
        Some((first, rest)) => {
            path.split_first().is_some_and(|(part, path)| matches_part(first, part) && matches(rest, path))
        }
    }
}

fn matches_part(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches_part(rest, &text[at..]))
        }),
    }
}

/// Descriptors that Yarn 1 may use for a local package of a workspace. Yarn 1 writes its path from the root.
fn local_descriptors(workspace: &RepoPath, package: &str, range: &str) -> Vec<String> {
    let path = range.strip_prefix("file:").unwrap_or(range);
    if path == range && !path.starts_with('.') {
        return Vec::new();
    }
    let Ok(path) = workspace.resolve(path) else { return Vec::new() };
    ["file:", "file:./", "./", ""].iter().map(|start| descriptor(package, &format!("{start}{path}"))).collect()
}

/// Whether Yarn 1 links this workspace for a range. If its version does not match, Yarn 1 asks the registry.
fn satisfies(workspace: &Manifest, range: &str) -> bool {
    let version = workspace.json.get("version").and_then(serde_json::Value::as_str);
    version.is_some_and(|version| ranges::satisfies(version, range))
}

/// `name@range`, the key of a request in a lockfile of Yarn 1.
fn descriptor(package: &str, range: &str) -> String {
    [package, "@", range].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lockfile::{Format, LockedDescriptors, Lockfile, Requests},
        repo::MemoryTree,
        split::{lock::drift, workspaces},
    };

    #[test]
    fn the_lockfile_of_yarn_1_must_have_what_every_manifest_asks_for() {
        let tree = MemoryTree::new([
            (
                "package.json",
                r#"{"workspaces": ["*"], "dependencies": {"react": "^18", "any": "", "here": "link:./x"}, "peerDependencies": {"vue": "*"}}"#,
            ),
            ("a/package.json", r#"{"name": "a", "version": "1.1.0", "devDependencies": {"react": "^19"}}"#),
            (
                "b/package.json",
                r#"{"name": "b", "version": "1.0.0", "dependencies": {"a": "^1.0.0", "x": "npm:y@1", "lib": "file:../lib/f"}}"#,
            ),
            ("c/package.json", r#"{"name": "c", "version": "1.0.0", "dependencies": {"a": "^2.0.0", "b": "*"}}"#),
        ]);
        let keys = ["react@^18", "any@", "x@npm:y@1", "lib@file:lib/f", "gone@1"];
        let descriptors = keys.iter().enumerate().map(|(index, key)| ((*key).to_owned(), index)).collect();
        let mut packages = vec![("18.0.0".to_owned(), Vec::new()); keys.len()];
        // A folder in the folder `lib`.
        packages[3].1.push(("inner".to_owned(), "file:../home/cache/lib/inner".to_owned()));
        let lock = Lockfile {
            format: Format::YarnClassic,
            requests: Requests::ByDescriptor(LockedDescriptors { descriptors, packages }),
            packages: Vec::new(),
            patches: BTreeMap::new(),
            digest: String::new(),
            warnings: Vec::new(),
        };
        let (tree, none) = (&tree, workspaces::Workspaces::new());
        let drifts = drift::find(tree, &workspaces::read(tree).unwrap(), &none, &lock, "1.22.22").unwrap();
        let texts: Vec<_> = drifts.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "a/package.json: `react` (`^19`) is not in the lockfile",
                "c/package.json: `a` (`^2.0.0`) is not in the lockfile",
            ]
        );
    }
}
