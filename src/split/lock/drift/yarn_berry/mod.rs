//! Drift of a `yarn.lock` of Yarn 2 and later.
//!
//! `yarn install --immutable` computes the whole lockfile anew and refuses every difference. It reads the manifests of
//! workspaces, and the dependencies of packages from the lockfile itself. This module computes the same from the same
//! files: the [entries of the workspaces](expected), and [all descriptors](resolver) that something asks for. Source:
//! `resolveEverything` and `generateLockfile` of Yarn's `Project`.
//!
//! Yarn's checks that need the contents of packages are left out: checksums of zips, and the hashes of `file:` folders,
//! of `exec:` programs and of Yarn's built-in patches.

mod built_in;
mod expected;
mod overrides;
mod patch;
mod resolver;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    expected::{Expected, Settings},
    overrides::Override,
    resolver::Resolver,
};
use super::{Drift, ranges};
use crate::{
    lockfile::{LockedEntries, LockedEntry, Lockfile, Resolution},
    managers::yarn_berry::{
        lockfile::made_up_name,
        rc::{BerryRc, ResolutionSettings},
    },
    names::YARNRC_YML,
    repo::{RepoPath, Tree},
    split::{Manifest, SplitError, Workspaces, manifest_path},
};

/// The part of a `cacheKey` before the compression level, in all releases of Yarn 4.
const CACHE_VERSION: &str = "10";

/// The first version of the lockfile that Yarn 4 writes.
const YARN_4: u64 = 7;

/// The plugins of Yarn's own repository, by the ends of their file names. `yarn plugin import` puts plugins of others into the
/// same folder.
const PLUGINS_OF_YARN: [&str; 7] =
    ["constraints", "exec", "interactive-tools", "stage", "typescript", "version", "workspace-tools"];

/// Whether a plugin is not one of Yarn's.
fn is_foreign(plugin: &RepoPath) -> bool {
    let name = plugin.file_name().strip_prefix("plugin-").and_then(|name| name.split('.').next());
    !plugin.as_str().contains("/@yarnpkg/") || !name.is_some_and(|name| PLUGINS_OF_YARN.contains(&name))
}

/// Everything that decides what Yarn writes.
struct Project<'a> {
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    /// The manifests behind `link:` and `portal:`.
    linked: &'a Workspaces,
    lockfile: &'a Lockfile,
    locked: &'a LockedEntries,
    settings: ResolutionSettings,
    overrides: Vec<Override>,
    /// Whether Yarn is older than version 4: it writes ranges without a protocol.
    is_old: bool,
    /// Whether plugins that Yarn does not ship may decide too.
    has_plugins: bool,
}

/// Finds drift in a lockfile that records entries.
pub(super) fn find(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    linked: &Workspaces,
    lockfile: &Lockfile,
    locked: &LockedEntries,
) -> Result<Vec<Drift>, SplitError> {
    if locked.workspaces.is_empty() {
        return Ok(Vec::new());
    }
    let rc = BerryRc::read(tree)?;
    let project = Project {
        tree,
        workspaces,
        linked,
        lockfile,
        locked,
        overrides: overrides::read(tree, &workspaces[&RepoPath::root()])?,
        is_old: lockfile.format.version() < YARN_4,
        has_plugins: rc.plugins.iter().any(is_foreign),
        settings: rc.resolution,
    };
    let mut drifts = project.workspaces();
    drifts.extend(project.cache_key());
    let named: BTreeSet<_> = drifts.iter().filter_map(Drift::dependency).collect();
    let named = named.into_iter().map(|(manifest, package)| (manifest.clone(), package.to_owned())).collect();
    let followed = Resolver::of(&project, named).follow()?;
    // What is no longer used, and workspaces under new descriptors, follow from other differences.
    if drifts.is_empty() && followed.drifts.is_empty() && !project.has_plugins {
        drifts.extend(followed.unused());
    }
    drifts.extend(followed.drifts);
    Ok(drifts)
}

impl Project<'_> {
    /// Compares the workspaces with their entries.
    fn workspaces(&self) -> Vec<Drift> {
        let mut drifts = Vec::new();
        let entries: BTreeMap<&RepoPath, &LockedEntry> = self.entries_of_workspaces().collect();
        for (path, manifest) in self.workspaces {
            match entries.get(path) {
                Some(entry) => self.compare(path, manifest, entry, &mut drifts),
                None => drifts.push(Drift::WorkspaceAdded { workspace: path.clone() }),
            }
        }
        let removed = self.locked.workspaces.keys().filter(|path| !self.workspaces.contains_key(*path));
        drifts.extend(removed.map(|path| Drift::WorkspaceRemoved { workspace: path.clone() }));
        drifts
    }

    fn entries_of_workspaces(&self) -> impl Iterator<Item = (&RepoPath, &LockedEntry)> {
        self.lockfile.packages.iter().zip(&self.locked.entries).filter_map(|(package, entry)| {
            match &package.resolution {
                Resolution::Workspace(path) => Some((path, entry)),
                _ => None,
            }
        })
    }

    fn compare(&self, path: &RepoPath, manifest: &Manifest, entry: &LockedEntry, drifts: &mut Vec<Drift>) {
        let file = manifest_path(path);
        let expected = Expected::of_workspace(self, manifest);
        let name = name(path, manifest);
        let locked_name = self.locked.workspaces.get(path).map(|workspace| workspace.name.as_str()).unwrap_or_default();
        if locked_name != name && !(locked_name.is_empty() && name == made_up_name(path)) {
            drifts.push(Drift::setting(&file, "name", Some(&name), Some(locked_name).filter(|name| !name.is_empty())));
        }
        let locked = Settings { meta: &entry.meta, peers_meta: &entry.peers_meta, bin: &entry.bin };
        expected.compare_settings(&file, &locked, drifts);
        expected.compare_dependencies(&file, entry, drifts);
    }

    /// Compares `cacheKey` with the compression level. Yarn 3 takes the level from the checksums.
    fn cache_key(&self) -> Option<Drift> {
        let level = self.settings.compression_level.as_deref().unwrap_or("0");
        let level = if level == "mixed" { String::new() } else { ["c", level].concat() };
        let expected = [CACHE_VERSION, &level].concat();
        let locked = self.locked.cache_key.as_deref().filter(|locked| *locked != expected && !self.is_old)?;
        let setting = "compressionLevel (cacheKey)";
        Some(Drift::setting(&RepoPath::root().child(YARNRC_YML), setting, Some(&expected), Some(locked)))
    }
}

/// Returns the name of a workspace, or the one that Yarn makes up.
fn name(path: &RepoPath, manifest: &Manifest) -> String {
    if ranges::is_ident(&manifest.name) { manifest.name.clone() } else { made_up_name(path) }
}

#[cfg(test)]
mod tests;
