//! Finds drift: places where the manifests and the lockfile disagree.
//!
//! Each package manager records something else in its lockfile, so each one has its own rules.

mod bun;
mod difference;
mod ranges;
mod resolutions;
mod yarn_berry;
mod yarn_classic;

use std::collections::{BTreeMap, BTreeSet};

pub use self::difference::Drift;

use crate::{
    lockfile::{Lockfile, Requests},
    repo::Tree,
    split::{SplitError, Workspaces},
};

/// Finds all drift, sorted. `linked` holds the manifests of folders that workspaces link to, `version` is that of the pinned
/// package manager.
pub fn find(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    linked: &Workspaces,
    lockfile: &Lockfile,
    version: &str,
) -> Result<Vec<Drift>, SplitError> {
    let mut drifts = match &lockfile.requests {
        Requests::ByDescriptor(locked) => yarn_classic::find(tree, workspaces, locked)?,
        Requests::Bun(requests) => bun::find(workspaces, lockfile, requests, version),
        Requests::ByEntry(locked) => yarn_berry::find(tree, workspaces, linked, lockfile, locked)?,
    };
    drifts.sort();
    drifts.dedup();
    Ok(drifts)
}

type Specifiers<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn specifiers<'a>(groups: impl Iterator<Item = &'a BTreeMap<String, String>>) -> Specifiers<'a> {
    let mut all = Specifiers::new();
    for (package, specifier) in groups.flatten() {
        all.entry(package).or_default().insert(specifier);
    }
    all
}
