//! What a check of one tree came to.

use super::GuardError;
use crate::{
    parallel::both,
    repo::Tree,
    scaffold::{
        compare::{Differences, Recorded, compare, compare_older},
        record::{Kept, RecordError},
    },
    split::{Choices, Split},
};

/// What a check came to, in all that is said of it.
#[derive(Debug)]
pub struct Verdict {
    /// The lockfile's name.
    pub lockfile: &'static str,
    /// What makes manifests and lockfile agree.
    pub install: String,
    /// How many tarballs are recorded.
    pub packages: usize,
    /// How many workspaces are recorded.
    pub workspaces: usize,
    /// What wrote the record.
    pub generator: String,
    /// What differs.
    pub differences: Differences,
    /// What is known of the work tree, where the index was checked.
    pub beside: Option<Beside>,
}

/// How the work tree stands beside an index that is not right.
#[derive(Debug, Default)]
pub struct Beside {
    /// What differs there; none where it could not be read.
    pub work_tree: Option<Differences>,
    /// Files that matter and are not in the index as they are there.
    pub unstaged: Vec<String>,
    /// Whether only named paths are committed (`git commit <path>`), so that `git add` does not reach the commit.
    pub is_partial: bool,
}

/// Checks a tree.
pub fn verdict(tree: &dyn Tree, with_templates: bool) -> Result<Verdict, GuardError> {
    let (recorded, split) = both(|| Recorded::read(tree, with_templates), || Split::read(tree, &Choices::default()));
    let split = match (&recorded, split) {
        (Err(RecordError::TooOld { .. }), split) => return older(tree, &split?, with_templates),
        (_, split) => split,
    };
    let (recorded, split) = (recorded?, split?);
    let verdict = Verdict::of(&split, &recorded);
    // The program ends soon: giving back thousands of texts one by one would only take time.
    std::mem::forget((split, recorded));
    Ok(verdict)
}

/// Checks a tree whose record an older splitter wrote.
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
            beside: None,
        }
    }

    /// That of a repository which is as it was when all was right; what names differences is not looked at.
    pub fn remembered(packages: usize, workspaces: usize) -> Self {
        Self {
            lockfile: "",
            install: String::new(),
            packages,
            workspaces,
            generator: String::new(),
            differences: Differences::default(),
            beside: None,
        }
    }

    /// Whether the work tree is right, and only not in the index.
    pub fn is_only_unstaged(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| {
            beside.work_tree.as_ref().is_some_and(Differences::is_empty) && !beside.unstaged.is_empty()
        })
    }
}
