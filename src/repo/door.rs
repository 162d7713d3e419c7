//! The only module through which the program writes or deletes in a repository. It finds where a path is on disk, and
//! refuses links.
//!
//! Git carries links, so the author of the repository chose their targets. A link within the repository is refused as
//! well: git tracks nothing below it, so `git add` of the written files fails and a flake does not see them.
//!
//! The disk is checked before the first write. If another program creates a link between check and write, it is
//! followed. Such a program has the rights of the user already.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::RepoPath;
use crate::diagnostic::{Category, Diagnose};

/// Why a path must not be written.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// A part of the path is a link.
    #[error("could not write `{path}`: `{link}` is a symbolic link to `{target}`")]
    Link {
        /// The path.
        path: RepoPath,
        /// The part of it that is a link: the path itself or a folder above it.
        link: RepoPath,
        /// The target of the link.
        target: String,
    },
    /// A part of the path could not be read.
    #[error("could not write `{path}`")]
    Look {
        /// The path.
        path: RepoPath,
        /// The system's error.
        source: io::Error,
    },
}

impl Diagnose for DoorError {
    fn category(&self) -> Category {
        match self {
            Self::Link { .. } => Category::Input,
            Self::Look { .. } => Category::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Link { path, link, .. } => {
                let what = if path == link { "file" } else { "folder" };
                vec![
                    format!("replace the link `{link}` with a {what}"),
                    "splitter never writes through a link: it can lead out of the repository, and git tracks nothing below it"
                        .to_owned(),
                ]
            }
            Self::Look { .. } => Vec::new(),
        }
    }
}

/// Returns the place on disk of a file to write or delete. Refuses a link, and a path below a link.
pub fn file(root: &Utf8Path, path: &RepoPath) -> Result<Utf8PathBuf, DoorError> {
    no_link(root, path, path)?;
    Ok(path.on_disk(root))
}

/// Returns the place on disk of an entry to replace or delete, which may be a link itself. Refuses a path below a link.
pub fn entry(root: &Utf8Path, path: &RepoPath) -> Result<Utf8PathBuf, DoorError> {
    no_link(root, path, &path.parent())?;
    Ok(path.on_disk(root))
}

/// Refuses `path` if `last` or a folder above it is a link.
fn no_link(root: &Utf8Path, path: &RepoPath, last: &RepoPath) -> Result<(), DoorError> {
    let mut part = RepoPath::root();
    for name in last.parts() {
        part = part.child(name);
        let on_disk = part.on_disk(root);
        match fs::symlink_metadata(&on_disk) {
            Ok(metadata) if metadata.is_symlink() => {
                let target = fs::read_link(&on_disk).unwrap_or_default().to_string_lossy().into_owned();
                return Err(DoorError::Link { path: path.clone(), link: part, target });
            }
            Ok(_) => {}
            // A missing entry is not a link. If a file is where a folder should be, the write reports it.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => break,
            Err(source) => return Err(DoorError::Look { path: path.clone(), source }),
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use fs_err::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_an_entry_may_be_a_link_itself() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink("b", root.join("a/link")).unwrap();
        let path = |text: &str| text.parse::<RepoPath>().unwrap();
        for fine in ["a/b/new", "a/new/deep", "a", "new"] {
            assert_eq!(file(root, &path(fine)).unwrap(), root.join(fine));
            assert_eq!(entry(root, &path(fine)).unwrap(), root.join(fine));
        }
        assert_eq!(entry(root, &path("a/link")).unwrap(), root.join("a/link"));
        for (result, expected) in [
            (file(root, &path("a/link")), "`a/link`: `a/link` is a symbolic link to `b`"),
            (file(root, &path("a/link/c")), "`a/link/c`: `a/link` is a symbolic link to `b`"),
            (entry(root, &path("a/link/c/d")), "`a/link/c/d`: `a/link` is a symbolic link to `b`"),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.to_string(), format!("could not write {expected}"));
            assert_eq!(error.category(), Category::Input);
        }
    }

    #[test]
    fn circles_and_links_to_nowhere_are_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for target in ["circle", "nowhere", "/nowhere"] {
            let link = root.join("circle");
            symlink(target, &link).unwrap();
            let error = file(root, &"circle/a/b".parse().unwrap()).unwrap_err();
            assert!(error.to_string().ends_with(&format!("`circle` is a symbolic link to `{target}`")), "{error}");
            fs::remove_file(link).unwrap();
        }
    }
}
