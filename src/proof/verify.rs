//! Checks that Nix rebuilds what the model expects after each edit, and nothing else: makes many edits, has Nix evaluate each, and compares the
//! result with the model.
//!
//! Nix takes most of the time, because it reads and hashes the sources of every app. So one evaluation gets several copies, and
//! several evaluations run at once.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use camino::Utf8Path;

use super::{
    ProofError, State,
    confirm::{effect, packages},
    edited::EditedTree,
    edits::{Action, Edit, table},
    evaluation::{Derived, Evaluator, Packages},
    scratch::{Copy, Scratch, content},
};
use crate::{
    nix::command::Nix,
    repo::{
        WorkTree,
        states::{FileKind, FileStates},
    },
    split::plan::{Effect, Id, compare},
};

/// The number of copies in one evaluation.
const BATCH: usize = 4;
/// The most evaluations to run at once. Each takes a few hundred megabytes of memory.
const WORKERS: usize = 4;

/// The result of all edits.
#[derive(Debug)]
pub struct Proof {
    /// The packages that were evaluated.
    pub packages: Vec<String>,
    /// The edits.
    pub rows: Vec<Row>,
}

/// An edit and its effect on each package.
#[derive(Debug)]
pub struct Row {
    /// The edit.
    pub edit: Edit,
    /// The effect on each package, by name.
    pub cells: BTreeMap<String, Cell>,
}

/// The effect of an edit on a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The effect that the model predicts.
    pub model: Effect,
    /// Whether the derivation changed in Nix.
    pub is_changed: bool,
}

impl Cell {
    /// Whether Nix and the model disagree.
    pub fn is_surprise(self) -> bool {
        match self.model {
            Effect::Unsure => false,
            Effect::Kept => self.is_changed,
            Effect::Rebuilt | Effect::Added | Effect::Removed => !self.is_changed,
        }
    }
}

impl Row {
    /// Returns the packages where Nix and the model disagree.
    pub fn surprises(&self) -> impl Iterator<Item = (&str, Cell)> {
        self.cells.iter().filter(|(_, cell)| cell.is_surprise()).map(|(name, cell)| (name.as_str(), *cell))
    }
}

/// The data that all workers share.
struct Bench<'a> {
    state: &'a State,
    tree: &'a WorkTree,
    scratch: &'a Scratch,
    evaluator: &'a Evaluator,
    /// The copy without edits.
    pristine: &'a Copy,
    packages: &'a BTreeMap<String, Vec<Id>>,
    names: &'a [String],
    before: &'a Packages,
}

/// Makes edits in scratch copies of the repository at `tree`, whose state is `state`, and evaluates them. `watch` gets the
/// number of finished edits and the number of all edits.
pub fn verify(
    state: &State,
    tree: &WorkTree,
    nix: &Nix,
    options: &[String],
    watch: &(dyn Fn(usize, usize) + Sync),
) -> Result<Proof, ProofError> {
    if !state.is_recorded {
        return Err(ProofError::Stale);
    }
    let edits = table(state, tree)?;
    let scratch = Scratch::new()?;
    let files = state.derivations.files();
    let pristine = scratch.copy("pristine", tree, files, Some((tree.root(), files)))?;
    let evaluator = Evaluator::new(&scratch, "flake", pristine.root(), nix, options)?;
    let packages = packages([&state.derivations], state.system());
    let names: Vec<String> = packages.keys().cloned().collect();
    let before = evaluator.packages(&[pristine.root()], &names, state.system())?.pop().unwrap_or_default();
    if let Some((name, _)) = before.iter().find(|(_, derived)| **derived == Derived::Failed) {
        return Err(ProofError::Evaluation(name.clone()));
    }
    let bench = Bench {
        state,
        tree,
        scratch: &scratch,
        evaluator: &evaluator,
        pristine: &pristine,
        packages: &packages,
        names: &names,
        before: &before,
    };
    let rows = bench.run(&edits, watch)?;
    Ok(Proof { packages: names, rows })
}

impl Bench<'_> {
    /// Runs all edits with several workers that take batches in turn.
    fn run(&self, edits: &[Edit], watch: &(dyn Fn(usize, usize) + Sync)) -> Result<Vec<Row>, ProofError> {
        let batches: Vec<&[Edit]> = edits.chunks(BATCH).collect();
        let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(WORKERS).min(batches.len());
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let rows = Mutex::new(BTreeMap::new());
        let failure = Mutex::new(None);
        thread::scope(|scope| {
            for worker in 0..workers {
                let (batches, next, done, rows, failure) = (&batches, &next, &done, &rows, &failure);
                scope.spawn(move || {
                    let result = self.work(worker, batches, next, &mut |batch, found: Vec<Row>| {
                        let all = done.fetch_add(found.len(), Ordering::Relaxed) + found.len();
                        lock(rows).insert(batch, found);
                        watch(all, edits.len());
                    });
                    if let Err(error) = result {
                        // The others stop after their batch.
                        next.store(batches.len(), Ordering::Relaxed);
                        lock(failure).get_or_insert(error);
                    }
                });
            }
        });
        match lock(&failure).take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut *lock(&rows)).into_values().flatten().collect()),
        }
    }

    fn work(
        &self,
        worker: usize,
        batches: &[&[Edit]],
        next: &AtomicUsize,
        found: &mut dyn FnMut(usize, Vec<Row>),
    ) -> Result<(), ProofError> {
        let mut copies: Vec<Copy> = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = batches.get(index) else { return Ok(()) };
            let known = Some((self.pristine.root(), self.files()));
            while copies.len() < batch.len() {
                let name = format!("copy-{worker}-{}", copies.len());
                copies.push(self.scratch.copy(&name, self.tree, self.files(), known)?);
            }
            found(index, self.evaluate(batch, &copies)?);
        }
    }

    fn files(&self) -> &FileStates {
        self.state.derivations.files()
    }

    /// Makes each edit in its own copy, evaluates the copies, and undoes the edits.
    fn evaluate(&self, edits: &[Edit], copies: &[Copy]) -> Result<Vec<Row>, ProofError> {
        for (edit, copy) in edits.iter().zip(copies) {
            self.make(edit, copy)?;
        }
        let roots: Vec<&Utf8Path> = copies.iter().take(edits.len()).map(Copy::root).collect();
        let found = self.evaluator.packages(&roots, self.names, self.state.system())?;
        let mut rows = Vec::new();
        for ((edit, copy), after) in edits.iter().zip(copies).zip(found) {
            rows.push(self.row(edit, &after)?);
            self.take_back(edit, copy)?;
        }
        Ok(rows)
    }

    fn make(&self, edit: &Edit, copy: &Copy) -> Result<(), ProofError> {
        match &edit.action {
            Action::Write(files) => {
                for (path, content) in files {
                    let kind = self.files().get(path).map_or(FileKind::Plain, |state| state.kind);
                    copy.write(path, content, kind)?;
                }
                Ok(())
            }
            Action::Chmod => copy.write(&edit.path, &content(self.tree, &edit.path)?, self.turned_kind(edit)),
            Action::Folder => copy.make_folder(&edit.path),
        }
    }

    fn take_back(&self, edit: &Edit, copy: &Copy) -> Result<(), ProofError> {
        let paths: Vec<_> = match &edit.action {
            Action::Write(files) => files.keys().collect(),
            Action::Chmod => vec![&edit.path],
            Action::Folder => {
                copy.remove_folder(&edit.path);
                return Ok(());
            }
        };
        for path in paths {
            match self.files().get(path) {
                Some(state) => copy.write(path, &content(self.tree, path)?, state.kind)?,
                None => copy.remove(path)?,
            }
        }
        Ok(())
    }

    /// Returns the kind of the file after its executable bit is toggled.
    fn turned_kind(&self, edit: &Edit) -> FileKind {
        match self.files().get(&edit.path).map(|state| state.kind) {
            Some(FileKind::Executable) => FileKind::Plain,
            _ => FileKind::Executable,
        }
    }

    /// Compares what the model and Nix say about an edit.
    fn row(&self, edit: &Edit, after: &Packages) -> Result<Row, ProofError> {
        let mut tree = EditedTree { base: self.tree.clone(), edits: BTreeMap::new() };
        if let Action::Write(files) = &edit.action {
            tree.edits.clone_from(files);
        }
        let mut files = tree.states(self.files());
        if let (Action::Chmod, Some(state)) = (&edit.action, files.get_mut(&edit.path)) {
            state.kind = self.turned_kind(edit);
        }
        let edited = State::of(Box::new(tree), files, self.state.place.clone())?;
        let comparison = compare(&self.state.derivations, &edited.derivations);
        let cell = |(name, ids): (&String, &Vec<Id>)| {
            let is_changed = self.before.get(name) != after.get(name);
            (name.clone(), Cell { model: effect(&comparison, ids), is_changed })
        };
        Ok(Row { edit: edit.clone(), cells: self.packages.iter().map(cell).collect() })
    }
}

/// Locks a mutex. A poisoned lock is no problem: it means that a worker panicked, and the scope passes on the panic.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
