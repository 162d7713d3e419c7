//! `splitter check`: checks whether `splitter.lock.json` matches the lock set.
//!
//! It needs no network, no Nix and no package manager. Only `--staged` starts a process: git.

mod formats;
mod memory;
mod text;

use camino::Utf8Path;

use self::memory::Memory;
use super::{
    arguments::{CheckFormat, CheckOptions, Global},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::work_tree,
};
use crate::{
    guard::{
        findings::{self, Finding},
        staged::{self, Staged},
        verdict::{Verdict, verdict},
    },
    repo::{Asks, Snapshot, Traced},
    scaffold::files::journal::{self, HalfWritten},
};

pub(super) fn run(global: &Global, options: &CheckOptions, printer: Printer) -> Result<Outcome, Failure> {
    let format = options.format();
    let result = if options.staged {
        check_staged(global)
    } else {
        whole(global).map(|verdict| Staged::Checked(Box::new(verdict)))
    };
    let staged = match result {
        Ok(staged) => staged,
        Err(failure) => {
            // Readers of the report must see the failure too.
            formats::print(format, &[Finding::of_error(failure.error())], printer);
            return Err(failure);
        }
    };
    let is_fresh = staged.is_fresh();
    if let Staged::Checked(verdict) = &staged {
        for warning in &verdict.warnings {
            printer.warning(warning);
        }
    }
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

/// Prints why a commit is refused.
pub(super) fn print_refusal(staged: &Staged, printer: Printer) {
    text::text(staged, printer);
}

/// Checks the staged files.
fn check_staged(global: &Global) -> Result<Staged, Failure> {
    let root = staged::root(global.repo.as_deref().unwrap_or(Utf8Path::new(".")))?;
    Ok(staged::look(&root)?.0)
}

/// Checks the working tree.
fn whole(global: &Global) -> Result<Verdict, Failure> {
    let tree = work_tree(global)?;
    if journal::is_half_written(tree.root()) {
        return Err(HalfWritten.into());
    }
    let memory = Memory::of(tree.root());
    if let Some(fresh) = memory.recall(&tree) {
        tracing::debug!("no relevant file has changed since the last successful check");
        return Ok(Verdict::remembered(fresh.packages, fresh.workspaces));
    }
    let snapshot = Snapshot::new(tree, Asks::Few);
    let traced = Traced::new(&snapshot);
    let verdict = verdict(&traced, true)?;
    if verdict.differences.is_empty() && verdict.warnings.is_empty() {
        memory.keep(verdict.packages, verdict.workspaces, traced.trace());
    }
    Ok(verdict)
}
