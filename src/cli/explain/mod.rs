//! `splitter explain`: shows which derivations change between two states of the repository, and why.

mod json;
mod rows;
mod show;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::show::{Sides, changed};
use super::{
    arguments::{ExplainOptions, Global},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::work_tree,
    text::escape,
    trace::untracked,
    traced::{self, Mark},
};
use crate::{
    nix::command::Nix,
    parallel::both,
    proof::{Confirmation, Place, State, StateError, confirm},
    repo::{Git, RepoPath, WorkTree},
    scaffold::record,
    shell,
    split::plan::{Comparison, Effect, Id, Verdict, compare},
};

/// Two states and their comparison.
struct Explanation {
    /// The state without `nix/splitter`, if only one has it.
    absent: Option<Absent>,
    before: State,
    after: State,
    comparison: Comparison,
    /// The results of Nix, with `--nix`.
    confirmations: Option<BTreeMap<String, Confirmation>>,
    /// The builds of the new state that were traced and have not changed since.
    traced: BTreeMap<String, Mark>,
}

/// A state that is older than `splitter init`, or from a branch without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Before,
    After,
}

impl Explanation {
    fn sides(&self) -> Sides<'_> {
        Sides { comparison: &self.comparison, before: &self.before, after: &self.after }
    }
}

pub(super) fn run(global: &Global, options: &ExplainOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    let git = Git::at(tree.root());
    let (from, to) = places(&git, options)?;
    let is_of_working_tree = matches!(to, Place::WorkTree);
    let (before, after) = both(|| State::read(&tree, &git, from), || State::read(&tree, &git, to));
    let (before, after) = (before?, after?);
    let comparison = compare(&before.derivations, &after.derivations);
    let absent = match (is_new(&before)?, is_new(&after)?) {
        (true, false) => Some(Absent::Before),
        (false, true) => Some(Absent::After),
        _ => None,
    };
    let comparison = match absent {
        Some(Absent::Before) => of_one(&after, Effect::Added, comparison),
        Some(Absent::After) => of_one(&before, Effect::Removed, comparison),
        None => comparison,
    };
    // Where nothing is split, there is nothing that Nix could compare.
    let confirmations = if options.nix && absent.is_none() {
        let nix = Nix::require()?;
        Some(confirm(&before, &after, &comparison, &nix, &options.nix_options)?)
    } else {
        None
    };
    let traced = traced::unchanged(tree.root(), &after.derivations);
    let explanation = Explanation { absent, before, after, comparison, confirmations, traced };
    if options.json {
        printer.data(json::render(&explanation));
    } else {
        show::print(&explanation, printer);
        if is_of_working_tree {
            say_what_nix_does_not_see(&tree, &explanation, printer)?;
        }
    }
    let mut confirmations = explanation.confirmations.iter().flat_map(BTreeMap::values);
    Ok(if confirmations.all(Confirmation::agrees) { Outcome::Done } else { Outcome::Difference })
}

/// Names new files that a build would read and that git does not track. A flake is made of tracked files.
fn say_what_nix_does_not_see(tree: &WorkTree, explanation: &Explanation, printer: Printer) -> Result<(), Failure> {
    let Comparison { files, idle, .. } = &explanation.comparison;
    let untracked = untracked(tree, &explanation.after)?;
    let unseen: Vec<&RepoPath> =
        files.keys().filter(|path| untracked.contains(*path) && !idle.contains(*path)).collect();
    let Some(first) = unseen.first() else { return Ok(()) };
    let (first, word) = (escape(first.as_str()), shell::word(first.as_str()));
    let add = format_args!("run `git add --intent-to-add {}`", escape(&word)).to_string();
    printer.note(match unseen.len() {
        1 => format!("git does not track {first}, so Nix does not see it yet: {add}"),
        number => format!(
            "git does not track {first} and {} more, so Nix does not see them yet: {add}, and the same for the others",
            number - 1
        ),
    });
    Ok(())
}

/// Returns the comparison with a state that has no `nix/splitter`: there, Nix had no derivation at all. The files that changed
/// are true all the same.
fn of_one(state: &State, effect: Effect, comparison: Comparison) -> Comparison {
    let verdict = |(id, _): (&Id, _)| (id.clone(), Verdict { effect, causes: Vec::new() });
    let verdicts = state.derivations.iter().map(verdict).collect();
    Comparison { verdicts, idle: BTreeSet::new(), ..comparison }
}

/// Returns whether a state is older than the first `splitter init`.
fn is_new(state: &State) -> Result<bool, StateError> {
    Ok(!state.tree.is_file(&record::path())?)
}

/// Returns the two states to compare. The default is `HEAD` and the working tree.
fn places(git: &Git, options: &ExplainOptions) -> Result<(Place, Place), StateError> {
    let named = options.revision.as_deref().unwrap_or("HEAD");
    let or_head = |name: &str| Place::commit(git, if name.is_empty() { "HEAD" } else { name });
    match named.split_once("..") {
        Some((from, to)) => Ok((or_head(from)?, or_head(to)?)),
        None => Ok((or_head(named)?, if options.staged { Place::Index } else { Place::WorkTree })),
    }
}
