//! Fetches commits of git repositories with the git of this machine.
//!
//! Only git knows every way to a repository: the user's keys, credential helpers and rewritten URLs. It fetches the one
//! commit if the server allows that, and otherwise all branches and tags. The module reads raw objects, without a
//! checkout. So filters, line ends, attributes, file systems and the version of git make no difference.

mod error;
mod objects;
mod run;

use std::{sync::Arc, time::Duration};

use camino::Utf8Path;
use url::Url;

pub use error::FetchGitError;
use run::{BareGit, Running};

use super::archive::{self, Files, Spool};
use crate::ending::Folder;

/// The number of repositories fetched at once. Each needs one or two processes, and hosts limit connections.
pub(super) const AT_ONCE: usize = 8;

/// The content of a commit's archive.
pub(super) struct Commit {
    members: std::collections::BTreeMap<String, Vec<u8>>,
    files: Files,
}

impl Commit {
    /// Writes its archive.
    pub(super) fn pack(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        archive::pack(&self.members, &self.files, out)
    }
}

/// Fetches commits. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    /// The program. Tests replace `git`.
    pub(super) program: std::ffi::OsString,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self { program: "git".into() }
    }
}

impl Fetcher {
    /// Fetches a commit. Works in a folder below `tmp` and removes it. Dropping the future ends git, and so does a time of `stall`
    /// without progress.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        id: &str,
        tmp: &Utf8Path,
        stall: Duration,
    ) -> Result<Commit, FetchGitError> {
        let running = Arc::new(Running::default());
        // Kills git when the future is dropped.
        let _guard = running.clone().guard();
        let (program, url, id, tmp) = (self.program.clone(), url.clone(), id.to_owned(), tmp.to_owned());
        let work = move || {
            let folder = Folder::new("git-", tmp.as_std_path())?;
            let git = BareGit::new(program, folder.path(), running, stall);
            git.init()?;
            bring(&git, &url, &id)?;
            objects::read(&git, &id, Spool::new(tmp.as_std_path())?)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| FetchGitError::Io(std::io::Error::other(error)))?
    }
}

/// Fetches a commit with git. For an ssh URL it first tries https without credentials, as builds and Bun do.
fn bring(git: &BareGit, url: &Url, id: &str) -> Result<(), FetchGitError> {
    if let Some(public) = public_url(url)
        && fetch_from(git, &public, id, Credentials::None).is_ok()
    {
        return Ok(());
    }
    fetch_from(git, url, id, Credentials::OfUser)
}

/// Returns the https URL of an ssh repository, where it may be public.
fn public_url(url: &Url) -> Option<Url> {
    let host = url.host_str().filter(|_| url.scheme() == "ssh")?;
    Url::parse(&format!("https://{host}{}", url.path())).ok()
}

/// Whether git may use the user's credential helpers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    OfUser,
    None,
}

/// The refs to fetch if the server does not allow fetching the commit itself: branches and tags first, then all refs,
/// which include those of pull requests.
const REFS: [&[&str]; 2] = [&["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], &["+refs/*:refs/*"]];

fn fetch_from(git: &BareGit, url: &Url, id: &str, credentials: Credentials) -> Result<(), FetchGitError> {
    match git.fetch(url, credentials, &["--depth=1", "--no-tags"], &[id]) {
        Ok(()) => return Ok(()),
        // The server refuses the commit id, or the depth.
        Err(FetchGitError::Failed { .. }) => {}
        Err(error) => return Err(error),
    }
    for refs in REFS {
        git.fetch(url, credentials, &[], refs)?;
        if git.has(id)? {
            return Ok(());
        }
    }
    Err(FetchGitError::Vanished { id: id.to_owned() })
}

#[cfg(test)]
mod tests;
