//! Files that Git LFS keeps: git has pointers to them, by attributes.

use super::{Git, GitError, RepoPath, WorkTree};
use crate::reading;

const FILTER: &str = "filter=lfs";

/// Returns the tracked files that Git LFS keeps, below the folder that git runs in.
pub fn files(git: &Git, tree: &WorkTree) -> Result<Vec<RepoPath>, GitError> {
    // Looking at the attributes of every file takes time, and most repositories have none for Git LFS.
    if !is_used(git, tree)? {
        return Ok(Vec::new());
    }
    let names = git.names(&["ls-files", "-z", "--", ":(attr:filter=lfs)"])?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

fn is_used(git: &Git, tree: &WorkTree) -> Result<bool, GitError> {
    let names_filter = |text: std::io::Result<String>| text.is_ok_and(|text| text.contains(FILTER));
    let mut is_above = false;
    for folder in tree.root().ancestors() {
        is_above |= names_filter(reading::text(folder.join(".gitattributes")));
        if folder.join(".git").exists() {
            break;
        }
    }
    let own = git.names(&["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.gitattributes"])?;
    let is_own = || own.iter().any(|name| names_filter(reading::text(tree.root().join(name))));
    Ok(is_above || is_own())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use camino::Utf8Path;
    use fs_err as fs;

    use super::*;

    #[test]
    fn the_files_of_git_lfs_are_found_by_attributes() {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        let git = |args: &[&str]| assert!(Command::new("git").current_dir(top).args(args).status().unwrap().success());
        let write = |path: &str, text: &str| {
            fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
            fs::write(top.join(path), text).unwrap();
        };
        git(&["init", "--quiet"]);
        write("js/app/a.png", "");
        write("js/app/a.bin", "");
        let root = top.join("js");
        let found = || {
            git(&["add", "--all"]);
            let files = files(&Git::alone_at(root.clone()), &WorkTree::at(&root)).unwrap();
            files.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(), [""; 0]);
        write(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n");
        assert_eq!(found(), ["app/a.png"]);
        write("js/app/.gitattributes", "*.bin filter=lfs\n");
        assert_eq!(found(), ["app/a.bin", "app/a.png"]);
    }
}
