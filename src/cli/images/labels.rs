//! Reads the labels that images get when they are sent or written: from git, the environment and the options.

use camino::Utf8Path;

use super::ImagesError;
use crate::{
    cli::{
        arguments::{Global, LabelOptions},
        failure::Failure,
    },
    fetch::Environment,
    image::labels::{Commit, Labels, time},
    repo::{Git, GitError, WorkTree},
};

/// The variable of reproducible builds for the time.
pub(super) const TIME: &str = "SOURCE_DATE_EPOCH";
/// The variable that Nix sets in its shells, and the time that every shell of nixpkgs has there. Nobody chose that time.
const SHELL: (&str, &str) = ("IN_NIX_SHELL", "315532800");

/// Reads the labels. `is_built` says whether the plans were built from the repository. A plan from a file needs no repository.
pub(super) fn read(
    global: &Global,
    options: &LabelOptions,
    is_built: bool,
    environment: &Environment,
) -> Result<Labels, Failure> {
    let commit = match (options.no_git_labels, is_built) {
        (true, _) => None,
        (false, true) => head(global)?,
        (false, false) => head(global).unwrap_or_default(),
    };
    let time = chosen_time(environment)?;
    Ok(Labels { commit, time, given: options.labels.iter().cloned().collect() })
}

fn chosen_time(environment: &Environment) -> Result<Option<String>, ImagesError> {
    let is_default = |text: &str| text == SHELL.1 && environment.get(SHELL.0).is_some();
    let Some(text) = environment.get(TIME).filter(|text| !text.is_empty() && !is_default(text)) else {
        return Ok(None);
    };
    let seconds = text.parse().ok().and_then(time);
    seconds.map(Some).ok_or_else(|| ImagesError::Time(text.to_owned()))
}

/// Returns the commit of the working tree, or nothing outside of a repository and before the first commit.
fn head(global: &Global) -> Result<Option<Commit>, Failure> {
    let tree = WorkTree::discover(global.repo.as_deref().unwrap_or(Utf8Path::new(".")))?;
    let git = Git::at(tree.root());
    let answer = match git.ask(&["log", "-1", "--no-show-signature", "--no-color", "--format=%H %ct", "HEAD", "--"]) {
        Ok(Some(answer)) => answer,
        Ok(None) | Err(GitError::NoRepository(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some((id, seconds)) = answer.split_once(' ') else { return Ok(None) };
    let Some(time) = seconds.parse().ok().and_then(time) else { return Ok(None) };
    // Nix does not build untracked files, so they make no difference.
    let changed = git.output(&["status", "--porcelain", "--untracked-files=no", "--", "."])?;
    Ok(Some(Commit { id: id.to_owned(), time, is_dirty: !changed.is_empty() }))
}
