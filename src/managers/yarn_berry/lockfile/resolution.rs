//! The kinds of locators of Yarn 2 and later: `name@protocol:…`.
//!
//! Source: the resolvers and fetchers of Yarn's plugins (`npm`, `patch`, `file`, `link`, `git`, `http`, `exec`). Other
//! protocols belong to plugins of a repository.

use url::{Url, form_urlencoded};

use super::reference::{Reference, split_bindings};
use crate::{
    lockfile::{
        GitCommit, HostArchive, Resolution,
        names::{is_version, split_name},
    },
    repo::{RepoPath, RepoPathError},
};

/// Why a locator is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResolutionError {
    /// It is of no known kind.
    Unknown,
    /// It is a virtual package.
    Virtual,
    /// The path leaves the repository.
    Path(String, RepoPathError),
}

/// Reads a locator. `reference` is the part after `name@`.
pub(super) fn parse(reference: &str) -> Result<Resolution, ResolutionError> {
    let parts = Reference::parse(reference).ok_or(ResolutionError::Unknown)?;
    match parts.protocol.ok_or(ResolutionError::Unknown)? {
        "npm:" | "jsr:" => registry(&parts),
        "workspace:" => path(&RepoPath::root(), &parts.selector).map(Resolution::Workspace),
        "patch:" => patched(&parts),
        "file:" | "exec:" => local(reference, &parts),
        "link:" | "portal:" => Ok(Resolution::Link(parts.selector.into_owned())),
        "virtual:" => Err(ResolutionError::Virtual),
        "github:" => Ok(Resolution::GitHub(reference.to_owned())),
        _ if is_git(reference, &parts) => Ok(git(reference)),
        "http:" | "https:" => remote(reference),
        _ => Ok(Resolution::Plugin(reference.to_owned())),
    }
}

/// Returns the package's name at its registry. JSR packages have a scope of their own there.
pub(super) fn registry_name(ident: &str, reference: &str) -> String {
    if !reference.starts_with("jsr:") {
        return ident.to_owned();
    }
    ["@jsr/", &ident.trim_start_matches('@').replacen('/', "__", 1)].concat()
}

fn registry(parts: &Reference<'_>) -> Result<Resolution, ResolutionError> {
    let version = parts.selector.as_ref();
    if !version.starts_with(|first: char| first.is_ascii_digit()) || !is_version(version) {
        return Err(ResolutionError::Unknown);
    }
    let url = parts.binding("__archiveUrl").map(|url| http_url(&url)).transpose()?;
    Ok(Resolution::Registry { version: version.to_owned(), url })
}

fn remote(reference: &str) -> Result<Resolution, ResolutionError> {
    let url = split_bindings(reference).0;
    http_url(url.split('#').next().unwrap_or(url)).map(Resolution::RemoteTarball)
}

fn http_url(text: &str) -> Result<Url, ResolutionError> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(ResolutionError::Unknown)
}

/// Whether the reference names a git repository: by its protocol, or by the commit that Yarn binds each one to.
fn is_git(reference: &str, parts: &Reference<'_>) -> bool {
    let protocol = parts.protocol.unwrap_or_default();
    let is_protocol =
        matches!(protocol, "git:" | "ssh:") || ["git+", "git@"].iter().any(|start| protocol.starts_with(start));
    let has_commit = parts.source.is_some() && parts.selector.split('&').any(|pair| pair.starts_with("commit="));
    is_protocol || has_commit || (protocol.starts_with("http") && reference.strip_suffix(".git").is_some())
}

/// Reads `<url>#commit=<id>`. `workspace=` or `cwd=`, which Yarn uses when it packs, may come before or after.
fn git(reference: &str) -> Resolution {
    let bound = split_bindings(reference).0.split_once('#').and_then(|(url, query)| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == "commit").map(|(_, id)| (url, id))
    });
    let known = bound.and_then(|(url, id)| match github(url) {
        Some((owner, name)) => HostArchive::of_github(owner, name, &id).map(Resolution::Archive),
        None => GitCommit::new(url, &id).map(Resolution::Commit),
    });
    known.unwrap_or_else(|| Resolution::Git(reference.to_owned()))
}

/// Returns owner and name of a repository whose archive Yarn downloads from GitHub. Yarn clones a repository with an
/// ssh URL.
fn github(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let (owner, name) = path.split_once('/')?;
    let is_github = host.rsplit_once('@').map_or(host, |(_, host)| host) == "github.com";
    let name = name.strip_suffix(".git").unwrap_or(name);
    (is_github && !name.contains('/')).then_some((owner, name))
}

/// The folder that the paths of a reference are relative to.
enum Base {
    Repository(RepoPath),
    /// A folder inside a package from outside the repository.
    Package,
}

/// Returns the folder of the package that asks for a reference: the package in its binding, or else the root.
fn base(parts: &Reference<'_>) -> Result<Base, ResolutionError> {
    let Some(parent) = parts.binding("locator") else { return Ok(Base::Repository(RepoPath::root())) };
    let (_, parent) = split_name(&parent).ok_or(ResolutionError::Unknown)?;
    let parts = Reference::parse(parent).ok_or(ResolutionError::Unknown)?;
    match parts.protocol.unwrap_or_default() {
        "workspace:" => path(&RepoPath::root(), &parts.selector).map(Base::Repository),
        // Each level of nesting is percent-encoded once more, so a line has room for few levels.
        "file:" | "portal:" | "link:" => match base(&parts)? {
            Base::Repository(base) => path(&base, &parts.selector).map(Base::Repository),
            Base::Package => Ok(Base::Package),
        },
        _ => Ok(Base::Package),
    }
}

fn path(base: &RepoPath, text: &str) -> Result<RepoPath, ResolutionError> {
    base.resolve(text).map_err(|reason| ResolutionError::Path(text.to_owned(), reason))
}

fn local(reference: &str, parts: &Reference<'_>) -> Result<Resolution, ResolutionError> {
    let Base::Repository(base) = base(parts)? else {
        // The folder is part of a package, and Yarn takes it from there.
        return Ok(Resolution::Plugin(reference.to_owned()));
    };
    let is_tarball = [".tgz", ".tar.gz"].iter().any(|suffix| parts.selector.ends_with(suffix));
    let path = path(&base, &parts.selector)?;
    Ok(match parts.protocol {
        Some("exec:") => Resolution::Generated(path),
        _ if is_tarball => Resolution::LocalTarball(path),
        _ => Resolution::Folder(path),
    })
}

fn patched(parts: &Reference<'_>) -> Result<Resolution, ResolutionError> {
    let source = parts.source.as_deref().ok_or(ResolutionError::Unknown)?.to_owned();
    let base = base(parts)?;
    let patches = parts.selector.split('&').filter(|patch| !patch.is_empty());
    let files = patches.filter_map(|patch| patch_file(&base, patch)).collect::<Result<_, _>>()?;
    Ok(Resolution::Patched { source, files })
}

/// Returns the file of a patch, or `None` for a patch that is built into Yarn or part of a package. Since Yarn 4, `~/`
/// is the project's root and `optional!` marks an optional patch. Before Yarn 4, `~` marked an optional patch.
fn patch_file(base: &Base, patch: &str) -> Option<Result<RepoPath, ResolutionError>> {
    let patch = patch.rsplit('!').next().unwrap_or(patch);
    if let Some(from_root) = patch.strip_prefix("~/") {
        return Some(path(&RepoPath::root(), from_root));
    }
    let patch = patch.strip_prefix('~').unwrap_or(patch);
    match base {
        _ if patch.starts_with("builtin<") && patch.ends_with('>') => None,
        Base::Repository(base) => Some(path(base, patch)),
        Base::Package => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn repo_path(text: &str) -> RepoPath {
        text.parse().unwrap()
    }

    fn patch(reference: &str) -> (String, Vec<String>) {
        match parse(reference) {
            Ok(Resolution::Patched { source, files }) => (source, files.iter().map(ToString::to_string).collect()),
            other => panic!("{reference}: {other:?}"),
        }
    }

    #[test]
    fn a_commit_is_cloned_or_taken_from_github() {
        let id = "552b355e30e534cc37f59b232ed38fb15dac6358";
        for url in ["https://github.com/o/r.git", "https://token@github.com/o/r"] {
            let archive = HostArchive::of_github("o", "r", id).unwrap();
            assert_eq!(parse(&format!("{url}#commit={id}")), Ok(Resolution::Archive(archive)), "{url}");
        }
        for url in [
            "https://host.example/o/r",
            "https://github.com/o/r/more.git",
            "git@github.com:o/r.git",
            "ssh://git@host.example/o/r.git",
            "git+ssh://git@host.example/o/r.git",
            "git://host.example/o/r",
            "deploy@host.example:o/r.git",
        ] {
            for query in
                [format!("commit={id}"), format!("workspace=%40a%2Fb&commit={id}"), format!("commit={id}&cwd=a")]
            {
                let commit = GitCommit::new(url, id).unwrap();
                assert_eq!(parse(&format!("{url}#{query}")), Ok(Resolution::Commit(commit)), "{url}#{query}");
            }
        }
    }

    #[test]
    fn the_protocol_decides_the_kind() {
        let version = |version: &str, url: Option<&str>| {
            Ok(Resolution::Registry { version: version.into(), url: url.map(|url| url.parse().unwrap()) })
        };
        assert_eq!(parse("npm:1.0.0-rc.1"), version("1.0.0-rc.1", None));
        assert_eq!(
            parse("npm:1.0.0::__archiveUrl=https%3A%2F%2Fhost.example%2F%40a%2Fx.tgz%3Fv%3D1"),
            version("1.0.0", Some("https://host.example/@a/x.tgz?v=1"))
        );
        assert_eq!(parse("workspace:packages/a"), Ok(Resolution::Workspace(repo_path("packages/a"))));
        assert_eq!(parse("workspace:."), Ok(Resolution::Workspace(RepoPath::root())));
        assert_eq!(parse("link:../x::locator=a%40workspace%3A."), Ok(Resolution::Link("../x".into())));
        for tarball in
            ["https://host.example/x.tgz?a=b", "https://host.example/x.tgz#hash", "http://host.example:81/x.tgz::a=b"]
        {
            let url = tarball.split(['#']).next().unwrap().split("::").next().unwrap();
            assert_eq!(parse(tarball), Ok(Resolution::RemoteTarball(url.parse().unwrap())));
        }
        for git in
            ["https://host.example/o/r.git", "git://host.example/o/r#0a1b", "git@host.example:o/r.git#commit=0a1b"]
        {
            assert_eq!(parse(git), Ok(Resolution::Git(git.into())));
        }
        assert_eq!(parse("portal:../x::locator=a%40workspace%3A."), Ok(Resolution::Link("../x".into())));
        assert!(matches!(parse("condition:X ? 1 : 2"), Ok(Resolution::Plugin(_))));
        assert_eq!(parse("virtual:0a1b#npm:1.0.0"), Err(ResolutionError::Virtual));
        for text in [
            "1.0.0",
            "",
            "npm:latest",
            "npm:../../x",
            "npm:",
            "npm:1.0.0::__archiveUrl=ftp%3A%2F%2Fx",
            "patch:x",
            "https:",
        ] {
            assert_eq!(parse(text), Err(ResolutionError::Unknown), "{text}");
        }
    }

    #[test]
    fn local_paths_start_where_they_were_written() {
        let locator = "locator=%40acme%2Fa%40workspace%3Apackages%2Fa";
        let folder = |path| Ok(Resolution::Folder(repo_path(path)));
        assert_eq!(parse(&format!("file:../../lib/f#../../lib/f::hash=0a&{locator}")), folder("lib/f"));
        let generator = Ok(Resolution::Generated(repo_path("packages/a/x.js")));
        assert_eq!(parse(&format!("exec:./x.js#./x.js::hash=0a&{locator}")), generator);
        let tarball = Ok(Resolution::LocalTarball(repo_path("packages/a/vendor/t.tgz")));
        assert_eq!(parse(&format!("file:./vendor/t.tgz::{locator}")), tarball);
        assert_eq!(parse(&format!("file:./vendor/t.tgz#./vendor/t.tgz::hash=0a&{locator}")), tarball);
        let nested = "file:../g#../g::hash=0a&locator=f%40file%3A..%2F..%2Flib%2Ff%23..%2F..%2Flib%2Ff%3A%3Alocator%3Da%2540workspace%253Apackages%252Fa";
        assert_eq!(parse(nested), folder("lib/g"));
        let shipped = "file:./g::locator=f%40npm%3A1.0.0";
        assert_eq!(parse(shipped), Ok(Resolution::Plugin(shipped.into())));
        assert_eq!(
            parse("file:../x::locator=a%40workspace%3A."),
            Err(ResolutionError::Path("../x".into(), RepoPathError::Leaves))
        );
        assert_eq!(parse("file:/x"), Err(ResolutionError::Path("/x".into(), RepoPathError::Absolute)));
    }

    #[test]
    fn patches_are_files_of_the_project_or_built_in() {
        let of =
            |source: &str, files: &[&str]| (source.to_owned(), files.iter().map(|file| (*file).to_owned()).collect());
        assert_eq!(
            patch("patch:x@npm%3A1.0.0#optional!builtin<compat/x>::version=1.0.0&hash=0a"),
            of("x@npm:1.0.0", &[])
        );
        assert_eq!(patch("patch:x@npm%3A1.0.0#~builtin<compat/x>::version=1.0.0&hash=0a"), of("x@npm:1.0.0", &[]));
        assert_eq!(
            patch("patch:x@npm%3A1.0.0#~/.yarn/patches/x.patch::hash=0a"),
            of("x@npm:1.0.0", &[".yarn/patches/x.patch"])
        );
        let a = "locator=a%40workspace%3Apackages%2Fa";
        assert_eq!(
            patch(&format!(
                "patch:x@npm%3A1.0.0#./one.patch&optional!two.patch&~../b/three.patch&~/four%25.patch::{a}"
            )),
            of(
                "x@npm:1.0.0",
                &["packages/a/one.patch", "packages/a/two.patch", "packages/b/three.patch", "four%.patch"]
            )
        );
        assert_eq!(
            patch(
                "patch:x@patch%3Ax@npm%253A1.0.0%23~builtin<compat%2Fx>%3A%3Ahash%3D0a#./x.patch::locator=a%40workspace%3A."
            ),
            of("x@patch:x@npm%3A1.0.0#~builtin<compat/x>::hash=0a", &["x.patch"])
        );
        assert_eq!(patch("patch:x@npm%3A1.0.0#./x.patch::locator=y%40npm%3A1.0.0"), of("x@npm:1.0.0", &[]));
        assert_eq!(
            parse("patch:x@npm%3A1.0.0#../x.patch"),
            Err(ResolutionError::Path("../x.patch".into(), RepoPathError::Leaves))
        );
    }

    #[test]
    fn packages_of_the_jsr_have_another_name_at_the_registry() {
        assert_eq!(registry_name("@std/path", "jsr:1.0.0"), "@jsr/std__path");
        assert_eq!(registry_name("@std/path", "npm:1.0.0"), "@std/path");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_path_leaves(text in "(npm|file|patch|workspace|link|https):[a@:#%./~!&=3A]{0,30}(::locator=[a-z%40.3AF:]{0,20})?") {
            if let Ok(Resolution::Patched { files, .. }) = parse(&text) {
                prop_assert!(files.iter().all(|file| file.parts().all(|part| part != "..")));
            }
        }
    }
}
