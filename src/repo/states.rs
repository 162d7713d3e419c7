//! The state of each file as far as a build can see it: content and kind, by git's object ids.
//!
//! Git knows these ids for a commit and for its index without reading files, so two states of a large repository are
//! compared in milliseconds. In the working tree, only files that git does not know to be unchanged are read.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    os,
};

use camino::Utf8Path;
use fs_err as fs;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::{Git, GitError, RepoPath, TreeError, WorkTree};

/// The state of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Git's id of its content, or of a link's target.
    pub content: String,
    /// Its kind.
    pub kind: FileKind,
}

/// The kind of a file. Nothing else in its mode reaches a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    Plain,
    /// A file with the executable bit.
    Executable,
    /// A symbolic link.
    Link,
    /// A git submodule whose commit this clone does not have. Its content is the commit.
    Submodule,
}

/// The files of a repository by path, with those of submodules.
pub type FileStates = BTreeMap<RepoPath, FileState>;

/// Returns the files of a commit, below the folder that git runs in.
pub fn of_commit(git: &Git, commit: &str) -> Result<FileStates, GitError> {
    with_submodules(git, read(&git.output(&["ls-tree", "-r", "-z", commit])?, 2))
}

/// Returns the files of the index, below the folder that git runs in.
pub fn of_index(git: &Git) -> Result<FileStates, GitError> {
    with_submodules(git, listed(git)?)
}

/// Returns the entries of the index. Those of submodules are commits.
pub fn listed(git: &Git) -> Result<FileStates, GitError> {
    Ok(read(&git.output(&["ls-files", "--stage", "-z"])?, 1))
}

/// Replaces the commits of submodules by their files. A commit that is not there stays.
fn with_submodules(git: &Git, mut files: FileStates) -> Result<FileStates, GitError> {
    for (path, commit) in submodules(&files) {
        let Some(inner) = git.submodule(&path) else { continue };
        match inner.output(&["ls-tree", "-r", "-z", "--full-tree", &commit]) {
            Ok(output) => put_below(&mut files, &path, with_submodules(&inner, read(&output, 2))?),
            Err(GitError::Failed { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

/// Returns the submodules among files, with their commits.
fn submodules(files: &FileStates) -> Vec<(RepoPath, String)> {
    let found = files.iter().filter(|(_, state)| state.kind == FileKind::Submodule);
    found.map(|(path, state)| (path.clone(), state.content.clone())).collect()
}

/// Puts the files of a submodule in its place.
fn put_below(files: &mut FileStates, submodule: &RepoPath, inner: FileStates) {
    files.remove(submodule);
    files.extend(inner.into_iter().map(|(path, state)| (submodule.join(&path), state)));
}

/// Returns the files of a working tree that git tracks or would track, without those that it ignores.
pub fn of_work_tree(git: &Git, tree: &WorkTree) -> Result<FileStates, TreeError> {
    let fail = |source| TreeError::Git { path: RepoPath::root(), source };
    tree.check_ignore_files()?;
    let mut files = listed(git).map_err(fail)?;
    let submodules = submodules(&files);
    let edited = git.names(&["diff-files", "--name-only", "-z", "--relative"]).map_err(fail)?;
    let new = git.names(&["ls-files", "--others", "--exclude-standard", "-z"]).map_err(fail)?;
    let is_long = files.values().next().is_some_and(|state| state.content.len() > 40);
    let new = new.into_iter().filter(|name| !is_result(tree, name));
    for name in edited.into_iter().chain(new) {
        let Some(path) = shown(&name) else { continue };
        let read = |source| TreeError::Read { path: path.clone(), source };
        match on_disk(tree, &path, is_long).map_err(read)? {
            Some(state) => files.insert(path, state),
            None if files.get(&path).is_some_and(|state| state.kind == FileKind::Submodule) => None,
            None => files.remove(&path),
        };
    }
    for (path, _) in submodules {
        if let Some(inner) = git.submodule(&path) {
            let inner = of_work_tree(&inner, &WorkTree::at(inner.folder()))?;
            put_below(&mut files, &path, inner);
        }
    }
    Ok(files)
}

/// Returns whether a file is a link to a build in the store, which `nix build` leaves where it is run: `result`, `result-1`.
fn is_result(tree: &WorkTree, name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    (last == "result" || last.starts_with("result-"))
        && fs::read_link(tree.root().join(name)).is_ok_and(|target| target.starts_with("/nix/store"))
}

/// Returns the files of a folder without git. It reads every file.
pub fn of_folder(tree: &WorkTree) -> Result<FileStates, TreeError> {
    let mut files = FileStates::new();
    for file in tree.source_files()? {
        let read = |source| TreeError::Read { path: file.path.clone(), source };
        if let Some(state) = on_disk(tree, &file.path, false).map_err(read)? {
            files.insert(file.path, state);
        }
    }
    Ok(files)
}

impl FileState {
    /// Returns the state of a file with this content. `is_long` is for repositories with SHA-256 ids.
    pub fn new(content: &[u8], kind: FileKind, is_long: bool) -> Self {
        let head = format!("blob {}\0", content.len());
        let content = if is_long {
            hex(&Sha256::new().chain_update(&head).chain_update(content).finalize())
        } else {
            hex(&Sha1::new().chain_update(&head).chain_update(content).finalize())
        };
        Self { content, kind }
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Returns the path of a file that git lists. A control character becomes U+FFFD, as a byte that is not UTF-8 does: the
/// file counts, and nothing can name it.
fn shown(name: &str) -> Option<RepoPath> {
    name.parse().ok().or_else(|| name.replace(char::is_control, "\u{fffd}").parse().ok())
}

/// Reads lines of `<mode> … <object> …\t<path>`. The object is the word number `at`.
fn read(output: &[u8], at: usize) -> FileStates {
    let mut files = FileStates::new();
    for line in output.split(|byte| *byte == 0).map(String::from_utf8_lossy) {
        let Some((fields, path)) = line.split_once('\t') else { continue };
        let fields: Vec<&str> = fields.split(' ').collect();
        let kind = match fields.first().copied() {
            Some("100755") => FileKind::Executable,
            Some("120000") => FileKind::Link,
            Some("160000") => FileKind::Submodule,
            None => continue,
            Some(_) => FileKind::Plain,
        };
        if let (Some(object), Some(path)) = (fields.get(at), shown(path)) {
            files.insert(path, FileState { content: (*object).to_owned(), kind });
        }
    }
    files
}

/// Returns the state of a file on disk, or `None` if it is missing.
fn on_disk(tree: &WorkTree, path: &RepoPath, is_long: bool) -> io::Result<Option<FileState>> {
    let file = path.on_disk(tree.root());
    let metadata = match fs::symlink_metadata(&file) {
        // Git tracks neither folders nor pipes and devices.
        Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => return Ok(None),
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if metadata.is_symlink() {
        let target = fs::read_link(&file)?;
        return Ok(Some(FileState::new(target.as_os_str().as_encoded_bytes(), FileKind::Link, is_long)));
    }
    let kind = if is_executable(&metadata) { FileKind::Executable } else { FileKind::Plain };
    Ok(Some(FileState { content: digest_of_file(&file, metadata.len(), is_long)?, kind }))
}

/// Returns git's id of the content of a file, which may be larger than the memory.
fn digest_of_file(path: &Utf8Path, length: u64, is_long: bool) -> io::Result<String> {
    let head = format!("blob {length}\0");
    if is_long {
        hash_of_file(path, Sha256::new().chain_update(head))
    } else {
        hash_of_file(path, Sha1::new().chain_update(head))
    }
}

fn hash_of_file(path: &Utf8Path, mut hash: impl sha1::Digest) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            length => hash.update(&buffer[..length]),
        }
    }
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use camino::Utf8Path;

    use super::*;

    fn git(folder: &Utf8Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(folder)
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_commit_and_an_unchanged_work_tree_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        git(root, &["init", "--quiet"]);
        fs::write(root.join(".gitignore"), "ignored\nforced\n").unwrap();
        fs::create_dir(root.join("a")).unwrap();
        fs::write(root.join("a/plain"), "1").unwrap();
        fs::write(root.join("forced"), "2").unwrap();
        fs::write(root.join("ignored"), "3").unwrap();
        os::unix::fs::symlink("plain", root.join("a/link")).unwrap();
        git(root, &["add", "--all"]);
        git(root, &["add", "--force", "forced"]);
        git(root, &["commit", "--quiet", "--message", "all"]);
        let (program, tree) = (Git::alone_at(root.to_owned()), WorkTree::at(root));
        let commit = of_commit(&program, "HEAD").unwrap();
        let names: Vec<_> = commit.keys().map(RepoPath::as_str).collect();
        assert_eq!(names, [".gitignore", "a/link", "a/plain", "forced"]);
        assert_eq!(of_work_tree(&program, &tree).unwrap(), commit);
        // The ids of files read from disk are those that git gives.
        for path in ["a/link", "a/plain"] {
            let path: RepoPath = path.parse().unwrap();
            assert_eq!(on_disk(&tree, &path, false).unwrap().as_ref(), commit.get(&path));
        }
        fs::write(root.join("a/plain"), "edited").unwrap();
        fs::write(root.join("new"), "").unwrap();
        fs::remove_file(root.join("forced")).unwrap();
        let now = of_work_tree(&program, &tree).unwrap();
        let names: Vec<_> = now.keys().map(RepoPath::as_str).collect();
        assert_eq!(names, [".gitignore", "a/link", "a/plain", "new"]);
        let state = |path: &str| now[path].content.clone();
        assert_eq!(state("a/plain"), git(root, &["hash-object", "a/plain"]));
        assert_eq!(of_index(&program).unwrap(), commit);
    }

    #[test]
    fn the_files_of_submodules_count() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let (inner, outer) = (root.join("inner"), root.join("outer"));
        for folder in [&inner, &outer] {
            fs::create_dir(folder).unwrap();
            git(folder, &["init", "--quiet"]);
        }
        fs::write(inner.join("file"), "1").unwrap();
        git(&inner, &["add", "--all"]);
        git(&inner, &["commit", "--quiet", "--message", "one"]);
        git(&outer, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.as_str(), "a/sub"]);
        git(&outer, &["commit", "--quiet", "--message", "with a submodule"]);
        let (program, tree) = (Git::alone_at(outer.clone()), WorkTree::at(&outer));
        let names = |files: &FileStates| files.keys().map(ToString::to_string).collect::<Vec<_>>();
        let commit = of_commit(&program, "HEAD").unwrap();
        assert_eq!(names(&commit), [".gitmodules", "a/sub/file"]);
        assert_eq!(of_index(&program).unwrap(), commit);
        assert_eq!(of_work_tree(&program, &tree).unwrap(), commit);
        let sub: RepoPath = "a/sub".parse().unwrap();
        assert_eq!(crate::repo::Tree::submodules(&tree).unwrap(), std::slice::from_ref(&sub));
        // Edits in it, and another commit of it that is not staged, are in the working tree alone.
        fs::write(outer.join("a/sub/file"), "2").unwrap();
        fs::write(outer.join("a/sub/new"), "").unwrap();
        let now = of_work_tree(&program, &tree).unwrap();
        assert_eq!(names(&now), [".gitmodules", "a/sub/file", "a/sub/new"]);
        git(&outer.join("a/sub"), &["add", "--all"]);
        git(&outer.join("a/sub"), &["commit", "--quiet", "--message", "two"]);
        assert_eq!(of_work_tree(&program, &tree).unwrap(), now);
        assert_eq!(of_index(&program).unwrap(), commit);
        git(&outer, &["add", "a/sub"]);
        assert_eq!(of_index(&program).unwrap(), now);
        // A clone without it knows the commit alone.
        git(root, &["clone", "--quiet", "outer", "clone"]);
        let (program, tree) = (Git::alone_at(root.join("clone")), WorkTree::at(root.join("clone")));
        let files = of_commit(&program, "HEAD").unwrap();
        assert_eq!(files[&sub].kind, FileKind::Submodule);
        assert_eq!(of_work_tree(&program, &tree).unwrap(), files);
    }
}
