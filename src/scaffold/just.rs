//! `splitter.just`: recipes for just, as a module. A team's own justfile keeps its names.

use super::signature::{Found, Signature};
use crate::repo::{RepoPath, Tree, TreeError, read_text};

/// The file with the recipes.
pub const FILE: &str = "splitter.just";

/// The names of a justfile. just finds them in any case.
const JUSTFILES: [&str; 3] = ["justfile", "Justfile", ".justfile"];

/// The line of a justfile that adds the recipes as `just splitter …`.
pub const LINE: &str = "mod splitter 'splitter.just'";

const SIGNATURE: Signature = Signature {
    advice: "# Written by `splitter init --just`. Add recipes of your own to your justfile; an edited file is never overwritten.",
    mark: "# splitter just: ",
};

/// Recipes run in the folder of this file: the root of the repository.
const RECIPES: &str = r#"# list the recipes
[private]
default:
    @{{ just_executable() }} --list splitter

# update the hashes after a change to the lockfile
update *args:
    splitter update-hash {{ args }}

# check that the recorded hashes match the lockfile
check *args:
    splitter check {{ args }}

# build packages with Nix, and name the cause of a failure
build *names:
    splitter build {{ names }}

# show the layers of container images, or send them: `just splitter images push web --to …`
images *args:
    splitter images {{ args }}

# show which binary caches have what CI and developers need
cache *names:
    splitter cache status {{ names }}

# show settings of Nix that suit this computer
tune *args:
    splitter tune {{ args }}

# delete store paths that nothing keeps; `result` links and old generations keep theirs
gc *args:
    nix --extra-experimental-features nix-command store gc {{ args }}
"#;

/// A new justfile.
const JUSTFILE: &str =
    "# list the recipes\ndefault:\n    @{{ just_executable() }} --list --list-submodules\n\n# recipes of splitter\n";

/// What `init --just` does.
#[derive(Debug, PartialEq, Eq)]
pub enum Just {
    /// Somebody edited `splitter.just`, or wrote another one. It stays.
    Kept,
    /// These files are written. The justfile of the team lacks [`LINE`] if its name is here.
    Written {
        /// The files.
        files: Vec<(RepoPath, String)>,
        /// The justfile to add the line to.
        advice: Option<&'static str>,
    },
}

/// Returns `splitter.just`, and a justfile if there is none.
pub fn files(tree: &dyn Tree) -> Result<Just, TreeError> {
    let path = RepoPath::root().child(FILE);
    if matches!(SIGNATURE.found(read_text(tree, &path)?.as_deref()), Found::Edited | Found::Foreign) {
        return Ok(Just::Kept);
    }
    let mut files = vec![(path, SIGNATURE.sign(RECIPES))];
    let mut found = None;
    for name in JUSTFILES {
        if let Some(text) = read_text(tree, &RepoPath::root().child(name))? {
            found.get_or_insert((name, text));
        }
    }
    let advice = match found {
        Some((name, text)) => (!text.contains(FILE)).then_some(name),
        None => {
            files.push((RepoPath::root().child(JUSTFILES[0]), format!("{JUSTFILE}{LINE}\n")));
            None
        }
    };
    Ok(Just::Written { files, advice })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn written(files: &[(&str, &str)]) -> String {
        match super::files(&MemoryTree::new(files.iter().copied())).unwrap() {
            Just::Kept => "kept".to_owned(),
            Just::Written { files, advice } => {
                let names: Vec<String> = files.iter().map(|(path, _)| path.to_string()).collect();
                format!("{} {advice:?}", names.join(","))
            }
        }
    }

    #[test]
    fn a_justfile_of_the_team_stays() {
        assert_eq!(written(&[]), "splitter.just,justfile None");
        assert_eq!(written(&[("Justfile", "build:\n")]), "splitter.just Some(\"Justfile\")");
        assert_eq!(written(&[("justfile", "mod splitter 'splitter.just'\n")]), "splitter.just None");
    }

    #[test]
    fn edited_recipes_stay() {
        let ours = SIGNATURE.sign("older:\n");
        assert_eq!(written(&[("splitter.just", &ours)]), "splitter.just,justfile None");
        assert_eq!(written(&[("splitter.just", &format!("{ours}mine:\n"))]), "kept");
        assert_eq!(written(&[("splitter.just", "mine:\n")]), "kept");
    }

    #[test]
    fn recipes_call_commands_that_exist() {
        let commands = RECIPES.lines().filter_map(|line| line.trim().strip_prefix("splitter "));
        let commands: Vec<&str> = commands.filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(commands, ["update-hash", "check", "build", "images", "cache", "tune"]);
    }
}
