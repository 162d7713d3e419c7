//! What every command begins with: the repository, what is recorded of it, and what is odd about it.

use camino::Utf8Path;

use super::{arguments::Global, failure::Failure, interrupt, printer::Printer, text::things};
use crate::{
    proof::{Place, ProofError, State},
    repo::{Git, GitError, RepoPath, TreeError, WorkTree, states},
    scaffold::{
        files::{
            WriteError,
            journal::{self, Recovered},
        },
        record::{Kept, PATH, Record, RecordError},
    },
    split::Split,
};

/// The repository that `--repo` or the current folder lies in.
pub(super) fn work_tree(global: &Global) -> Result<WorkTree, Failure> {
    let folder = global.repo.as_deref().unwrap_or(Utf8Path::new("."));
    let tree = WorkTree::discover(folder)?;
    tracing::debug!(root = %tree.root(), "found the repository");
    Ok(tree)
}

/// The repository that a command is about to change, made whole again if an earlier run was cut off.
pub(super) fn recovered(global: &Global, printer: Printer) -> Result<WorkTree, Failure> {
    let tree = work_tree(global)?;
    let fail = |source| WriteError { path: RepoPath::root().child(journal::FILE), source };
    match interrupt::uninterrupted(|| journal::recover(tree.root())).map_err(fail)? {
        Some(Recovered::Completed) => printer.note("completed the files that an earlier run was cut off at"),
        Some(Recovered::Changed) => printer.warning(
            "an earlier run was cut off while it replaced files, which were changed since: they are left as they are",
        ),
        Some(Recovered::Removed) | None => {}
    }
    Ok(tree)
}

/// The repository as it lies on disk, split. Without git, the files are those of a walk.
pub(super) fn state(tree: &WorkTree) -> Result<State, ProofError> {
    let files = match states::of_work_tree(&Git::at(tree.root()), tree) {
        Err(TreeError::Git { source: GitError::NoRepository(_), .. }) => states::of_folder(tree)?,
        files => files?,
    };
    Ok(State::of(Box::new(tree.clone()), files, Place::WorkTree)?)
}

/// What the record says that an update keeps. A record that cannot be read is written anew from the lockfile, unless a
/// newer splitter wrote it.
pub(super) fn previous(tree: &WorkTree, printer: Printer) -> Result<Option<Kept>, Failure> {
    match Record::read(tree) {
        Ok(record) => Ok(record.map(Kept::from)),
        // What it needs may be right all the same: of an older format, or where another part of the file is damaged.
        Err(error @ (RecordError::TooOld { .. } | RecordError::Json(_))) => match Kept::read(tree) {
            Ok(kept) => {
                printer
                    .note(format_args!("{PATH} is written anew ({error}); the integrities that it records are kept"));
                Ok(kept)
            }
            Err(_) => Ok(written_anew(&error, printer)),
        },
        Err(error @ (RecordError::Conflict { .. } | RecordError::NoVersion)) => Ok(written_anew(&error, printer)),
        Err(error) => Err(error.into()),
    }
}

fn written_anew(error: &RecordError, printer: Printer) -> Option<Kept> {
    printer.note(format_args!("{PATH} cannot be read ({error}); it is written anew from the lockfile"));
    None
}

/// Prints what is odd about a repository.
pub(super) fn warn(split: &Split, printer: Printer) {
    for warning in &split.warnings {
        printer.warning(warning);
    }
    if let Some(first) = split.drift.first() {
        let more = match split.drift.len() - 1 {
            0 => String::new(),
            more => format!(", and {} more", things(more, "difference")),
        };
        let (lockfile, manager) = (split.lockfile.format.file(), split.pin.manager.name.command());
        printer.warning(format_args!("the manifests and {lockfile} disagree: {first}{more}; run `{manager} install`"));
    }
}
