//! `bun.lock`, the text lockfile of Bun 1.2 and later: JSON with trailing commas.
//!
//! The format has no specification; Bun's writer defines it (`src/install/lockfile`). An entry of `packages` is an
//! array whose first element is `<name>@<resolution>`. Only that text gives the kind of the entry. The number of
//! elements grew over Bun's releases, so it is never counted. Unknown keys are ignored.

mod digest;
mod entry;
mod error;
mod requests;
mod resolution;

use std::collections::BTreeMap;

use jsonc_parser::{ast::Object, common::Ranged};

pub use error::BunLockError;

use crate::{
    lockfile::{
        BunRequests, DependencyGroup, Format, LockedWorkspace, Lockfile, Requests,
        json::{Counts, Dialect, Document},
    },
    names::BUN_LOCK,
    parallel::both,
    repo::RepoPath,
};

/// The file's name, at the root of the repository.
pub const FILE: &str = BUN_LOCK;

/// The newest `lockfileVersion` that this reader was tested with.
pub const NEWEST_KNOWN_VERSION: u64 = 3;

/// Reads the content of a `bun.lock`.
pub fn parse(text: &str) -> Result<Lockfile, BunLockError> {
    let (document, _) = Document::parse_with(FILE, text, Dialect::Jsonc, counts)?;
    let root = document.object()?;
    let version = version(&document, root)?;
    let workspaces = workspaces(&document, root)?;
    let (digest, packages) = both(|| digest::semantic(root), || entry::packages(&document, root, &workspaces));
    let packages = packages?;
    let requests = BunRequests {
        overrides: requests::overrides(root),
        catalogs: requests::catalogs(root),
        trusted: requests::trusted(root),
        dependencies: requests::dependencies(root),
        workspaces,
    };
    let mut warnings = entry::warnings(root, &packages);
    warnings.extend(newer_version(version));
    Ok(Lockfile {
        format: Format::Bun(version),
        patches: patches(&document, root)?,
        packages,
        digest,
        warnings,
        requests: Requests::Bun(requests),
    })
}

/// Returns which of several equal keys counts in the object at a path of keys. Bun writes both dependencies of that name if the
/// manifest has two. Bun 1.4 uses the first one, and no version keeps two different entries of `packages`.
fn counts(path: &[String]) -> Option<Counts> {
    (path.len() == 3 && path[0] == "workspaces").then_some(Counts::First)
}

fn version(document: &Document<'_>, root: &Object<'_>) -> Result<u64, BunLockError> {
    let Some(property) = root.get("lockfileVersion") else {
        return Err(document.unexpected_at(root.range.start, "`lockfileVersion`", "none").into());
    };
    let number = property.value.as_number_lit().and_then(|number| number.value.parse().ok());
    number.ok_or_else(|| document.unexpected(&property.value, "a whole number").into())
}

fn newer_version(version: u64) -> Option<String> {
    (version > NEWEST_KNOWN_VERSION).then(|| {
        format!(
            "`{FILE}` has lockfileVersion {version}; this splitter was tested with versions 0 to {NEWEST_KNOWN_VERSION} \
             (Bun 1.1.40 to 1.4) and reads it as version {NEWEST_KNOWN_VERSION}"
        )
    })
}

fn workspaces(document: &Document<'_>, root: &Object<'_>) -> Result<BTreeMap<RepoPath, LockedWorkspace>, BunLockError> {
    let mut workspaces = BTreeMap::new();
    let Some(property) = root.get("workspaces") else { return Ok(workspaces) };
    for workspace in &document.as_object(&property.value)?.properties {
        let path = workspace.name.as_str();
        let path = path.parse().map_err(|reason| BunLockError::path(document, workspace.range.start, path, reason))?;
        let fields = document.as_object(&workspace.value)?;
        workspaces.insert(path, locked_workspace(document, fields)?);
    }
    Ok(workspaces)
}

fn locked_workspace(document: &Document<'_>, fields: &Object<'_>) -> Result<LockedWorkspace, BunLockError> {
    let mut workspace = LockedWorkspace::default();
    if let Some(name) = fields.get("name") {
        document.as_str(&name.value)?.clone_into(&mut workspace.name);
    }
    for group in DependencyGroup::ALL {
        let Some(property) = fields.get(group.field()) else { continue };
        let specifiers = strings(document, document.as_object(&property.value)?)?;
        if !specifiers.is_empty() {
            workspace.dependencies.insert(group, specifiers);
        }
    }
    workspace.version = fields.get_string("version").map(|version| version.value.as_ref().to_owned());
    workspace.optional_peers = requests::optional_peers(fields).map(str::to_owned).collect();
    Ok(workspace)
}

fn strings(document: &Document<'_>, object: &Object<'_>) -> Result<BTreeMap<String, String>, BunLockError> {
    let mut strings = BTreeMap::new();
    for property in &object.properties {
        let text = document.as_str(&property.value)?;
        strings.insert(property.name.as_str().to_owned(), text.to_owned());
    }
    Ok(strings)
}

fn patches(document: &Document<'_>, root: &Object<'_>) -> Result<BTreeMap<String, RepoPath>, BunLockError> {
    let mut patches = BTreeMap::new();
    let Some(property) = root.get("patchedDependencies") else { return Ok(patches) };
    for patch in &document.as_object(&property.value)?.properties {
        let text = document.as_str(&patch.value)?;
        let path =
            text.parse().map_err(|reason| BunLockError::path(document, patch.value.range().start, text, reason))?;
        patches.insert(patch.name.as_str().to_owned(), path);
    }
    Ok(patches)
}

#[cfg(test)]
mod tests;
