//! Finds the repository and the files to read. Neither a lockfile nor git is needed.

use std::{collections::BTreeSet, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use ignore::{DirEntry, WalkBuilder};

use super::error::LintError;
use crate::{
    cli::failure::Failure,
    lint::{Kind, Unread, is_foreign, kind_of},
    names::SETTINGS,
    parallel,
    repo::{Git, RepoPath, Tree as _, TreeError, WorkTree},
};

/// A file that is read.
pub(super) struct Read {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// A repository, or any other folder.
pub(super) struct Gathered {
    pub(super) tree: WorkTree,
    /// The paths of all files, sorted.
    pub(super) paths: Vec<String>,
    pub(super) files: Vec<Read>,
    /// Files that cannot be read, or that are not text.
    pub(super) unread: Vec<Unread>,
    /// The paths of `flake.lock` files that exist and that git ignores.
    pub(super) ignored_locks: Vec<String>,
}

/// Returns the repository of a folder: the nearest one of git, else that of a lockfile, else the folder itself. Also returns the folder in it
/// that has the nearest `splitter.json`.
pub(super) fn root(folder: &Utf8Path) -> Result<(WorkTree, RepoPath), Failure> {
    let open = |source| LintError::Folder { path: folder.to_owned(), source };
    let start = fs::canonicalize(folder).map_err(open)?;
    let start = Utf8PathBuf::from_path_buf(start).map_err(|path| LintError::Folder {
        path: path.to_string_lossy().into_owned().into(),
        source: std::io::ErrorKind::InvalidFilename.into(),
    })?;
    let top = start.ancestors().find(|folder| folder.join(".git").exists());
    let tree = match top {
        Some(top) => WorkTree::at(top),
        None => WorkTree::discover(&start).unwrap_or_else(|_| WorkTree::at(&start)),
    };
    let inside = start.ancestors().take_while(|folder| folder.starts_with(tree.root()));
    let settings = inside.into_iter().find(|folder| fs::symlink_metadata(folder.join(SETTINGS)).is_ok());
    // A folder or a broken link of this name would be silently ignored.
    if let Some(path) = settings.map(|folder| folder.join(SETTINGS)).filter(|path| !path.is_file()) {
        return Err(LintError::NoFile(path).into());
    }
    let below =
        settings.and_then(|folder| folder.strip_prefix(tree.root()).ok()).and_then(|path| path.as_str().parse().ok());
    Ok((tree, below.unwrap_or(RepoPath::root())))
}

/// Reads the files of a repository.
pub(super) fn gather(tree: WorkTree) -> Result<Gathered, Failure> {
    let (paths, mut unread) = paths(&tree)?;
    let wanted: Vec<(&String, Kind)> =
        paths.iter().filter(|path| !is_foreign(path)).filter_map(|path| Some((path, kind_of(path)?))).collect();
    let read = |(path, kind): &(&String, Kind)| {
        let unread = |why| Unread { path: (*path).clone(), why };
        let Ok(place) = path.parse::<RepoPath>() else { return Some(Err(unread(ODD_NAME))) };
        // A link leads to a file that is read anyway, or out of the repository.
        if place.on_disk(tree.root()).is_symlink() {
            return None;
        }
        // A file that git has and that is gone is no fault.
        let bytes = match tree.read(&place) {
            Ok(bytes) => bytes?,
            Err(_) => return Some(Err(unread("cannot be read"))),
        };
        let text = String::from_utf8(bytes).map_err(|_| unread("is not text in UTF-8"));
        Some(text.map(|text| Read { path: (*path).clone(), kind: *kind, text }))
    };
    let mut files = Vec::new();
    for file in parallel::map(&wanted, read).into_iter().flatten() {
        match file {
            Ok(file) => files.push(file),
            Err(file) => unread.push(file),
        }
    }
    let ignored_locks = ignored_locks(&tree, &paths, &files);
    Ok(Gathered { tree, paths, files, unread, ignored_locks })
}

/// Why a file with an odd name is not read, in words that follow its path.
const ODD_NAME: &str = "has a name that is not UTF-8, or that has a control character";

/// Returns the paths of all files that git has or would add, and files that a rule is for and whose names no report can hold. Without git they
/// come from a walk of the folder.
fn paths(tree: &WorkTree) -> Result<(Vec<String>, Vec<Unread>), Failure> {
    let git = Git::at(tree.root());
    if let Ok(listed) = git.output(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]) {
        return Ok(sorted(listed.split(|byte| *byte == 0).map(<[u8]>::to_vec)));
    }
    match tree.source_files() {
        Ok(files) => Ok((files.into_iter().map(|file| file.path.as_str().to_owned()).collect(), Vec::new())),
        Err(TreeError::Name(_)) => Ok(sorted(walk(tree.root()).into_iter())),
        Err(error) => Err(error.into()),
    }
}

/// Sorts names into those that reports can hold, and the others.
fn sorted(names: impl Iterator<Item = Vec<u8>>) -> (Vec<String>, Vec<Unread>) {
    let (mut paths, mut unread) = (BTreeSet::new(), Vec::new());
    for name in names.filter(|name| !name.is_empty()) {
        match String::from_utf8(name) {
            Ok(path) if !path.contains(char::is_control) => {
                paths.insert(path);
            }
            Ok(path) => unread.push(path),
            Err(error) => unread.push(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        }
    }
    unread.retain(|path| !is_foreign(path) && kind_of(path).is_some());
    let unread = unread.into_iter().map(|path| Unread { path, why: ODD_NAME });
    (paths.into_iter().collect(), unread.collect())
}

/// Returns the names of all files, odd ones included. It reads no `.gitignore`, whose content nobody has checked here.
fn walk(root: &Utf8Path) -> Vec<Vec<u8>> {
    let is_wanted = |entry: &DirEntry| entry.file_name() != ".git" && entry.file_name() != "node_modules";
    let entries = WalkBuilder::new(root).standard_filters(false).filter_entry(is_wanted).build().flatten();
    let files = entries.filter(|entry| !entry.file_type().is_some_and(|kind| kind.is_dir()));
    let below = files.filter_map(|entry| entry.path().strip_prefix(root).map(Path::to_owned).ok());
    below.map(|path| path.into_os_string().into_encoded_bytes()).collect()
}

/// Returns the locks beside flakes that exist and are not listed.
fn ignored_locks(tree: &WorkTree, paths: &[String], files: &[Read]) -> Vec<String> {
    let flakes = files.iter().filter_map(|file| file.path.strip_suffix("flake.nix"));
    let locks =
        flakes.filter(|folder| folder.is_empty() || folder.ends_with('/')).map(|folder| format!("{folder}flake.lock"));
    locks.filter(|lock| paths.binary_search(lock).is_err() && tree.root().join(lock).is_file()).collect()
}
