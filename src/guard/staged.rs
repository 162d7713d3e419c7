//! Checks git's index: the files of the next commit.
//!
//! Most commits stage no relevant file; they wait only for one git process. Branches without files of splitter are ignored.

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

/// The result of a check of the index.
#[derive(Debug)]
pub enum Staged {
    /// No relevant file is staged.
    Untouched,
    /// The commit has no files of splitter.
    Unused,
    /// These relevant files have merge conflicts.
    Unmerged(Vec<String>),
    /// The record is not in the index, but the generated files are.
    NoRecord,
    /// An older splitter wrote the record, and it is fresh otherwise. The commit may pass, or two versions of splitter in one team
    /// would stop each other's commits. CI asks for the rewrite.
    Older,
    /// The index was checked.
    Checked(Box<Verdict>),
}

impl Staged {
    /// Returns whether the commit may pass.
    pub fn is_fresh(&self) -> bool {
        match self {
            Self::Untouched | Self::Unused | Self::Older => true,
            Self::Unmerged(_) | Self::NoRecord => false,
            Self::Checked(verdict) => verdict.differences.is_empty(),
        }
    }

    /// Returns whether an update of the record would fix all differences.
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

/// Checks the index of the repository at `root`. Returns the index too, if it was read.
pub fn look(root: &Utf8Path) -> Result<(Staged, Option<GitIndex>), GuardError> {
    let staged = repo::Staged::read(Git::at(root))?;
    let mut paths = staged.paths.iter();
    let matters = !staged.links.is_empty() || paths.any(|path| matters_by_name(path)) || {
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
            // The staged files cannot be read. If the working tree is up to date, it only has to be staged.
            let Some(right) = verdict(&work_tree, with_templates).ok().filter(|found| found.differences.is_empty())
            else {
                return Err(error);
            };
            let beside = beside(index, root, Some(right))?;
            match right_but_unstaged(&beside, &work_tree, with_templates) {
                Some(mut verdict) => {
                    verdict.differences.settings.push(format!("the staged files cannot be read: {error}"));
                    verdict.beside = Some(beside);
                    Ok(Staged::Checked(Box::new(verdict)))
                }
                None => Err(error),
            }
        }
    }
}

/// Returns the verdict on a working tree that is up to date, if some of its files are not staged.
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

/// Returns whether git commits only named paths. It then works on a temporary index beside the real one.
pub fn is_partial_commit() -> bool {
    let index = std::env::var_os("GIT_INDEX_FILE").map(std::path::PathBuf::from);
    index.is_some_and(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("next-index-")))
}

/// Finds the root of the repository around `folder`: the folder with the lockfile. If a sparse checkout or a deletion left no
/// lockfile on disk, it is the top of git's working tree.
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
