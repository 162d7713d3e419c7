//! `yarn.lock` of Yarn 2 and later: locators (`name@protocol:…`), with workspaces, conditions and checksums of zips.
//!
//! `generateLockfile` of Yarn's `Project` defines the format. The `resolution` alone gives the kind of an entry.
//! Versions 4 to 10 of the format imply different defaults and write ranges differently; resolutions are the same.

mod cache;
mod entry;
mod grammar;
pub(crate) mod reference;
mod resolution;

use std::collections::BTreeMap;

pub use cache::cache_file;
pub use entry::made_up_name;

use crate::{
    lockfile::{Format, LockedEntries, LockedPackage, Lockfile, Requests, Resolution, json::shorten},
    managers::yarn::lockfile::{
        FILE, YarnLockError, digest,
        tree::{self, Node},
    },
    parallel::both,
    repo::RepoPath,
};

/// The versions of the format that this reader was tested with.
const KNOWN_VERSIONS: std::ops::RangeInclusive<u64> = 4..=10;

/// The key of the entry about the file itself.
const METADATA: &str = "__metadata";

/// Reads the file.
pub(in crate::managers) fn parse(text: &str) -> Result<Lockfile, YarnLockError> {
    let nodes = tree::read::<grammar::Berry>(text)?;
    let version = version(&nodes)?;
    let digest = || digest::semantic("yarn-berry", &nodes, |entry, field| !is_version_of_workspace(entry, field));
    let entries = || nodes.iter().filter(|node| node.key != METADATA);
    let (digest, packages) = both(digest, || entry::packages(entries()));
    let packages = packages?;
    let requests = LockedEntries {
        workspaces: entry::workspaces(entries(), &packages)?,
        cache_key: cache_key(&nodes)?,
        entries: entry::entries(entries())?,
    };
    Ok(Lockfile {
        format: Format::YarnBerry(version),
        requests: Requests::ByEntry(requests),
        patches: patches(&packages),
        packages,
        digest,
        warnings: unknown_version(version).into_iter().collect(),
    })
}

fn version(nodes: &[Node<'_>]) -> Result<u64, YarnLockError> {
    let field = nodes.iter().find(|node| node.key == METADATA).and_then(|metadata| metadata.get("version"));
    let start = crate::diagnostic::Position { line: 1, column: 1 };
    let unexpected = |found: &str| YarnLockError::Unexpected {
        position: field.map_or(start, |field| field.position),
        expected: "a whole number as `version` of `__metadata`",
        found: found.to_owned(),
    };
    let text = field.ok_or_else(|| unexpected("none"))?.text()?;
    text.parse().map_err(|_| unexpected(&format!("`{}`", shorten(text))))
}

fn cache_key(nodes: &[Node<'_>]) -> Result<Option<String>, YarnLockError> {
    let field = nodes.iter().find(|node| node.key == METADATA).and_then(|metadata| metadata.get("cacheKey"));
    Ok(field.map(Node::text).transpose()?.map(str::to_owned))
}

fn unknown_version(version: u64) -> Option<String> {
    (!KNOWN_VERSIONS.contains(&version)).then(|| {
        let (oldest, newest) = (KNOWN_VERSIONS.start(), KNOWN_VERSIONS.end());
        format!(
            "`{FILE}` has version {version}; this splitter was tested with versions {oldest} to {newest} (Yarn 2 to 4) and \
             reads it as one of them"
        )
    })
}

/// Whether a field is the version of a workspace. The lockfile has the same placeholder for all of them, and their real
/// versions change nothing.
fn is_version_of_workspace(entry: &Node<'_>, field: &Node<'_>) -> bool {
    field.key == "version"
        && entry.get("resolution").and_then(|node| node.text().ok()).is_some_and(|text| text.contains("@workspace:"))
}

/// Returns the patch files by locator. The keys of a locator's second and later files end with their number.
fn patches(packages: &[LockedPackage]) -> BTreeMap<String, RepoPath> {
    let mut patches = BTreeMap::new();
    for package in packages {
        let Resolution::Patched { files, .. } = &package.resolution else { continue };
        for (index, file) in files.iter().enumerate() {
            let number = if index == 0 { String::new() } else { format!(" ({})", index + 1) };
            patches.insert([package.key.as_str(), &number].concat(), file.clone());
        }
    }
    patches
}

#[cfg(test)]
mod tests;
