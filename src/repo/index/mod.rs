//! [`GitIndex`]: the repository as git is about to commit it.
//!
//! Git itself lists the index: it knows of `GIT_INDEX_FILE`, split and sparse indexes, linked worktrees and formats to come,
//! and the processes take about as long as a library would take to be loaded (`docs/architecture.md` has the numbers).
//! Contents are the blobs, which no setting of line endings changes; where a file has a filter (git-crypt, LFS), they are what
//! the filter makes of them, since that is what the record was made from. Nothing is written and no network is used.

mod listing;
mod objects;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use self::{
    listing::{Kind, Listed, Listing},
    objects::Objects,
};
use super::{
    Entry, EntryKind, RepoPath, Tree, TreeError,
    git::{Git, GitError},
};
use crate::names::{LOCKFILES, MANIFEST, RECORD_FILE};

/// The blob of no bytes, with SHA-1 and with SHA-256.
const EMPTY: [&str; 2] =
    ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"];

/// The names of files that every check reads, wherever they lie.
const READ_AHEAD: [&str; 4] = [MANIFEST, RECORD_FILE, "project.json", "turbo.json"];

/// Whether every check reads files of a name, wherever they lie: those, and settings of compilers and bundlers.
fn is_read_ahead(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or_default();
    let is_of_typescript = stem.starts_with("tsconfig") || stem.starts_with("jsconfig");
    READ_AHEAD.contains(&name) || LOCKFILES.contains(&name) || is_of_typescript || name.contains(".config.")
}

/// How many links are followed to a file.
const LINKS: usize = 8;

/// The names of what is about to be committed, compared with the last commit.
#[derive(Debug)]
pub struct Staged {
    git: Git,
    /// The paths that differ, below the folder that git is run in and relative to it.
    pub paths: Vec<String>,
    /// Those of them that the index has.
    present: BTreeSet<String>,
}

impl Staged {
    /// Asks git. What was added with `--intent-to-add` is not committed, and so not staged.
    pub fn read(git: Git) -> Result<Self, GitError> {
        let changes = differing(&git, "--ita-invisible-in-index")?;
        let present = changes.iter().filter(|(status, _)| status != "D").map(|(_, path)| path.clone()).collect();
        Ok(Self { git, paths: changes.into_iter().map(|(_, path)| path).collect(), present })
    }

    /// The text of one file of the index, without reading the others.
    pub fn text(&self, path: &RepoPath) -> Result<Option<String>, GitError> {
        let content = Objects::start(&self.git)?.content(&format!(":./{path}"))?;
        Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads the whole index.
    pub fn index(self) -> Result<GitIndex, GitError> {
        let mut listing = Listing::of_index(&self.git.output(&["ls-files", "--stage", "-z"])?)?;
        if listing.entries().iter().any(|entry| EMPTY.contains(&entry.object.as_str())) {
            let visible = differing(&self.git, "--ita-visible-in-index")?.into_iter();
            let visible = visible.filter(|(status, path)| status != "D" && !self.present.contains(path));
            listing.remove(&visible.map(|(_, path)| path).collect());
        }
        let mut index = GitIndex::new(self.git, listing);
        index.read_ahead()?;
        Ok(index)
    }
}

/// The paths in which the index differs from the last commit, each with a letter for how.
fn differing(git: &Git, intended: &str) -> Result<Vec<(String, String)>, GitError> {
    let status = "--name-status";
    let args = ["diff", "--cached", status, "--relative", "--no-renames", "--ignore-submodules=dirty", intended, "-z"];
    let words = match git.names(&args) {
        // Without a repository, `git diff` compares files, and says how.
        Err(GitError::Failed { message, .. }) if message.contains("--no-index") => {
            return Err(GitError::NoRepository(git.folder().to_owned()));
        }
        words => words?,
    };
    Ok(words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}

/// The index of a git repository, below one folder.
#[derive(Debug)]
pub struct GitIndex {
    git: Git,
    listing: Listing,
    objects: Mutex<Option<Objects>>,
    /// Contents that were read ahead, by object.
    ready: HashMap<String, Vec<u8>>,
    filtered: OnceLock<BTreeSet<String>>,
    submodules: Mutex<BTreeMap<String, Arc<Self>>>,
}

impl GitIndex {
    /// Reads a commit in place of the index, below the folder that git is run in. Attributes are those of the index.
    pub fn of_commit(git: Git, commit: &str) -> Result<Self, GitError> {
        let listing = Listing::of_commit(&git.output(&["ls-tree", "-r", "-z", commit])?)?;
        Ok(Self::new(git, listing))
    }

    fn new(git: Git, listing: Listing) -> Self {
        Self {
            git,
            listing,
            objects: Mutex::default(),
            ready: HashMap::new(),
            filtered: OnceLock::new(),
            submodules: Mutex::default(),
        }
    }

    /// Reads what every check reads, in one go: to wait for git at each of a thousand manifests takes a second.
    fn read_ahead(&mut self) -> Result<(), GitError> {
        let is_wanted = |entry: &&Listed| {
            entry.kind == Kind::File
                && is_read_ahead(entry.path.rsplit('/').next().unwrap_or_default())
                && !entry.path.contains("node_modules/")
        };
        let entries = self.listing.entries().iter().filter(is_wanted);
        let objects: BTreeSet<String> = entries.map(|entry| entry.object.clone()).collect();
        let objects: Vec<String> = objects.into_iter().collect();
        self.ready = running(&mut lock(&self.objects), || Objects::start(&self.git))?.contents(&objects)?;
        Ok(())
    }

    /// The paths that a merge left with several contents.
    pub fn unmerged(&self) -> &BTreeSet<String> {
        &self.listing.unmerged
    }

    /// The files that the work tree has in another way, or that only it has.
    pub fn unstaged(&self) -> Result<BTreeSet<String>, GitError> {
        let changed = self.git.names(&["diff", "--name-only", "--relative", "--no-renames", "-z"])?;
        let new = self.git.names(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        Ok(changed.into_iter().chain(new).collect())
    }

    fn content(&self, listed: &Listed) -> Result<Vec<u8>, GitError> {
        if self.filtered()?.contains(&listed.path) {
            // `--batch` cannot do it: the size that it says is that of what is stored.
            let path = format!("--path={}", self.git.prefixed(&listed.path)?);
            return self.git.output(&["cat-file", "--filters", &path, &listed.object]);
        }
        if let Some(content) = self.ready.get(&listed.object) {
            return Ok(content.clone());
        }
        let content = running(&mut lock(&self.objects), || Objects::start(&self.git))?.content(&listed.object)?;
        content.ok_or_else(|| GitError::Missing { path: listed.path.clone() })
    }

    /// The files that have a filter. Git is asked only where an attribute file names one.
    fn filtered(&self) -> Result<&BTreeSet<String>, GitError> {
        if let Some(known) = self.filtered.get() {
            return Ok(known);
        }
        let mut found = BTreeSet::new();
        if self.attributes_name_a_filter()? {
            found = self.git.names(&["ls-files", "-z", "--", ".", ":(exclude,attr:!filter)"])?.into_iter().collect();
        }
        Ok(self.filtered.get_or_init(|| found))
    }

    fn attributes_name_a_filter(&self) -> Result<bool, GitError> {
        let is_file = |entry: &&Listed| entry.path.rsplit('/').next() == Some(".gitattributes");
        let mut process = lock(&self.objects);
        let objects = running(&mut process, || Objects::start(&self.git))?;
        // The one at the top may lie above the folder.
        let listed = self.listing.entries().iter().filter(is_file).map(|entry| entry.object.as_str());
        for question in listed.chain([":.gitattributes"]) {
            let text = objects.content(question)?.unwrap_or_default();
            if text.windows(7).any(|word| word == b"filter=") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A submodule at the commit that the index has. One that is not checked out holds nothing.
    fn submodule(&self, listed: &Listed) -> Result<Arc<Self>, GitError> {
        if let Some(known) = lock(&self.submodules).get(&listed.path) {
            return Ok(known.clone());
        }
        let folder = self.git.folder().join(&listed.path);
        let git = Git::alone_at(folder.clone());
        let is_there = folder.join(".git").exists();
        let output = match is_there.then(|| git.output(&["ls-tree", "-r", "-z", "--full-tree", &listed.object])) {
            Some(Ok(output)) => output,
            None | Some(Err(GitError::Failed { .. })) => Vec::new(),
            Some(Err(error)) => return Err(error),
        };
        let tree = Arc::new(Self::new(git, Listing::of_commit(&output)?));
        lock(&self.submodules).insert(listed.path.clone(), tree.clone());
        Ok(tree)
    }

    /// The file that a path is, through links; none where it is none.
    fn file(&self, path: &RepoPath) -> Result<Option<&Listed>, GitError> {
        let mut path = path.clone();
        for _ in 0..LINKS {
            match self.listing.get(path.as_str()) {
                Some(listed) if listed.kind == Kind::File => return Ok(Some(listed)),
                Some(listed) if listed.kind == Kind::Link => {
                    let target = String::from_utf8_lossy(&self.content(listed)?).into_owned();
                    let Ok(target) = path.parent().resolve(&target) else { return Ok(None) };
                    path = target;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The submodule of a path, and the path in it.
    fn in_submodule(&self, path: &RepoPath) -> Result<Option<(Arc<Self>, RepoPath)>, GitError> {
        let Some(listed) = self.listing.submodule_of(path) else { return Ok(None) };
        let below = path.as_str()[listed.path.len()..].trim_start_matches('/');
        let inner = RepoPath::root().resolve(below).unwrap_or(RepoPath::root());
        Ok(Some((self.submodule(listed)?, inner)))
    }
}

impl Tree for GitIndex {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        let fail = |source| TreeError::Git { path: path.clone(), source };
        if let Some((submodule, inner)) = self.in_submodule(path).map_err(fail)? {
            return submodule.read(&inner);
        }
        let file = self.file(path).map_err(fail)?;
        file.map(|listed| self.content(listed)).transpose().map_err(fail)
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        let fail = |source| TreeError::Git { path: path.clone(), source };
        let Some(listed) = self.listing.get(path.as_str()).filter(|listed| listed.kind == Kind::Link) else {
            return Ok(None);
        };
        Ok(String::from_utf8(self.content(listed).map_err(fail)?).ok())
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let fail = |source| TreeError::Git { path: folder.clone(), source };
        match self.in_submodule(folder).map_err(fail)? {
            Some((submodule, inner)) => submodule.list(&inner),
            None => Ok(self.listing.list(folder)),
        }
    }

    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        let fail = |source| TreeError::Git { path: path.clone(), source };
        if let Some((submodule, inner)) = self.in_submodule(path).map_err(fail)? {
            return submodule.is_file(&inner);
        }
        Ok(self.file(path).map_err(fail)?.is_some())
    }

    fn unignored_files(&self, folder: &RepoPath) -> Result<Vec<String>, TreeError> {
        let files = self.list(folder)?.into_iter().filter(|entry| entry.kind == EntryKind::File);
        Ok(files.map(|entry| entry.name).collect())
    }
}

/// The process, started where it is not running yet.
fn running(
    process: &mut Option<Objects>,
    start: impl FnOnce() -> Result<Objects, GitError>,
) -> Result<&mut Objects, GitError> {
    if process.is_none() {
        *process = Some(start()?);
    }
    process.as_mut().ok_or(GitError::Answer("cat-file"))
}

/// A poisoned lock means that a thread panicked, and the panic goes on.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
