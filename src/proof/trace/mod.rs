//! Traces builds: finds the files that a build looks for and its source set lacks, and those that it never reads.
//!
//! | module | holds | side effects |
//! | --- | --- | --- |
//! | [`note`] | what a traced build notes | none |
//! | [`judge`] | the comparison with git and with the source set | none |
//! | `named` | file names in the log of a failed build | none |
//! | `names` | the builds that the user named | none |
//! | `digest` | whether a build changed since its trace | none |
//! | `stages` | the order of builds if a library fails | none |
//! | `run` | building with Nix | runs `nix`, a scratch folder |

mod digest;
mod error;
mod judge;
mod named;
mod names;
mod note;
mod run;
mod stages;

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

pub use self::{
    digest::digest,
    error::TraceError,
    judge::{Gap, Judgement, Outside, Reason, Repository, Sign},
    note::Note,
};
use self::{
    judge::add_lonely_root_files,
    names::chosen,
    run::{Notes, Runner},
};
use super::{State, scratch::Scratch};
use crate::{
    nix::command::Nix,
    repo::{RepoPath, states::FileStates},
    split::{System, mending::Mending, plan::Id},
};

/// What to trace, and how.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The program.
    pub nix: &'a Nix,
    /// Options for every call of it.
    pub options: &'a [String],
    /// Names of packages, libraries and checks, or folders of workspaces. Empty: all packages and the libraries that they need.
    pub names: &'a [String],
    /// Whether each build is also traced over the whole repository.
    pub is_full: bool,
}

/// Where the state of a repository is traced.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// Files that are not in git yet. A flake does not see them, so a copy lacks them too.
    pub untracked: &'a BTreeSet<RepoPath>,
    /// The folder for a copy of a state that has no folder of its own.
    pub scratch: &'a Scratch,
    /// The name of the copy.
    pub name: &'a str,
    /// A folder with the same files, and their states there: a copy links to those that are the same.
    pub known: Option<(&'a Utf8Path, &'a FileStates)>,
}

/// The traces of several builds.
#[derive(Debug, Clone)]
pub struct Report {
    /// The system that they were built for.
    pub system: System,
    /// Whether each build was also traced over the whole repository.
    pub is_full: bool,
    /// The builds.
    pub builds: Vec<Traced>,
    /// Builds that need the output of a library whose build failed, with that library.
    pub blocked: BTreeMap<Id, Id>,
}

/// The trace of a build.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The build.
    pub id: Id,
    /// Its workspace.
    pub workspace: RepoPath,
    /// What it noted.
    pub note: Note,
    /// What it noted over the whole repository.
    pub full: Option<Note>,
    /// The comparison.
    pub judgement: Judgement,
}

impl Traced {
    /// Whether its command failed.
    pub fn is_failed(&self) -> bool {
        self.note.exit != 0
    }
}

impl Report {
    /// Returns the number of files that builds lack.
    pub fn missing(&self) -> usize {
        self.builds.iter().map(|build| build.judgement.missing.len()).sum()
    }

    /// Whether every build succeeded and lacks nothing.
    pub fn is_complete(&self) -> bool {
        self.missing() == 0 && self.blocked.is_empty() && self.builds.iter().all(|build| !build.is_failed())
    }

    /// Returns the lines of `splitter.json` that add what is missing.
    pub fn mendings(&self) -> BTreeSet<Mending> {
        let missing = self.builds.iter().flat_map(|build| &build.judgement.missing);
        missing.filter_map(|gap| gap.reason.mending().cloned()).collect()
    }
}

/// Builds with Nix what the request names, each command under strace, and judges what it did. A command that fails is no
/// error: its trace says what it missed. `watch` gets the lines of Nix.
pub fn trace(
    state: &State,
    bench: &Bench<'_>,
    request: &Request<'_>,
    watch: &mut dyn FnMut(&str),
) -> Result<Report, TraceError> {
    if !state.is_recorded {
        return Err(super::ProofError::Stale.into());
    }
    let ids = chosen(&state.derivations, &state.split, request.names)?;
    let runner = Runner::new(state, bench, request)?;
    let (notes, blocked) = stages::run(&runner, &state.derivations, &ids, watch)?;
    let repository = Repository { split: &state.split, files: state.derivations.files(), untracked: bench.untracked };
    let mut builds = Vec::new();
    for (id, Notes { note, full }) in notes {
        let Some(derivation) = state.derivations.get(&id) else { continue };
        let parts = state.derivations.source_parts(derivation);
        let found = derivation.workspace.as_ref();
        let Some(workspace) = state.split.graph.workspaces().find(|other| Some(&other.path) == found) else { continue };
        let judgement = judge::judge(repository, workspace, &parts, &note, full.as_ref());
        builds.push((parts, Traced { id, workspace: workspace.path.clone(), note, full, judgement }));
    }
    if builds.iter().all(|(_, traced)| !traced.is_failed()) {
        let mut judged: Vec<_> =
            builds.iter_mut().map(|(parts, traced)| (parts.clone(), &mut traced.judgement)).collect();
        add_lonely_root_files(&mut judged);
    }
    let builds = builds.into_iter().map(|(_, traced)| traced).collect();
    Ok(Report { system: runner.system(), is_full: request.is_full, builds, blocked })
}
