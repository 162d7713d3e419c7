//! The entries of a lockfile of Yarn 1.

use std::collections::HashSet;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::resolution::{self, ResolutionError, aliased, split_descriptor};
use crate::{
    lockfile::{Algorithm, Digest, Integrity, LockedPackage, Platforms, Resolution, json::shorten, names::is_name_for},
    managers::yarn::lockfile::{YarnLockError, tree::Node},
};

/// Reads all entries, in the file's order.
pub(super) fn packages(nodes: &[Node<'_>]) -> Result<Vec<LockedPackage>, YarnLockError> {
    let required = required(nodes)?;
    nodes.iter().map(|node| package(node, &required)).collect()
}

type Descriptors<'n> = HashSet<(&'n str, &'n str)>;

/// Returns the descriptors that some entry requires. Yarn 1 installs such a package on every platform, or fails if the
/// package does not allow it.
fn required<'n>(nodes: &'n [Node<'_>]) -> Result<Descriptors<'n>, YarnLockError> {
    let mut required = Descriptors::with_capacity(2 * nodes.len());
    for node in nodes {
        for dependency in node.get_map("dependencies")? {
            required.insert((dependency.key.as_ref(), dependency.text()?));
        }
    }
    Ok(required)
}

fn package(node: &Node<'_>, required: &Descriptors<'_>) -> Result<LockedPackage, YarnLockError> {
    node.map()?;
    let descriptors: Vec<_> = node.keys().map(split_descriptor).collect();
    let version = text(node, "version")?;
    let resolved = text(node, "resolved")?;
    let resolution =
        resolution::parse(&descriptors, version, resolved).map_err(|error| refused(node, resolved, error))?;
    let is_required = || descriptors.iter().any(|descriptor| required.contains(descriptor));
    Ok(LockedPackage {
        key: node.keys().collect::<Vec<_>>().join(", "),
        position: node.position,
        name: name(node, &descriptors, &resolution)?.to_owned(),
        platforms: if has_tarball(&resolution) && !is_required() { Platforms::InTarball } else { Platforms::Any },
        bundled: false,
        integrity: integrity(node, resolved, &resolution)?,
        zip_checksum: None,
        dependencies: node.dependencies(["dependencies", "optionalDependencies"]),
        descriptors: Vec::new(),
        resolution,
    })
}

/// Returns the version of an entry, and what it depends on.
pub(super) fn dependencies(node: &Node<'_>) -> Result<(String, Vec<(String, String)>), YarnLockError> {
    let version = text(node, "version")?.unwrap_or_default().to_owned();
    let groups = [node.get_map("dependencies")?, node.get_map("optionalDependencies")?];
    let dependency = |node: &Node<'_>| Ok((node.key.clone().into_owned(), node.text()?.to_owned()));
    Ok((version, groups.into_iter().flatten().map(dependency).collect::<Result<_, _>>()?))
}

fn text<'n>(node: &'n Node<'_>, field: &str) -> Result<Option<&'n str>, YarnLockError> {
    node.get(field).map(Node::text).transpose()
}

fn key(node: &Node<'_>) -> String {
    shorten(&node.key).into_owned()
}

/// Returns the package's own name: the target of an alias, the name in the entry, or the name in the descriptor.
fn name<'n>(
    node: &'n Node<'_>,
    descriptors: &[(&'n str, &'n str)],
    resolution: &Resolution,
) -> Result<&'n str, YarnLockError> {
    let alias = descriptors.iter().find_map(|(_, range)| aliased(range));
    let written = || text(node, "name").map(|name| name.or_else(|| descriptors.first().map(|(name, _)| *name)));
    let name = alias.map_or_else(written, |alias| Ok(Some(alias)))?.unwrap_or_default();
    if !is_name_for(resolution, name) {
        let name = shorten(name).into_owned();
        return Err(YarnLockError::Name { position: node.position, key: key(node), name });
    }
    Ok(name)
}

/// Whether the package is a downloaded file.
fn has_tarball(resolution: &Resolution) -> bool {
    matches!(resolution, Resolution::Registry { .. } | Resolution::RemoteTarball(_))
}

/// Returns the expected hash: the `integrity` field, or the SHA-1 at the end of the URL.
fn integrity(
    node: &Node<'_>,
    resolved: Option<&str>,
    resolution: &Resolution,
) -> Result<Option<Integrity>, YarnLockError> {
    if !has_tarball(resolution) && !matches!(resolution, Resolution::LocalTarball(_)) {
        return Ok(None);
    }
    let Some(field) = node.get("integrity") else {
        return Ok(resolved.and_then(fragment));
    };
    let refused = |reason| YarnLockError::Integrity { position: field.position, key: key(node), reason };
    field.text()?.parse().map(Some).map_err(refused)
}

fn fragment(resolved: &str) -> Option<Integrity> {
    let (_, hexadecimal) = resolved.split_once('#')?;
    let bytes = HEXLOWER_PERMISSIVE.decode(hexadecimal.as_bytes()).ok()?;
    Digest::new(Algorithm::Sha1, &bytes).map(Integrity::from)
}

fn refused(node: &Node<'_>, resolved: Option<&str>, error: ResolutionError) -> YarnLockError {
    let position = node.get("resolved").map_or(node.position, |field| field.position);
    let written = resolved.unwrap_or_else(|| split_descriptor(&node.key).1);
    match error {
        ResolutionError::Path(reason) => {
            YarnLockError::Path { position, key: key(node), path: shorten(written).into_owned(), reason }
        }
        ResolutionError::Unknown => {
            YarnLockError::Resolution { position, key: key(node), resolution: shorten(written).into_owned() }
        }
        ResolutionError::Unresolved => YarnLockError::Missing { position, key: key(node), field: "resolved" },
        ResolutionError::Unversioned => {
            YarnLockError::Missing { position: node.position, key: key(node), field: "version" }
        }
    }
}
