//! The first steps of every command: find the repository, read its record, print warnings.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::{arguments::Global, failure::Failure, interrupt, printer::Printer, text::things};
use crate::{
    fetch,
    proof::{ProofError, State},
    repo::{Git, RepoPath, SourceFile, WorkTree, lfs},
    scaffold::{
        files::{
            WriteError,
            journal::{self, Recovered},
        },
        flake,
        record::{Kept, PATH, Record, RecordError},
    },
    split::{Split, sources::Sources},
};

/// Finds the repository that contains `--repo` or the current folder.
pub(super) fn work_tree(global: &Global) -> Result<WorkTree, Failure> {
    let folder = global.repo.as_deref().unwrap_or(Utf8Path::new("."));
    let tree = WorkTree::discover(folder)?;
    tracing::debug!(root = %tree.root(), "found the repository");
    Ok(tree)
}

/// Finds the repository before a command changes it, and completes an earlier run that was interrupted.
pub(super) fn recovered(global: &Global, printer: Printer) -> Result<WorkTree, Failure> {
    let tree = work_tree(global)?;
    let fail = |source| WriteError { path: RepoPath::root().child(journal::FILE), source };
    match interrupt::uninterrupted(|| journal::recover(tree.root())).map_err(fail)? {
        Some(Recovered::Completed) => printer.note("completed the files of an earlier run that was interrupted"),
        Some(Recovered::Changed) => printer.warning(
            "an earlier run was interrupted while it replaced files; they have changed since then and are kept as they are",
        ),
        Some(Recovered::Removed) | None => {}
    }
    Ok(tree)
}

/// Reads the working tree and splits it. Without git, the files come from a walk of the folder.
pub(super) fn state(tree: &WorkTree) -> Result<State, ProofError> {
    Ok(State::of_working_tree(tree)?)
}

/// Returns a path that the user named relative to the root of the repository, or nothing if it is outside of it.
pub(super) fn path_in(tree: &WorkTree, path: &Utf8Path) -> Option<RepoPath> {
    path.strip_prefix(tree.root()).unwrap_or(path).as_str().parse().ok()
}

/// Reads what an update keeps of the record. An unreadable record is rewritten from the lockfile, unless a newer splitter
/// wrote it.
pub(super) fn previous(tree: &WorkTree, printer: Printer) -> Result<Option<Kept>, Failure> {
    match Record::read(tree) {
        Ok(record) => Ok(record.map(Kept::from)),
        // What the update needs may still be readable: in an older format, or if another part of the file is damaged.
        Err(error @ (RecordError::TooOld { .. } | RecordError::Json(_))) => match Kept::read(tree) {
            Ok(kept) => {
                printer.note(format_args!("rewriting {PATH} ({error}); its recorded integrities are kept"));
                Ok(kept)
            }
            Err(_) => Ok(written_anew(&error, printer)),
        },
        Err(error @ (RecordError::Conflict { .. } | RecordError::NoVersion)) => Ok(written_anew(&error, printer)),
        Err(error) => Err(error.into()),
    }
}

fn written_anew(error: &RecordError, printer: Printer) -> Option<Kept> {
    printer.note(format_args!("rewriting {PATH} from the lockfile ({error})"));
    None
}

/// Returns the files that builds and installs read and that Git LFS keeps. Without git there are none.
pub(super) fn lfs_files(tree: &WorkTree, split: &Split) -> Vec<RepoPath> {
    let files = lfs::files(&Git::at(tree.root()), tree).unwrap_or_default();
    let listed: Vec<SourceFile> = files.into_iter().map(|path| SourceFile { path, bytes: 0 }).collect();
    let sources = Sources::sort(&listed, &split.graph, &split.config, &split.root_files);
    let is_local = |file: &&SourceFile| split.lock_set.local.iter().any(|local| file.path.is_within(local));
    let of_installs = listed.iter().filter(is_local).map(|file| &file.path);
    sources.read_by_builds().chain(of_installs).collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// Prints a warning about files that Git LFS keeps, if the flake lacks the setting for them.
pub(super) fn warn_of_lfs(tree: &WorkTree, files: &[RepoPath], printer: Printer) -> Result<(), Failure> {
    if let Some(warning) = flake::settings::lfs_warning(tree, files)? {
        printer.warning(warning);
    }
    Ok(())
}

/// Prints the warnings about a repository.
pub(super) fn warn(tree: &WorkTree, split: &Split, printer: Printer) -> Result<(), Failure> {
    for warning in split.warnings.iter().chain(&flake::settings::warning(tree, split)?) {
        printer.warning(warning);
    }
    let manager = split.pin.manager.name;
    for outside in fetch::settings_outside(tree.root(), manager, &fetch::Environment::of_process()) {
        printer.warning(outside);
    }
    if let Some(first) = split.drift.first() {
        let more = match split.drift.len() - 1 {
            0 => String::new(),
            more => format!(", and {} more", things(more, "difference")),
        };
        let (lockfile, manager) = (split.lockfile.format.file(), split.pin.manager.name.command());
        printer.warning(format_args!(
            "{lockfile} does not match the package.json files: {first}{more}; run `{manager} install`"
        ));
    }
    Ok(())
}
