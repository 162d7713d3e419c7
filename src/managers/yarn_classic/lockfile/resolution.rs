//! The kind of an entry of Yarn 1. It follows from `resolved` and from the ranges of the descriptors.
//!
//! Source: the resolvers of Yarn (`src/resolvers/exotics`). Yarn writes paths relative to the lockfile's folder,
//! whichever manifest names them.

use url::Url;

use crate::{
    lockfile::{
        GitCommit, HostArchive, Resolution,
        names::{is_version, split_name},
    },
    repo::{RepoPath, RepoPathError},
};

/// Why a resolution is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResolutionError {
    /// It is of no known kind.
    Unknown,
    /// Its path leaves the repository.
    Path(RepoPathError),
    /// An entry of this kind needs `resolved`.
    Unresolved,
    /// An entry of this kind needs `version`.
    Unversioned,
}

/// Splits a descriptor into name and range. The range may be missing.
pub(super) fn split_descriptor(descriptor: &str) -> (&str, &str) {
    split_name(descriptor).unwrap_or((descriptor, ""))
}

/// Returns the package that a range such as `npm:real@^1.0.0` is an alias of.
pub(super) fn aliased(range: &str) -> Option<&str> {
    range.strip_prefix("npm:").map(|target| split_descriptor(target).0)
}

/// Reads the kind of an entry. Each descriptor is a name and a range.
pub(super) fn parse(
    descriptors: &[(&str, &str)],
    version: Option<&str>,
    resolved: Option<&str>,
) -> Result<Resolution, ResolutionError> {
    match resolved {
        Some(resolved) => of_resolved(resolved, descriptors, version),
        None => of_range(descriptors.first().map_or("", |(_, range)| range), version),
    }
}

/// Returns `resolved` without the checksum after `#`.
pub(super) fn without_fragment(resolved: &str) -> &str {
    resolved.split('#').next().unwrap_or(resolved)
}

fn of_resolved(
    resolved: &str,
    descriptors: &[(&str, &str)],
    version: Option<&str>,
) -> Result<Resolution, ResolutionError> {
    let bare = without_fragment(resolved);
    if is_url(bare) && is_registry_url(bare) {
        return registry(version, Some(parse_url(bare)?));
    }
    if is_git(resolved) {
        let commit = resolved.split_once('#').and_then(|(url, id)| GitCommit::new(url, id));
        return Ok(commit.map_or_else(|| Resolution::Git(resolved.to_owned()), Resolution::Commit));
    }
    if is_url(bare) {
        let url = parse_url(bare)?;
        if is_hosted_archive(&url) || descriptors.iter().any(|(_, range)| is_hosted(range)) {
            return Ok(archive(url).map_or_else(|| Resolution::GitHub(resolved.to_owned()), Resolution::Archive));
        }
        let is_asked_for = descriptors.iter().any(|(_, range)| is_url(range));
        return if is_asked_for { Ok(Resolution::RemoteTarball(url)) } else { registry(version, Some(url)) };
    }
    if !is_path(bare) && !bare.contains(['/', ':']) && is_tarball(bare) {
        // Old versions of Yarn wrote only the tarball's name in the offline mirror.
        return registry(version, None);
    }
    if is_tarball(bare) && (is_path(bare) || !bare.contains(':')) {
        return local_path(bare).map(Resolution::LocalTarball);
    }
    Err(ResolutionError::Unknown)
}

fn of_range(range: &str, version: Option<&str>) -> Result<Resolution, ResolutionError> {
    if let Some(target) = range.strip_prefix("link:") {
        return Ok(Resolution::Link(target.to_owned()));
    }
    if is_path(range) {
        let path = local_path(range)?;
        return Ok(if is_tarball(range) { Resolution::LocalTarball(path) } else { Resolution::Folder(path) });
    }
    if is_url(range) || is_git(range) || is_hosted(range) {
        return Err(ResolutionError::Unresolved);
    }
    registry(version, None)
}

fn registry(version: Option<&str>, url: Option<Url>) -> Result<Resolution, ResolutionError> {
    let version = version.ok_or(ResolutionError::Unversioned)?;
    if !version.starts_with(|first: char| first.is_ascii_digit()) || !is_version(version) {
        return Err(ResolutionError::Unknown);
    }
    Ok(Resolution::Registry { version: version.to_owned(), url })
}

fn parse_url(text: &str) -> Result<Url, ResolutionError> {
    Url::parse(text).map_err(|_| ResolutionError::Unknown)
}

fn local_path(text: &str) -> Result<RepoPath, ResolutionError> {
    RepoPath::root().resolve(text.strip_prefix("file:").unwrap_or(text)).map_err(ResolutionError::Path)
}

fn is_path(text: &str) -> bool {
    ["file:", "./", "../", "/", "~/"].iter().any(|start| text.starts_with(start)) || matches!(text, "." | "..")
}

fn is_tarball(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    [".tgz", ".tar.gz", ".tar"].iter().any(|suffix| lower.ends_with(suffix))
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// The hosts whose repositories Yarn recognises by their URL alone.
const GIT_HOSTS: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.com", "bitbucket.org"];

/// Whether the text names a git repository: by its URL, or by a commit after `#`.
fn is_git(text: &str) -> bool {
    if ["git:", "git+", "ssh:", "git@"].iter().any(|start| text.starts_with(start)) {
        return true;
    }
    let path = without_fragment(text);
    if path.strip_suffix(".git").is_some() {
        return true;
    }
    let Some((_, path)) = path.split_once("://").filter(|_| is_url(text)) else { return false };
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    parts.next().is_some_and(|host| GIT_HOSTS.contains(&host)) && parts.count() == 2
}

/// Whether a range names a repository on a host: `github:owner/name` or `owner/name`.
fn is_hosted(range: &str) -> bool {
    if ["github:", "gitlab:", "bitbucket:", "gist:"].iter().any(|start| range.starts_with(start)) {
        return true;
    }
    let repository = without_fragment(range);
    !repository.starts_with(['.', '-', '~'])
        && !repository.contains([':', '@', '%', ' '])
        && repository.split('/').count() == 2
        && repository.split('/').all(|part| !part.is_empty())
}

/// Whether the host packs the archive from a repository on demand. Its bytes may differ from those of a published file.
fn is_hosted_archive(url: &Url) -> bool {
    let path = url.path();
    match url.host_str() {
        Some("codeload.github.com" | "gist.github.com") => true,
        Some("gitlab.com") => path.contains("/repository/archive.tar.gz"),
        Some("bitbucket.org") => path.contains("/get/"),
        _ => false,
    }
}

/// Returns the archive at a URL. Archives of GitHub have one place for all package managers.
fn archive(url: Url) -> Option<HostArchive> {
    let parts: Vec<&str> = url.path_segments()?.collect();
    match (url.host_str(), parts.as_slice()) {
        (Some("codeload.github.com"), [owner, name, "tar.gz", commit]) => HostArchive::of_github(owner, name, commit),
        _ => None,
    }
    .or_else(|| HostArchive::at(url))
}

/// Whether a URL ends as those of registries do: `/<name>/-/<base>-<version>.tgz`.
fn is_registry_url(url: &str) -> bool {
    let Some((before, file)) = url.rsplit_once("/-/") else { return false };
    let file = file.rsplit('/').next().unwrap_or(file);
    let base = before.rsplit('/').next().unwrap_or(before);
    // The `/` in a scoped name may be encoded.
    let base = base.rsplit_once("%2f").or_else(|| base.rsplit_once("%2F")).map_or(base, |(_, base)| base);
    let rest = file.strip_prefix(base).and_then(|rest| rest.strip_prefix('-'));
    rest.and_then(|rest| rest.strip_suffix(".tgz")).is_some_and(is_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &str, version: &str, resolved: &str) -> Result<Resolution, ResolutionError> {
        let text = |text: &str| if text.is_empty() { None } else { Some(text.to_owned()) };
        parse(&[("x", range)], text(version).as_deref(), text(resolved).as_deref())
    }

    #[test]
    fn what_comes_from_a_registry_is_told_by_url_or_range() {
        let registry = |url: Option<&str>| {
            Ok(Resolution::Registry { version: "1.0.0".into(), url: url.map(|url| url.parse().unwrap()) })
        };
        for url in [
            "https://registry.example/x/-/x-1.0.0.tgz",
            "https://registry.example/npm/@a/x/-/x-1.0.0.tgz",
            "https://registry.example/npm/@a%2fx/-/x-1.0.0.tgz",
            "https://registry.example/@a/x/-/@a/x-1.0.0.tgz",
        ] {
            assert_eq!(
                of("https://registry.example/x.tgz", "1.0.0", &format!("{url}#abc")),
                registry(Some(url)),
                "{url}"
            );
        }
        let odd = "https://host.example/download/x/1.0.0/9fce";
        assert_eq!(of("^1.0.0", "1.0.0", odd), registry(Some(odd)));
        assert_eq!(of("npm:y@latest", "1.0.0", odd), registry(Some(odd)));
        assert_eq!(of("^1.0.0", "1.0.0", ""), registry(None));
        assert_eq!(of("^1.0.0", "1.0.0", "x-1.0.0.tgz#0123"), registry(None));
        assert_eq!(of("^1.0.0", "", ""), Err(ResolutionError::Unversioned));
        assert_eq!(of("^1.0.0", "../../x", ""), Err(ResolutionError::Unknown));
    }

    #[test]
    fn other_sources_are_told_by_their_form() {
        let path = |text: &str| text.parse::<RepoPath>().unwrap();
        let url = "https://cdn.example/x.tgz";
        assert_eq!(
            of(url, "1.0.0", "https://cdn.example/x.tgz#0a"),
            Ok(Resolution::RemoteTarball(url.parse().unwrap()))
        );
        assert_eq!(of("file:lib/x", "1.0.0", ""), Ok(Resolution::Folder(path("lib/x"))));
        assert_eq!(of("./lib/x", "1.0.0", ""), Ok(Resolution::Folder(path("lib/x"))));
        assert_eq!(of("file:./v/x.tgz", "1.0.0", "file:./v/x.tgz#0a"), Ok(Resolution::LocalTarball(path("v/x.tgz"))));
        assert_eq!(of("link:../x", "0.0.0", ""), Ok(Resolution::Link("../x".into())));
        for resolved in ["git+ssh://git@host.example/o/r.git#0a1b", "r.git#0a1b", "https://host.example/o/r.git"] {
            assert_eq!(of("o/r", "1.0.0", resolved), Ok(Resolution::Git(resolved.into())));
        }
    }

    #[test]
    fn a_commit_is_cloned_and_an_archive_is_a_file() {
        let id = "552b355e30e534cc37f59b232ed38fb15dac6358";
        for url in [
            "git+ssh://git@host.example/o/r.git",
            "git://host.example/o/r",
            "ssh://git@host.example/o/r",
            "https://host.example/o/r.git",
            "https://github.com/o/r",
            "git@host.example:o/r.git",
        ] {
            let commit = GitCommit::new(url, id).unwrap();
            assert_eq!(of("o/r", "1.0.0", &format!("{url}#{id}")), Ok(Resolution::Commit(commit)), "{url}");
        }
        let codeload = format!("https://codeload.github.com/o/r/tar.gz/{id}");
        for range in ["github:o/r", "o/r#v1", "https://github.com/o/r", &codeload] {
            let archive = HostArchive::of_github("o", "r", id).unwrap();
            assert_eq!(of(range, "1.0.0", &codeload), Ok(Resolution::Archive(archive)), "{range}");
        }
        for (range, url) in [
            ("gitlab:o/r", "https://gitlab.com/o/r/repository/archive.tar.gz?ref=0a1b"),
            ("bitbucket:o/r", "https://bitbucket.org/o/r/get/0a1b.tar.gz"),
            ("https://codeload.github.com/o/r/tar.gz/main", "https://codeload.github.com/o/r/tar.gz/main"),
        ] {
            let archive = HostArchive::at(url.parse().unwrap()).unwrap();
            assert_eq!(of(range, "1.0.0", &format!("{url}#0a1b")), Ok(Resolution::Archive(archive)), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(of("file:../x", "1.0.0", ""), Err(ResolutionError::Path(RepoPathError::Leaves)));
        assert_eq!(of("/abs/x", "1.0.0", ""), Err(ResolutionError::Path(RepoPathError::Absolute)));
        assert_eq!(of("github:o/r", "1.0.0", ""), Err(ResolutionError::Unresolved));
        assert_eq!(of("https://host.example/x.tgz", "1.0.0", ""), Err(ResolutionError::Unresolved));
        for resolved in ["what:ever", "https://", "x", "ftp://host.example/x.tgz"] {
            assert_eq!(of("^1.0.0", "1.0.0", resolved), Err(ResolutionError::Unknown), "{resolved}");
        }
    }

    #[test]
    fn descriptors_are_split_and_aliases_followed() {
        assert_eq!(split_descriptor("@a/b@^1.0.0 || 2"), ("@a/b", "^1.0.0 || 2"));
        assert_eq!(split_descriptor("a@"), ("a", ""));
        assert_eq!(split_descriptor("a"), ("a", ""));
        assert_eq!(aliased("npm:@a/b@^1"), Some("@a/b"));
        assert_eq!(aliased("npm:b"), Some("b"));
        assert_eq!(aliased("^1"), None);
    }
}
