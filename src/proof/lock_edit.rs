//! Edits the version of a locked package, together with the record that `update-hash` would write.
//!
//! The version does not exist and its hash is made up. That is enough, because nothing is built: only the paths of derivations
//! are evaluated.

use std::collections::BTreeMap;

use super::{ProofError, State, StateError, edited::EditedTree};
use crate::{
    lockfile::{Format, LockedPackage, Resolution},
    repo::{RepoPath, WorkTree},
    scaffold::record::{self, FixedOutput, Known, Record, compose, parts},
    split::{
        Choices, Split,
        lock::dependencies::{Dependency, Scope},
        lock::fingerprint,
    },
};

/// Returns the lockfile and the record after the edit, or `None` if no entry is suitable.
pub(super) fn other_version(state: &State, tree: &WorkTree) -> Result<Option<BTreeMap<RepoPath, Vec<u8>>>, ProofError> {
    let Some(record) = &state.record else { return Ok(None) };
    let lockfile = RepoPath::root().child(state.split.lockfile.format.file());
    let content = super::scratch::content(tree, &lockfile)?;
    let Ok(text) = String::from_utf8(content) else { return Ok(None) };
    let packages = state.split.lockfile.packages.iter();
    let Some(text) = packages.filter(|found| is_common(state, found)).find_map(|found| edited(state, &text, found))
    else {
        return Ok(None);
    };
    let mut files = BTreeMap::from([(lockfile, text.into_bytes())]);
    let tree = EditedTree { base: tree.clone(), edits: files.clone() };
    let split = Split::read(&tree, &Choices::default())
        .map_err(|source| StateError::Split { place: state.place.clone(), source: Box::new(source) })?;
    files.insert(record::path(), recorded(&split, record).render().into_bytes());
    Ok(Some(files))
}

/// Whether a package is a plain release that all systems need.
fn is_common(state: &State, package: &LockedPackage) -> bool {
    let Resolution::Registry { version, .. } = &package.resolution else { return false };
    let is_plain = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let end = format!("-{version}.tgz");
    let is_it = |dependency: &&Dependency| dependency.name == package.name && dependency.path.ends_with(&end);
    let dependency = state.split.dependencies.iter().find(is_it);
    is_plain && dependency.is_some_and(|dependency| dependency.scope == Some(Scope::Common))
}

/// Returns the lockfile with a changed version of a package, or `None` if the entry looks unusual.
fn edited(state: &State, text: &str, package: &LockedPackage) -> Option<String> {
    let Resolution::Registry { version, .. } = &package.resolution else { return None };
    let other = format!("{version}-other");
    let first = package.position.line.checked_sub(1)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let before = lines.clone();
    if matches!(state.split.lockfile.format, Format::Bun(_)) {
        let line = lines.get_mut(first)?;
        *line = line.replacen(&format!("{}@{version}\"", package.name), &format!("{}@{other}\"", package.name), 1);
    } else {
        let entry = lines.iter_mut().skip(first + 1).take_while(|line| !line.trim().is_empty());
        let is_version = |line: &&mut String| {
            ["version", "resolved", "resolution"].iter().any(|key| line.trim_start().starts_with(key))
        };
        entry.filter(is_version).for_each(|line| *line = line.replace(version.as_str(), &other));
    }
    (lines != before).then(|| lines.join("\n") + "\n")
}

/// Returns the files of an edit together with the record that fits them, or `None` if the package manager would not accept the
/// edit, or if it needs another tarball.
pub fn with_record(
    state: &State,
    tree: &WorkTree,
    mut files: BTreeMap<RepoPath, Vec<u8>>,
) -> Result<Option<BTreeMap<RepoPath, Vec<u8>>>, ProofError> {
    let Some(record) = &state.record else { return Ok(None) };
    let edited = EditedTree { base: tree.clone(), edits: files.clone() };
    let split = Split::read(&edited, &Choices::default())
        .map_err(|source| StateError::Split { place: state.place.clone(), source: Box::new(source) })?;
    let paths = |split: &Split| -> Vec<String> { split.dependencies.iter().map(|found| found.path.clone()).collect() };
    if split.drift.len() > state.split.drift.len() || paths(&split) != paths(&state.split) {
        return Ok(None);
    }
    files.insert(record::path(), recorded(&split, record).render().into_bytes());
    Ok(Some(files))
}

/// Returns the record of the edited lockfile. The changed package keeps its old integrity, and a changed part its old hash.
fn recorded(split: &Split, record: &Record) -> Record {
    let old = record.recorded();
    let mut known = Known { scopes: old.scopes, programs: record.package_manager.tarballs.clone(), ..Known::default() };
    let any = old.integrities.values().next();
    for dependency in &split.dependencies {
        let integrity = dependency.integrity.as_ref().or_else(|| old.integrities.get(&dependency.path)).or(any);
        known.integrities.extend(integrity.map(|integrity| (dependency.path.clone(), integrity.clone())));
    }
    for (part, entries) in parts(&split.dependencies, &known.scopes) {
        let pairs = entries.iter().filter_map(|entry| Some((entry.path.as_str(), known.integrities.get(&entry.path)?)));
        let fingerprint = fingerprint::of(pairs);
        let part = part.to_string();
        if let Some(output) = record.deps.get(&part) {
            known.outputs.insert(part, FixedOutput { fingerprint, ..output.clone() });
        }
    }
    compose(split, known)
}
