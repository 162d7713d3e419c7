//! Updates the record of a commit, only from the cache, because a hook should not download.

use super::{GuardError, staged::is_partial_commit};
use crate::{
    fetch::{Cache, Environment, Registries},
    repo::{Git, GitIndex, Tree as _, WorkTree},
    scaffold::{
        files::Files,
        record::{self, Kept, PATH},
        update::{Extent, FromCache, update},
    },
    split::{Choices, Split},
};

/// The record for the staged files.
#[derive(Debug)]
pub struct Renewal {
    text: String,
    /// Whether the working tree has the staged record. It then gets the new one too.
    is_as_staged: bool,
}

impl Renewal {
    /// Creates the record, if the repository chose that and the cache has all tarballs.
    ///
    /// Returns `None` for `git commit <path>`: git then commits from a temporary index, and the real index would lack the record.
    pub fn of(index: &GitIndex, work_tree: &WorkTree) -> Result<Option<Self>, GuardError> {
        let split = Split::read(index, &Choices::default())?;
        if !split.config.hook_updates || is_partial_commit() {
            return Ok(None);
        }
        let old = Kept::read(index).ok().flatten();
        let environment = Environment::of_process();
        let cache = Cache::open(Cache::default_root(&environment)?)?;
        let registries = Registries::load(work_tree.root(), split.lockfile.format, &split.registries, &environment)?;
        let source = FromCache { cache: &cache, registries: &registries };
        let text = update(&split, old.as_ref(), &source, &Extent::WhatChanged)?.record.render();
        let is_as_staged = index.read(&record::path())? == work_tree.read(&record::path())?;
        Ok(Some(Self { text, is_as_staged }))
    }

    /// Writes the record into the index, and into the working tree unless that file differs from the staged one.
    pub fn write(self, work_tree: &WorkTree) -> Result<(), GuardError> {
        let git = Git::at(work_tree.root());
        let object = git.store(self.text.as_bytes(), PATH)?;
        git.output(&["update-index", "--add", "--cacheinfo", &format!("100644,{object},{}", git.prefixed(PATH)?)])?;
        if self.is_as_staged {
            let mut files = Files::default();
            files.put(record::path(), self.text);
            files.write(work_tree.root())?;
        }
        Ok(())
    }
}
