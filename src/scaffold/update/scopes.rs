//! Who needs a tarball, where the lockfile does not say: its own manifest does.
//!
//! Yarn 1 writes neither `os` nor `cpu` down. Only packages that are asked for optionally are looked into: with any other,
//! a manifest that refuses the system ends the install. What was found is recorded, so that it is looked for once.

use std::collections::BTreeMap;

use super::{Tarballs, UpdateError, bring, wanted};
use crate::{
    fetch::{self, Cache, DownloadOrigin, Fetched, Wanted},
    lockfile::{Integrity, PlatformLists},
    parallel,
    scaffold::record::{DependencyRecord, Kept},
    split::{Split, lock::dependencies::Scope},
};

/// What was found, and the tarballs that were looked into, both by path.
pub(super) struct Scopes {
    pub(super) scopes: BTreeMap<String, Scope>,
    pub(super) files: BTreeMap<String, Fetched>,
}

/// Finds the scopes that the lockfile does not give: as recorded, or in the manifests of the tarballs.
pub(super) fn find(
    split: &Split,
    old: Option<&Kept>,
    integrities: &BTreeMap<String, Integrity>,
    tarballs: &dyn Tarballs,
) -> Result<Scopes, UpdateError> {
    let recorded = recorded(split, old);
    let mut found = Scopes { scopes: BTreeMap::new(), files: BTreeMap::new() };
    let mut open: BTreeMap<String, Wanted> = BTreeMap::new();
    for dependency in split.dependencies.iter().filter(|dependency| dependency.scope.is_none()) {
        let integrity = integrities.get(&dependency.path);
        let known = recorded.get(dependency.path.as_str()).filter(|entry| Some(&entry.integrity) == integrity);
        if let Some(entry) = known {
            found.scopes.insert(dependency.path.clone(), entry.scope());
        } else {
            open.insert(dependency.path.clone(), wanted(split, dependency, integrity.cloned()));
        }
    }
    look_into(split, open, tarballs, &mut found)?;
    Ok(found)
}

/// What is recorded, by path; nothing where it was recorded for other systems.
fn recorded<'r>(split: &Split, old: Option<&'r Kept>) -> BTreeMap<&'r str, &'r DependencyRecord> {
    let old = old.filter(|old| old.systems == split.systems);
    old.into_iter().flat_map(|old| &old.dependencies).map(|entry| (entry.path.as_str(), entry)).collect()
}

/// Reads the manifests of these tarballs. One of the cache that turns out to be damaged is brought anew; what was
/// downloaded now was checked while it came, so the loop ends.
fn look_into(
    split: &Split,
    mut open: BTreeMap<String, Wanted>,
    tarballs: &dyn Tarballs,
    found: &mut Scopes,
) -> Result<(), UpdateError> {
    while !open.is_empty() {
        let files: Vec<(String, Fetched)> = bring(&open, tarballs)?.into_iter().collect();
        let platforms = parallel::map(&files, |(_, file)| platforms(file));
        let mut damaged = BTreeMap::new();
        for ((path, file), platforms) in files.into_iter().zip(platforms) {
            let Some(wanted) = open.remove(&path) else { continue };
            match platforms {
                Some(Ok(platforms)) => {
                    found.scopes.insert(path.clone(), Scope::of(&platforms, &split.systems));
                    found.files.insert(path, file);
                }
                Some(Err(source)) => return Err(UpdateError::Manifest { label: wanted.label, source }),
                None => {
                    tracing::debug!(path, "a tarball of the cache is brought anew");
                    tarballs.forget(&file.integrity)?;
                    damaged.insert(path, wanted);
                }
            }
        }
        open = damaged;
    }
    Ok(())
}

/// `os`, `cpu` and `libc` of a tarball's manifest; none where the file is not what it should be. Yarn 1 knows no `libc`, and
/// installs what is for musl beside what is for glibc; a build leaves it out as those of other package managers do.
fn platforms(file: &Fetched) -> Option<Result<PlatformLists, fetch::ManifestError>> {
    if file.origin == DownloadOrigin::Cached && Cache::verify(&file.path, &file.integrity).is_err() {
        return None;
    }
    let manifest = fetch::manifest_in_tarball(&file.path);
    let list = |manifest: &serde_json::Value, field: &str| match manifest.get(field) {
        Some(serde_json::Value::String(text)) => vec![text.clone()],
        Some(serde_json::Value::Array(list)) => {
            list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    Some(manifest.map(|manifest| PlatformLists {
        os: list(&manifest, "os"),
        cpu: list(&manifest, "cpu"),
        libc: list(&manifest, "libc"),
    }))
}
