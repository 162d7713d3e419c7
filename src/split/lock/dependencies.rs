//! The dependency list: which tarballs an install needs, where each comes from, and on which systems.

use std::collections::BTreeSet;

use url::Url;

use crate::split::{Manifest, SplitError, System, Workspaces};
use crate::{
    lockfile::{
        Conditions, DependencyGroup, Format, Integrity, LockedDescriptors, LockedPackage, Lockfile, PlatformLists,
        Platforms, Requests, Resolution,
    },
    managers::{ProjectRegistries, registries::without_secrets, yarn_berry::committed_cache::CommittedCache},
    secrets::{self, SecretInUrl},
};

/// A file that an install needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The path in the fixed output: `npm/<name>/-/<base>-<version>.tgz`, `url/<host>/<path>`,
    /// `github/<owner>/<name>/<revision>.tar` or `git/<commit>.tar`.
    pub path: String,
    /// How the file is made from the download.
    pub form: Form,
    /// The name in messages: `name@version`, or the name with a URL.
    pub label: String,
    /// The name of the package.
    pub name: String,
    /// The download URL, if it differs from the usual one at the registry of the package.
    pub url: Option<Url>,
    /// The integrity of its bytes, if the lockfile has one.
    pub integrity: Option<Integrity>,
    /// The systems that need it. `None` if only the manifest inside the tarball says so.
    pub scope: Option<Scope>,
}

/// How a file of the fixed output is made from the download.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// The download itself.
    Verbatim,
    /// The files of a downloaded archive, repacked by splitter, because the host does not promise stable bytes.
    Repacked,
    /// The files and the commit object of a git commit, packed by splitter. The URL is the git repository.
    Commit(String),
}

/// The sources of packages.
#[derive(Clone, Copy)]
pub(in crate::split) struct Sources<'a> {
    /// The registries of the repository.
    pub(in crate::split) registries: &'a ProjectRegistries,
    /// The cache in the repository, if any. Packages in it need no tarball.
    pub(in crate::split) cache: Option<&'a CommittedCache>,
}

/// The systems that need a tarball.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every system, because the package runs on every platform.
    Common,
    /// These systems.
    Systems(BTreeSet<System>),
}

impl Scope {
    /// Returns the scope of a package for these platforms. It may be empty.
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

/// Lists the files that an install of `lockfile` needs on `systems`, sorted by path. Packages that run on none of the
/// systems are excluded, because nothing would install them.
pub(in crate::split) fn list(
    lockfile: &Lockfile,
    workspaces: &Workspaces,
    sources: Sources<'_>,
    systems: &[System],
) -> Result<Vec<Dependency>, SplitError> {
    let required = required_by_manifests(lockfile, workspaces);
    let mut all = Vec::with_capacity(lockfile.packages.len());
    for (index, package) in lockfile.packages.iter().enumerate().filter(|(_, package)| !package.bundled) {
        let Some((path, url, form)) = source(package, sources.registries, lockfile.format)? else { continue };
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
        if let Some(url) = url.as_ref().filter(|url| secrets::has_secret(url)) {
            let (file, url) = (lockfile.format.file().to_owned(), secrets::masked(url.as_str()));
            return Err(SecretInUrl { file, url, position: package.position }.into());
        }
        let label = match package.resolution {
            Resolution::RemoteTarball(ref url) => format!("{} ({})", package.name, without_secrets(url)),
            Resolution::Commit(ref commit) => format!("{} (commit {})", package.name, commit.id()),
            Resolution::Archive(ref archive) => format!("{} ({})", package.name, archive.url()),
            _ => package.label(),
        };
        // The integrity of an archive in a lockfile is useless, because the host may change the bytes.
        let integrity = package.integrity.clone().filter(|_| form == Form::Verbatim);
        let name = package.name.clone();
        all.push(Dependency { path, form, label, name, url, integrity, scope });
    }
    if matches!(lockfile.format, Format::YarnBerry(_)) && all.iter().any(|dependency| dependency.form != Form::Verbatim)
    {
        all.push(packer());
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

/// The Yarn 1 that later versions of Yarn download to pack a git package with a lockfile of Yarn 1. It is always listed,
/// because the lockfile does not say whether a git package has one.
fn packer() -> Dependency {
    const VERSION: &str = "1.22.22";
    Dependency {
        path: registry_path("yarn", VERSION),
        form: Form::Verbatim,
        label: ["yarn@", VERSION].concat(),
        name: "yarn".to_owned(),
        url: None,
        integrity: None,
        scope: Some(Scope::Common),
    }
}

impl Dependency {
    /// Returns the download URL.
    pub fn download_url(&self, registries: &ProjectRegistries) -> Url {
        self.url.clone().unwrap_or_else(|| registry_url(registries.registry_for(&self.name), &self.path))
    }
}

/// Returns the path of a package in the fixed output. Packages that are not downloaded have none.
pub fn path(package: &LockedPackage, registries: &ProjectRegistries, format: Format) -> Option<String> {
    // What cannot be downloaded was refused when the list was made.
    source(package, registries, format).ok().flatten().map(|(path, ..)| path)
}

/// Returns the path in the fixed output, the URL if it is not the usual one at the registry, and the form. Returns `None`
/// for packages that are not downloaded. Usual URLs are not built here: thousands of them would take longer than the rest
/// of the list.
fn source(
    package: &LockedPackage,
    registries: &ProjectRegistries,
    format: Format,
) -> Result<Option<(String, Option<Url>, Form)>, SplitError> {
    match &package.resolution {
        Resolution::Registry { version, url } => {
            let path = registry_path(&package.name, version);
            let is_usual = |url: &Url| *url == registry_url(registries.registry_for(&package.name), &path);
            Ok(Some(match url {
                Some(url) if !is_usual(url) => (url_path(url), Some(url.clone()), Form::Verbatim),
                _ => (path, None, Form::Verbatim),
            }))
        }
        Resolution::RemoteTarball(url) => Ok(Some((url_path(url), Some(url.clone()), Form::Verbatim))),
        Resolution::Commit(commit) => {
            Ok(Some((commit.place(), Some(commit.url().clone()), Form::Commit(commit.id().to_owned()))))
        }
        Resolution::Archive(archive) => {
            Ok(Some((archive.place().to_owned(), Some(archive.url().clone()), Form::Repacked)))
        }
        Resolution::Git(text) => Err(no_commit(package, "git", text, format)),
        Resolution::GitHub(text) => Err(no_commit(package, "GitHub", text, format)),
        Resolution::Workspace(_)
        | Resolution::Folder(_)
        | Resolution::Link(_)
        | Resolution::LocalTarball(_)
        | Resolution::Generated(_)
        | Resolution::Patched { .. }
        | Resolution::Plugin(_)
        | Resolution::Root => Ok(None),
    }
}

fn no_commit(package: &LockedPackage, kind: &'static str, resolution: &str, format: Format) -> SplitError {
    // The key of a git package may be its URL, which can hold a secret.
    let key = if package.key.contains("://") { &package.name } else { &package.key };
    SplitError::NoCommit {
        key: key.clone(),
        kind,
        resolution: secrets::masked(resolution),
        position: package.position,
        file: format.file(),
    }
}

/// Returns the path of a registry tarball in the fixed output, which is its path at the registry. Build metadata (`+…`) is
/// dropped, because registries publish without it.
fn registry_path(name: &str, version: &str) -> String {
    let release = version.split('+').next().unwrap_or(version);
    ["npm/", name, "/-/", base_name(name), "-", release, ".tgz"].concat()
}

/// Returns the usual URL of a version at a registry.
pub(crate) fn usual_url(registry: &Url, name: &str, version: &str) -> Url {
    registry_url(registry, &registry_path(name, version))
}

/// Returns the URL at a registry for a path in the fixed output.
fn registry_url(registry: &Url, path: &str) -> Url {
    let below = path.strip_prefix("npm/").unwrap_or(path);
    let mut url = registry.clone();
    url.set_path(&format!("{}/{below}", registry.path().trim_end_matches('/')));
    url
}

/// Returns the name of a package without its scope.
fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Returns the path in the fixed output for a tarball at any other URL. Characters that are unsafe in a file name become
/// `_`. A query is kept as a digest, because it can distinguish two files with the same path.
pub(in crate::split) fn url_path(url: &Url) -> String {
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

/// Packages in a lockfile of Yarn 1 that a manifest requires (not optionally). Every system needs them, or the install fails.
fn required_by_manifests(lockfile: &Lockfile, workspaces: &Workspaces) -> BTreeSet<usize> {
    let Requests::ByDescriptor(LockedDescriptors { descriptors, .. }) = &lockfile.requests else {
        return BTreeSet::new();
    };
    let groups = |manifest: &Manifest| -> Vec<String> {
        let required = manifest.dependencies.iter().filter(|(group, _)| **group != DependencyGroup::Optional);
        required.flat_map(|(_, specifiers)| specifiers).map(|(name, range)| [name, "@", range].concat()).collect()
    };
    workspaces.values().flat_map(groups).filter_map(|descriptor| descriptors.get(&descriptor).copied()).collect()
}

/// Whether the platform lists allow a system. The rule is npm's; Bun and Yarn share it.
fn admitted(lists: &PlatformLists, system: System) -> bool {
    let libc = system.libc().is_none_or(|libc| admits(&lists.libc, libc));
    admits(&lists.os, system.os()) && admits(&lists.cpu, system.cpu()) && libc
}

/// Whether a list allows a value. The list must not negate the value. If it names any values, the value must be one of them.
fn admits(list: &[String], value: &str) -> bool {
    let (negated, named): (Vec<&str>, Vec<&str>) =
        list.iter().map(String::as_str).partition(|entry| entry.starts_with('!'));
    !negated.iter().any(|entry| &entry[1..] == value)
        && (named.is_empty() || named.iter().any(|entry| *entry == value || *entry == "any"))
}

/// Merges a second entry for the same tarball, which is installed in two places.
pub(in crate::split) fn merge(first: &mut Dependency, second: Dependency) -> Result<(), SplitError> {
    match (&first.integrity, second.integrity) {
        (Some(a), Some(b)) if *a != b => {
            return Err(SplitError::TwoIntegrities { path: second.path, first: a.to_string(), second: b.to_string() });
        }
        (None, integrity) => first.integrity = integrity,
        (Some(_), _) => {}
    }
    // One file may have several names, and its part depends on the name. The order in the lockfile must not decide.
    if second.name < first.name {
        first.name = second.name;
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
    use crate::{
        managers::{bun::lockfile as bun, yarn_berry::lockfile::cache_file, yarn_lock as yarn},
        repo::MemoryTree,
    };

    const A: &str = "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const B: &str = "sha1-BBBBBBBBBBBBBBBBBBBBBBBBBBA=";

    fn listed(packages: &str) -> Result<Vec<Dependency>, SplitError> {
        let lock = bun::parse(&format!(r#"{{"lockfileVersion": 1, "packages": {{{packages}}}}}"#)).unwrap();
        list(&lock, &Workspaces::new(), Sources { registries: &registries(), cache: None }, &System::ALL)
    }

    fn registries() -> ProjectRegistries {
        ProjectRegistries::of_bun(Some("registry=https://registry.example/npm"), None).unwrap()
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
    fn commits_and_archives_have_places_of_their_own_and_no_integrity() {
        let id = "552b355e30e534cc37f59b232ed38fb15dac6358";
        let list = listed(&format!(
            r#""g": ["g@github:o/r#552b355", {{}}, "o-r-552b355", "sha512-{}"],
               "h": ["h@git+ssh://git@host.example:o/r.git#{id}", {{}}, "{id}"]"#,
            "A".repeat(86) + "=="
        ))
        .unwrap();
        let found: Vec<_> = list.iter().map(|dependency| (dependency.path.as_str(), &dependency.form)).collect();
        let commit = format!("git/{id}.tar");
        assert_eq!(
            found,
            [(commit.as_str(), &Form::Commit(id.to_owned())), ("github/o/r/552b355.tar", &Form::Repacked)]
        );
        assert!(list.iter().all(|dependency| dependency.integrity.is_none()));
    }

    #[test]
    fn later_yarn_gets_what_it_packs_with_where_it_clones_something() {
        let paths = |url: &str| -> Vec<String> {
            let entry = format!("\"g@{url}\":\n  version: 1.0.0\n  resolution: \"g@{url}\"\n  linkType: hard\n");
            let lock = yarn::parse(&format!("__metadata:\n  version: 8\n\n{entry}")).unwrap();
            let sources = Sources { registries: &registries(), cache: None };
            let list = list(&lock, &Workspaces::new(), sources, &System::ALL).unwrap();
            list.into_iter().map(|dependency| dependency.path).collect()
        };
        let id = "552b355e30e534cc37f59b232ed38fb15dac6358";
        let yarn = "npm/yarn/-/yarn-1.22.22.tgz";
        assert_eq!(paths("npm:1.0.0"), ["npm/g/-/g-1.0.0.tgz"]);
        assert_eq!(paths(&format!("https://host.example/r#commit={id}")), [&format!("git/{id}.tar"), yarn]);
        let github = format!("https://github.com/o/r.git#workspace=g&commit={id}");
        assert_eq!(paths(&github), [&format!("github/o/r/{id}.tar"), yarn]);
    }

    #[test]
    fn what_git_cannot_be_asked_for_is_refused_with_its_place() {
        use crate::diagnostic::Diagnose;
        let error = listed(r#""g": ["g@github:o/r#main", {}, "o-r-main"]"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot fetch the GitHub dependency `g`: expected a 40-digit commit at an http(s), git or ssh URL, found `github:o/r#main`"
        );
        assert_eq!(error.location().unwrap().to_string(), "bun.lock:1:37");
        let error = listed(r#""g": ["g@git+https://me:secret@h.example/r#main", {}, "main"]"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot fetch the git dependency `g`: expected a 40-digit commit at an http(s), git or ssh URL, found `git+https://***@h.example/r#main`"
        );
    }

    #[test]
    fn what_a_committed_cache_holds_is_not_downloaded() {
        let entry = |name: &str, checksum: &str| {
            format!(
                "\n\"{name}@npm:^1.0.0\":\n  version: 1.0.0\n  resolution: \"{name}@npm:1.0.0\"\n  checksum: 10c0/{checksum}\n  \
                 languageName: node\n  linkType: hard\n"
            )
        };
        let entries = entry("here", "0123456789abcdef") + &entry("other", "fedcba9876543210");
        let lock = yarn::parse(&format!("__metadata:\n  version: 8\n  cacheKey: 10c0\n{entries}")).unwrap();
        let zip = cache_file("here@npm:1.0.0", "10c0/0123456789abcdef").unwrap();
        let path = format!("cache/{zip}");
        let tree = MemoryTree::new([(path.as_str(), "")]);
        let cache = CommittedCache::find(&tree, "cache".parse().unwrap()).unwrap().unwrap();
        let registries = ProjectRegistries::of_tree(&tree, lock.format).unwrap();
        let list = |cache| list(&lock, &Workspaces::new(), Sources { registries: &registries, cache }, &System::ALL);
        assert_eq!(list(None).unwrap().len(), 2);
        let held: Vec<_> = list(Some(&cache)).unwrap().into_iter().map(|dependency| dependency.name).collect();
        assert_eq!(held, ["other"]);
    }
}
