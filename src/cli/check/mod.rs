//! `splitter check`: is `splitter.lock.json` right for this lock set? No network, no Nix, no package manager; of the work
//! tree no subprocess either, and of the index only git's.

mod findings;
mod formats;
mod memory;
pub(super) mod staged;
mod text;

use self::{
    findings::Finding,
    memory::{Fresh, Memory},
    staged::Staged,
};
use super::{
    arguments::{CheckFormat, CheckOptions, Global},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::work_tree,
};
use crate::{
    parallel::both,
    repo::{Traced, Tree},
    scaffold::{
        compare::{Differences, Recorded, compare, compare_older},
        files::journal::{self, HalfWritten},
        record::{Kept, RecordError},
    },
    split::{Choices, Split},
};

/// What a check came to, in all that is said of it.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The lockfile's name.
    lockfile: &'static str,
    /// What makes manifests and lockfile agree.
    install: String,
    /// How many tarballs are recorded.
    packages: usize,
    /// How many workspaces are recorded.
    workspaces: usize,
    /// What wrote the record.
    generator: String,
    /// What differs.
    pub(super) differences: Differences,
    /// What is known of the work tree, where the index was checked.
    beside: Option<Beside>,
}

/// How the work tree stands beside an index that is not right.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// What differs there; none where it could not be read.
    work_tree: Option<Differences>,
    /// Files that matter and are not in the index as they are there.
    unstaged: Vec<String>,
    /// Whether only named paths are committed (`git commit <path>`), so that `git add` does not reach the commit.
    is_partial: bool,
}

pub(super) fn run(global: &Global, options: &CheckOptions, printer: Printer) -> Result<Outcome, Failure> {
    let format = options.format();
    let result = if options.staged {
        staged::check(global)
    } else {
        whole(global).map(|verdict| Staged::Checked(Box::new(verdict)))
    };
    let staged = match result {
        Ok(staged) => staged,
        Err(failure) => {
            // What reads the format learns of the failure too; stderr and the exit code say it as ever.
            formats::print(format, &[Finding::of_failure(&failure)], printer);
            return Err(failure);
        }
    };
    let is_fresh = staged.is_fresh();
    match (format, &staged) {
        (CheckFormat::Json, _) => text::json(&staged, printer),
        (CheckFormat::Text, _) => text::text(&staged, printer),
        (CheckFormat::Github, _) => {
            text::text(&staged, printer);
            formats::print(format, &findings::of(&staged), printer);
        }
        (CheckFormat::Sarif | CheckFormat::Junit, _) => formats::print(format, &findings::of(&staged), printer),
    }
    let is_report = matches!(format, CheckFormat::Json | CheckFormat::Sarif | CheckFormat::Junit);
    Ok(Outcome::verdict(is_fresh, is_report))
}

/// Says why a commit is refused.
pub(super) fn print_refusal(staged: &Staged, printer: Printer) {
    text::text(staged, printer);
}

/// The work tree.
fn whole(global: &Global) -> Result<Verdict, Failure> {
    let tree = work_tree(global)?;
    if journal::is_half_written(tree.root()) {
        return Err(HalfWritten.into());
    }
    let memory = Memory::of(tree.root());
    if let Some(fresh) = memory.recall(&tree) {
        tracing::debug!("every file that matters is as it was when all was right");
        return Ok(Verdict::remembered(&fresh));
    }
    let traced = Traced::new(&tree);
    let verdict = verdict(&traced, true)?;
    if verdict.differences.is_empty() {
        memory.keep(verdict.packages, verdict.workspaces, traced.trace());
    }
    Ok(verdict)
}

/// Checks a tree.
fn verdict(tree: &dyn Tree, with_templates: bool) -> Result<Verdict, Failure> {
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
fn older(tree: &dyn Tree, split: &Split, with_templates: bool) -> Result<Verdict, Failure> {
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
    fn remembered(fresh: &Fresh) -> Self {
        Self {
            lockfile: "",
            install: String::new(),
            packages: fresh.packages,
            workspaces: fresh.workspaces,
            generator: String::new(),
            differences: Differences::default(),
            beside: None,
        }
    }

    /// Whether the work tree is right, and only not in the index.
    fn is_only_unstaged(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| {
            beside.work_tree.as_ref().is_some_and(Differences::is_empty) && !beside.unstaged.is_empty()
        })
    }
}

impl Finding {
    fn of_failure(failure: &Failure) -> Self {
        let error = failure.error();
        let location = error.location();
        Self {
            rule: findings::ERROR,
            path: location.as_ref().map_or_else(|| crate::scaffold::record::PATH.to_owned(), |at| at.path.to_string()),
            position: location.and_then(|location| location.position),
            message: error.to_string(),
            remedy: error.hints().join("; "),
        }
    }
}
