//! The entries of `packages` in a `bun.lock`.

use std::collections::BTreeMap;

use jsonc_parser::{
    ast::{Array, Object, ObjectProp, Value},
    common::Ranged,
};
use url::Url;

use super::{
    error::BunLockError,
    resolution::{self, ResolutionError},
};
use crate::{
    lockfile::{
        DependencyGroup, Integrity, LockedDependency, LockedPackage, LockedWorkspace, PlatformLists, Platforms,
        Resolution,
        json::{Document, shorten},
        names::{is_name_for, split_name},
    },
    repo::RepoPath,
};

type Workspaces = BTreeMap<RepoPath, LockedWorkspace>;

/// Returns a warning for each malformed integrity. Bun ignores such an integrity, and then trusts what it downloads.
pub(super) fn warnings(root: &Object<'_>, packages: &[LockedPackage]) -> Vec<String> {
    let entries = root.get("packages").and_then(|property| property.value.as_object());
    let entries = entries.into_iter().flat_map(|packages| &packages.properties);
    let without = entries.zip(packages).filter(|(_, package)| package.integrity.is_none());
    without.filter_map(|(entry, _)| malformed_integrity(entry.name.as_str(), entry.value.as_array()?)).collect()
}

fn malformed_integrity(key: &str, elements: &Array<'_>) -> Option<String> {
    let text = elements.elements.iter().skip(1).next_back()?.as_string_lit()?.value.as_ref();
    let is_meant = ["sha1-", "sha256-", "sha384-", "sha512-"].iter().any(|start| text.starts_with(start));
    (is_meant && text.parse::<Integrity>().is_err()).then(|| {
        let (key, text) = (shorten(key), shorten(text));
        format!("package `{key}`: ignoring the malformed integrity `{text}`, as Bun does; the record pins the first download instead")
    })
}

/// Reads all entries, in the file's order.
pub(super) fn packages(
    document: &Document<'_>,
    root: &Object<'_>,
    workspaces: &Workspaces,
) -> Result<Vec<LockedPackage>, BunLockError> {
    let Some(property) = root.get("packages") else { return Ok(Vec::new()) };
    let entries = &document.as_object(&property.value)?.properties;
    let mut lines = Lines::default();
    entries.iter().map(|entry| package(document, entry, workspaces, &mut lines)).collect()
}

fn package(
    document: &Document<'_>,
    entry: &ObjectProp<'_>,
    workspaces: &Workspaces,
    lines: &mut Lines,
) -> Result<LockedPackage, BunLockError> {
    let key = entry.name.as_str();
    let elements = document.as_array(&entry.value)?;
    let (name, resolution) = identity(document, key, elements)?;
    let is_npm = resolution.starts_with(|first: char| first.is_ascii_digit());
    let url = if is_npm { registry_url(document, elements)? } else { None };
    let base = declaring_workspace(key, resolution, workspaces);
    let resolution = resolution::parse(resolution, base, url)
        .map_err(|error| resolution_error(document, key, elements, resolution, error))?;
    if !is_name_for(&resolution, name) || key.chars().any(char::is_control) {
        let (key, name) = (shorten(key).into_owned(), shorten(name).into_owned());
        return Err(BunLockError::Name { position: document.position(elements.range.start), key, name });
    }
    let info = elements.elements.iter().find_map(Value::as_object);
    Ok(LockedPackage {
        key: key.to_owned(),
        position: lines.position(document, entry.range.start),
        name: name.to_owned(),
        platforms: info.map_or(Ok(Platforms::Any), |info| platforms(document, info))?,
        bundled: info.and_then(|info| info.get_boolean("bundled")).is_some_and(|literal| literal.value),
        integrity: integrity(elements, &resolution),
        zip_checksum: None,
        dependencies: info.map(dependencies).unwrap_or_default(),
        descriptors: Vec::new(),
        resolution,
    })
}

/// Finds the positions of increasing offsets. It counts lines from the last offset only. Counting from the start for
/// each of thousands of entries would take longer than all the rest.
#[derive(Default)]
struct Lines {
    last: Option<(usize, usize)>,
}

impl Lines {
    fn position(&mut self, document: &Document<'_>, offset: usize) -> crate::diagnostic::Position {
        let (from, line) = self.last.unwrap_or((0, 1));
        let position = document.position_from(from, line, offset);
        self.last = Some((offset - (position.column - 1).min(offset), position.line));
        position
    }
}

/// Splits the first element into name and resolution.
fn identity<'e>(
    document: &Document<'_>,
    key: &str,
    elements: &'e Array<'_>,
) -> Result<(&'e str, &'e str), BunLockError> {
    let first = elements.elements.first().and_then(Value::as_string_lit).map_or("", |text| text.value.as_ref());
    split_name(first).ok_or_else(|| {
        let (key, found) = (shorten(key).into_owned(), shorten(first).into_owned());
        BunLockError::Entry { position: document.position(elements.range.start), key, found }
    })
}

fn resolution_error(
    document: &Document<'_>,
    key: &str,
    elements: &Array<'_>,
    resolution: &str,
    error: ResolutionError,
) -> BunLockError {
    let offset = elements.elements.first().map_or(elements.range.start, |first| first.range().start);
    match error {
        ResolutionError::Path(reason) => BunLockError::path(document, offset, resolution, reason),
        ResolutionError::Unknown => BunLockError::Resolution {
            position: document.position(offset),
            key: shorten(key).into_owned(),
            resolution: shorten(resolution).into_owned(),
        },
    }
}

/// Returns the tarball URL of a registry package: the second element. It is empty if the tarball is at the usual place.
fn registry_url(document: &Document<'_>, elements: &Array<'_>) -> Result<Option<Url>, BunLockError> {
    let Some(value) = elements.elements.get(1) else { return Ok(None) };
    let Some(text) = value.as_string_lit().map(|text| text.value.as_ref()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
        _ => Err(document.unexpected(value, "an http or https URL").into()),
    }
}

/// Returns the integrity: the last element. Bun ignores malformed ones, and old registries gave none.
fn integrity(elements: &Array<'_>, resolution: &Resolution) -> Option<Integrity> {
    let has_file =
        matches!(resolution, Resolution::Registry { .. } | Resolution::RemoteTarball(_) | Resolution::LocalTarball(_));
    let last = elements.elements.iter().skip(1).next_back().filter(|_| has_file)?;
    last.as_string_lit()?.value.parse().ok()
}

/// Returns what a package requires. What is malformed is skipped: Bun says so itself.
fn dependencies(info: &Object<'_>) -> Vec<LockedDependency> {
    let groups = [DependencyGroup::Runtime, DependencyGroup::Optional, DependencyGroup::Peer];
    let groups = groups.into_iter().filter_map(|group| info.get_object(group.field()));
    let dependency = |property: &ObjectProp<'_>| {
        let range = property.value.as_string_lit()?.value.as_ref().to_owned();
        Some(LockedDependency { name: property.name.as_str().to_owned(), range })
    };
    groups.flat_map(|group| group.properties.iter().filter_map(dependency)).collect()
}

fn platforms(document: &Document<'_>, info: &Object<'_>) -> Result<Platforms, BunLockError> {
    let field = |name| info.get(name).map_or(Ok(Vec::new()), |property| one_or_more(document, &property.value));
    let lists = PlatformLists { os: field("os")?, cpu: field("cpu")?, libc: field("libc")? };
    Ok(if lists == PlatformLists::default() { Platforms::Any } else { Platforms::Listed(lists) })
}

fn one_or_more(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, BunLockError> {
    match value {
        Value::StringLit(text) => Ok(vec![text.value.clone().into_owned()]),
        Value::Array(array) => {
            let texts = array.elements.iter().map(|element| document.as_str(element).map(str::to_owned));
            texts.collect::<Result<_, _>>().map_err(BunLockError::from)
        }
        value => Err(document.unexpected(value, "a string or an array of strings").into()),
    }
}

/// Returns the workspace whose manifest asks for a local path. The lockfile writes the path relative to that manifest.
fn declaring_workspace<'w>(key: &str, resolution: &str, workspaces: &'w Workspaces) -> &'w RepoPath {
    static ROOT: RepoPath = RepoPath::root();
    let plain = |text: &str| {
        let text = text.strip_prefix("file:").unwrap_or(text);
        text.strip_prefix("./").unwrap_or(text).trim_end_matches('/').to_owned()
    };
    if !(resolution.starts_with("file:") || (!resolution.contains(':') && resolution::is_tarball(resolution))) {
        return &ROOT;
    }
    let asks = |workspace: &LockedWorkspace| {
        workspace.dependencies.values().flatten().any(|(name, specifier)| {
            (key == name || key.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('/')))
                && plain(specifier) == plain(resolution)
        })
    };
    // A copy nested in one workspace has the key `<workspace name>/<package>`. It goes before the others.
    let nested = |workspace: &LockedWorkspace| {
        !workspace.name.is_empty() && key.strip_prefix(&workspace.name).is_some_and(|rest| rest.starts_with('/'))
    };
    workspaces
        .iter()
        .filter(|(_, workspace)| asks(workspace))
        .max_by_key(|(path, workspace)| (nested(workspace), std::cmp::Reverse(*path)))
        .map_or(&ROOT, |(path, _)| path)
}
