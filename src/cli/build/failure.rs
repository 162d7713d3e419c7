//! The builds that failed, each with its causes.

use std::collections::BTreeSet;

use super::{Course, Run, course::Build};
use crate::{
    cli::{text::things, trace},
    diagnosis::{Cause, Place, causes, missing_by_trace},
    proof::{State, trace::Request},
    repo::{RepoPath, SourceFile, states},
    split::{mending::Setting, nodejs, plan::Id, sources::Sources},
};

/// Causes that no file mends.
const NOT_OF_FILES: [&str; 6] = ["network", "openssl", "nodejs", "memory", "terminal", "library"];

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
    /// What Nix says of it beyond the exit code.
    pub(super) said: Vec<String>,
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
    builds.into_iter().map(|build| of_build(build, course, state, &known)).collect()
}

fn of_build(build: &Build, course: &Course, state: &State, known: &Known) -> FailedBuild {
    let workspace = build.id.as_ref().and_then(|id| state.derivations.get(id)?.workspace.clone());
    let own = build.hits.own_lines().to_vec();
    let is_before = |line: &&String| own.first().is_none_or(|first| line.trim() != first.as_str());
    let log: Vec<String> = build.log.iter().take_while(is_before).cloned().collect();
    let is_known = is_of_workspace(build.id.as_ref());
    let mut causes =
        in_place(build.id.as_ref(), workspace.as_ref(), state, known, |place| causes(build.hits.hits(), &own, place));
    if matches!(build.id, Some(Id::Deps(_))) {
        // Its own error names the packages and where they come from, and it has a network.
        causes.clear();
    } else if !is_known {
        causes.retain(|cause| !cause.is_mendable() && cause.id != "scripts");
    }
    FailedBuild {
        name: build.name.clone(),
        id: build.id.clone(),
        derivation: build.derivation.clone(),
        workspace,
        log,
        own,
        said: course.said_of(&build.derivation),
        causes,
    }
}

/// Whether splitter knows the sources of a build. A check reads more than a build, and an install other things.
fn is_of_workspace(id: Option<&Id>) -> bool {
    matches!(id, Some(Id::App(_) | Id::Library(_)))
}

fn in_place(
    id: Option<&Id>,
    workspace: Option<&RepoPath>,
    state: &State,
    known: &Known,
    find: impl FnOnce(&Place<'_>) -> Vec<Cause>,
) -> Vec<Cause> {
    let root = RepoPath::root();
    let reader = workspace.unwrap_or(&root);
    // A file that cannot be read names nothing: the build has failed already, for another reason.
    let pins = nodejs::pins(state.tree.as_ref(), reader).unwrap_or_default();
    let sources = if is_of_workspace(id) { known.sources(state, reader) } else { BTreeSet::new() };
    find(&Place {
        split: &state.split,
        files: state.derivations.files(),
        untracked: &known.untracked,
        sources: &sources,
        reader,
        app: id.and_then(|id| if let Id::App(name) = id { Some(name.as_str()) } else { None }),
        pins: &pins,
    })
}

/// Files that tools look for by habit, and that no build fails without.
const BY_HABIT: [&str; 4] = [".editorconfig", ".gitattributes", ".gitignore", ".npmrc"];

/// The most files of a trace that count as causes. A program that looks for more than that searches, and fails for another reason.
const MOST_TRACED: usize = 20;

/// Whether a compiler found errors in the types of files that are there. No file is missing then.
fn is_of_types(build: &FailedBuild) -> bool {
    build.causes.is_empty() && build.log.iter().any(|line| line.contains(" error TS"))
}

/// Whether a line would make an app the library of another workspace.
fn uses_app(cause: &Cause, state: &State) -> bool {
    cause.mendings.iter().any(|mending| match &mending.setting {
        Setting::Uses(path) => state.split.graph.apps().any(|(_, app)| app.path == *path),
        _ => false,
    })
}

/// Builds what failed once more, under strace, and adds the files that it looked for and did not get. Logs name only those that
/// a program complains of.
pub(super) fn add_traced(run: &Run<'_>, state: State, failed: &mut [FailedBuild]) {
    let is_unclear = |build: &&FailedBuild| {
        build.causes.iter().all(|cause| !NOT_OF_FILES.contains(&cause.id)) && !is_of_types(build)
    };
    let ids = failed.iter().filter(is_unclear).filter_map(|build| build.id.as_ref());
    let names: Vec<String> = ids.filter(|id| is_of_workspace(Some(id))).map(Id::package).collect();
    if names.is_empty() {
        return;
    }
    run.printer
        .note(format_args!("{}: the log names no file that a line adds, so its files are traced", names.join(", ")));
    let request = Request { nix: &run.nix, options: &[], names: &names, is_full: false };
    let state = State { folder: Some(run.tree.root().to_owned()), ..state };
    let report = match trace::once(&run.tree, &state, &request, run.printer) {
        // Another system than Linux, or no strace in its nixpkgs: what the log says is all there is.
        Err(error) => {
            tracing::debug!(%error, "could not trace");
            return;
        }
        Ok(report) => report,
    };
    let known = Known::of(run, &state);
    for build in failed {
        let Some(traced) = report.builds.iter().find(|traced| Some(&traced.id) == build.id.as_ref()) else { continue };
        let missing = traced.judgement.missing.iter().map(|gap| gap.path.clone());
        let paths: Vec<RepoPath> = missing.filter(|path| !BY_HABIT.contains(&path.file_name())).collect();
        let found = in_place(build.id.as_ref(), build.workspace.as_ref(), &state, &known, |place| {
            missing_by_trace(&paths, place)
        });
        let found: Vec<Cause> = found.into_iter().filter(|cause| !uses_app(cause, &state)).collect();
        if found.len() > MOST_TRACED {
            let (name, number) = (build.id.as_ref().map(Id::package).unwrap_or_default(), things(found.len(), "file"));
            let text =
                format!("{name}: the trace names {number}, too many for one cause; `splitter trace {name}` lists them");
            run.printer.note(text);
            continue;
        }
        build.causes.extend(found);
    }
}
