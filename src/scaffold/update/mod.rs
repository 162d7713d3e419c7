//! Updates a record: finds the tarballs that must be read, and hashes their fixed outputs.
//!
//! A fixed output with an unchanged fingerprint is not hashed again, so a run without changes reads no tarball. Tarballs
//! from the cache are checked against the lockfile while they are hashed. A cache lives for years, and the hash of a
//! damaged file would be wrong for everyone.

mod error;
mod program;
mod scopes;
mod tarballs;
mod unavailable;
mod verify;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

pub use error::UpdateError;
pub use tarballs::{FromCache, Online, ProgramVersion, Tarballs};

use super::record::{self, FixedOutput, Kept, Known, Record, compose, parts};
use crate::{
    fetch::{DownloadOrigin, Fetched, Purpose, Wanted},
    lockfile::{Algorithm, Digest, Integrity},
    nix::nar::{Folder, NarHash, Tree},
    split::{
        Split, System,
        lock::dependencies::Dependency,
        lock::fingerprint,
        lock::shards::{Part, Parts},
    },
};

/// The result of an update.
#[derive(Debug)]
pub struct Update {
    /// The new record.
    pub record: Record,
    /// The parts that were hashed in this run, with their trees.
    pub hashed: BTreeMap<Part, Tree>,
    /// The tarball of the package manager's program, if [`Extent::System`] was requested.
    pub program: Option<Utf8PathBuf>,
    /// Downloaded tarballs.
    pub downloaded: Total,
    /// Tarballs from the cache.
    pub reused: Total,
}

/// A number of tarballs and their total size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// The number of files.
    pub files: usize,
    /// The total size in bytes.
    pub bytes: u64,
}

/// Which fixed outputs are hashed although their hash is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// None: only changed ones are hashed.
    WhatChanged,
    /// Those that a build for this system reads, because the caller wants their trees.
    System(System),
}

/// Makes the record of `split`. Reuses hashes and first-sight integrities of `old`.
pub fn update(
    split: &Split,
    old: Option<&Kept>,
    tarballs: &dyn Tarballs,
    extent: &Extent,
) -> Result<Update, UpdateError> {
    updated(split, old, tarballs, extent).map_err(|error| unavailable::completed(split, error))
}

fn updated(split: &Split, old: Option<&Kept>, tarballs: &dyn Tarballs, extent: &Extent) -> Result<Update, UpdateError> {
    let programs = program::tarballs(split, old, tarballs)?;
    let integrities = known_integrities(split, old);
    let scopes::Scopes { scopes, files: examined } = scopes::find(split, old, &integrities, tarballs)?;
    let mut known = Known { integrities, scopes, programs, outputs: BTreeMap::new() };
    let parts = parts(&split.dependencies, &known.scopes);
    let reused = reusable(&parts, &known.integrities, old, extent);
    let open: Parts<'_> = parts.into_iter().filter(|(part, _)| !reused.contains_key(part)).collect();
    let purpose = match extent {
        Extent::WhatChanged if !reused.is_empty() => Purpose::ChangedParts(open.len()),
        _ => Purpose::All,
    };
    known.outputs = reused.into_iter().map(|(part, output)| (part.to_string(), output)).collect();
    for (part, entries) in &open {
        tracing::debug!(%part, tarballs = entries.len(), "needs hashing");
    }
    let Read { mut files, trees, hashes } = read(split, &open, &known.integrities, purpose, tarballs)?;
    // `read` found these in the cache. Whether they were downloaded is known from `examined`.
    files.extend(examined);
    for (path, file) in &files {
        known.integrities.insert(path.clone(), file.integrity.clone());
    }
    for (part, hash) in hashes {
        let output = fixed_output(&part, &open[&part], &known.integrities, &files, hash)?;
        known.outputs.insert(part.to_string(), output);
    }
    let program = match extent {
        Extent::WhatChanged => None,
        Extent::System(system) => program::bring(split, &known.programs, *system, tarballs)?,
    };
    let (downloaded, reused) = totals(files.values().chain(&program));
    let program = program.map(|file| file.path);
    Ok(Update { record: compose(split, known), hashed: trees, program, downloaded, reused })
}

/// Returns the integrity of each tarball: from the lockfile, else as recorded at first sight.
fn known_integrities(split: &Split, old: Option<&Kept>) -> BTreeMap<String, Integrity> {
    let recorded: BTreeMap<&str, &Integrity> = old
        .into_iter()
        .flat_map(|old| &old.dependencies)
        .map(|entry| (entry.path.as_str(), &entry.integrity))
        .collect();
    let integrity = |dependency: &Dependency| {
        dependency.integrity.clone().or_else(|| recorded.get(dependency.path.as_str()).map(|known| (*known).clone()))
    };
    split.dependencies.iter().filter_map(|dep| Some((dep.path.clone(), integrity(dep)?))).collect()
}

/// Returns the recorded fixed outputs with an unchanged fingerprint.
fn reusable(
    parts: &Parts<'_>,
    integrities: &BTreeMap<String, Integrity>,
    old: Option<&Kept>,
    extent: &Extent,
) -> BTreeMap<Part, FixedOutput> {
    let is_wanted = |part: &Part| matches!(extent, Extent::System(system) if part.serves(*system));
    let mut outputs = BTreeMap::new();
    for (part, entries) in parts.iter().filter(|(part, _)| !is_wanted(part)) {
        let recorded = old.and_then(|old| old.deps.get(&part.to_string()));
        if let Some((recorded, now)) = recorded.zip(fingerprint_of(entries, integrities))
            && recorded.fingerprint == now
        {
            tracing::debug!(%part, fingerprint = now, "the recorded hash is up to date");
            // Older records do not say which part an output is.
            let output = FixedOutput { system: part.system, shard: part.shard.clone(), ..recorded.clone() };
            outputs.insert(part.clone(), output);
        }
    }
    outputs
}

/// Returns the fingerprint of a part, or `None` if an integrity is unknown.
fn fingerprint_of(entries: &[&Dependency], integrities: &BTreeMap<String, Integrity>) -> Option<String> {
    let mut pairs = Vec::with_capacity(entries.len());
    for entry in entries {
        pairs.push((entry.path.as_str(), integrities.get(&entry.path)?));
    }
    Some(fingerprint::of(pairs.into_iter()))
}

/// Tarballs by path, with the trees and hashes of their parts.
struct Read {
    files: BTreeMap<String, Fetched>,
    trees: BTreeMap<Part, Tree>,
    hashes: BTreeMap<Part, NarHash>,
}

/// Fetches the tarballs of all open parts and hashes the parts. Damaged tarballs in the cache are downloaded again. The
/// loop ends because downloads of this run were checked on arrival.
fn read(
    split: &Split,
    open: &Parts<'_>,
    integrities: &BTreeMap<String, Integrity>,
    purpose: Purpose,
    tarballs: &dyn Tarballs,
) -> Result<Read, UpdateError> {
    let needed: BTreeMap<&str, &Dependency> =
        open.values().flatten().map(|entry| (entry.path.as_str(), *entry)).collect();
    let wanted: BTreeMap<String, Wanted> = needed
        .into_iter()
        .map(|(path, dependency)| (path.to_owned(), wanted(split, dependency, integrities.get(path).cloned())))
        .collect();
    let mut files = bring(&wanted, purpose, tarballs)?;
    loop {
        let mut trees = BTreeMap::new();
        for (part, entries) in open {
            trees.insert(part.clone(), tree(entries, &files)?);
        }
        let verify::Verified { hashes, damaged } = verify::hash_and_verify(&trees, &files)?;
        if damaged.is_empty() {
            return Ok(Read { files, trees, hashes });
        }
        tracing::debug!(?damaged, "damaged tarballs in the cache are downloaded again");
        let again: BTreeMap<String, Wanted> =
            damaged.iter().filter_map(|path| wanted.get_key_value(path)).map(|(p, w)| (p.clone(), w.clone())).collect();
        for path in &damaged {
            tarballs.forget(&files[path].integrity)?;
        }
        files.extend(bring(&again, Purpose::All, tarballs)?);
    }
}

fn wanted(split: &Split, dependency: &Dependency, integrity: Option<Integrity>) -> Wanted {
    Wanted {
        label: dependency.label.clone(),
        package: dependency.name.clone(),
        url: dependency.download_url(&split.registries),
        form: dependency.form.clone(),
        recorded_in: (integrity.is_some() && dependency.integrity.is_none()).then_some(record::PATH),
        integrity,
    }
}

fn bring(
    wanted: &BTreeMap<String, Wanted>,
    purpose: Purpose,
    tarballs: &dyn Tarballs,
) -> Result<BTreeMap<String, Fetched>, UpdateError> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<Wanted> = wanted.values().cloned().collect();
    Ok(wanted.keys().cloned().zip(tarballs.bring(&list, purpose)?).collect())
}

/// Returns the tree of a part, with each tarball at its path.
fn tree(entries: &[&Dependency], files: &BTreeMap<String, Fetched>) -> Result<Tree, UpdateError> {
    let mut folder = Folder::default();
    for entry in entries {
        let file = files.get(&entry.path).ok_or(UpdateError::Incomplete)?;
        folder
            .insert(&entry.path, Tree::file(&file.path))
            .map_err(|source| UpdateError::Tree { label: entry.label.clone(), source })?;
    }
    Ok(folder.into())
}

fn fixed_output(
    part: &Part,
    entries: &[&Dependency],
    integrities: &BTreeMap<String, Integrity>,
    files: &BTreeMap<String, Fetched>,
    hash: NarHash,
) -> Result<FixedOutput, UpdateError> {
    let digest = Digest::new(Algorithm::Sha256, hash.digest.as_bytes());
    Ok(FixedOutput {
        system: part.system,
        shard: part.shard.clone(),
        fingerprint: fingerprint_of(entries, integrities).ok_or(UpdateError::Incomplete)?,
        hash: digest.ok_or(UpdateError::Incomplete)?.into(),
        packages: entries.len(),
        bytes: entries.iter().filter_map(|entry| files.get(&entry.path)).map(|file| file.size).sum(),
    })
}

fn totals<'a>(files: impl Iterator<Item = &'a Fetched>) -> (Total, Total) {
    let (mut downloaded, mut reused) = (Total::default(), Total::default());
    for file in files {
        let total = if file.origin == DownloadOrigin::Downloaded { &mut downloaded } else { &mut reused };
        total.files += 1;
        total.bytes += file.size;
    }
    (downloaded, reused)
}
