//! The verdict: the result of the check of one tree.

use std::sync::mpsc;

use super::GuardError;
use crate::{
    parallel::both,
    repo::Tree,
    scaffold::{
        compare::{Differences, Recorded, compare, compare_older},
        flake::settings,
        record::{Kept, RecordError},
    },
    split::Split,
};

/// The result of a check, with the data for its messages.
#[derive(Debug)]
pub struct Verdict {
    /// The lockfile's name.
    pub lockfile: &'static str,
    /// The command that updates the lockfile.
    pub install: String,
    /// Number of recorded tarballs.
    pub packages: usize,
    /// Number of recorded workspaces.
    pub workspaces: usize,
    /// The version of splitter that wrote the record.
    pub generator: String,
    /// The differences.
    pub differences: Differences,
    /// What keeps Nix from building a fresh repository.
    pub warnings: Vec<String>,
    /// The state of the working tree, if the index was checked.
    pub beside: Option<Beside>,
}

/// The state of the working tree beside an index with differences.
#[derive(Debug, Default)]
pub struct Beside {
    /// The differences in the working tree; `None` if it could not be read.
    pub work_tree: Option<Differences>,
    /// Relevant files whose changes are not staged.
    pub unstaged: Vec<String>,
    /// Whether only named paths are committed (`git commit <path>`). `git add` does not change such a commit.
    pub is_partial: bool,
}

/// Checks a tree.
pub fn verdict(tree: &dyn Tree, with_templates: bool) -> Result<Verdict, GuardError> {
    let (send, imports) = mpsc::channel();
    // Without a record nothing is sent, and the split goes on without imports.
    let read = move || Recorded::read_and(tree, with_templates, |imports| drop(send.send(imports)));
    let (recorded, split) = both(read, || Split::read_quickly(tree, || imports.recv().unwrap_or_default()));
    let split = match (&recorded, split) {
        (Err(RecordError::TooOld { .. }), split) => return older(tree, &split?, with_templates),
        (_, split) => split,
    };
    let (recorded, split) = (recorded?, split?);
    let warnings = split.submodules.warning(&split).into_iter().chain(settings::warning(tree, &split)?).collect();
    let verdict = Verdict { warnings, ..Verdict::of(&split, &recorded) };
    // The program ends soon, and freeing thousands of strings takes time.
    std::mem::forget((split, recorded));
    Ok(verdict)
}

/// Checks a tree with a record of an older splitter.
fn older(tree: &dyn Tree, split: &Split, with_templates: bool) -> Result<Verdict, GuardError> {
    let kept = Kept::read(tree)?.ok_or(RecordError::Absent)?;
    let differences = compare_older(split, &kept, tree, with_templates)?;
    Ok(Verdict { packages: kept.dependencies.len(), ..Verdict::made(split, kept.generator, differences) })
}

impl Verdict {
    fn of(split: &Split, recorded: &Recorded) -> Self {
        let record = &recorded.record;
        Self {
            packages: record.dependencies.len(),
            workspaces: record.workspaces.len(),
            ..Self::made(split, record.generator.clone(), compare(split, recorded))
        }
    }

    fn made(split: &Split, generator: String, differences: Differences) -> Self {
        Self {
            lockfile: split.lockfile.format.file(),
            install: format!("{} install", split.pin.manager.name.command()),
            packages: 0,
            workspaces: split.manifests.len(),
            generator,
            differences,
            warnings: Vec::new(),
            beside: None,
        }
    }

    /// Returns the verdict for a repository that has not changed since it was fresh. The data for differences is empty.
    pub fn remembered(packages: usize, workspaces: usize) -> Self {
        Self {
            lockfile: "",
            install: String::new(),
            packages,
            workspaces,
            generator: String::new(),
            differences: Differences::default(),
            warnings: Vec::new(),
            beside: None,
        }
    }

    /// Returns whether the working tree is up to date and only not staged.
    pub fn is_only_unstaged(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| {
            beside.work_tree.as_ref().is_some_and(Differences::is_empty) && !beside.unstaged.is_empty()
        })
    }
}
