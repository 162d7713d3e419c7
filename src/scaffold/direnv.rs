//! `.envrc`, with which direnv enters the dev shell of the flake.

use crate::repo::{RepoPath, Tree, TreeError, read_text};

/// The file that direnv reads.
pub const FILE: &str = ".envrc";

/// The folder that direnv writes. git must not have it.
const CACHE: &str = ".direnv/";

/// nix-direnv keeps the shell, so that it is entered at once. The hash is that of its tag 3.2.0.
const ENVRC: &str = r#"# Enters the dev shell of flake.nix. Run `direnv allow` once.
if ! has nix_direnv_version || ! nix_direnv_version 3.2.0; then
  source_url "https://raw.githubusercontent.com/nix-community/nix-direnv/3.2.0/direnvrc" "sha256-hW6NC1JHue3IjZN3uDM6l6I2PMaauqd2D7hXYJ1Zfr4="
fi
# The record has the pinned package manager. The shell has no packages: an edit of the lockfile leaves it as it is.
watch_file nix/splitter/*.nix nix/splitter/splitter.lock.json
use flake
"#;

/// What `init --direnv` does.
#[derive(Debug, PartialEq, Eq)]
pub enum Direnv {
    /// There is an `.envrc` that enters the dev shell, or that the user wrote otherwise. It stays.
    Kept,
    /// These files are written.
    Written(Vec<(RepoPath, String)>),
}

/// Returns the files for direnv: `.envrc` if there is none, and the line in `.gitignore`.
pub fn files(tree: &dyn Tree) -> Result<Direnv, TreeError> {
    let (envrc, ignore) = (RepoPath::root().child(FILE), RepoPath::root().child(".gitignore"));
    if tree.is_file(&envrc)? {
        return Ok(Direnv::Kept);
    }
    let mut written = vec![(envrc, ENVRC.to_owned())];
    let ignored = read_text(tree, &ignore)?.unwrap_or_default();
    if !ignores(&ignored) {
        let end = if ignored.is_empty() || ignored.ends_with('\n') { "" } else { "\n" };
        written.push((ignore, format!("{ignored}{end}{CACHE}\n")));
    }
    Ok(Direnv::Written(written))
}

fn ignores(text: &str) -> bool {
    let names = [".direnv", ".direnv/", "/.direnv", "/.direnv/"];
    text.lines().any(|line| names.contains(&line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn written(files: &[(&str, &str)]) -> Vec<String> {
        match super::files(&MemoryTree::new(files.iter().copied())).unwrap() {
            Direnv::Kept => Vec::new(),
            Direnv::Written(files) => files.into_iter().map(|(path, text)| format!("{path}: {text}")).collect(),
        }
    }

    #[test]
    fn an_envrc_of_the_user_stays() {
        assert_eq!(written(&[(".envrc", "use nix")]), Vec::<String>::new());
    }

    #[test]
    fn the_folder_of_direnv_is_ignored_once() {
        assert_eq!(written(&[(".gitignore", "dist")])[1], ".gitignore: dist\n.direnv/\n");
        assert_eq!(written(&[])[1], ".gitignore: .direnv/\n");
        assert_eq!(written(&[(".gitignore", "/.direnv\n")]).len(), 1);
    }
}
