//! Where the files of a CI system are, and what is in them.

use camino::Utf8PathBuf;

use super::error::CiError;
use crate::{
    caches::CacheChoice,
    ci::{self, Provider, Settings, settings::is_plain},
    cli::failure::Failure,
    repo::{Git, RepoPath, RepoPathError, Tree as _, WorkTree, read_text},
    split::config,
};

/// The git repository, which may be above the folder of the lockfile.
pub(super) struct Place {
    /// The top of the git repository.
    pub(super) top: WorkTree,
    /// The folder of the lockfile in it, or nothing.
    pub(super) folder: String,
    git: Git,
}

/// A file that splitter may write.
pub(super) struct Found {
    pub(super) path: RepoPath,
    pub(super) text: Option<String>,
}

impl Place {
    pub(super) fn of(tree: &WorkTree) -> Result<Self, Failure> {
        let git = Git::at(tree.root());
        // Without a git repository, the workflow lies beside the lockfile.
        let prefix = git.ask(&["rev-parse", "--show-prefix"]).ok().flatten().unwrap_or_default();
        let folder = prefix.trim_end_matches('/').to_owned();
        if !folder.is_empty() && !is_plain(&folder) {
            return Err(CiError::NotPlain { what: "folder", text: folder }.into());
        }
        let top = tree.root().ancestors().nth(folder.split('/').filter(|name| !name.is_empty()).count());
        let top: Utf8PathBuf = top.unwrap_or(tree.root()).to_owned();
        Ok(Self { top: WorkTree::at(top), folder, git })
    }

    /// Returns the files of a CI system with their texts.
    pub(super) fn files(&self, provider: Provider) -> Result<Vec<Found>, Failure> {
        let read = |path: String| -> Result<Found, Failure> {
            let path = path.parse().map_err(not_a_path)?;
            Ok(Found { text: read_text(&self.top, &path)?, path })
        };
        ci::files(provider, &self.folder).into_iter().map(read).collect()
    }

    /// Returns the choices in the files of a CI system, if splitter wrote them.
    pub(super) fn settings(&self, provider: Provider) -> Result<Option<Settings>, Failure> {
        let files = self.files(provider)?;
        Ok(files.iter().filter_map(|file| ci::origin(file.text.as_deref()?)).map(|(settings, _)| settings).next())
    }

    /// Finds the CI system: by splitter's own files, by files that others wrote, by the name of the remote.
    pub(super) fn provider(&self) -> Result<Provider, Failure> {
        for provider in Provider::ALL {
            if self.settings(provider)?.is_some() {
                return Ok(provider);
            }
        }
        for (path, provider) in MARKS {
            let path: RepoPath = path.parse().map_err(not_a_path)?;
            if self.top.is_file(&path)? || path.on_disk(self.top.root()).is_dir() {
                return Ok(provider);
            }
        }
        let remote = self.git.ask(&["remote", "get-url", "origin"]).ok().flatten().unwrap_or_default();
        let host = host(&remote).to_ascii_lowercase();
        let named = Provider::ALL.into_iter().find(|provider| host.contains(provider.name()));
        let gitea = host.contains("gitea").then_some(Provider::Forgejo);
        Ok(named.or(gitea).ok_or(CiError::NoProvider)?)
    }

    /// Returns the default branch, as far as this clone knows it.
    pub(super) fn branch(&self) -> Result<String, Failure> {
        let ask = |args: &[&str]| self.git.ask(args).ok().flatten();
        let of_remote = ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"]);
        let of_remote = of_remote.and_then(|name| name.strip_prefix("origin/").map(str::to_owned));
        let exists = |name: &str| ask(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}")]).is_some();
        let usual = || ["main", "master"].into_iter().find(|name| exists(name)).map(str::to_owned);
        let current = || ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]);
        let branch = of_remote.or_else(usual).or_else(current).unwrap_or_else(|| "main".to_owned());
        if is_plain(&branch) { Ok(branch) } else { Err(CiError::NotPlain { what: "branch", text: branch }.into()) }
    }
}

/// Returns the caches of `splitter.json`.
pub(super) fn team(tree: &WorkTree) -> Result<Vec<CacheChoice>, Failure> {
    Ok(config::read(tree)?.caches)
}

/// Files and folders of CI systems. The first that exists counts, so those of systems that also read another's come first.
const MARKS: [(&str, Provider); 6] = [
    (".forgejo", Provider::Forgejo),
    (".gitea", Provider::Forgejo),
    (".buildkite", Provider::Buildkite),
    (".gitlab-ci.yml", Provider::Gitlab),
    (".gitlab", Provider::Gitlab),
    (".github/workflows", Provider::Github),
];

/// The folder is plain, so its paths are paths of the repository.
fn not_a_path(error: RepoPathError) -> CiError {
    CiError::NotPlain { what: "path", text: error.to_string() }
}

/// Returns the host of a remote: of a URL, or before the colon of `git@host:path`.
fn host(remote: &str) -> &str {
    let rest = remote.split_once("://").map_or(remote, |(_, rest)| rest);
    let authority = rest.split(['/', ':']).next().unwrap_or_default();
    let with_port = authority.rsplit('@').next().unwrap_or_default();
    // A user's name may hold a colon and a password.
    if authority.contains('@') || !rest.contains('@') {
        return with_port;
    }
    rest.split_once('@').map_or("", |(_, host)| host.split(['/', ':']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_remote_is_found_in_every_form() {
        for remote in [
            "https://git.example.org/acme/github.git",
            "https://user:word@git.example.org/x",
            "https://user@git.example.org:8443/x",
            "git@git.example.org:acme/gitlab.git",
            "ssh://git@git.example.org:22/x",
            "git.example.org:x",
        ] {
            assert_eq!(host(remote), "git.example.org", "{remote}");
        }
        assert_eq!(host("/srv/git/github"), "");
        assert_eq!(host(""), "");
    }
}
