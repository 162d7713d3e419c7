//! `yarn.lock` of Yarn 1: descriptors (`name@range`), each with its resolved version and file.
//!
//! Yarn's `src/lockfile/parse.js` and `stringify.js` define the format. It lists no workspaces and no platforms: those
//! are in the tarballs.

mod entry;
mod grammar;
mod resolution;

use std::collections::BTreeMap;

use crate::{
    diagnostic::Position,
    lockfile::{Format, LockedDescriptors, Lockfile, Requests, json::shorten},
    managers::yarn::lockfile::{
        YarnLockError, digest,
        tree::{self, Node},
    },
    parallel::both,
};

/// Whether the text has the header `# yarn lockfile v1`. Another version is an error.
pub(in crate::managers) fn header(text: &str) -> Result<bool, YarnLockError> {
    let comments = text.lines().enumerate().take_while(|(_, line)| line.is_empty() || line.starts_with('#'));
    for (index, line) in comments {
        let Some(version) = line[line.len().min(1)..].trim().strip_prefix("yarn lockfile v") else { continue };
        if version != "1" {
            let position = Position { line: index + 1, column: 1 };
            return Err(YarnLockError::Version { position, found: shorten(version).into_owned() });
        }
        return Ok(true);
    }
    Ok(false)
}

/// Reads the file.
pub(in crate::managers) fn parse(text: &str) -> Result<Lockfile, YarnLockError> {
    let nodes = tree::read::<grammar::Classic>(text)?;
    let digest = || digest::semantic("yarn-classic", &nodes, |_, _| true);
    let ((digest, descriptors), packages) = both(|| (digest(), descriptors(&nodes)), || entry::packages(&nodes));
    Ok(Lockfile {
        format: Format::YarnClassic,
        requests: Requests::ByDescriptor(LockedDescriptors {
            descriptors: descriptors?,
            packages: nodes.iter().map(entry::dependencies).collect::<Result<_, _>>()?,
        }),
        packages: packages?,
        patches: BTreeMap::new(),
        digest,
        warnings: Vec::new(),
    })
}

/// Returns every descriptor with the index of its entry.
fn descriptors(nodes: &[Node<'_>]) -> Result<BTreeMap<String, usize>, YarnLockError> {
    let mut descriptors = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for key in node.keys() {
            if let Some(earlier) = descriptors.insert(key.to_owned(), index) {
                let first = nodes[earlier].position;
                let key = shorten(key).into_owned();
                return Err(YarnLockError::Duplicate { position: node.position, first, key });
            }
        }
    }
    Ok(descriptors)
}

#[cfg(test)]
mod generated;
#[cfg(test)]
mod tests;
