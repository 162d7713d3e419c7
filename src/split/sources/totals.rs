//! Counts the files and bytes of source sets, without listing the files of each app or library.
//!
//! Each file belongs to one workspace, so the totals of workspaces can be added. Only root files and files in linked folders
//! can be in a source set for two reasons. They are checked one by one.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::{LeftOut, Owned, Sources, owner};
use crate::{
    repo::{RepoPath, SourceFile},
    split::workspaces::graph::Closures,
};

/// The totals of a source set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// The number of files.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files excluded from its workspaces, by the rule that excludes them.
    pub left_out: BTreeMap<String, LeftOut>,
}

/// The counts from which the totals of all source sets are computed.
pub struct Summary<'a> {
    closures: &'a Closures<'a>,
    workspaces: Vec<InWorkspace<'a>>,
    /// The rules that exclude files, by number.
    rules: Vec<&'a str>,
    /// Files that can be in a source set for two reasons.
    extras: Vec<Extra<'a>>,
    /// The extra files that are in every source set.
    shared: FixedBitSet,
}

/// The counts of one workspace.
#[derive(Default)]
struct InWorkspace<'a> {
    sources: Total,
    /// The total that others see, if it differs from its sources.
    shown: Option<Total>,
    /// The files that each rule excludes.
    left_out: Vec<(usize, LeftOut)>,
    /// Excluded files that some build reads as root files: the rule, the extra file, its size.
    covered: Vec<(usize, usize, u64)>,
    /// Its extra files: those of its root files, and those of the folders that it links to.
    root_files: Vec<&'a [usize]>,
    links: Vec<&'a [usize]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    files: usize,
    bytes: u64,
}

struct Extra<'a> {
    file: &'a SourceFile,
    /// The workspace that also has it as a source, and the workspace that also shows it to others.
    source_of: Option<usize>,
    shown_of: Option<usize>,
}

/// The extra files of each root file and of each linked folder, by number.
pub struct Extras<'a> {
    files: BTreeMap<&'a RepoPath, (usize, &'a SourceFile)>,
    of_roots: BTreeMap<&'a RepoPath, Vec<usize>>,
    of_links: BTreeMap<&'a RepoPath, Vec<usize>>,
}

impl<'a> Extras<'a> {
    /// Collects the extra files.
    pub fn of(sources: &'a Sources<'a>) -> Self {
        let lists = || sources.root_files.values().chain(sources.linked.values());
        let mut files: BTreeMap<&RepoPath, (usize, &SourceFile)> =
            lists().flatten().map(|file| (&file.path, (0, *file))).collect();
        for (number, file) in files.values_mut().enumerate() {
            file.0 = number;
        }
        let numbers = |list: &Vec<&SourceFile>| list.iter().map(|file| files[&file.path].0).collect();
        let of_roots = sources.root_files.iter().map(|(root, list)| (*root, numbers(list))).collect();
        let of_links = sources.linked.iter().map(|(folder, list)| (folder, numbers(list))).collect();
        Self { files, of_roots, of_links }
    }
}

impl<'a> Summary<'a> {
    /// Counts the files of each workspace.
    pub fn of(sources: &'a Sources<'a>, closures: &'a Closures<'a>, extras: &'a Extras<'a>) -> Self {
        let names = sources
            .owned
            .values()
            .flat_map(|owned| owned.left_out.keys().chain(owned.covered.iter().map(|(rule, _)| rule)));
        let mut rules: BTreeMap<&str, usize> = names.map(|rule| (rule.as_str(), 0)).collect();
        for (number, rule) in rules.values_mut().enumerate() {
            *rule = number;
        }
        let workspaces = closures.workspaces().iter().map(|workspace| {
            let list = |of: &'a BTreeMap<&RepoPath, Vec<usize>>, path| of.get(path).map(Vec::as_slice);
            let mut found =
                sources.owned.get(&workspace.path).map(|owned| in_workspace(owned, &rules, extras)).unwrap_or_default();
            found.root_files = workspace.root_files.iter().filter_map(|path| list(&extras.of_roots, path)).collect();
            found.links = workspace.folders_beside().filter_map(|path| list(&extras.of_links, path)).collect();
            found
        });
        let shared = sources.shared.iter().filter_map(|root| extras.of_roots.get(root)).flatten().copied();
        let mut summary = Self {
            workspaces: workspaces.collect(),
            rules: rules.into_keys().collect(),
            extras: extras.files.values().map(|(_, file)| extra(file, sources, closures)).collect(),
            shared: FixedBitSet::with_capacity(extras.files.len()),
            closures,
        };
        summary.shared.extend(shared);
        summary
    }

    /// Returns the totals of the source set of a workspace, by its number.
    pub fn totals(&self, own: usize) -> Totals {
        let members = self.closures.members(own);
        let mut total = Total::default();
        let mut left_out = vec![LeftOut::default(); self.rules.len()];
        let mut extras = self.shared.clone();
        let mut covered = Vec::new();
        for number in members.ones() {
            let workspace = &self.workspaces[number];
            extras.extend(workspace.links.iter().copied().flatten().copied());
            if let Some(shown) = workspace.shown.filter(|_| number != own) {
                total.add(shown);
                continue;
            }
            total.add(workspace.sources);
            extras.extend(workspace.root_files.iter().copied().flatten().copied());
            covered.extend(workspace.covered.iter().copied());
            for (rule, more) in &workspace.left_out {
                left_out[*rule].files += more.files;
                left_out[*rule].bytes += more.bytes;
            }
        }
        for (rule, _, bytes) in covered.into_iter().filter(|(_, extra, _)| !extras.contains(*extra)) {
            left_out[rule].files += 1;
            left_out[rule].bytes += bytes;
        }
        let is_new = |extra: &&Extra<'_>| {
            let is_shown = |number: usize| number != own && self.workspaces[number].shown.is_some();
            let is_source = extra.source_of.is_some_and(|by| members.contains(by) && !is_shown(by));
            !is_source && !extra.shown_of.is_some_and(|by| members.contains(by) && is_shown(by))
        };
        for extra in extras.ones().map(|number| &self.extras[number]).filter(is_new) {
            total.add(Total { files: 1, bytes: extra.file.bytes });
        }
        let left_out = self.rules.iter().zip(left_out).filter(|(_, left_out)| left_out.files > 0);
        Totals {
            files: total.files,
            bytes: total.bytes,
            left_out: left_out.map(|(rule, left_out)| ((*rule).to_owned(), left_out)).collect(),
        }
    }
}

impl Total {
    fn of(files: &[&SourceFile]) -> Self {
        Self { files: files.len(), bytes: files.iter().map(|file| file.bytes).sum() }
    }

    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

fn in_workspace<'a>(owned: &Owned<'_>, rules: &BTreeMap<&str, usize>, extras: &Extras<'_>) -> InWorkspace<'a> {
    let covered = |(rule, file): &(String, &SourceFile)| {
        Some((*rules.get(rule.as_str())?, extras.files.get(&file.path)?.0, file.bytes))
    };
    InWorkspace {
        covered: owned.covered.iter().filter_map(covered).collect(),
        sources: Total::of(&owned.files),
        shown: owned.shown.as_deref().map(Total::of),
        left_out: owned.left_out.iter().map(|(rule, left_out)| (rules[rule.as_str()], *left_out)).collect(),
        ..InWorkspace::default()
    }
}

fn extra<'a>(file: &'a SourceFile, sources: &Sources<'_>, closures: &Closures<'_>) -> Extra<'a> {
    let folder = owner(&file.path.parent(), |folder| sources.owned.contains_key(folder));
    let owned = sources.owned.get(&folder);
    let holds = |list: &[&SourceFile]| list.binary_search_by(|other| other.path.cmp(&file.path)).is_ok();
    let number = || closures.number(&folder);
    Extra {
        file,
        source_of: owned.filter(|owned| holds(&owned.files)).and_then(|_| number()),
        shown_of: owned.filter(|owned| owned.shown.as_deref().is_some_and(holds)).and_then(|_| number()),
    }
}
