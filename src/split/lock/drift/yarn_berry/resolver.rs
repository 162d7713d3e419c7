//! Follows everything that the workspaces ask for through the lockfile, as `resolveEverything` of Yarn's `Project` does.
//!
//! A range becomes a descriptor in three steps: `resolutions`, catalogs and Yarn's own patches may replace it; a local
//! range is bound to the package that asks; the lockfile must have the descriptor. Yarn looks up workspaces, patches and
//! links anew each time, and everything else in the lockfile only.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    Project, built_in,
    expected::Expected,
    overrides::{Override, Specifier},
    patch,
};
use crate::{
    lockfile::{LockedPackage, Resolution, split_name},
    names::YARNRC_YML,
    repo::RepoPath,
    split::{
        SplitError,
        lock::drift::{Drift, ranges},
        manifest_path,
    },
};

/// Follows dependencies from entry to entry.
pub(super) struct Resolver<'a> {
    pub(super) project: &'a Project<'a>,
    /// Dependencies of manifests that are reported already.
    named: HashSet<(RepoPath, String)>,
    /// The workspaces by name.
    by_name: HashMap<String, &'a RepoPath>,
    /// The entries by descriptor.
    by_descriptor: HashMap<&'a str, usize>,
    /// The locator of the root.
    root: String,
    /// The descriptors that were looked up, each with its entry.
    found: HashMap<String, Option<usize>>,
    /// Entries that were found, and not yet followed.
    queue: Vec<usize>,
    followed: Vec<bool>,
    misses: Vec<Miss>,
    drifts: Vec<Drift>,
}

/// The result of a [`Resolver`].
pub(super) struct Followed<'a> {
    project: &'a Project<'a>,
    found: HashMap<String, Option<usize>>,
    /// The drift on the way.
    pub(super) drifts: Vec<Drift>,
}

/// A descriptor that the lockfile does not have.
struct Miss {
    dependent: String,
    package: String,
    range: String,
    cause: Cause,
}

/// The setting that decided a range.
#[derive(Clone)]
enum Cause {
    /// None: the range of the dependency itself.
    Dependency,
    /// An entry of `resolutions`, with its value.
    Resolution(String, String),
    /// A catalog: the setting, with its value if it is set.
    Catalog(String, Option<String>),
    /// An entry of `packageExtensions`, with its value.
    Extension(String, String),
}

/// The package that asks for a dependency.
struct Dependent<'a> {
    name: &'a str,
    reference: &'a str,
    locator: &'a str,
    /// Its manifest, if it is a workspace.
    manifest: Option<RepoPath>,
}

impl<'a> Resolver<'a> {
    /// Returns a resolver that does not report the dependencies in `named` again.
    pub(super) fn of(project: &'a Project<'a>, named: HashSet<(RepoPath, String)>) -> Self {
        let by_name: HashMap<_, _> =
            project.workspaces.iter().map(|(path, manifest)| (super::name(path, manifest), path)).collect();
        let root = RepoPath::root();
        let root_name = super::name(&root, &project.workspaces[&root]);
        let entries = project.locked.entries.iter().enumerate();
        Self {
            named,
            by_name,
            by_descriptor: entries
                .flat_map(|(index, entry)| entry.descriptors.iter().map(move |text| (text.as_str(), index)))
                .collect(),
            root: locator_of_workspace(&root_name, &root),
            found: HashMap::new(),
            queue: Vec::new(),
            followed: vec![false; project.locked.entries.len()],
            misses: Vec::new(),
            drifts: Vec::new(),
            project,
        }
    }

    /// Follows everything.
    pub(super) fn follow(mut self) -> Result<Followed<'a>, SplitError> {
        for (path, manifest) in self.project.workspaces {
            let name = super::name(path, manifest);
            let range = range_of_workspace(path);
            // A missing workspace is reported by the comparison of workspaces.
            self.resolve(&name, &range)?;
        }
        while let Some(index) = self.queue.pop() {
            self.follow_entry(index)?;
        }
        let mut drifts = std::mem::take(&mut self.drifts);
        drifts.extend(self.misses.iter().map(|miss| self.told(miss)));
        Ok(Followed { project: self.project, found: self.found, drifts })
    }

    fn follow_entry(&mut self, index: usize) -> Result<(), SplitError> {
        let project = self.project;
        let (package, entry) = (&project.lockfile.packages[index], &project.locked.entries[index]);
        let Some((name, reference)) = split_name(&package.key) else { return Ok(()) };
        let manifest = match &package.resolution {
            Resolution::Workspace(path) => Some(manifest_path(path)),
            _ => None,
        };
        let dependent = Dependent { name, reference, locator: &package.key, manifest };
        let (expected, version) = self.manifest_of(package);
        let dependencies = expected.as_ref().map_or(&entry.dependencies, |expected| &expected.dependencies);
        for (package, range) in dependencies {
            self.depend(&dependent, package, range, Cause::Dependency)?;
        }
        let version = version.unwrap_or(&entry.version);
        for extension in &project.settings.extensions {
            if extension.package != name || !ranges::satisfies_with_prereleases(version, &extension.range) {
                continue;
            }
            for (package, range) in &extension.dependencies {
                if !dependencies.contains_key(package) {
                    let key = format!("packageExtensions.{name}@{}.dependencies.{package}", extension.range);
                    let cause = Cause::Extension(key, range.clone());
                    self.depend(&dependent, package, &project.normalised(range), cause)?;
                }
            }
        }
        for (_, range, package, wanted) in built_in::EXTENSIONS.iter().filter(|(package, ..)| *package == name) {
            if !dependencies.contains_key(*package) && ranges::satisfies_with_prereleases(version, range) {
                let (range, _) = self.reduced(&dependent, package, &project.normalised(wanted), Cause::Dependency);
                let range = self.bound(package, &range, dependent.locator).into_owned();
                self.resolve(package, &range)?;
            }
        }
        Ok(())
    }

    /// Returns what the manifest of a workspace or a `portal:` asks for, and the version of a workspace.
    fn manifest_of(&self, package: &LockedPackage) -> (Option<Expected>, Option<&'a str>) {
        let project = self.project;
        match &package.resolution {
            Resolution::Workspace(path) => {
                let Some(manifest) = project.workspaces.get(path) else { return (None, None) };
                let version = manifest.json.get("version").and_then(serde_json::Value::as_str);
                (Some(Expected::of_workspace(project, manifest)), Some(version.unwrap_or("0.0.0")))
            }
            Resolution::Link(target) if package.key.contains("@portal:") => {
                let parent = patch::folder_of_parent(&package.key);
                let folder = parent.and_then(|parent| parent.resolve(target.split("::").next()?).ok());
                let manifest = folder.and_then(|folder| project.linked.get(&folder));
                (manifest.map(|manifest| Expected::of_portal(project, manifest)), None)
            }
            _ => (None, None),
        }
    }

    /// Follows one dependency.
    fn depend(
        &mut self,
        dependent: &Dependent<'_>,
        package: &str,
        range: &str,
        cause: Cause,
    ) -> Result<(), SplitError> {
        let (range, cause) = self.reduced(dependent, package, range, cause);
        let range = self.bound(package, &range, dependent.locator).into_owned();
        let is_named = |manifest: &RepoPath| self.named.contains(&(manifest.clone(), package.to_owned()));
        let is_named = dependent.manifest.as_ref().is_some_and(is_named);
        if self.resolve(package, &range)?.is_none() && !is_named {
            let dependent = dependent.locator.to_owned();
            self.misses.push(Miss { dependent, package: package.to_owned(), range, cause });
        }
        Ok(())
    }

    /// Replaces a range as `resolutions`, catalogs and Yarn's own patches do, in this order.
    fn reduced(&self, dependent: &Dependent<'_>, package: &str, range: &str, cause: Cause) -> (String, Cause) {
        let (mut range, mut cause) = (range.to_owned(), cause);
        if let Some(found) = self.project.overrides.iter().find(|one| self.applies(one, dependent, package, &range)) {
            let replaced = self.project.normalised(&found.range);
            range = self.bound(package, &replaced, &self.root).into_owned();
            cause = Cause::Resolution(found.key.clone(), found.range.clone());
        }
        if let Some(catalog) = range.strip_prefix("catalog:").filter(|_| !self.project.is_old) {
            let setting = match catalog {
                "" => format!("catalog.{package}"),
                name => format!("catalogs.{name}.{package}"),
            };
            let found = self.project.settings.catalogs.get(catalog).and_then(|ranges| ranges.get(package));
            cause = Cause::Catalog(setting, found.cloned());
            if let Some(found) = found {
                range = self.bound(package, &self.project.normalised(found), &self.root).into_owned();
            }
        }
        if built_in::PATCHED.contains(&package) {
            let optional = if self.project.is_old { "~" } else { "optional!" };
            let source = ranges::encoded(&[package, "@", &range].concat());
            range = format!("patch:{source}#{optional}builtin<compat/{package}>");
        }
        (range, cause)
    }

    fn applies(&self, one: &Override, dependent: &Dependent<'_>, package: &str, range: &str) -> bool {
        let is = |specifier: &Specifier, name: &str, range: &str| {
            let wanted = specifier.range.as_deref().map(|wanted| self.project.normalised(wanted));
            specifier.name == name && wanted.is_none_or(|wanted| wanted == range)
        };
        is(&one.package, package, range)
            && one.from.as_ref().is_none_or(|from| is(from, dependent.name, dependent.reference))
    }

    /// Returns a range as it is in a descriptor.
    fn bound<'t>(&self, package: &str, range: &'t str, parent: &str) -> Cow<'t, str> {
        let mut range = Cow::Borrowed(range);
        if self.project.is_old && ranges::needs_protocol(&range) && self.workspace(package, &range).is_none() {
            range = Cow::Owned([self.project.protocol(), &range].concat());
        }
        if ranges::is_path(&range) {
            range = Cow::Owned(["file:", &range].concat());
        }
        if (ranges::is_local(&range) || patch::has_relative_file(&range, self.project.is_old)) && !range.contains("::")
        {
            return Cow::Owned(ranges::bound(&range, parent));
        }
        range
    }

    /// Returns the workspace that Yarn links for a range.
    fn workspace(&self, package: &str, range: &str) -> Option<&'a RepoPath> {
        let target = range.strip_prefix("workspace:").filter(|target| !["^", "~", "*"].contains(target));
        if let Some(target) = target.filter(|target| !self.project.is_old && !ranges::is_range(target)) {
            let path = RepoPath::root().resolve(target).ok()?;
            return self.project.workspaces.get_key_value(&path).map(|(path, _)| path);
        }
        let path = *self.by_name.get(package)?;
        self.accepts(path, range).then_some(path)
    }

    /// Whether a workspace is what a range of its name asks for.
    fn accepts(&self, path: &RepoPath, range: &str) -> bool {
        let (protocol, range) = range.split_at(range.find(':').map_or(0, |colon| colon + 1));
        let by_protocol = protocol == "workspace:";
        if by_protocol && (["^", "~", "*"].contains(&range) || RepoPath::root().resolve(range).as_ref() == Ok(path)) {
            return true;
        }
        if !ranges::is_range(range) {
            return false;
        }
        let version = self.project.workspaces[path].json.get("version").and_then(serde_json::Value::as_str);
        match version {
            None if by_protocol => ranges::satisfies("0.0.0", range),
            Some(version) if by_protocol || self.project.settings.transparent_workspaces.unwrap_or(true) => {
                ranges::satisfies(version, range)
            }
            _ => false,
        }
    }

    /// Returns the entry of a descriptor, if Yarn would find the same.
    pub(super) fn resolve(&mut self, package: &str, range: &str) -> Result<Option<usize>, SplitError> {
        let descriptor = [package, "@", range].concat();
        if let Some(known) = self.found.get(&descriptor) {
            return Ok(*known);
        }
        // The source of a patch may be the patch itself.
        self.found.insert(descriptor.clone(), None);
        let entry = match self.by_descriptor.get(descriptor.as_str()) {
            Some(index) => self.checked(package, range, *index)?,
            None => self.bound_by_a_plugin(&descriptor, range),
        };
        self.found.insert(descriptor, entry);
        if let Some(index) = entry
            && !std::mem::replace(&mut self.followed[index], true)
        {
            self.queue.push(index);
        }
        Ok(entry)
    }

    /// Returns the entry of a range whose protocol a plugin brings, such as `backstage:^`. The plugin decides what is in the lockfile, and
    /// often adds what it decided after `::`. So the first entry with the same range is taken.
    fn bound_by_a_plugin(&self, descriptor: &str, range: &str) -> Option<usize> {
        if !self.project.has_plugins || ranges::has_protocol_of_yarn(range) {
            return None;
        }
        let start = [descriptor, "::"].concat();
        self.by_descriptor.iter().filter(|(known, _)| known.starts_with(&start)).map(|(_, index)| *index).min()
    }

    /// Returns the locked entry of a descriptor, unless Yarn would find another one.
    fn checked(&mut self, package: &str, range: &str, index: usize) -> Result<Option<usize>, SplitError> {
        match &self.project.lockfile.packages[index].resolution {
            Resolution::Workspace(path) => Ok((self.workspace(package, range) == Some(path)).then_some(index)),
            Resolution::Patched { .. } => patch::checked(self, range, index),
            _ => Ok(Some(index)),
        }
    }

    /// Returns the entry that a patch applies to.
    pub(super) fn source_of_patch(&mut self, descriptor: &str) -> Result<Option<usize>, SplitError> {
        let (package, range) = split_name(descriptor).unwrap_or((descriptor, "unknown"));
        let range = self.project.normalised(range);
        let range = self.bound(package, &range, &self.root).into_owned();
        self.resolve(package, &range)
    }

    /// Adds drift that is no missing descriptor.
    pub(super) fn add(&mut self, drift: Drift) {
        self.drifts.push(drift);
    }

    /// Returns the drift of a missing descriptor.
    fn told(&self, miss: &Miss) -> Drift {
        let Miss { dependent, package, range, cause } = miss;
        let manifest = manifest_path(&RepoPath::root());
        let rc = RepoPath::root().child(YARNRC_YML);
        let locked = self.candidates(package, range);
        match cause {
            Cause::Resolution(key, found) => {
                Drift::setting(&manifest, &format!("resolutions.{key}"), Some(found), locked.as_deref())
            }
            Cause::Catalog(setting, found) => Drift::setting(&rc, setting, found.as_deref(), locked.as_deref()),
            Cause::Extension(setting, found) => Drift::setting(&rc, setting, Some(found), locked.as_deref()),
            Cause::Dependency => {
                Drift::Unlocked { dependent: dependent.clone(), package: package.clone(), range: range.clone(), locked }
            }
        }
    }

    /// Returns what the lockfile has instead: another package for the same range, or the ranges that nothing asks for.
    fn candidates(&self, package: &str, range: &str) -> Option<String> {
        if let Some(index) = self.by_descriptor.get([package, "@", range].concat().as_str()) {
            return split_name(&self.project.lockfile.packages[*index].key).map(|(_, reference)| reference.to_owned());
        }
        let descriptors = self.project.locked.entries.iter().flat_map(|entry| &entry.descriptors);
        let ranges = descriptors.filter_map(|descriptor| {
            let (name, range) = split_name(descriptor)?;
            (name == package && !matches!(self.found.get(descriptor), Some(Some(_)))).then_some(range)
        });
        let ranges: Vec<&str> = ranges.take(3).collect();
        (!ranges.is_empty()).then(|| ranges.join(", "))
    }
}

impl Followed<'_> {
    /// Returns the descriptors in the lockfile that nothing asks for.
    pub(super) fn unused(&self) -> impl Iterator<Item = Drift> {
        let descriptors = self.project.locked.entries.iter().flat_map(|entry| &entry.descriptors);
        // `jsr:` descriptors have a second one, of the package at its registry.
        let unused =
            descriptors.filter(|text| !text.starts_with("@jsr/") && !matches!(self.found.get(*text), Some(Some(_))));
        unused.map(|descriptor| Drift::Unused { descriptor: descriptor.clone() })
    }
}

impl Project<'_> {
    /// Returns what Yarn puts before versions and tags.
    fn protocol(&self) -> &str {
        self.settings.default_protocol.as_deref().unwrap_or("npm:")
    }

    /// Returns a range as Yarn 4 writes it. Earlier versions keep it as it is.
    pub(super) fn normalised(&self, range: &str) -> String {
        if self.is_old || !ranges::needs_protocol(range) { range.to_owned() } else { [self.protocol(), range].concat() }
    }
}

fn range_of_workspace(path: &RepoPath) -> String {
    ["workspace:", if path.is_root() { "." } else { path.as_str() }].concat()
}

fn locator_of_workspace(name: &str, path: &RepoPath) -> String {
    [name, "@", &range_of_workspace(path)].concat()
}
