//! The dependency list: which tarballs an install needs, where each comes from, and on which systems.

use std::collections::BTreeSet;

use url::Url;

use super::{
    Manifest, ProjectRegistries, SplitError, System, Workspaces, committed_cache::CommittedCache,
    registries::without_secrets,
};
use crate::lockfile::{
    Conditions, DependencyGroup, Format, Integrity, LockedPackage, Lockfile, PlatformLists, Platforms, Requests,
    Resolution,
};

/// A tarball that an install needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Where it lies in the fixed output: `npm/<name>/-/<base>-<version>.tgz` or `url/<host>/<path>`.
    pub path: String,
    /// How messages name it: `name@version`, or the URL.
    pub label: String,
    /// The package's name.
    pub name: String,
    /// Where it is downloaded from, if that is not the place that its registry has for it.
    pub url: Option<Url>,
    /// What its bytes must match; none where the lockfile does not say.
    pub integrity: Option<Integrity>,
    /// Who needs it; none where only the manifest in the tarball says.
    pub scope: Option<Scope>,
}

/// Where packages come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    /// The registries of the repository.
    pub(super) registries: &'a ProjectRegistries,
    /// A cache in the repository; what it holds needs no tarball.
    pub(super) cache: Option<&'a CommittedCache>,
}

/// Who needs a tarball.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every system: it is bound to no platform.
    Common,
    /// These systems.
    Systems(BTreeSet<System>),
}

impl Scope {
    /// The scope of a package with these platforms. It may be no system at all.
    pub fn of(platforms: &PlatformLists, systems: &[System]) -> Self {
        if *platforms == PlatformLists::default() {
            return Self::Common;
        }
        Self::Systems(systems.iter().copied().filter(|system| admitted(platforms, *system)).collect())
    }

    /// Whether no system needs it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Systems(systems) if systems.is_empty())
    }
}

/// Lists what `lockfile` needs on `systems`, sorted by path. A package whose platforms are those of no asked system
/// is left out: nothing would install it.
pub(super) fn list(
    lockfile: &Lockfile,
    workspaces: &Workspaces,
    sources: Sources<'_>,
    systems: &[System],
) -> Result<Vec<Dependency>, SplitError> {
    let required = required_by_manifests(lockfile, workspaces);
    let mut all = Vec::with_capacity(lockfile.packages.len());
    for (index, package) in lockfile.packages.iter().enumerate().filter(|(_, package)| !package.bundled) {
        let Some((path, url)) = source(package, sources.registries, lockfile.format)? else { continue };
        if sources.cache.is_some_and(|cache| cache.holds(package)) {
            continue;
        }
        let scope = match &package.platforms {
            Platforms::Any => Some(Scope::Common),
            Platforms::InTarball if required.contains(&index) => Some(Scope::Common),
            Platforms::InTarball => None,
            Platforms::Listed(lists) => Some(Scope::of(lists, systems)),
            Platforms::Conditions(conditions) => Some(where_they_hold(conditions, systems)),
        };
        if scope.as_ref().is_some_and(Scope::is_empty) {
            continue;
        }
        if let Some(url) = url.as_ref().filter(|url| !url.username().is_empty() || url.password().is_some()) {
            return Err(secret_in_url(package, url, lockfile.format));
        }
        let label = match package.resolution {
            Resolution::RemoteTarball(ref url) => format!("{} ({})", package.name, without_secrets(url)),
            _ => package.label(),
        };
        let (name, integrity) = (package.name.clone(), package.integrity.clone());
        all.push(Dependency { path, label, name, url, integrity, scope });
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    let mut list: Vec<Dependency> = Vec::with_capacity(all.len());
    for dependency in all {
        match list.last_mut().filter(|last| last.path == dependency.path) {
            Some(first) => merge(first, dependency)?,
            None => list.push(dependency),
        }
    }
    Ok(list)
}

impl Dependency {
    /// Where it is downloaded from.
    pub fn download_url(&self, registries: &ProjectRegistries) -> Url {
        self.url.clone().unwrap_or_else(|| registry_url(registries.registry_for(&self.name), &self.path))
    }
}

/// The tarball's place in the fixed output, and its URL where that is not its registry's place for it; none for what
/// is not downloaded. No URL is made for the others: thousands of them would take longer than all else here.
fn source(
    package: &LockedPackage,
    registries: &ProjectRegistries,
    format: Format,
) -> Result<Option<(String, Option<Url>)>, SplitError> {
    match &package.resolution {
        Resolution::Registry { version, url } => {
            let path = registry_path(&package.name, version);
            let is_usual = |url: &Url| *url == registry_url(registries.registry_for(&package.name), &path);
            Ok(Some(match url {
                Some(url) if !is_usual(url) => (url_path(url), Some(url.clone())),
                _ => (path, None),
            }))
        }
        Resolution::RemoteTarball(url) => Ok(Some((url_path(url), Some(url.clone())))),
        Resolution::Git(text) => Err(unsupported(package, "git", text, format)),
        Resolution::GitHub(text) => Err(unsupported(package, "GitHub", text, format)),
        Resolution::Generated(text) => Err(unsupported(package, "generated", text, format)),
        Resolution::Workspace(_)
        | Resolution::Folder(_)
        | Resolution::Link(_)
        | Resolution::LocalTarball(_)
        | Resolution::Patched { .. }
        | Resolution::Plugin(_)
        | Resolution::Root => Ok(None),
    }
}

fn secret_in_url(package: &LockedPackage, url: &Url, format: Format) -> SplitError {
    // The key of a tarball is its URL.
    let key = if package.key.contains("://") { package.name.clone() } else { package.key.clone() };
    let key = if key.contains("://") { without_secrets(url).into() } else { key };
    SplitError::SecretInUrl { key, position: package.position, file: format.file() }
}

fn unsupported(package: &LockedPackage, kind: &'static str, resolution: &str, format: Format) -> SplitError {
    SplitError::UnsupportedDependency {
        key: package.key.clone(),
        kind,
        resolution: resolution.to_owned(),
        position: package.position,
        file: format.file(),
    }
}

/// The place of a registry's tarball: its path at the registry. Build metadata (`+…`) is no part of its name, since
/// registries publish without it.
fn registry_path(name: &str, version: &str) -> String {
    let release = version.split('+').next().unwrap_or(version);
    ["npm/", name, "/-/", base_name(name), "-", release, ".tgz"].concat()
}

/// Where a registry usually has the tarball of a version.
pub(crate) fn usual_url(registry: &Url, name: &str, version: &str) -> Url {
    registry_url(registry, &registry_path(name, version))
}

/// Where a registry has the tarball of that place.
fn registry_url(registry: &Url, path: &str) -> Url {
    let below = path.strip_prefix("npm/").unwrap_or(path);
    let mut url = registry.clone();
    url.set_path(&format!("{}/{below}", registry.path().trim_end_matches('/')));
    url
}

/// A package's name without its scope.
fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The place of another URL's tarball. Characters that a file name should not hold become `_`; a query, which tells
/// two files of one path apart, is kept as a digest.
fn url_path(url: &Url) -> String {
    let clean = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.@/+".contains(c) { c } else { '_' }).collect()
    };
    let host = url.host_str().unwrap_or("unknown");
    let port = url.port().map_or(String::new(), |port| format!("_{port}"));
    let path: Vec<_> =
        url.path().split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").map(clean).collect();
    let query = url
        .query()
        .map_or(String::new(), |query| format!("-{}", &blake3::hash(query.as_bytes()).to_hex().as_str()[..16]));
    format!("url/{}{port}/{}{query}", clean(host), path.join("/"))
}

fn where_they_hold(conditions: &Conditions, systems: &[System]) -> Scope {
    let hold = |system: &System| conditions.hold(system.os(), system.cpu(), system.libc());
    Scope::Systems(systems.iter().copied().filter(hold).collect())
}

/// The packages of Yarn 1's lockfile that a manifest asks for, other than optionally: every system needs those, or
/// none can be installed.
fn required_by_manifests(lockfile: &Lockfile, workspaces: &Workspaces) -> BTreeSet<usize> {
    let Requests::ByDescriptor(descriptors) = &lockfile.requests else { return BTreeSet::new() };
    let groups = |manifest: &Manifest| -> Vec<String> {
        let required = manifest.dependencies.iter().filter(|(group, _)| **group != DependencyGroup::Optional);
        required.flat_map(|(_, specifiers)| specifiers).map(|(name, range)| [name, "@", range].concat()).collect()
    };
    workspaces.values().flat_map(groups).filter_map(|descriptor| descriptors.get(&descriptor).copied()).collect()
}

/// Whether lists admit a system: npm's rule, which Bun and Yarn share.
fn admitted(lists: &PlatformLists, system: System) -> bool {
    let libc = system.libc().is_none_or(|libc| admits(&lists.libc, libc));
    admits(&lists.os, system.os()) && admits(&lists.cpu, system.cpu()) && libc
}

/// Whether a list admits a value: it is not negated, and if the list names any, it is among them.
fn admits(list: &[String], value: &str) -> bool {
    let (negated, named): (Vec<&str>, Vec<&str>) =
        list.iter().map(String::as_str).partition(|entry| entry.starts_with('!'));
    !negated.iter().any(|entry| &entry[1..] == value)
        && (named.is_empty() || named.iter().any(|entry| *entry == value || *entry == "any"))
}

/// Adds a second entry for the same tarball (it is installed in two places).
fn merge(first: &mut Dependency, second: Dependency) -> Result<(), SplitError> {
    match (&first.integrity, second.integrity) {
        (Some(a), Some(b)) if *a != b => {
            return Err(SplitError::TwoIntegrities { path: second.path, first: a.to_string(), second: b.to_string() });
        }
        (None, integrity) => first.integrity = integrity,
        (Some(_), _) => {}
    }
    match (&mut first.scope, second.scope) {
        (Some(Scope::Systems(all)), Some(Scope::Systems(more))) => all.extend(more),
        (None, None) => {}
        (scope, _) => *scope = Some(Scope::Common),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfile::bun;

    const A: &str = "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "sha1-BBBBBBBBBBBBBBBBBBBBBBBBBBA=";

    fn listed(packages: &str) -> Result<Vec<Dependency>, SplitError> {
        let lock = bun::parse(&format!(r#"{{"lockfileVersion": 1, "packages": {{{packages}}}}}"#)).unwrap();
        list(&lock, &Workspaces::new(), Sources { registries: &registries(), cache: None }, &System::ALL)
    }

    fn registries() -> ProjectRegistries {
        ProjectRegistries::read(Some("registry=https://registry.example/npm"), None).unwrap()
    }

    fn summary(packages: &str) -> Vec<String> {
        let scope = |scope: &Option<Scope>| match scope {
            None => "unknown".to_owned(),
            Some(Scope::Common) => "common".to_owned(),
            Some(Scope::Systems(systems)) => systems.iter().map(ToString::to_string).collect::<Vec<_>>().join("+"),
        };
        let list = listed(packages).unwrap();
        let line = |entry: &Dependency| {
            format!("{} {} {}", entry.path, entry.download_url(&registries()), scope(&entry.scope))
        };
        list.iter().map(line).collect()
    }

    #[test]
    fn tarballs_lie_where_the_registry_has_them() {
        assert_eq!(
            summary(&format!(
                r#""a": ["@s/a@1.0.0-rc.1+build", "", {{}}, "{A}"],
                   "b": ["b@1.0.0", "https://registry.example/npm/b/-/b-1.0.0.tgz", {{}}, "{A}"],
                   "c": ["c@1.0.0", "https://mirror.example:8080/x/c%20d.tgz?v=1", {{}}, "{A}"],
                   "d": ["d@https://cdn.example/d-1.tgz", {{}}, "{A}"],
                   "e": ["e@workspace:packages/e"], "f": ["f@1.0.0", "", {{"bundled": true}}, "{A}"]"#
            )),
            [
                "npm/@s/a/-/a-1.0.0-rc.1.tgz https://registry.example/npm/@s/a/-/a-1.0.0-rc.1.tgz common",
                "npm/b/-/b-1.0.0.tgz https://registry.example/npm/b/-/b-1.0.0.tgz common",
                "url/cdn.example/d-1.tgz https://cdn.example/d-1.tgz common",
                "url/mirror.example_8080/x/c_20d.tgz-f0bde2b668e7f556 https://mirror.example:8080/x/c%20d.tgz?v=1 common",
            ]
        );
    }

    #[test]
    fn packages_are_bound_to_the_systems_they_run_on() {
        let entry = |name: &str, info: &str| format!(r#""{name}": ["{name}@1.0.0", "", {info}, "{A}"]"#);
        let scopes =
            |info: &str| summary(&entry("x", info)).first().map(|line| line.rsplit(' ').next().unwrap().to_owned());
        assert_eq!(scopes(r#"{"os": "linux", "cpu": "x64"}"#).as_deref(), Some("x86_64-linux"));
        assert_eq!(scopes(r#"{"os": "darwin"}"#).as_deref(), Some("aarch64-darwin+x86_64-darwin"));
        assert_eq!(scopes(r#"{"os": ["!win32", "!darwin"]}"#).as_deref(), Some("aarch64-linux+x86_64-linux"));
        assert_eq!(scopes(r#"{"os": "linux", "libc": "musl"}"#), None);
        assert_eq!(scopes(r#"{"os": "win32"}"#), None);
        assert_eq!(scopes(r#"{"os": "none"}"#), None);
        assert_eq!(scopes("{}").as_deref(), Some("common"));
    }

    #[test]
    fn one_tarball_is_listed_once_and_must_be_locked_once() {
        let twice = |second: &str| {
            listed(&format!(r#""x": ["x@1.0.0", "", {{}}, "{A}"], "a/x": ["x@1.0.0", "", {{}}, "{second}"]"#))
        };
        assert_eq!(twice(A).unwrap().len(), 1);
        assert!(matches!(twice(B), Err(SplitError::TwoIntegrities { .. })));
    }

    #[test]
    fn git_dependencies_are_refused_with_their_place() {
        use crate::diagnostic::Diagnose;
        let error = listed(r#""g": ["g@github:o/r#abc", {}, "o-r-abc"]"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "package `g` is a GitHub dependency (`github:o/r#abc`), which is not supported yet"
        );
        assert_eq!(error.location().unwrap().to_string(), "bun.lock:1:37");
    }
}
