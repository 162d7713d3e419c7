//! Which derivations differ between two states of a repository, and what causes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Derivation, Derivations, Id, Input,
    inputs::{ORDERS, RECORDED_HASH},
    package_change,
};
use crate::{
    names::{MANIFEST, RC_FILES, RECORD, SETTINGS},
    repo::{RepoPath, states::FileStates},
    split::manifest_path,
};

/// Whether splitter reads its settings, registries or workspaces from a file of this name.
fn is_choice(name: &str) -> bool {
    [SETTINGS, MANIFEST].contains(&name) || RC_FILES.contains(&name)
}

/// How a thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content is another.
    Changed,
    /// Only its kind is another: the executable bit, or a link in place of a file.
    Mode,
}

/// What happens to a derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It stays as it is.
    Kept,
    /// It is another one, which Nix builds anew.
    Rebuilt,
    /// Whether it is another one only Nix can tell: files of Nix differ.
    Unsure,
    /// There was none before.
    Added,
    /// There is none any more.
    Removed,
}

/// Why a derivation differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// A derivation that it is built from differs.
    Derivation {
        /// Which.
        name: String,
    },
    /// A locked package differs.
    Package {
        /// Its name.
        name: String,
        /// The versions before.
        from: Vec<String>,
        /// The versions after.
        to: Vec<String>,
        /// The workspaces whose manifests ask for it; none where only other packages do.
        workspaces: Vec<RepoPath>,
    },
    /// A source file differs.
    Source {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
        /// The workspaces from the one that is built to the one that holds the file, both included.
        way: Vec<RepoPath>,
    },
    /// A root file that it is built from differs.
    RootFile {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
        /// The workspaces from the one that is built to one that reads it, both included; none where every build does.
        way: Vec<RepoPath>,
    },
    /// A workspace came to those that it is built from, or left them; or a library that shows only its build now shows
    /// its sources, or no longer.
    Workspace {
        /// Its folder.
        path: RepoPath,
        /// How.
        change: Change,
        /// The workspaces from the one that is built to it.
        way: Vec<RepoPath>,
    },
    /// A file differs that is read as it is: the lockfile, a patch, a plugin.
    File {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
    },
    /// Fields of a manifest differ that an install reads.
    Manifest {
        /// The manifest.
        path: RepoPath,
        /// What differs in it, in words.
        fields: Vec<String>,
    },
    /// Settings of an rc file differ that decide an install.
    Settings {
        /// The file.
        path: RepoPath,
    },
    /// A choice or a finding differs.
    Setting {
        /// What it is about.
        name: String,
        /// What it was.
        from: Option<String>,
        /// What it is.
        to: Option<String>,
    },
    /// A file of Nix differs; only Nix can tell whether that matters.
    Nix {
        /// The file.
        path: RepoPath,
        /// How.
        change: Change,
    },
}

/// What happens to a derivation, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What happens.
    pub effect: Effect,
    /// Why; none for what stays, comes or goes.
    pub causes: Vec<Cause>,
}

/// Two states of a repository, compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What happens to each derivation of either state, dependencies first.
    pub verdicts: BTreeMap<Id, Verdict>,
    /// All files that differ.
    pub files: BTreeMap<RepoPath, Change>,
    /// Those of them that cause nothing.
    pub idle: BTreeSet<RepoPath>,
}

impl Comparison {
    /// What happens to a derivation; one that is in neither state stays as it is.
    pub fn effect(&self, id: &Id) -> Effect {
        self.verdicts.get(id).map_or(Effect::Kept, |verdict| verdict.effect)
    }
}

/// Compares two states.
pub fn compare(before: &Derivations, after: &Derivations) -> Comparison {
    let states = States {
        before,
        after,
        sources: changes(&before.sources, &after.sources),
        shown: changes(&before.shown, &after.shown),
    };
    let mut comparison =
        Comparison { files: file_changes(Some(&before.files), Some(&after.files)), ..Comparison::default() };
    // An id sorts behind those that it can need, but for libraries that need each other: those are visited first.
    let ids: BTreeSet<&Id> = before.all.keys().chain(after.all.keys()).collect();
    for id in ids {
        states.judge(id, &mut comparison.verdicts);
    }
    comparison.idle = idle(&comparison);
    comparison
}

/// The files that cause nothing.
fn idle(comparison: &Comparison) -> BTreeSet<RepoPath> {
    let causes = || comparison.verdicts.values().flat_map(|verdict| &verdict.causes);
    let used: BTreeSet<&RepoPath> = causes().filter_map(file_of).collect();
    // What splitter itself finds out is of no one file.
    let is_found = causes().any(|cause| !matches!(cause, Cause::Derivation { .. }) && file_of(cause).is_none());
    let is_idle = |path: &&RepoPath| {
        !used.contains(path) && path.as_str() != RECORD && !(is_found && is_choice(path.file_name()))
    };
    comparison.files.keys().filter(is_idle).cloned().collect()
}

fn file_of(cause: &Cause) -> Option<&RepoPath> {
    match cause {
        Cause::Source { path, .. }
        | Cause::RootFile { path, .. }
        | Cause::File { path, .. }
        | Cause::Manifest { path, .. }
        | Cause::Settings { path }
        | Cause::Nix { path, .. } => Some(path),
        Cause::Derivation { .. } | Cause::Package { .. } | Cause::Workspace { .. } | Cause::Setting { .. } => None,
    }
}

fn file_changes(before: Option<&FileStates>, after: Option<&FileStates>) -> BTreeMap<RepoPath, Change> {
    let none = FileStates::new();
    let (before, after) = (before.unwrap_or(&none), after.unwrap_or(&none));
    let mut changes = BTreeMap::new();
    for (path, state) in after {
        let change = match before.get(path) {
            None => Change::Added,
            Some(known) if known == state => continue,
            Some(known) if known.content == state.content => Change::Mode,
            Some(_) => Change::Changed,
        };
        changes.insert(path.clone(), change);
    }
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    changes.extend(gone.map(|path| (path.clone(), Change::Removed)));
    changes
}

/// The changes of the files of each part of sources.
fn changes<'a>(
    before: &'a BTreeMap<RepoPath, FileStates>,
    after: &'a BTreeMap<RepoPath, FileStates>,
) -> PartChanges<'a> {
    let parts = after.keys().chain(before.keys());
    parts.map(|path| (path, file_changes(before.get(path), after.get(path)))).collect()
}

type PartChanges<'a> = BTreeMap<&'a RepoPath, BTreeMap<RepoPath, Change>>;

/// Both states, and what is the same for all derivations.
struct States<'a> {
    before: &'a Derivations,
    after: &'a Derivations,
    sources: PartChanges<'a>,
    shown: PartChanges<'a>,
}

/// What a build holds of a workspace or of a linked folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Sources,
    /// Its manifest alone.
    Shown,
}

impl View {
    fn of(derivation: &Derivation, path: &RepoPath) -> Option<Self> {
        let is_shown = derivation.shown.contains(path).then_some(Self::Shown);
        is_shown.or_else(|| derivation.sources.contains(path).then_some(Self::Sources))
    }
}

impl States<'_> {
    fn judge(&self, id: &Id, verdicts: &mut BTreeMap<Id, Verdict>) {
        if verdicts.contains_key(id) {
            return;
        }
        let (before, after) = match (self.before.all.get(id), self.after.all.get(id)) {
            (Some(before), Some(after)) => (before, after),
            (before, _) => {
                let effect = if before.is_some() { Effect::Removed } else { Effect::Added };
                verdicts.insert(id.clone(), Verdict { effect, causes: Vec::new() });
                return;
            }
        };
        // There are no cycles; what stands here meanwhile would end one all the same.
        verdicts.insert(id.clone(), Verdict { effect: Effect::Kept, causes: Vec::new() });
        for need in before.needs.union(&after.needs) {
            self.judge(need, verdicts);
        }
        let needs = before.needs.union(&after.needs).map(|need| (need, verdicts[need].effect));
        let needs: Vec<_> = needs.filter(|(_, effect)| *effect != Effect::Kept).collect();
        let mut inputs = self.inputs(before, after);
        let sources = self.source_causes(before, after);
        if sources.iter().any(|cause| matches!(cause, Cause::Workspace { .. })) {
            // What comes or leaves has a place in the order, and is said by itself.
            inputs.retain(|cause| !matches!(cause, Cause::Setting { name, .. } if ORDERS.contains(&name.as_str())));
        }
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
        verdicts.insert(id.clone(), Verdict { effect, causes });
    }

    /// The causes in all but sources, packages first.
    fn inputs(&self, before: &Derivation, after: &Derivation) -> Vec<Cause> {
        let keys: BTreeSet<&Input> = before.inputs.keys().chain(after.inputs.keys()).collect();
        let mut causes = Vec::new();
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for input in keys {
            let (old, new) = (before.inputs.get(input), after.inputs.get(input));
            if old == new {
                continue;
            }
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
            // Another list has another hash.
            causes.retain(|cause| !matches!(cause, Cause::Setting { name, .. } if name == RECORDED_HASH));
        }
        let packages = packages.into_iter().map(|(name, versions)| {
            let asked = self.after.asked.get(&name).or_else(|| self.before.asked.get(&name));
            let workspaces = asked.into_iter().flatten().cloned().collect();
            Cause::Package { name, from: versions.from, to: versions.to, workspaces }
        });
        packages.chain(causes).collect()
    }

    fn source_causes(&self, before: &Derivation, after: &Derivation) -> Vec<Cause> {
        let mut causes = Vec::new();
        let Some(own) = &after.workspace else { return causes };
        // A linked folder may lie in a workspace that is built too.
        let mut seen = BTreeSet::new();
        let parts = |derivation: &'_ Derivation| derivation.sources.union(&derivation.shown).cloned().collect();
        let (old, new): (BTreeSet<RepoPath>, BTreeSet<RepoPath>) = (parts(before), parts(after));
        for path in old.union(&new) {
            let (was, is) = (View::of(before, path), View::of(after, path));
            let way = if is.is_some() { self.after.way(own, path) } else { self.before.way(own, path) };
            if was != is {
                let change = match (was, is) {
                    (None, _) => Change::Added,
                    (_, None) => Change::Removed,
                    _ => Change::Changed,
                };
                causes.push(Cause::Workspace { path: path.clone(), change, way });
                continue;
            }
            let changes = if is == Some(View::Shown) { &self.shown } else { &self.sources };
            for (file, change) in changes.get(path).into_iter().flatten().filter(|(file, _)| seen.insert(*file)) {
                causes.push(Cause::Source { path: file.clone(), change: *change, way: way.clone() });
            }
        }
        let root_files = self.root_file_causes(own, before, after);
        causes.extend(root_files.into_iter().filter(|cause| file_of(cause).is_none_or(|path| !seen.contains(path))));
        causes
    }

    fn root_file_causes(&self, own: &RepoPath, before: &Derivation, after: &Derivation) -> Vec<Cause> {
        let files = |state: &Derivations, derivation: &Derivation| -> FileStates {
            let found = derivation.root_files.keys().filter_map(|root| state.root_files.get(root));
            found.flatten().map(|(path, state)| (path.clone(), state.clone())).collect()
        };
        let changes = file_changes(Some(&files(self.before, before)), Some(&files(self.after, after)));
        let cause = |(path, change): (RepoPath, Change)| {
            let way = match change {
                Change::Removed => way_to_reader(self.before, before, own, &path),
                _ => way_to_reader(self.after, after, own, &path),
            };
            Cause::RootFile { path, change, way }
        };
        changes.into_iter().map(cause).collect()
    }
}

/// The way from a workspace to the nearest one that reads a root file; none where every build does.
fn way_to_reader(state: &Derivations, derivation: &Derivation, own: &RepoPath, path: &RepoPath) -> Vec<RepoPath> {
    let holds = |root: &RepoPath| state.root_files.get(root).is_some_and(|files| files.contains_key(path));
    let readers: Vec<_> = derivation.root_files.iter().filter(|(root, _)| holds(root)).map(|(_, by)| by).collect();
    if readers.iter().any(|by| by.is_empty()) {
        return Vec::new();
    }
    let ways = readers.into_iter().flatten().map(|reader| state.way(own, reader));
    ways.filter(|way| !way.is_empty()).min_by_key(Vec::len).unwrap_or_default()
}

fn cause(input: &Input, old: Option<&String>, new: Option<&String>) -> Cause {
    let change = match (old, new) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        (Some(old), Some(new)) if id(old) == id(new) => Change::Mode,
        _ => Change::Changed,
    };
    match input {
        Input::Package(path) => Cause::Setting { name: path.clone(), from: old.cloned(), to: new.cloned() },
        Input::File(path) => Cause::File { path: path.clone(), change },
        Input::Nix(path) => Cause::Nix { path: path.clone(), change },
        Input::Manifest(path) => Cause::Manifest { path: manifest_path(path), fields: fields(old, new) },
        Input::RootManifest => Cause::Manifest { path: manifest_path(&RepoPath::root()), fields: fields(old, new) },
        Input::Settings(path) => Cause::Settings { path: path.clone() },
        Input::Setting(name) => Cause::Setting { name: (*name).to_owned(), from: old.cloned(), to: new.cloned() },
    }
}

/// The object id that a state of a file begins with.
fn id(state: &str) -> &str {
    state.split(' ').next().unwrap_or(state)
}

/// What differs between two manifests, in words: `dependencies: react ^18.0.0 -> ^19.0.0`.
fn fields(old: Option<&String>, new: Option<&String>) -> Vec<String> {
    type Object = serde_json::Map<String, serde_json::Value>;
    let read =
        |text: Option<&String>| -> Object { text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default() };
    let (old, new) = (read(old), read(new));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut texts = Vec::new();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (before, after) if before == after => {}
            (before, after) => {
                let object = |value: Option<&serde_json::Value>| value.and_then(|value| value.as_object().cloned());
                match (object(before), object(after)) {
                    (None, None) => texts.push(key.clone()),
                    (before, after) => {
                        let lines = entries(&before.unwrap_or_default(), &after.unwrap_or_default());
                        texts.extend(lines.into_iter().map(|line| format!("{key}: {line}")));
                    }
                }
            }
        }
    }
    texts
}

fn entries(
    old: &serde_json::Map<String, serde_json::Value>,
    new: &serde_json::Map<String, serde_json::Value>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |key: &String| match (old.get(key), new.get(key)) {
        (before, after) if before == after => None,
        (None, Some(after)) => Some(format!("+ {key} {}", text(after))),
        (Some(before), None) => Some(format!("- {key} {}", text(before))),
        (Some(before), Some(after)) => Some(format!("{key} {} -> {}", text(before), text(after))),
        (None, None) => None,
    };
    keys.into_iter().filter_map(line).collect()
}
