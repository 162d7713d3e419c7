//! What is known of a repository: [`Facts`].

use std::thread;

use camino::Utf8Path;

use super::{
    flake_files::{self, Broken},
    flake_lock::Nixpkgs,
    nix_code::{self, Cause},
};
use crate::{
    caches::CacheChoice,
    diagnostic::Diagnose,
    fetch::Environment,
    guard::{
        hook::{self, HookPlace, Status},
        verdict::{Verdict, verdict},
    },
    history::{History, summary::Summary},
    parallel::both,
    proof::{Place, State},
    reading,
    repo::{Asks, Git, GitError, RepoPath, Snapshot, WorkTree, states},
    scaffold::{files::journal, record::PATH, templates::FOLDER},
    split::plan::{Effect, Id, Origin, compare},
};

/// The files that Nix must see to build.
const SEEN_BY_NIX: [&str; 4] = ["flake.nix", "flake.lock", "splitter.json", FOLDER];

/// The number of last runs in the history that are looked at.
const LAST: usize = 20;

/// What is known of a repository.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    /// Whether `splitter init` has run.
    pub is_set_up: bool,
    /// Whether an earlier run was interrupted while it replaced files.
    pub is_half_written: bool,
    /// The result of `splitter check`.
    pub verdict: Option<Result<Verdict, Unread>>,
    /// Whether git is used.
    pub has_git: bool,
    /// The status of each hook, if there is one at all.
    pub hooks: Option<Vec<Status>>,
    /// Why an installed hook checks nothing all the same.
    pub hook_is_off: Option<&'static str>,
    /// Files that Nix needs and that git does not track.
    pub untracked: Vec<String>,
    /// Files that Nix needs and that git ignores.
    pub ignored: Vec<String>,
    /// The text of `flake.nix`.
    pub flake: Option<String>,
    /// Whether there is a `flake.lock`.
    pub has_lock: bool,
    /// Those of `flake.nix` and `flake.lock` that Nix cannot read.
    pub broken: Vec<Broken>,
    /// What `flake.lock` says of nixpkgs.
    pub nixpkgs: Option<Nixpkgs>,
    /// The model of the working tree, or why there is none.
    pub model: Result<Model, Unread>,
    /// What the uncommitted changes rebuild.
    pub dirty: Option<Dirty>,
    /// Nix code that makes builds differ without a change.
    pub causes: Vec<Cause>,
    /// What the last builds did, if the history has some.
    pub last_builds: Option<Summary>,
}

/// An error of another module, as a finding states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The message.
    pub message: String,
    /// What to do.
    pub hints: Vec<String>,
}

impl Unread {
    fn of(error: &dyn Diagnose) -> Self {
        let at = error.location().map(|location| format!(" ({location})")).unwrap_or_default();
        Self { message: format!("{error}{at}"), hints: error.hints() }
    }
}

/// What the model of the working tree says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The package manager, such as `bun@1.4.4`.
    pub manager: String,
    /// What pins it.
    pub pin: &'static str,
    /// Whether nothing pins it.
    pub has_no_pin: bool,
    /// The caches of `splitter.json`.
    pub caches: Vec<CacheChoice>,
    /// The number of files of the repository.
    pub files: usize,
    /// The number of workspaces.
    pub workspaces: usize,
    /// How many files each app reads.
    pub apps: Vec<Reads>,
}

/// The files that an app reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The app.
    pub app: String,
    /// How many files.
    pub files: usize,
    /// The workspace itself is the root of the repository.
    pub is_root: bool,
    /// The entry of `splitter.json` or the configuration that brings the most files, if it is not the app itself.
    pub most: Option<String>,
}

/// What uncommitted changes rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty {
    /// How many files differ from the commit.
    pub files: usize,
    /// How many derivations differ from those of the commit.
    pub rebuilt: usize,
    /// How many derivations there are.
    pub all: usize,
}

impl Facts {
    /// Reads a repository.
    pub fn read(tree: &WorkTree) -> Self {
        let root = tree.root();
        let git = Git::at(root);
        let is_set_up = root.join(PATH).is_file();
        let text = |name: &str| reading::text(root.join(name)).ok();
        thread::scope(|scope| {
            let verdict = scope.spawn(|| {
                let snapshot = Snapshot::new(tree.clone(), Asks::Few);
                is_set_up.then(|| verdict(&snapshot, true).map_err(|error| Unread::of(&error)))
            });
            let named = scope.spawn(|| of_git(&git, root));
            let state = State::of_working_tree(tree).map_err(|error| Unread::of(&error));
            let dirty = state.as_ref().ok().and_then(|state| dirty(tree, &git, state));
            let named = named.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let verdict = verdict.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Self {
                is_set_up,
                is_half_written: journal::is_half_written(root),
                verdict,
                has_git: named.has_git,
                hooks: named.hooks,
                hook_is_off: hook_is_off(root),
                untracked: named.untracked,
                ignored: named.ignored,
                flake: text("flake.nix"),
                has_lock: root.join("flake.lock").is_file(),
                broken: flake_files::broken(root),
                nixpkgs: text("flake.lock").and_then(|text| Nixpkgs::read(&text)),
                causes: state
                    .as_ref()
                    .map(|state| nix_code::causes(root, state.derivations.files()))
                    .unwrap_or_default(),
                model: state.as_ref().map(model).map_err(Unread::clone),
                dirty,
                last_builds: last_builds(root),
            }
        })
    }
}

fn last_builds(root: &Utf8Path) -> Option<Summary> {
    let runs = History::of(root, &Environment::of_process())?.read().ok()?.runs;
    let summary = Summary::of(&runs[runs.len().saturating_sub(LAST)..]);
    (summary.runs > 0).then_some(summary)
}

fn hook_is_off(root: &Utf8Path) -> Option<&'static str> {
    if !hook::is_found(root, "") {
        Some("`splitter` is neither in PATH nor in node_modules/.bin, where the hook looks for it")
    } else if hook::is_skipped() {
        Some("the variable SPLITTER_HOOK=0 skips it")
    } else {
        None
    }
}

/// What git says.
#[derive(Default)]
struct OfGit {
    has_git: bool,
    hooks: Option<Vec<Status>>,
    untracked: Vec<String>,
    ignored: Vec<String>,
}

fn of_git(git: &Git, root: &Utf8Path) -> OfGit {
    let present: Vec<&str> = SEEN_BY_NIX.into_iter().filter(|name| root.join(name).exists()).collect();
    let list = |kind: &[&str]| {
        let mut arguments = vec!["ls-files", "--others", "--exclude-standard", "-z"];
        arguments.extend(kind);
        arguments.push("--");
        arguments.extend(&present);
        let output = if present.is_empty() { Ok(Vec::new()) } else { git.output(&arguments) };
        output.map(|output| {
            let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            names.map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>()
        })
    };
    let (untracked, ignored) = both(|| list(&[]), || list(&["--ignored"]));
    if matches!(&untracked, Err(GitError::NoRepository(_) | GitError::Start(_))) {
        return OfGit::default();
    }
    let hooks = HookPlace::find(root).and_then(|place| hook::status(&place)).ok();
    OfGit {
        has_git: true,
        hooks: hooks.map(Vec::from),
        untracked: untracked.unwrap_or_default(),
        ignored: ignored.unwrap_or_default(),
    }
}

/// Compares the working tree with the commit.
fn dirty(tree: &WorkTree, git: &Git, after: &State) -> Option<Dirty> {
    let place = Place::commit(git, "HEAD").ok()?;
    let all = after.derivations.iter().count();
    if let Place::Commit { id, .. } = &place
        && states::of_commit(git, id).is_ok_and(|files| files == *after.derivations.files())
    {
        return Some(Dirty { files: 0, rebuilt: 0, all });
    }
    let before = State::read(tree, git, place).ok()?;
    let comparison = compare(&before.derivations, &after.derivations);
    let is_rebuilt = |effect| !matches!(effect, Effect::Kept | Effect::Removed);
    let rebuilt = comparison.verdicts.values().filter(|verdict| is_rebuilt(verdict.effect)).count();
    Some(Dirty { files: comparison.files.len(), rebuilt, all })
}

fn model(state: &State) -> Model {
    let apps = state.derivations.iter().filter_map(|(id, derivation)| {
        let Id::App(app) = id else { return None };
        let parts = state.derivations.source_parts(derivation);
        let mut files: Vec<&RepoPath> = parts.iter().flat_map(|part| part.files.iter().copied()).collect();
        files.sort_unstable();
        files.dedup();
        let most = parts.iter().max_by_key(|part| part.files.len()).and_then(|part| match part.origin {
            Origin::RootFile { path, .. } => Some(path.to_string()),
            Origin::Own | Origin::Folder(_) | Origin::OfCheck => None,
        });
        let is_root = derivation.workspace.as_ref().is_some_and(RepoPath::is_root);
        Some(Reads { app: app.clone(), files: files.len(), is_root, most })
    });
    let split = &state.split;
    Model {
        manager: format!("{}@{}", split.pin.manager.name.command(), split.pin.manager.version),
        pin: split.pin.source,
        has_no_pin: split.pin.is_default(),
        caches: split.config.caches.clone(),
        files: state.derivations.files().len(),
        workspaces: split.manifests.len(),
        apps: apps.collect(),
    }
}
