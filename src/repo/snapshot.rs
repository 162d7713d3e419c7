//! [`Snapshot`]: the repository on disk as one command sees it, so that folders are listed and ignore rules are read once.
//!
//! A question whether git ignores a file costs a walk from the root to its folder, with the ignore files on the way and those of
//! the user. A search asks for hundreds of files in a few folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    Entry, EntryKind, Link, RepoPath, Tree, TreeError, WorkTree,
    work_tree::{Unignored, Walked},
};

/// How much of the repository a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Few files. `check` takes milliseconds, and cannot walk all folders.
    Few,
    /// All folders: one walk answers what git ignores, and which links there are.
    Whole,
    /// All folders, and the sizes of all files, which take a third of the time.
    WithSizes,
}

/// A repository on disk that remembers its answers. It is for one command, because files change.
#[derive(Debug)]
pub struct Snapshot {
    tree: WorkTree,
    asks: Asks,
    walked: Mutex<Option<Arc<Walked>>>,
    /// The files and links that git does not ignore, by folder.
    unignored: Remembered<Unignored>,
    listed: Remembered<Vec<Entry>>,
}

/// Answers by folder.
#[derive(Debug)]
struct Remembered<T>(Mutex<BTreeMap<RepoPath, Arc<T>>>);

impl<T> Remembered<T> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn known(&self, folder: &RepoPath) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(folder).map(Arc::clone)
    }

    /// Returns the answer for a folder. The lock is free meanwhile: two threads may ask the same, and get the same.
    fn get(&self, folder: &RepoPath, ask: impl FnOnce() -> Result<T, TreeError>) -> Result<Arc<T>, TreeError> {
        if let Some(known) = self.known(folder) {
            return Ok(known);
        }
        let answer = Arc::new(ask()?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.clone(), Arc::clone(&answer));
        Ok(answer)
    }
}

impl Snapshot {
    /// Returns a view of a repository. Nothing is read yet.
    pub fn new(tree: WorkTree, asks: Asks) -> Self {
        let (unignored, listed) = (Remembered::new(), Remembered::new());
        Self { tree, asks, walked: Mutex::default(), unignored, listed }
    }

    /// Returns all files that git does not ignore, sorted by path. See [`WorkTree::source_files`].
    pub fn source_files(&self) -> Result<Arc<Walked>, TreeError> {
        let walked = self.walked()?;
        match &walked.not_utf8 {
            Some(name) => Err(TreeError::Name(name.clone())),
            None => Ok(walked),
        }
    }

    /// Walks all folders, once. A second caller waits, because a second walk would take as long.
    fn walked(&self) -> Result<Arc<Walked>, TreeError> {
        let mut known = self.walked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(walked) = &*known {
            return Ok(Arc::clone(walked));
        }
        let walked = Arc::new(self.tree.walk_whole(self.asks == Asks::WithSizes)?);
        *known = Some(Arc::clone(&walked));
        Ok(walked)
    }

    fn listed(&self, folder: &RepoPath) -> Result<Arc<Vec<Entry>>, TreeError> {
        self.listed.get(folder, || self.tree.list(folder))
    }
}

impl Tree for Snapshot {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        self.tree.read(path)
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        self.tree.link(path)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        Ok(self.listed(folder)?.to_vec())
    }

    fn unignored_files(&self, folder: &RepoPath) -> Result<Vec<String>, TreeError> {
        Ok(self.unignored.get(folder, || self.tree.unignored(folder))?.files().cloned().collect())
    }

    fn is_ignored(&self, path: &RepoPath) -> Result<bool, TreeError> {
        if path.is_root() {
            return Ok(false);
        }
        if self.asks != Asks::Few {
            return Ok(!self.walked()?.has(path));
        }
        let folder = path.parent();
        let is_found = self.unignored.get(&folder, || self.tree.unignored(&folder))?.has(path.file_name());
        // It may be a folder.
        Ok(!is_found && self.tree.is_ignored(path)?)
    }

    fn ignored(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        if self.asks == Asks::Few {
            return self.tree.ignored(paths);
        }
        // Only the tree asks git what it tracks. Where the walk met all of them, there is nothing to ask.
        let walked = self.walked()?;
        let open: Vec<RepoPath> = paths.iter().filter(|path| !path.is_root() && !walked.has(path)).cloned().collect();
        if open.is_empty() { Ok(BTreeSet::new()) } else { self.tree.ignored(&open) }
    }

    fn links(&self) -> Result<Vec<Link>, TreeError> {
        Ok(self.walked()?.links.clone())
    }

    fn submodules(&self) -> Result<Vec<RepoPath>, TreeError> {
        self.tree.submodules()
    }

    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        let folder = path.parent();
        // An import without an ending may mean any of twenty files in its folder. Few questions are not worth a list.
        let listed = match self.listed.known(&folder) {
            None if self.asks == Asks::Few || path.is_root() => return self.tree.is_file(path),
            None => self.listed(&folder)?,
            Some(listed) => listed,
        };
        match listed.binary_search_by(|entry| entry.name.as_str().cmp(path.file_name())) {
            Ok(at) if listed[at].kind == EntryKind::Link => self.tree.is_file(path),
            Ok(at) => Ok(listed[at].kind == EntryKind::File),
            Err(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use fs_err as fs;

    use super::*;

    const FILES: [(&str, &str); 10] = [
        (".gitignore", "dist\n*.log\n!kept.log\n"),
        ("packages/a/.gitignore", "/made\n"),
        ("packages/a/made/x.ts", ""),
        ("packages/a/src/made/x.ts", ""),
        ("packages/a/src/a.ts", "abc"),
        ("packages/a/src/a.log", ""),
        ("packages/a/src/kept.log", ""),
        ("packages/a/dist/a.js", ""),
        ("node_modules/x/index.js", ""),
        (".git/config", ""),
    ];

    fn repository() -> (tempfile::TempDir, WorkTree) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
        for (path, text) in FILES {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for (link, target) in [("linked", "packages/a"), ("packages/a/src/l.ts", "a.ts"), ("packages/a/src/no", "none")]
        {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        (folder, WorkTree::at(root))
    }

    /// All files, the folders of these, and paths that are absent.
    fn paths() -> Vec<RepoPath> {
        let more = ["linked", "linked/src/a.ts", "packages/a/src/l.ts", "packages/a/src/no", "none", "none/x"];
        let paths: Vec<RepoPath> =
            FILES.iter().map(|(path, _)| *path).chain(more).map(|path| path.parse().unwrap()).collect();
        paths.iter().flat_map(RepoPath::upwards).map(|path| path.parse().unwrap()).collect()
    }

    #[test]
    fn the_answers_are_those_of_the_tree() {
        let (_folder, tree) = repository();
        for asks in [Asks::Few, Asks::Whole, Asks::WithSizes] {
            let snapshot = Snapshot::new(tree.clone(), asks);
            // The second time from memory.
            for path in paths().iter().chain(&paths()) {
                assert_eq!(snapshot.is_file(path).unwrap(), tree.is_file(path).unwrap(), "{path} {asks:?}");
                assert_eq!(snapshot.list(path).unwrap(), tree.list(path).unwrap(), "{path} {asks:?}");
                assert_eq!(snapshot.is_ignored(path).unwrap(), tree.is_ignored(path).unwrap(), "{path} {asks:?}");
                assert_eq!(
                    snapshot.unignored_files(path).unwrap(),
                    tree.unignored_files(path).unwrap(),
                    "{path} {asks:?}"
                );
            }
            assert_eq!(snapshot.links().unwrap(), tree.links().unwrap(), "{asks:?}");
            assert_eq!(snapshot.ignored(&paths()).unwrap(), tree.ignored(&paths()).unwrap(), "{asks:?}");
        }
    }

    #[test]
    fn a_file_that_git_tracks_is_not_ignored_for_nix() {
        let (folder, tree) = repository();
        fs::remove_dir_all(folder.path().join(".git")).unwrap();
        let tracked: RepoPath = "packages/a/dist/a.js".parse().unwrap();
        for args in [&["init", "--quiet"][..], &["add", "--force", tracked.as_str()]] {
            let git = std::process::Command::new("git").args(args).current_dir(folder.path()).status().unwrap();
            assert!(git.success());
        }
        for asks in [Asks::Few, Asks::Whole, Asks::WithSizes] {
            let snapshot = Snapshot::new(tree.clone(), asks);
            assert!(snapshot.is_ignored(&tracked).unwrap(), "{asks:?}");
            assert!(snapshot.ignored(std::slice::from_ref(&tracked)).unwrap().is_empty(), "{asks:?}");
        }
    }

    #[test]
    fn sizes_are_read_if_they_are_asked_for() {
        let (_folder, tree) = repository();
        let files = Snapshot::new(tree.clone(), Asks::WithSizes).source_files().unwrap();
        assert_eq!(files.files, tree.source_files().unwrap());
        let files = Snapshot::new(tree, Asks::Whole).source_files().unwrap();
        assert!(files.files.iter().all(|file| file.bytes == 0));
    }
}
