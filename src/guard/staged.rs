//! The check of git's index: what is about to be committed.
//!
//! The first question is whether a file that matters is staged at all; for most commits the answer is no, and they wait for one
//! git process. A branch that has nothing of splitter is none of its concern.

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    GuardError,
    relevance::{Named, is_template, matters_by_name},
    verdict::{Beside, Verdict, verdict},
};
use crate::{
    repo::{self, Git, GitError, GitIndex, Tree as _, WorkTree, WorkTreeError},
    scaffold::{compare::Differences, record, templates},
};

/// What was found.
#[derive(Debug)]
pub enum Staged {
    /// No file that matters is staged.
    Untouched,
    /// What is to be committed has nothing of splitter.
    Unused,
    /// Files that matter have several contents, as a merge left them.
    Unmerged(Vec<String>),
    /// The record is not in the index, though the files beside it are.
    NoRecord,
    /// The record is as right as an older splitter made it. CI says that it is to be written anew; a commit that does not
    /// make it stale may pass, or two versions of splitter in one team would stop each other's.
    Older,
    /// The check was made.
    Checked(Box<Verdict>),
}

impl Staged {
    /// Whether the commit may be made.
    pub fn is_fresh(&self) -> bool {
        match self {
            Self::Untouched | Self::Unused | Self::Older => true,
            Self::Unmerged(_) | Self::NoRecord => false,
            Self::Checked(verdict) => verdict.differences.is_empty(),
        }
    }

    /// Whether nothing is wrong that an update of the record would not mend.
    pub fn is_only_stale(&self) -> bool {
        match self {
            Self::Checked(verdict) => {
                let Differences { drift, templates, older_format, .. } = &verdict.differences;
                drift.is_empty() && templates.is_empty() && older_format.is_none()
            }
            _ => false,
        }
    }
}

/// Checks the index of the repository at `root`; with the index itself, where it was read.
pub fn look(root: &Utf8Path) -> Result<(Staged, Option<GitIndex>), GuardError> {
    let staged = repo::Staged::read(Git::at(root))?;
    let mut paths = staged.paths.iter();
    let matters = paths.any(|path| matters_by_name(path)) || {
        let record = if staged.paths.is_empty() { None } else { staged.text(&record::path())? };
        let named = record.as_deref().and_then(Named::of_record);
        named.is_some_and(|named| staged.paths.iter().any(|path| named.has(path)))
    };
    if !matters {
        return Ok((Staged::Untouched, None));
    }
    let with_templates = staged.paths.iter().any(|path| is_template(path));
    let index = staged.index()?;
    let found = of_index(&index, root, with_templates)?;
    Ok((found, Some(index)))
}

fn of_index(index: &GitIndex, root: &Utf8Path, with_templates: bool) -> Result<Staged, GuardError> {
    let unmerged: Vec<String> = index.unmerged().iter().filter(|path| matters_by_name(path)).cloned().collect();
    if !unmerged.is_empty() {
        return Ok(Staged::Unmerged(unmerged));
    }
    if !index.is_file(&record::path())? {
        let has_templates = index.is_file(&templates::sign())?;
        return Ok(if has_templates { Staged::NoRecord } else { Staged::Unused });
    }
    let work_tree = WorkTree::at(root);
    match verdict(index, with_templates) {
        Ok(verdict) if verdict.differences.is_empty() => Ok(Staged::Checked(Box::new(verdict))),
        Ok(verdict) if verdict.differences.is_only_older() => Ok(Staged::Older),
        Ok(mut staged) => {
            let work_tree = verdict(&work_tree, with_templates).ok();
            staged.beside = Some(beside(index, root, work_tree)?);
            Ok(Staged::Checked(Box::new(staged)))
        }
        Err(error) => {
            // The index cannot even be read. If the work tree is right, it only has to be staged.
            let Some(right) = verdict(&work_tree, with_templates).ok().filter(|found| found.differences.is_empty())
            else {
                return Err(error);
            };
            let beside = beside(index, root, Some(right))?;
            match right_but_unstaged(&beside, &work_tree, with_templates) {
                Some(mut verdict) => {
                    verdict.differences.settings.push(format!("what is staged cannot be read: {error}"));
                    verdict.beside = Some(beside);
                    Ok(Staged::Checked(Box::new(verdict)))
                }
                None => Err(error),
            }
        }
    }
}

/// The verdict on a work tree that is right, where files of it are not staged.
fn right_but_unstaged(beside: &Beside, work_tree: &WorkTree, with_templates: bool) -> Option<Verdict> {
    if beside.unstaged.is_empty() { None } else { verdict(work_tree, with_templates).ok() }
}

fn beside(index: &GitIndex, root: &Utf8Path, work_tree: Option<Verdict>) -> Result<Beside, GitError> {
    let record = WorkTree::at(root).read(&record::path()).ok().flatten().unwrap_or_default();
    let named = Named::of_record(&String::from_utf8_lossy(&record));
    let matters = |path: &String| matters_by_name(path) || named.as_ref().is_some_and(|named| named.has(path));
    Ok(Beside {
        work_tree: work_tree.map(|verdict| verdict.differences),
        unstaged: index.unstaged()?.into_iter().filter(matters).collect(),
        is_partial: is_partial_commit(),
    })
}

/// Whether git was given paths to commit. It then works on an index of its own beside the real one.
pub fn is_partial_commit() -> bool {
    let index = std::env::var_os("GIT_INDEX_FILE").map(std::path::PathBuf::from);
    index.is_some_and(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("next-index-")))
}

/// The root of the repository that `folder` lies in: the folder with the lockfile, or, where a sparse checkout or a deletion left none on disk, the top
/// of git's work tree.
pub fn root(folder: &Utf8Path) -> Result<Utf8PathBuf, GuardError> {
    match WorkTree::discover(folder) {
        Ok(tree) => Ok(tree.root().to_owned()),
        Err(WorkTreeError::NotFound(folder)) => {
            let top = Git::at(&folder).ask(&["rev-parse", "--show-toplevel"])?.filter(|top| !top.is_empty());
            top.map(Utf8PathBuf::from).ok_or_else(|| WorkTreeError::NotFound(folder).into())
        }
        Err(error) => Err(error.into()),
    }
}
