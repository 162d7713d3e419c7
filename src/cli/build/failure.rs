//! The builds that failed, each with its causes.

use std::collections::BTreeSet;

use super::{Course, Run, course::Build};
use crate::{
    diagnosis::{Cause, Place, causes, nodejs},
    proof::State,
    repo::{RepoPath, SourceFile, states},
    split::{plan::Id, sources::Sources},
};

/// A build that failed.
#[derive(Debug)]
pub(super) struct FailedBuild {
    pub(super) name: String,
    pub(super) id: Option<Id>,
    pub(super) workspace: Option<RepoPath>,
    pub(super) derivation: String,
    /// The last lines of its log, without those of splitter's own error.
    pub(super) log: Vec<String>,
    /// Splitter's own error at the end of the log.
    pub(super) own: Vec<String>,
    pub(super) causes: Vec<Cause>,
}

/// The repository as far as causes need it.
pub(super) struct Known {
    untracked: BTreeSet<RepoPath>,
    files: Vec<SourceFile>,
}

impl Known {
    pub(super) fn of(run: &Run<'_>, state: &State) -> Self {
        let tracked = states::of_index(&run.git).ok();
        let is_untracked = |path: &&RepoPath| tracked.as_ref().is_some_and(|tracked| !tracked.contains_key(*path));
        let files = state.derivations.files();
        Self {
            untracked: files.keys().filter(is_untracked).cloned().collect(),
            files: files.keys().map(|path| SourceFile { path: path.clone(), bytes: 0 }).collect(),
        }
    }

    /// Returns the files that the build of a workspace has.
    pub(super) fn sources(&self, state: &State, workspace: &RepoPath) -> BTreeSet<RepoPath> {
        let split = &state.split;
        let sources = Sources::sort(&self.files, &split.graph, &split.config, &split.root_files);
        let set = sources.of(workspace, &split.graph.closure(workspace));
        set.files.into_iter().filter(|path| !self.untracked.contains(path)).collect()
    }
}

/// Returns the builds that failed.
pub(super) fn failed(run: &Run<'_>, state: &State, course: &Course) -> Vec<FailedBuild> {
    let builds: Vec<&Build> = course.ended.iter().filter(|build| build.failed).collect();
    if builds.is_empty() {
        return Vec::new();
    }
    let known = Known::of(run, state);
    builds.into_iter().map(|build| of_build(build, state, &known)).collect()
}

fn of_build(build: &Build, state: &State, known: &Known) -> FailedBuild {
    let workspace = build.id.as_ref().and_then(|id| state.derivations.get(id)?.workspace.clone());
    let own = build.hits.own_lines().to_vec();
    let is_before = |line: &&String| own.first().is_none_or(|first| line.trim() != first.as_str());
    let log: Vec<String> = build.log.iter().take_while(is_before).cloned().collect();
    let root = RepoPath::root();
    let reader = workspace.as_ref().unwrap_or(&root);
    // A check reads more than a build, and an install other things: splitter knows no line for them.
    let is_known = matches!(build.id, Some(Id::App(_) | Id::Library(_)));
    let sources = if is_known { known.sources(state, reader) } else { BTreeSet::new() };
    let pins = nodejs::pins(state.tree.as_ref(), reader);
    let place = Place {
        split: &state.split,
        files: state.derivations.files(),
        untracked: &known.untracked,
        sources: &sources,
        reader,
        app: build.id.as_ref().and_then(|id| if let Id::App(name) = id { Some(name.as_str()) } else { None }),
        pins: &pins,
    };
    let mut causes = causes(build.hits.hits(), &own, &place);
    if !is_known {
        causes.retain(|cause| !cause.is_mendable() && cause.id != "scripts");
    }
    FailedBuild {
        name: build.name.clone(),
        id: build.id.clone(),
        derivation: build.derivation.clone(),
        workspace,
        log,
        own,
        causes,
    }
}
