//! Judges what happens to each derivation between two states.
//!
//! The differences are computed once for each workspace and root file. A derivation differs if its sets contain any of them. So
//! an unchanged derivation costs only an operation on sets, and no list of its inputs is needed.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use fixedbitset::FixedBitSet;

use super::{
    Cause, Change, Derivation, Derivations, Effect, Id, Input, Verdict,
    compare::{file_changes, file_of},
    input_cause::cause,
    inputs::{ORDERS, RECORDED_HASH},
    package_change,
    root_changes::RootChanges,
    union::Union,
    ways::Ways,
};
use crate::repo::{RepoPath, states::FileStates};

/// Returns the verdict for each derivation of either state.
pub(super) fn verdicts(before: &Derivations, after: &Derivations) -> BTreeMap<Id, Verdict> {
    let mut judge = Judge::of(before, after);
    let ids: BTreeSet<&Id> = before.all.keys().chain(after.all.keys()).collect();
    // An id sorts after the ones that it can need. Only builds that wait for each other need another order.
    for id in ids {
        if judge.libraries.keys.binary_search(&id).is_ok() {
            judge.library(id);
        } else {
            judge.conclude(id);
        }
    }
    judge.verdicts
}

/// Both states, their differences, and the verdicts so far.
struct Judge<'a> {
    before: &'a Derivations,
    after: &'a Derivations,
    parts: Union<'a, RepoPath>,
    sources: PartChanges<'a>,
    shown: PartChanges<'a>,
    /// The parts whose sources, or whose files visible to others, differ.
    changed: FixedBitSet,
    /// The parts that are closed in the old and in the new state.
    closed: [FixedBitSet; 2],
    root_files: RootChanges<'a>,
    libraries: Union<'a, Id>,
    /// Whether the libraries of both states have the same order.
    is_same_order: bool,
    /// The libraries whose judgement has begun, and the libraries that are not kept.
    begun: FixedBitSet,
    changed_libraries: FixedBitSet,
    verdicts: BTreeMap<Id, Verdict>,
}

type PartChanges<'a> = BTreeMap<&'a RepoPath, BTreeMap<RepoPath, Change>>;

/// The files of a workspace or linked folder that a build reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Sources,
    /// Only the manifest.
    Shown,
}

impl<'a> Judge<'a> {
    fn of(before: &'a Derivations, after: &'a Derivations) -> Self {
        let paths = |state: &'a Derivations| state.parts.folders.iter().map(|part| &part.path).collect();
        let parts = Union::of(paths(before), paths(after));
        let sources = changes(&before.sources, &after.sources);
        let shown = changes(&before.shown, &after.shown);
        let differs = |changes: &PartChanges<'_>, path: &RepoPath| changes.get(path).is_some_and(|of| !of.is_empty());
        let changed = parts.filter(|path| differs(&sources, path) || differs(&shown, path));
        let closed = [before, after].map(|state| {
            let part = |path: &RepoPath| state.parts.number(path).map(|number| &state.parts.folders[number]);
            parts.filter(|path| part(path).is_some_and(|part| part.is_closed))
        });
        let ids = |state: &'a Derivations| state.parts.libraries.iter().map(|library| &library.id).collect();
        let libraries = Union::of(ids(before), ids(after));
        let number = libraries.keys.len();
        Self {
            root_files: RootChanges::of(before, after),
            is_same_order: before.parts.libraries == after.parts.libraries,
            begun: FixedBitSet::with_capacity(number),
            changed_libraries: FixedBitSet::with_capacity(number),
            verdicts: BTreeMap::new(),
            before,
            after,
            parts,
            sources,
            shown,
            changed,
            closed,
            libraries,
        }
    }

    /// Judges a library after the libraries that it needs. The needs of both states together can form a ring. It ends at the
    /// library where it began.
    fn library(&mut self, id: &'a Id) {
        let mut open: Vec<usize> = self.libraries.keys.binary_search(&id).into_iter().collect();
        open.retain(|number| !self.begun.put(*number));
        while let Some(number) = open.last().copied() {
            let id = self.libraries.keys[number];
            let next = self.needed(id).difference(&self.begun).next();
            if let Some(next) = next {
                self.begun.insert(next);
                open.push(next);
                continue;
            }
            open.pop();
            self.conclude(id);
            if self.verdicts.get(id).is_some_and(|verdict| verdict.effect != Effect::Kept) {
                self.changed_libraries.insert(number);
            }
        }
    }

    /// Returns the libraries that a derivation needs in either state. A derivation that exists in only one state needs none to
    /// be judged.
    fn needed(&self, id: &Id) -> FixedBitSet {
        let (Some(before), Some(after)) = (self.before.all.get(id), self.after.all.get(id)) else {
            return FixedBitSet::new();
        };
        let mut needed = self.libraries.of_before(&before.libraries).into_owned();
        needed.union_with(&self.libraries.of_after(&after.libraries));
        needed
    }

    /// Judges a derivation. The derivations that it needs must be judged before.
    fn conclude(&mut self, id: &Id) {
        let verdict = match (self.before.all.get(id), self.after.all.get(id)) {
            (Some(before), Some(after)) => self.verdict(id, before, after),
            (Some(_), None) => Verdict { effect: Effect::Removed, causes: Vec::new() },
            (None, _) => Verdict { effect: Effect::Added, causes: Vec::new() },
        };
        self.verdicts.insert(id.clone(), verdict);
    }

    fn verdict(&self, id: &Id, before: &'a Derivation, after: &'a Derivation) -> Verdict {
        let effect = |id: &Id| self.verdicts.get(id).map_or(Effect::Kept, |verdict| verdict.effect);
        let changed: Vec<usize> = self.needed(id).intersection(&self.changed_libraries).collect();
        let needs = before.needs.union(&after.needs).chain(changed.iter().map(|number| self.libraries.keys[*number]));
        let needs: Vec<(&Id, Effect)> =
            needs.map(|need| (need, effect(need))).filter(|(_, effect)| *effect != Effect::Kept).collect();
        let sources = self.source_causes(before, after);
        // An added or removed workspace also changes the order, but is already reported as a cause.
        let says_order = !sources.iter().any(|cause| matches!(cause, Cause::Workspace { .. }));
        let inputs = self.inputs(before, after, says_order);
        let is_certain = needs.iter().any(|(_, effect)| *effect != Effect::Unsure)
            || inputs.iter().any(|cause| !matches!(cause, Cause::Nix { .. }))
            || !sources.is_empty();
        let needs = needs.into_iter().map(|(need, _)| Cause::Derivation { name: need.to_string() });
        let causes: Vec<_> = needs.chain(inputs).chain(sources).collect();
        let effect = match (causes.is_empty(), is_certain) {
            (true, _) => Effect::Kept,
            (_, true) => Effect::Rebuilt,
            (_, false) => Effect::Unsure,
        };
        Verdict { effect, causes }
    }

    /// Returns the causes other than sources, packages first.
    fn inputs(&self, before: &Derivation, after: &Derivation, says_order: bool) -> Vec<Cause> {
        let order = Input::Setting(ORDERS[0]);
        let (was, is) = if says_order { self.orders(before, after) } else { (None, None) };
        let all = [&before.inputs, &*before.shared, &after.inputs, &*after.shared].into_iter().flat_map(BTreeMap::keys);
        let differ = all.filter(|input| before.input(input) != after.input(input));
        let mut keys: BTreeSet<&Input> =
            differ.filter(|input| says_order || **input != Input::Setting(ORDERS[1])).collect();
        if was != is {
            keys.insert(&order);
        }
        let mut causes = Vec::new();
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for input in keys {
            let (old, new) =
                if *input == order { (was.as_ref(), is.as_ref()) } else { (before.input(input), after.input(input)) };
            match input {
                Input::Package(path) => {
                    gone.extend(old.map(|_| self.before.name_and_version(path)));
                    come.extend(new.map(|_| self.after.name_and_version(path)));
                }
                input => causes.push(cause(input, old, new)),
            }
        }
        let packages = package_change::by_name(gone.into_iter(), come.into_iter());
        if !packages.is_empty() {
            // A changed list always changes the hash.
            causes.retain(|cause| !matches!(cause, Cause::Setting { name, .. } if name == RECORDED_HASH));
        }
        let packages = packages.into_iter().map(|(name, versions)| {
            // The askers of a version that is new, or else of one that is gone. Others have another version of the package.
            let (state, of) =
                if versions.to.is_empty() { (self.before, &versions.from) } else { (self.after, &versions.to) };
            let asked = of.iter().filter_map(|version| state.asked.get(&(name.clone(), version.clone())));
            let (mut workspaces, mut packages) = (BTreeSet::new(), BTreeSet::new());
            for asked in asked {
                workspaces.extend(asked.workspaces.iter().cloned());
                packages.extend(asked.packages.iter().cloned());
            }
            let (workspaces, packages) = (workspaces.into_iter().collect(), packages.into_iter().collect());
            Cause::Package { name, from: versions.from, to: versions.to, workspaces, packages }
        });
        packages.chain(causes).collect()
    }

    /// Returns the old and new order of the libraries as texts, or `None` for both if they are equal.
    fn orders(&self, before: &Derivation, after: &Derivation) -> (Option<String>, Option<String>) {
        if self.is_same_order && before.libraries == after.libraries {
            return (None, None);
        }
        let (was, is) = (self.before.parts.in_order(&before.libraries), self.after.parts.in_order(&after.libraries));
        let text = |paths: Vec<&RepoPath>| {
            let paths: Vec<&str> = paths.into_iter().map(RepoPath::as_str).collect();
            Some(paths.join(", ")).filter(|text| !text.is_empty())
        };
        if was == is { (None, None) } else { (text(was), text(is)) }
    }

    fn source_causes(&self, before: &'a Derivation, after: &'a Derivation) -> Vec<Cause> {
        let mut causes = Vec::new();
        let Some(own) = &after.workspace else { return causes };
        let ways = (OnceCell::new(), OnceCell::new());
        let views = [
            self.views(before, &self.parts.of_before(&before.parts), 0),
            self.views(after, &self.parts.of_after(&after.parts), 1),
        ];
        // A linked folder may lie inside a workspace that the build reads too.
        let mut seen = BTreeSet::new();
        for number in self.suspects(&views) {
            let path = self.parts.keys[number];
            let [old, new] = [0, 1].map(|side: usize| views[side].of(number));
            let way = || {
                let (ways, parts) =
                    if new.is_some() { (&ways.1, &self.after.parts) } else { (&ways.0, &self.before.parts) };
                ways.get_or_init(|| Ways::from(parts, own)).to(path)
            };
            if old != new {
                let change = match (old, new) {
                    (None, _) => Change::Added,
                    (_, None) => Change::Removed,
                    _ => Change::Changed,
                };
                causes.push(Cause::Workspace { path: path.clone(), change, way: way() });
                continue;
            }
            let changes = if new == Some(View::Shown) { &self.shown } else { &self.sources };
            for (file, change) in changes.get(path).into_iter().flatten().filter(|(file, _)| seen.insert(*file)) {
                causes.push(Cause::Source { path: file.clone(), change: *change, way: way() });
            }
        }
        let root_files = self.root_files.causes(own, (before, after), (&ways.0, &ways.1));
        causes.extend(root_files.into_iter().filter(|cause| file_of(cause).is_none_or(|path| !seen.contains(path))));
        causes
    }

    /// Returns what a build sees of its parts, in the old (`side` 0) or the new state.
    fn views(&self, derivation: &Derivation, parts: &FixedBitSet, side: usize) -> Views {
        let mut shown = parts & &self.closed[side];
        let own = derivation.workspace.as_ref().and_then(|own| self.parts.keys.binary_search(&own).ok());
        if let Some(own) = own {
            shown.set(own, false);
        }
        let mut sources = parts.clone();
        sources.difference_with(&shown);
        Views { sources, shown }
    }

    /// Returns the parts of a build that may differ: changed parts, and parts that it sees differently.
    fn suspects(&self, [before, after]: &[Views; 2]) -> Vec<usize> {
        let mut suspects = &before.sources | &after.sources;
        suspects.union_with(&before.shown);
        suspects.union_with(&after.shown);
        suspects.intersect_with(&self.changed);
        suspects.extend(before.sources.symmetric_difference(&after.sources));
        suspects.extend(before.shown.symmetric_difference(&after.shown));
        suspects.ones().collect()
    }
}

/// The parts whose sources a build sees, and the parts whose manifest it sees.
struct Views {
    sources: FixedBitSet,
    shown: FixedBitSet,
}

impl Views {
    fn of(&self, number: usize) -> Option<View> {
        let is_shown = self.shown.contains(number).then_some(View::Shown);
        is_shown.or_else(|| self.sources.contains(number).then_some(View::Sources))
    }
}

impl Derivation {
    fn input(&self, input: &Input) -> Option<&String> {
        self.inputs.get(input).or_else(|| self.shared.get(input))
    }
}

/// Returns the changed files of each part.
fn changes<'a>(
    before: &'a BTreeMap<RepoPath, FileStates>,
    after: &'a BTreeMap<RepoPath, FileStates>,
) -> PartChanges<'a> {
    let parts = after.keys().chain(before.keys());
    parts.map(|path| (path, file_changes(before.get(path), after.get(path)))).collect()
}
