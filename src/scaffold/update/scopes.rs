//! The systems that need each tarball, when the lockfile does not say (Yarn 1): read from the tarball's manifest.
//!
//! Yarn 1 does not lock `os` and `cpu`. Only optional packages are examined: any other package whose manifest excludes the
//! system makes the install fail. The results are recorded, so each tarball is examined once.

use std::collections::BTreeMap;

use super::{Tarballs, UpdateError, bring, wanted};
use crate::{
    fetch::{self, Cache, DownloadOrigin, Fetched, Purpose, Wanted},
    lockfile::{Integrity, PlatformLists},
    parallel,
    scaffold::record::{DependencyRecord, Kept},
    split::{Split, lock::dependencies::Scope},
};

/// The scopes, and the tarballs that were examined, both by path.
pub(super) struct Scopes {
    pub(super) scopes: BTreeMap<String, Scope>,
    pub(super) files: BTreeMap<String, Fetched>,
}

/// Finds scopes that are not in the lockfile, in the record or in the manifests of the tarballs.
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

/// Returns the recorded dependencies by path. Returns none if they were recorded for other systems.
fn recorded<'r>(split: &Split, old: Option<&'r Kept>) -> BTreeMap<&'r str, &'r DependencyRecord> {
    let old = old.filter(|old| old.systems == split.systems);
    old.into_iter().flat_map(|old| &old.dependencies).map(|entry| (entry.path.as_str(), entry)).collect()
}

/// Reads the manifests of these tarballs. Damaged tarballs in the cache are downloaded again. The loop ends because
/// downloads of this run were checked on arrival.
fn look_into(
    split: &Split,
    mut open: BTreeMap<String, Wanted>,
    tarballs: &dyn Tarballs,
    found: &mut Scopes,
) -> Result<(), UpdateError> {
    while !open.is_empty() {
        let files: Vec<(String, Fetched)> = bring(&open, Purpose::Systems, tarballs)?.into_iter().collect();
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
                    tracing::debug!(path, "a damaged tarball in the cache is downloaded again");
                    tarballs.forget(&file.integrity)?;
                    damaged.insert(path, wanted);
                }
            }
        }
        open = damaged;
    }
    Ok(())
}

/// Returns `os`, `cpu` and `libc` of a tarball's manifest, or `None` if the cached file is damaged. Yarn 1 ignores `libc`
/// and installs packages for musl beside those for glibc. Builds exclude them, as with other package managers.
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
