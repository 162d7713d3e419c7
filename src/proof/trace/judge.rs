//! Compares what a traced build did with the files that git has and with its source set. Pure: values in, values out.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use super::{
    Note,
    named::{is_named, is_named_folder, is_named_package},
};
use crate::{
    names::{BUNFIG, LOCKFILES, MANIFEST, RC_FILES, YARN_FOLDER},
    repo::{RepoPath, states::FileStates},
    split::{
        ManagerName, Split,
        mending::{Lack, Mending, Missing, for_missing},
        plan::{Origin, SourcePart},
        workspaces::detect::program::Keeps,
        workspaces::graph::{Role, Workspace},
    },
};

/// A file, a folder or a workspace that a build lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its path.
    pub path: RepoPath,
    /// How it shows.
    pub sign: Sign,
    /// Why the build lacks it.
    pub reason: Reason,
}

/// How it shows that a build lacks a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// The build looked for it.
    LookedFor,
    /// The build looked for the package of this workspace.
    Package,
    /// The build failed, and its log names it.
    InLog,
    /// The same build over the whole repository reads it.
    ReadInFull,
    /// The build listed the folder that should hold it.
    Listed,
    /// The build looked for it and then made it.
    Made,
}

impl Sign {
    /// Returns the name for JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LookedFor => "lookedFor",
            Self::Package => "package",
            Self::InLog => "inLog",
            Self::ReadInFull => "readInFull",
            Self::Listed => "listed",
            Self::Made => "made",
        }
    }
}

/// Why a build lacks a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Its source set leaves it out.
    Lack(Lack, Option<Mending>),
    /// Git does not track it, so Nix does not see it.
    Untracked,
    /// Its source set has it, and Nix did not give it to the build.
    Lost,
}

impl Reason {
    /// Says why, as the end of a sentence that starts with the path.
    pub fn text(&self) -> String {
        match self {
            Self::Lack(lack, _) => lack.reason(),
            Self::Untracked => "git does not track it, so Nix does not see it: run `git add`".to_owned(),
            Self::Lost => "it is in the source set, and the build did not get it".to_owned(),
        }
    }

    /// Returns the line of `splitter.json` that adds it.
    pub fn mending(&self) -> Option<&Mending> {
        match self {
            Self::Lack(_, mending) => mending.as_ref(),
            Self::Untracked | Self::Lost => None,
        }
    }
}

/// Files that a broad rule gives to a build that reads few of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The workspace, linked folder, root file, folder or glob.
    pub path: RepoPath,
    /// Whether it is a root file, folder or glob.
    pub is_root_file: bool,
    /// The files of it that the build reads.
    pub read: Vec<RepoPath>,
    /// How many files it has.
    pub of: usize,
    /// Whether no other traced build reads it, though every build has it.
    pub is_alone: bool,
}

/// The judgement of one build.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// How many files its source set has.
    pub sources: usize,
    /// The files of its source set that it read.
    pub read: BTreeSet<RepoPath>,
    /// What it lacks.
    pub missing: Vec<Gap>,
    /// What it may lack. Only a full trace can tell.
    pub may_be_missing: Vec<Gap>,
    /// What it gets by rules that are broader than needed.
    pub outside: Vec<Outside>,
    /// The files of its source set that it never opened. Empty if it failed.
    pub unread: Vec<RepoPath>,
}

/// The repository of a build.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    /// Its split.
    pub split: &'a Split,
    /// The files that git has, or would have.
    pub files: &'a FileStates,
    /// Those that git does not track yet. A flake in git does not see them.
    pub untracked: &'a BTreeSet<RepoPath>,
}

/// The least number of files for which a share of read files says something.
const MANY: usize = 8;
/// A build that reads less than one of this many files gets too much.
const SHARE: usize = 4;

/// Ends of files that a server does not keep: only its build reads them.
const CODE: [&str; 14] = [
    ".ts", ".tsx", ".mts", ".cts", ".jsx", ".vue", ".svelte", ".astro", ".css", ".scss", ".sass", ".less", ".map",
    ".html",
];

/// Judges the trace of a build of `workspace` with this source set. `full` is the trace of the same build over the whole
/// repository.
pub(super) fn judge(
    repository: Repository<'_>,
    workspace: &Workspace,
    parts: &[SourcePart<'_>],
    note: &Note,
    full: Option<&Note>,
) -> Judgement {
    let sources: BTreeSet<RepoPath> = parts.iter().flat_map(|part| part.files.iter().copied().cloned()).collect();
    let read: BTreeSet<RepoPath> = note.read.0.intersection(&sources).cloned().collect();
    let judge = Judge { repository, workspace, sources: &sources, note, full };
    let (missing, may_be_missing) = judge.gaps();
    Judgement {
        missing,
        may_be_missing,
        // A build that failed might have read more.
        outside: if note.exit == 0 { outside(parts, &read) } else { Vec::new() },
        unread: judge.unread(),
        sources: sources.len(),
        read,
    }
}

struct Judge<'a> {
    repository: Repository<'a>,
    workspace: &'a Workspace,
    sources: &'a BTreeSet<RepoPath>,
    note: &'a Note,
    full: Option<&'a Note>,
}

impl Judge<'_> {
    /// Returns what is missing, and what may be.
    fn gaps(&self) -> (Vec<Gap>, Vec<Gap>) {
        let mut signs: BTreeMap<RepoPath, Sign> = BTreeMap::new();
        let mut add = |path: RepoPath, sign: Sign| {
            signs.entry(path).and_modify(|known| *known = sign.min(*known)).or_insert(sign);
        };
        let is_failed = self.note.exit != 0;
        let mut folders = Vec::new();
        for path in self.note.missing.0.iter().filter(|path| self.is_lacking(path)) {
            let is_enumerated = self.is_enumerated(path);
            if self.is_plain_folder(path) && !is_enumerated {
                folders.push(path);
            } else if !is_enumerated {
                add(path.clone(), Sign::LookedFor);
            } else if is_failed && is_named_folder(&self.note.log, path) {
                add(path.clone(), Sign::InLog);
            }
        }
        for path in self.note.made.0.iter().filter(|path| self.repository.files.contains_key(*path)) {
            if self.is_lacking(path) {
                add(path.clone(), Sign::Made);
            }
        }
        for (path, is_in_log) in self.packages() {
            add(path, if is_in_log { Sign::InLog } else { Sign::Package });
        }
        for path in self.beside_listed() {
            let is_in_log = is_failed && is_named(&self.note.log, &path, self.is_alone(&path));
            add(path, if is_in_log { Sign::InLog } else { Sign::Listed });
        }
        let read_in_full = self.full.iter().flat_map(|full| &full.read.0);
        for path in read_in_full.filter(|path| self.repository.files.contains_key(*path) && self.is_lacking(path)) {
            let is_other_manifest = self.repository.split.manifests.contains_key(&path.parent());
            // Yarn reads the manifests of all workspaces. A build that needs a workspace reads more of it.
            let is_other_manifest = is_other_manifest && path.file_name() == MANIFEST;
            if !is_other_manifest && !self.is_read_by_manager(path) {
                add(path.clone(), Sign::ReadInFull);
            }
        }
        // A folder that is not there has no source. In a workspace the files in it are what is missing, since rules tell which of
        // them are sources. If a better sign names some, the folder says nothing more.
        for folder in folders {
            let is_certain = |(path, sign): (&RepoPath, &Sign)| *sign <= Sign::ReadInFull && path.is_within(folder);
            if signs.iter().any(is_certain) {
                continue;
            }
            if !self.is_in_workspace(folder) {
                signs.insert(folder.clone(), Sign::LookedFor);
                continue;
            }
            let below = self.repository.files.keys().filter(|path| path.is_within(folder) && self.is_lacking(path));
            signs.extend(below.map(|path| (path.clone(), Sign::LookedFor)));
        }
        self.explain(signs)
    }

    /// Finds why the source set lacks each path, and tells what is missing from what may be.
    fn explain(&self, signs: BTreeMap<RepoPath, Sign>) -> (Vec<Gap>, Vec<Gap>) {
        let lacks = for_missing(self.repository.split, &self.workspace.path, signs.keys());
        let mut lacks: BTreeMap<RepoPath, Missing> =
            lacks.into_iter().map(|missing| (missing.path.clone(), missing)).collect();
        let (mut missing, mut may_be_missing) = (Vec::new(), Vec::new());
        for (path, sign) in signs {
            let reason = match lacks.remove(&path) {
                _ if self.repository.untracked.contains(&path) => Reason::Untracked,
                Some(Missing { lack, mending, .. }) => Reason::Lack(lack, mending),
                None => Reason::Lost,
            };
            let is_certain = sign <= Sign::ReadInFull;
            let is_by_rule = matches!(reason, Reason::Lack(Lack::LeftOut { .. } | Lack::Excluded { .. }, _));
            // No rule leaves out a file of the root or of another workspace, and a build rarely reads one that it listed.
            let is_weak = sign == Sign::Listed && !is_by_rule;
            let is_of_other =
                matches!(&reason, Reason::Lack(Lack::OtherWorkspace { workspace }, _) if *workspace != path);
            if sign == Sign::InLog && is_of_other {
                continue;
            }
            let gap = Gap { path, sign, reason };
            if is_certain {
                missing.push(gap);
            } else if self.full.is_none() && !is_weak {
                may_be_missing.push(gap);
            }
        }
        (missing, may_be_missing)
    }

    /// Whether git has a file or a folder that the source set lacks.
    fn is_lacking(&self, path: &RepoPath) -> bool {
        let files = self.repository.files;
        let is_in_git = || path.holds_any(|from| files.range::<str, _>(at_least(from)).next().map(|(path, _)| path));
        if self.sources.contains(path) {
            return self.note.missing.0.contains(path);
        }
        !path.is_root() && !is_reduced(path) && is_in_git()
    }

    /// Whether a path is a folder, but not that of a workspace.
    fn is_plain_folder(&self, path: &RepoPath) -> bool {
        !self.repository.files.contains_key(path) && !self.repository.split.manifests.contains_key(path)
    }

    /// Whether a path belongs to another workspace than the root. Rules tell there which files of a folder are sources.
    fn is_in_workspace(&self, path: &RepoPath) -> bool {
        path.upwards().any(|folder| !folder.is_empty() && self.repository.split.manifests.contains_key(folder))
    }

    /// Whether Yarn 1 itself reads a file. It puts the README of a package into the manifest that it holds in memory.
    fn is_read_by_manager(&self, path: &RepoPath) -> bool {
        let is_readme = path.file_name().to_ascii_lowercase().starts_with("readme");
        let is_classic = self.repository.split.pin.manager.name == ManagerName::YarnClassic;
        is_classic && is_readme && self.repository.split.manifests.contains_key(&path.parent())
    }

    /// Whether a path is the folder or the manifest of a workspace that the root's manifest names by its path, or a folder that
    /// its patterns lead through. Package managers look for each of these, whatever they run.
    fn is_enumerated(&self, path: &RepoPath) -> bool {
        let manifests = &self.repository.split.manifests;
        if self.is_plain_folder(path)
            && manifests.keys().any(|workspace| workspace != path && workspace.is_within(path))
        {
            return true;
        }
        let folder = if path.file_name() == MANIFEST { path.parent() } else { path.clone() };
        let root = manifests.get(&RepoPath::root()).map(|root| root.json["workspaces"].to_string()).unwrap_or_default();
        manifests.contains_key(&folder) && root.contains(&format!("{folder}\""))
    }

    /// Returns the workspaces outside of the closure whose packages the build lacked, and whether only its log says so.
    fn packages(&self) -> Vec<(RepoPath, bool)> {
        let graph = &self.repository.split.graph;
        let closure = graph.closure(&self.workspace.path);
        let others = graph.workspaces().filter(|other| !other.name.is_empty() && !closure.contains(&other.path));
        let find = |other: &Workspace| {
            // Programs look upwards, so a package that is nowhere was looked for at the root too.
            let place = format!("node_modules/{}", other.name);
            if self.note.packages.0.iter().any(|path| path.as_str() == place) {
                return Some((other.path.clone(), false));
            }
            let is_in_log = self.note.exit != 0 && is_named_package(&self.note.log, &other.name);
            is_in_log.then(|| (other.path.clone(), true))
        };
        others.filter_map(find).collect()
    }

    /// Returns the files that git has directly in listed folders, and that the source set lacks. If it lacks a whole folder
    /// there, returns all files of that folder.
    fn beside_listed(&self) -> Vec<RepoPath> {
        let listed = &self.note.listed.0;
        let is_beside = |path: &&RepoPath| {
            let mut folder = path.parent();
            while !folder.is_root() && !listed.contains(&folder) && !self.has_sources_in(&folder) {
                folder = folder.parent();
            }
            listed.contains(&folder)
        };
        let lacking = self.repository.files.keys().filter(|path| !self.sources.contains(*path) && !is_reduced(path));
        lacking.filter(is_beside).cloned().collect()
    }

    /// Whether the name of a file says which one it is: it is near the sources, and none of them has this name.
    fn is_alone(&self, path: &RepoPath) -> bool {
        let is_near = path.parent().is_root() || path.is_within(&self.workspace.path) && !self.workspace.path.is_root();
        is_near && self.sources.iter().all(|source| source.file_name() != path.file_name())
    }

    fn has_sources_in(&self, folder: &RepoPath) -> bool {
        folder.holds_any(|from| self.sources.range::<str, _>(at_least(from)).next())
    }

    /// Returns the sources that the build never opened.
    fn unread(&self) -> Vec<RepoPath> {
        if self.note.exit != 0 || self.note.command.is_none() {
            return Vec::new();
        }
        let keeps = match &self.workspace.role {
            Role::App { product, .. } => Some(product.keeps),
            Role::Library => None,
        };
        let is_kept = |path: &RepoPath| match keeps {
            Some(Keeps::Sources | Keeps::Packed) => true,
            Some(Keeps::Server) => !CODE.iter().any(|end| path.file_name().ends_with(end)),
            Some(Keeps::Files) | None => false,
        };
        let is_unread = |path: &&RepoPath| {
            path.file_name() != MANIFEST && !is_reduced(path) && !is_kept(path) && !self.note.read.0.contains(*path)
        };
        self.sources.iter().filter(is_unread).cloned().collect()
    }
}

/// Returns the range of texts from one on.
fn at_least(from: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Included(from), Bound::Unbounded)
}

/// Whether builds get a reduced form of a file, or need none of it: what only an install reads.
fn is_reduced(path: &RepoPath) -> bool {
    let name = path.file_name();
    let is_of_root = path.parent().is_root() && (name == MANIFEST || LOCKFILES.contains(&name));
    let is_settings = RC_FILES.contains(&name) && name != BUNFIG;
    is_of_root || is_settings || name.starts_with(".pnp.") || path.parts().next() == Some(YARN_FOLDER)
}

/// Finds the parts of a source set that a build reads a small share of.
fn outside(parts: &[SourcePart<'_>], read: &BTreeSet<RepoPath>) -> Vec<Outside> {
    let judge = |part: &SourcePart<'_>| {
        let (path, is_root_file) = match part.origin {
            Origin::Own | Origin::OfCheck => return None,
            Origin::Folder(path) => (path, false),
            Origin::RootFile { path, .. } => (path, true),
        };
        let of_part = part.files.iter().filter(|path| path.file_name() != MANIFEST && read.contains(**path));
        let found: Vec<RepoPath> = of_part.map(|path| (*path).clone()).collect();
        let is_small = part.files.len() >= MANY && !found.is_empty() && found.len() * SHARE <= part.files.len();
        is_small.then(|| Outside {
            path: path.clone(),
            is_root_file,
            read: found,
            of: part.files.len(),
            is_alone: false,
        })
    };
    parts.iter().filter_map(judge).collect()
}

/// Finds root files that every build has and that one alone of several reads. `builds` has the parts and the judgement of
/// each.
pub(super) fn add_lonely_root_files(builds: &mut [(Vec<SourcePart<'_>>, &mut Judgement)]) {
    if builds.len() < 2 {
        return;
    }
    for root in shared_root_files(builds) {
        let mut readers = builds.iter().enumerate().filter_map(|(index, (parts, judgement))| {
            let is_it = |part: &&SourcePart<'_>| matches!(part.origin, Origin::RootFile { path, .. } if *path == root);
            let files: Vec<&RepoPath> =
                parts.iter().filter(is_it).flat_map(|part| part.files.iter().copied()).collect();
            let read: Vec<RepoPath> =
                files.iter().copied().filter(|path| judgement.read.contains(*path)).cloned().collect();
            (!read.is_empty()).then_some((index, read, files.len()))
        });
        let (Some((index, read, of)), None) = (readers.next(), readers.next()) else { continue };
        drop(readers);
        let judgement = &mut *builds[index].1;
        judgement.outside.retain(|outside| outside.path != root);
        judgement.outside.push(Outside { path: root, is_root_file: true, read, of, is_alone: true });
    }
}

fn shared_root_files(builds: &[(Vec<SourcePart<'_>>, &mut Judgement)]) -> BTreeSet<RepoPath> {
    let shared = builds.iter().flat_map(|(parts, _)| parts).filter_map(|part| match part.origin {
        Origin::RootFile { path, is_shared: true } => Some(path.clone()),
        _ => None,
    });
    shared.collect()
}

#[cfg(test)]
mod tests;
