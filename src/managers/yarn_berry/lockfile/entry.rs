//! The entries of a lockfile of Yarn 2 and later.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cache::sha512,
    resolution::{self, ResolutionError},
};
use crate::{
    lockfile::{
        Conditions, DependencyGroup, LockedEntry, LockedPackage, LockedWorkspace, Platforms, Resolution,
        json::shorten,
        names::{is_name_for, split_name},
    },
    managers::yarn::lockfile::{YarnLockError, tree::Node},
    repo::RepoPath,
};

/// Reads all entries, in the file's order.
pub(super) fn packages<'n>(entries: impl Iterator<Item = &'n Node<'n>>) -> Result<Vec<LockedPackage>, YarnLockError> {
    let mut packages = entries.map(package).collect::<Result<Vec<_>, _>>()?;
    unbind_sources_of_patches(&mut packages);
    Ok(packages)
}

/// Removes the platforms of packages that have patches. Yarn fetches them on every platform, even if it installs them
/// on some only.
fn unbind_sources_of_patches(packages: &mut [LockedPackage]) {
    let sources: BTreeSet<String> = packages
        .iter()
        .filter_map(|package| match &package.resolution {
            Resolution::Patched { source, .. } => Some(source.clone()),
            _ => None,
        })
        .collect();
    for package in packages.iter_mut().filter(|package| sources.contains(&package.key)) {
        package.platforms = Platforms::Any;
    }
}

fn package(node: &Node<'_>) -> Result<LockedPackage, YarnLockError> {
    let (ident, reference, locator) = locator(node)?;
    let resolution = resolution::parse(reference).map_err(|error| refused(node, locator, error))?;
    let name = resolution::registry_name(ident, reference);
    if !is_name_for(&resolution, &name) {
        let name = shorten(ident).into_owned();
        return Err(YarnLockError::Name { position: node.position, key: key(node), name });
    }
    Ok(LockedPackage {
        key: locator.to_owned(),
        position: node.position,
        name,
        resolution,
        platforms: platforms(node)?,
        bundled: false,
        integrity: None,
        zip_checksum: node.get("checksum").map(Node::text).transpose()?.map(str::to_owned),
        dependencies: node.dependencies(["dependencies", "peerDependencies"]),
        descriptors: node.keys().map(str::to_owned).collect(),
    })
}

/// Returns the ident, the reference, and the whole locator.
fn locator<'n>(node: &'n Node<'_>) -> Result<(&'n str, &'n str, &'n str), YarnLockError> {
    node.map()?;
    let missing = || YarnLockError::Missing { position: node.position, key: key(node), field: "resolution" };
    let locator = node.get("resolution").ok_or_else(missing)?.text()?;
    let (ident, reference) = split_name(locator).ok_or_else(|| refused(node, locator, ResolutionError::Unknown))?;
    Ok((ident, reference, locator))
}

fn key(node: &Node<'_>) -> String {
    shorten(&node.key).into_owned()
}

fn refused(node: &Node<'_>, locator: &str, error: ResolutionError) -> YarnLockError {
    let position = node.get("resolution").map_or(node.position, |field| field.position);
    let key = key(node);
    match error {
        ResolutionError::Unknown => {
            YarnLockError::Resolution { position, key, resolution: shorten(locator).into_owned() }
        }
        ResolutionError::Virtual => YarnLockError::Virtual { position, key },
        ResolutionError::Path(path, reason) => {
            YarnLockError::Path { position, key, path: shorten(&path).into_owned(), reason }
        }
    }
}

fn platforms(node: &Node<'_>) -> Result<Platforms, YarnLockError> {
    let Some(field) = node.get("conditions") else { return Ok(Platforms::Any) };
    let text = field.text()?;
    Conditions::parse(text).map(Platforms::Conditions).ok_or_else(|| YarnLockError::Conditions {
        position: field.position,
        key: key(node),
        conditions: shorten(text).into_owned(),
    })
}

/// Reads the workspaces among the entries, by folder. `packages` holds the entries as packages.
pub(super) fn workspaces<'n>(
    entries: impl Iterator<Item = &'n Node<'n>>,
    packages: &[LockedPackage],
) -> Result<BTreeMap<RepoPath, LockedWorkspace>, YarnLockError> {
    let mut workspaces = BTreeMap::new();
    for (node, package) in entries.zip(packages) {
        if let Resolution::Workspace(path) = &package.resolution {
            workspaces.insert(path.clone(), workspace(node, &package.name, path)?);
        }
    }
    Ok(workspaces)
}

fn workspace(node: &Node<'_>, ident: &str, path: &RepoPath) -> Result<LockedWorkspace, YarnLockError> {
    let name = if is_made_up(ident, path) { String::new() } else { ident.to_owned() };
    let mut workspace = LockedWorkspace { name, ..LockedWorkspace::default() };
    for group in [DependencyGroup::Runtime, DependencyGroup::Peer] {
        let specifiers = specifiers(node.get_map(group.field())?)?;
        if !specifiers.is_empty() {
            workspace.dependencies.insert(group, specifiers);
        }
    }
    Ok(workspace)
}

fn specifiers(nodes: &[Node<'_>]) -> Result<BTreeMap<String, String>, YarnLockError> {
    nodes.iter().map(|node| Ok((node.key.clone().into_owned(), node.text()?.to_owned()))).collect()
}

/// Reads the fields of all entries that Yarn writes anew in each install.
pub(super) fn entries<'n>(entries: impl Iterator<Item = &'n Node<'n>>) -> Result<Vec<LockedEntry>, YarnLockError> {
    entries.map(entry).collect()
}

fn entry(node: &Node<'_>) -> Result<LockedEntry, YarnLockError> {
    Ok(LockedEntry {
        descriptors: node.keys().flat_map(|keys| keys.split(',')).map(|key| key.trim_matches(' ').to_owned()).collect(),
        version: node.get("version").map_or(Ok(""), Node::text)?.to_owned(),
        dependencies: specifiers(node.get_map("dependencies")?)?,
        peers: specifiers(node.get_map("peerDependencies")?)?,
        meta: settings(node.get_map("dependenciesMeta")?)?,
        peers_meta: settings(node.get_map("peerDependenciesMeta")?)?,
        bin: specifiers(node.get_map("bin")?)?,
    })
}

fn settings(nodes: &[Node<'_>]) -> Result<BTreeMap<String, BTreeMap<String, String>>, YarnLockError> {
    nodes.iter().map(|node| Ok((node.key.clone().into_owned(), specifiers(node.map()?)?))).collect()
}

/// Whether Yarn generated the name of a nameless workspace.
fn is_made_up(ident: &str, path: &RepoPath) -> bool {
    // The hash is slow in comparison.
    ident.strip_prefix(made_up_start(path)).is_some_and(|rest| rest.starts_with('-')) && ident == made_up_name(path)
}

fn made_up_start(path: &RepoPath) -> &str {
    if path.is_root() { "root-workspace" } else { path.file_name() }
}

/// Returns the name that Yarn generates for a nameless workspace, from its folder and the hash of its path.
pub fn made_up_name(path: &RepoPath) -> String {
    let hash = sha512(&[if path.is_root() { "." } else { path.as_str() }]);
    [made_up_start(path), "-", &hash[..6]].concat()
}
