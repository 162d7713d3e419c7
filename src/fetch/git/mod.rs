//! Commits of git repositories, by the git of this machine.
//!
//! Only git knows all ways to a repository: the user's keys, credential helpers and rewritten URLs. It is asked for the
//! one commit where the server allows that, and for everything where not. Objects are read as they are, without a
//! checkout, so that neither filters nor line ends, attributes, file systems or the version of git matter.

mod error;
mod objects;
mod run;

use std::sync::Arc;

use camino::Utf8Path;
use url::Url;

pub use error::FetchGitError;
use run::{BareGit, Running};

use super::archive::{self, Files};
use crate::ending::Folder;

/// How many repositories are fetched at once: each is a process or two, and hosts count connections.
pub(super) const AT_ONCE: usize = 8;

/// Everything of a commit that its archive holds.
pub(super) struct Commit {
    members: std::collections::BTreeMap<String, Vec<u8>>,
    files: Files,
}

impl Commit {
    /// The bytes of its archive.
    pub(super) fn pack(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        archive::pack(&self.members, &self.files, &mut bytes)?;
        Ok(bytes)
    }
}

/// What fetches. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    /// The program, `git` unless a test says otherwise.
    pub(super) program: std::ffi::OsString,
}

impl Default for Fetcher {
    fn default() -> Self {
        Self { program: "git".into() }
    }
}

impl Fetcher {
    /// Brings a commit. The work goes on in a folder below `tmp`, which is removed; a drop of the future ends it.
    pub(super) async fn fetch(&self, url: &Url, id: &str, tmp: &Utf8Path) -> Result<Commit, FetchGitError> {
        let running = Arc::new(Running::default());
        // Git is killed where nobody waits for it any more.
        let _guard = running.clone().guard();
        let (program, url, id, tmp) = (self.program.clone(), url.clone(), id.to_owned(), tmp.to_owned());
        let work = move || {
            let folder = Folder::new("git-", tmp.as_std_path())?;
            let git = BareGit::new(program, folder.path(), running);
            git.init()?;
            bring(&git, &url, &id)?;
            objects::read(&git, &id)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| FetchGitError::Io(std::io::Error::other(error)))?
    }
}

/// Has git fetch a commit. A repository that is locked as one of ssh is asked for without a key first, as inside a
/// build, and as Bun does.
fn bring(git: &BareGit, url: &Url, id: &str) -> Result<(), FetchGitError> {
    if let Some(public) = public_url(url)
        && fetch_from(git, &public, id, Credentials::None).is_ok()
    {
        return Ok(());
    }
    fetch_from(git, url, id, Credentials::OfUser)
}

/// Where a repository of ssh lies for everybody, if it does.
fn public_url(url: &Url) -> Option<Url> {
    let host = url.host_str().filter(|_| url.scheme() == "ssh")?;
    Url::parse(&format!("https://{host}{}", url.path())).ok()
}

/// Whether git may ask the user's helpers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    OfUser,
    None,
}

/// The refs that are asked for where the commit itself may not be: most of them, then all, such as those of forges.
const REFS: [&[&str]; 2] = [&["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], &["+refs/*:refs/*"]];

fn fetch_from(git: &BareGit, url: &Url, id: &str, credentials: Credentials) -> Result<(), FetchGitError> {
    match git.fetch(url, credentials, &["--depth=1", "--no-tags"], &[id]) {
        Ok(()) => return Ok(()),
        // It refuses the commit, or the depth.
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
