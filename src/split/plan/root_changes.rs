//! Finds the changed files among the root files, folders and globs that a build reads.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use fixedbitset::FixedBitSet;

use super::{
    Cause, Change, Derivation, Derivations,
    compare::{change, file_changes},
    parts::RootFile,
    union::Union,
    ways::Ways,
};
use crate::repo::{RepoPath, states::FileState};

/// The root files of both states and their differences.
pub(super) struct RootChanges<'a> {
    before: Side<'a>,
    after: Side<'a>,
    union: Union<'a, RepoPath>,
    /// The changed files of each root file in either state.
    changes: BTreeMap<&'a RepoPath, BTreeMap<RepoPath, Change>>,
    /// The root files with at least one changed file.
    differing: FixedBitSet,
}

/// The root files of one state.
struct Side<'a> {
    state: &'a Derivations,
    /// The numbers of the root files that each file belongs to. Computed on demand, because few comparisons need it.
    holders: OnceCell<BTreeMap<&'a RepoPath, Vec<usize>>>,
}

impl<'a> RootChanges<'a> {
    pub(super) fn of(before: &'a Derivations, after: &'a Derivations) -> Self {
        let union = Union::of(paths(before), paths(after));
        let changes_of =
            |path: &&'a RepoPath| (*path, file_changes(before.root_files.get(*path), after.root_files.get(*path)));
        let changes: BTreeMap<_, _> = union.keys.iter().map(changes_of).collect();
        let differing = union.filter(|path| changes.get(path).is_some_and(|of| !of.is_empty()));
        let side = |state| Side { state, holders: OnceCell::new() };
        Self { before: side(before), after: side(after), union, changes, differing }
    }

    /// Returns the changed files for one derivation, each with the way to the workspace that reads it.
    pub(super) fn causes(
        &self,
        own: &'a RepoPath,
        (before, after): (&Derivation, &Derivation),
        ways: (&OnceCell<Ways<'a>>, &OnceCell<Ways<'a>>),
    ) -> Vec<Cause> {
        let mut causes = Vec::new();
        for path in self.suspects(before, after) {
            let (old, new) = (self.before.state_of(before, path), self.after.state_of(after, path));
            let Some(change) = change(old, new) else { continue };
            let way = match change {
                Change::Removed => self.before.way_to_reader(before, own, path, ways.0),
                _ => self.after.way_to_reader(after, own, path, ways.1),
            };
            causes.push(Cause::RootFile { path: path.clone(), change, way });
        }
        causes
    }

    /// Returns the files that may differ. For a root file in both states these are its changed files, and for a root file in
    /// one state all its files. Every other file belongs to a root file that did not change.
    fn suspects<'s>(&'s self, before: &Derivation, after: &Derivation) -> BTreeSet<&'s RepoPath> {
        let old = self.union.of_before(&before.root_files);
        let new = self.union.of_after(&after.root_files);
        let mut suspects = BTreeSet::new();
        for root in old.intersection(&new).filter(|root| self.differing.contains(*root)) {
            suspects.extend(self.changes.get(self.union.keys[root]).into_iter().flat_map(BTreeMap::keys));
        }
        for root in old.symmetric_difference(&new) {
            for side in [&self.before, &self.after] {
                suspects.extend(side.state.root_files.get(self.union.keys[root]).into_iter().flat_map(BTreeMap::keys));
            }
        }
        suspects
    }
}

impl<'a> Side<'a> {
    /// Returns the root files that a derivation reads and that contain a file.
    fn holders<'s>(
        &'s self,
        derivation: &'s Derivation,
        path: &RepoPath,
    ) -> impl Iterator<Item = &'a RootFile> + use<'a, 's> {
        let holders = self.holders.get_or_init(|| {
            let mut holders: BTreeMap<&RepoPath, Vec<usize>> = BTreeMap::new();
            for (number, root) in self.state.parts.root_files.iter().enumerate() {
                for file in self.state.root_files.get(&root.path).into_iter().flat_map(BTreeMap::keys) {
                    holders.entry(file).or_default().push(number);
                }
            }
            holders
        });
        let read = holders.get(path).into_iter().flatten().filter(|root| derivation.root_files.contains(**root));
        read.map(|root| &self.state.parts.root_files[*root])
    }

    /// Returns the state of a file, or `None` if the derivation does not read it.
    fn state_of(&self, derivation: &Derivation, path: &RepoPath) -> Option<&'a FileState> {
        let root = self.holders(derivation, path).next()?;
        self.state.root_files.get(&root.path)?.get(path)
    }

    /// Returns the way from a workspace to the nearest one that reads a file. It is empty if every build reads the file.
    fn way_to_reader(
        &self,
        derivation: &Derivation,
        own: &'a RepoPath,
        path: &RepoPath,
        ways: &OnceCell<Ways<'a>>,
    ) -> Vec<RepoPath> {
        let holders: Vec<&RootFile> = self.holders(derivation, path).collect();
        if holders.iter().any(|root| root.is_shared) {
            return Vec::new();
        }
        let parts = &self.state.parts;
        let is_read_by = |part: &usize| {
            let own = derivation.workspace.as_ref();
            derivation.parts.contains(*part)
                && (!parts.folders[*part].is_closed || own == Some(&parts.folders[*part].path))
        };
        let readers = holders.iter().flat_map(|root| root.readers.iter().copied().filter(is_read_by));
        ways.get_or_init(|| Ways::from(parts, own)).to_nearest(readers)
    }
}

fn paths(state: &Derivations) -> Vec<&RepoPath> {
    state.parts.root_files.iter().map(|root| &root.path).collect()
}
