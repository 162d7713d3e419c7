//! [`GitIndex`]: the repository as git is about to commit it.
//!
//! Git itself lists the index. It handles `GIT_INDEX_FILE`, split and sparse indexes, linked working trees and future
//! formats, and its processes take about as long as loading a library would (`docs/decisions/042-commits-are-checked-in-the-index.md` has the numbers).
//! Contents are blobs, which no setting of line endings changes. If a file has a filter (git-crypt, LFS), its content
//! is the output of the filter, since the record is made from that. Nothing is written and no network is used.

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
    Entry, EntryKind, Link, RepoPath, Tree, TreeError,
    git::{Git, GitError},
    states::FileStates,
};
use crate::names::{LOCKFILES, MANIFEST, RECORD_FILE};

/// The ids of the empty blob, with SHA-1 and with SHA-256.
const EMPTY: [&str; 2] =
    ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"];

/// The names of files that every check reads, in any folder.
const READ_AHEAD: [&str; 4] = [MANIFEST, RECORD_FILE, "project.json", "turbo.json"];

/// Whether every check reads files of this name: those above, and settings of compilers and bundlers.
fn is_read_ahead(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or_default();
    let is_of_typescript = stem.starts_with("tsconfig") || stem.starts_with("jsconfig");
    READ_AHEAD.contains(&name) || LOCKFILES.contains(&name) || is_of_typescript || name.contains(".config.")
}

/// The number of links to follow to a file.
const LINKS: usize = 8;

/// The paths that are about to be committed, compared with the last commit.
#[derive(Debug)]
pub struct Staged {
    git: Git,
    /// The changed paths below the folder that git runs in, relative to it.
    pub paths: Vec<String>,
    /// Those that are, or were, symbolic links. A link to a folder can be a workspace.
    pub links: BTreeSet<String>,
    /// The changed paths that exist in the index.
    present: BTreeSet<String>,
}

impl Staged {
    /// Asks git for the staged paths. Files added with `--intent-to-add` are not committed, so they do not count.
    pub fn read(git: Git) -> Result<Self, GitError> {
        let changes = differing(&git, "--ita-invisible-in-index")?;
        let paths_of = |is_meant: fn(&Change) -> bool| {
            changes.iter().filter(|change| is_meant(change)).map(|change| change.path.clone()).collect()
        };
        let (present, links) = (paths_of(Change::is_present), paths_of(|change| change.is_link));
        Ok(Self { git, paths: changes.into_iter().map(|change| change.path).collect(), links, present })
    }

    /// Reads one file of the index as text, without reading the others.
    pub fn text(&self, path: &RepoPath) -> Result<Option<String>, GitError> {
        let content = Objects::start(&self.git)?.content(&format!(":./{path}"))?;
        Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Reads the whole index.
    pub fn index(self) -> Result<GitIndex, GitError> {
        let mut listing = Listing::of_index(&self.git.output(&["ls-files", "--stage", "-z"])?)?;
        if listing.entries().iter().any(|entry| EMPTY.contains(&entry.object.as_str())) {
            let visible = differing(&self.git, "--ita-visible-in-index")?.into_iter();
            let visible = visible.filter(|change| change.is_present() && !self.present.contains(&change.path));
            listing.remove(&visible.map(|change| change.path).collect());
        }
        let mut index = GitIndex::new(self.git, listing);
        index.read_ahead()?;
        Ok(index)
    }
}

/// A path in which the index differs from the last commit.
struct Change {
    path: String,
    /// Git's letter.
    status: String,
    is_link: bool,
}

impl Change {
    fn is_present(&self) -> bool {
        self.status != "D"
    }
}

/// Returns the paths in which the index differs from the last commit.
fn differing(git: &Git, intended: &str) -> Result<Vec<Change>, GitError> {
    let args = ["diff", "--cached", "--raw", "--relative", "--no-renames", "--ignore-submodules=dirty", intended, "-z"];
    let words = match git.names(&args) {
        // Outside a repository, `git diff` compares files, and its message mentions that option.
        Err(GitError::Failed { message, .. }) if message.contains("--no-index") => {
            // The same happens if git refuses the repository. Another command says why.
            git.output(&["rev-parse", "--git-dir"])?;
            return Err(GitError::NoRepository(git.folder().to_owned()));
        }
        words => words?,
    };
    // `:<old mode> <new mode> <old object> <new object> <status>`, then the path.
    let change = |pair: &[String]| Change {
        path: pair[1].clone(),
        status: pair[0].rsplit(' ').next().unwrap_or_default().to_owned(),
        is_link: pair[0].trim_start_matches(':').split(' ').take(2).any(|mode| mode == "120000"),
    };
    Ok(words.chunks_exact(2).map(change).collect())
}

/// The index of a git repository, below one folder.
#[derive(Debug)]
pub struct GitIndex {
    git: Git,
    listing: Listing,
    objects: Mutex<Option<Objects>>,
    /// Contents that were read ahead, by object id.
    ready: HashMap<String, Vec<u8>>,
    filtered: OnceLock<BTreeSet<String>>,
    submodules: Mutex<BTreeMap<String, Arc<Self>>>,
}

impl GitIndex {
    /// Reads a commit instead of the index, below the folder that git runs in. Attributes come from the index.
    pub fn of_commit(git: Git, commit: &str) -> Result<Self, GitError> {
        let listing = Listing::of_commit(&git.output(&["ls-tree", "-r", "-z", commit])?)?;
        Ok(Self::new(git, listing))
    }

    /// Reads files that were listed at another time. Their contents come from git's objects, and from `known` by object id. A
    /// content that neither has is an error when it is read.
    pub fn of_states(git: Git, files: &FileStates, known: HashMap<String, Vec<u8>>) -> Self {
        let mut index = Self::new(git, Listing::of_states(files));
        index.ready = known;
        index
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

    /// Reads the files that every check needs, all at once. Waiting for git at each of a thousand manifests takes a
    /// second.
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

    /// Returns the paths with a merge conflict.
    pub fn unmerged(&self) -> &BTreeSet<String> {
        &self.listing.unmerged
    }

    /// Returns the files that differ in the working tree, or exist only there.
    pub fn unstaged(&self) -> Result<BTreeSet<String>, GitError> {
        let changed = self.git.names(&["diff", "--name-only", "--relative", "--no-renames", "-z"])?;
        let new = self.git.names(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        Ok(changed.into_iter().chain(new).collect())
    }

    fn content(&self, listed: &Listed) -> Result<Vec<u8>, GitError> {
        if self.filtered()?.contains(&listed.path) {
            // `--batch` does not work here: it prints the size of the stored blob, not of the filtered content.
            let path = format!("--path={}", self.git.prefixed(&listed.path)?);
            return self.git.output(&["cat-file", "--filters", &path, &listed.object]);
        }
        if let Some(content) = self.ready.get(&listed.object) {
            return Ok(content.clone());
        }
        let content = running(&mut lock(&self.objects), || Objects::start(&self.git))?.content(&listed.object)?;
        content.ok_or_else(|| GitError::Missing { path: listed.path.clone() })
    }

    /// Returns the files with a filter. Git is asked only if an attribute file names one.
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
        // The top-level one may be above the folder.
        let listed = self.listing.entries().iter().filter(is_file).map(|entry| entry.object.as_str());
        for question in listed.chain([":.gitattributes"]) {
            let text = objects.content(question)?.unwrap_or_default();
            if text.windows(7).any(|word| word == b"filter=") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns a submodule at the commit in the index. A submodule that is not checked out is empty.
    fn submodule(&self, listed: &Listed) -> Result<Arc<Self>, GitError> {
        if let Some(known) = lock(&self.submodules).get(&listed.path) {
            return Ok(known.clone());
        }
        let folder = self.git.folder().join(&listed.path);
        let git = listed.path.parse().ok().and_then(|path| self.git.submodule(&path));
        let output = match git.as_ref().map(|git| git.output(&["ls-tree", "-r", "-z", "--full-tree", &listed.object])) {
            Some(Ok(output)) => output,
            None | Some(Err(GitError::Failed { .. })) => Vec::new(),
            Some(Err(error)) => return Err(error),
        };
        let git = git.unwrap_or_else(|| Git::alone_at(folder));
        let tree = Arc::new(Self::new(git, Listing::of_commit(&output)?));
        lock(&self.submodules).insert(listed.path.clone(), tree.clone());
        Ok(tree)
    }

    /// Returns the file at a path, through links, or `None` if there is no file.
    fn file(&self, path: &RepoPath) -> Result<Option<&Listed>, GitError> {
        let mut path = path.clone();
        for _ in 0..LINKS {
            match self.listing.get(path.as_str()) {
                Some(listed) if listed.kind == Kind::File => return Ok(Some(listed)),
                _ => match self.behind_link(&path)? {
                    Some(target) => path = target,
                    None => return Ok(None),
                },
            }
        }
        Ok(None)
    }

    /// Returns the folder that a path leads to through links. Without links it is the path itself.
    fn folder(&self, folder: &RepoPath) -> Result<RepoPath, GitError> {
        let mut path = folder.clone();
        for _ in 0..LINKS {
            match self.behind_link(&path)? {
                Some(target) => path = target,
                None => return Ok(path),
            }
        }
        Ok(path)
    }

    /// Follows the first link on the way to a path. Returns `None` if there is none, or if it leads out of the repository.
    fn behind_link(&self, path: &RepoPath) -> Result<Option<RepoPath>, GitError> {
        let text = path.as_str();
        let ends = text.match_indices('/').map(|(end, _)| end).chain([text.len()]);
        let link = ends.filter_map(|end| self.listing.get(&text[..end])).find(|listed| listed.kind == Kind::Link);
        let Some(listed) = link else { return Ok(None) };
        let target = String::from_utf8_lossy(&self.content(listed)?).into_owned();
        let parent = listed.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let below = text[listed.path.len()..].trim_start_matches('/');
        let Ok(target) = RepoPath::root().resolve(parent).and_then(|parent| parent.resolve(&target)) else {
            return Ok(None);
        };
        Ok(target.resolve(below).ok())
    }

    /// Returns the submodule that a path is in, and the rest of the path.
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
        if let Some((submodule, inner)) = self.in_submodule(path).map_err(fail)? {
            return submodule.link(&inner);
        }
        let Some(listed) = self.listing.get(path.as_str()).filter(|listed| listed.kind == Kind::Link) else {
            return Ok(None);
        };
        Ok(String::from_utf8(self.content(listed).map_err(fail)?).ok())
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let fail = |source| TreeError::Git { path: folder.clone(), source };
        match self.in_submodule(folder).map_err(fail)? {
            Some((submodule, inner)) => submodule.list(&inner),
            None => Ok(self.listing.list(&self.folder(folder).map_err(fail)?)),
        }
    }

    fn links(&self) -> Result<Vec<Link>, TreeError> {
        let fail = |source| TreeError::Git { path: RepoPath::root(), source };
        let mut links = Vec::new();
        for listed in self.listing.entries() {
            let Ok(path) = listed.path.parse::<RepoPath>() else { continue };
            match listed.kind {
                Kind::Link => {
                    let target = String::from_utf8(self.content(listed).map_err(fail)?);
                    links.extend(target.ok().map(|target| Link { path, target }));
                }
                Kind::Submodule => {
                    let inner = self.submodule(listed).map_err(fail)?.links()?.into_iter();
                    links.extend(inner.map(|link| Link { path: path.join(&link.path), target: link.target }));
                }
                Kind::File => {}
            }
        }
        links.sort_unstable();
        Ok(links)
    }

    fn submodules(&self) -> Result<Vec<RepoPath>, TreeError> {
        let listed = self.listing.entries().iter().filter(|listed| listed.kind == Kind::Submodule);
        Ok(listed.filter_map(|listed| listed.path.parse().ok()).collect())
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

/// Returns the process, and starts it if necessary.
fn running(
    process: &mut Option<Objects>,
    start: impl FnOnce() -> Result<Objects, GitError>,
) -> Result<&mut Objects, GitError> {
    if process.is_none() {
        *process = Some(start()?);
    }
    process.as_mut().ok_or(GitError::Answer("cat-file"))
}

/// A poisoned lock means that a thread panicked. That panic is still reported.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
