//! The resolution of an entry: the text after `<name>@`.

use url::Url;

use crate::{
    lockfile::{GitCommit, HostArchive, Resolution, names::is_version},
    repo::{RepoPath, RepoPathError},
};

/// Why a resolution is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResolutionError {
    /// It is of no known kind.
    Unknown,
    /// Its path leaves the repository.
    Path(RepoPathError),
}

/// Reads a resolution. Local paths are relative to `base`, the workspace whose manifest names the package.
pub(super) fn parse(text: &str, base: &RepoPath, url: Option<Url>) -> Result<Resolution, ResolutionError> {
    if let Some((scheme, rest)) = text.split_once(':') {
        match scheme {
            "workspace" => return rest.parse().map(Resolution::Workspace).map_err(ResolutionError::Path),
            "root" => return Ok(Resolution::Root),
            "link" => return Ok(Resolution::Link(rest.to_owned())),
            "file" => return local(rest, base),
            "github" => return Ok(github(text, rest)),
            "http" | "https" => {
                return Url::parse(text).map(Resolution::RemoteTarball).map_err(|_| ResolutionError::Unknown);
            }
            "git" | "ssh" | "gitlab" | "bitbucket" => return Ok(git(text)),
            _ if scheme.starts_with("git+") || scheme.starts_with("git@") => return Ok(git(text)),
            _ => return Err(ResolutionError::Unknown),
        }
    }
    if is_tarball(text) {
        return local(text, base);
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) && is_version(text) {
        return Ok(Resolution::Registry { version: text.to_owned(), url });
    }
    if text.starts_with(['.', '/']) {
        return local(text, base);
    }
    Err(ResolutionError::Unknown)
}

/// Reads `github:owner/name#revision`. `rest` is the part after the colon.
fn github(text: &str, rest: &str) -> Resolution {
    let parts = rest.split_once('#').and_then(|(path, revision)| Some((path.split_once('/')?, revision)));
    let archive = parts.and_then(|((owner, name), revision)| HostArchive::of_github(owner, name, revision));
    archive.map_or_else(|| Resolution::GitHub(text.to_owned()), Resolution::Archive)
}

/// Reads `<url>#<commit>`.
fn git(text: &str) -> Resolution {
    let commit = text.rsplit_once('#').and_then(|(url, id)| GitCommit::new(url, id));
    commit.map_or_else(|| Resolution::Git(text.to_owned()), Resolution::Commit)
}

fn local(path: &str, base: &RepoPath) -> Result<Resolution, ResolutionError> {
    let resolved = base.resolve(path).map_err(ResolutionError::Path)?;
    Ok(if is_tarball(path) { Resolution::LocalTarball(resolved) } else { Resolution::Folder(resolved) })
}

pub(super) fn is_tarball(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    [".tgz", ".tar.gz", ".tar"].iter().any(|suffix| lower.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_alone_decides_the_kind() {
        let base: RepoPath = "packages/a".parse().unwrap();
        let parse = |text| parse(text, &base, None);
        let path = |text: &str| text.parse::<RepoPath>().unwrap();
        assert_eq!(parse("1.0.0-rc.1+b"), Ok(Resolution::Registry { version: "1.0.0-rc.1+b".into(), url: None }));
        assert_eq!(parse("workspace:packages/b"), Ok(Resolution::Workspace(path("packages/b"))));
        assert_eq!(parse("./x.tgz"), Ok(Resolution::LocalTarball(path("packages/a/x.tgz"))));
        assert_eq!(parse("vendor/x.tar.gz"), Ok(Resolution::LocalTarball(path("packages/a/vendor/x.tar.gz"))));
        assert_eq!(parse("file:../../lib"), Ok(Resolution::Folder(path("lib"))));
        assert_eq!(parse("link:../x"), Ok(Resolution::Link("../x".into())));
        assert_eq!(parse("root:"), Ok(Resolution::Root));
        assert!(matches!(parse("https://host.example/x.tgz"), Ok(Resolution::RemoteTarball(_))));
        let id = "552b355e30e534cc37f59b232ed38fb15dac6358";
        for url in ["git+https://host.example/x.git", "git@host.example:a/b.git", "git+ssh://gitlab:a/b"] {
            let text = format!("{url}#{id}");
            assert!(
                matches!(super::parse(&text, &base, None), Ok(Resolution::Commit(commit)) if commit.id() == id),
                "{url}"
            );
        }
        assert!(matches!(parse("github:a/b#552b355"), Ok(Resolution::Archive(_))));
        assert!(matches!(parse("git+https://host.example/x.git#main"), Ok(Resolution::Git(_))));
        assert!(matches!(parse("github:a/b#main"), Ok(Resolution::GitHub(_))));
        assert_eq!(parse("file:../../../x"), Err(ResolutionError::Path(RepoPathError::Leaves)));
        assert_eq!(parse("/etc/x.tgz"), Err(ResolutionError::Path(RepoPathError::Absolute)));
        assert_eq!(parse("what:ever"), Err(ResolutionError::Unknown));
        assert_eq!(parse("1.0.0/../../x"), Err(ResolutionError::Unknown));
    }
}
