//! Patches that a repository has applied by `patch-package`, in a script that its package manager runs after an install.
//!
//! Such scripts are those of sources, so no build of `node_modules` runs them. But this one changes packages, and needs nothing
//! but its patches; so they are found, and applied where packages are installed.

use super::script;
use crate::{
    repo::{RepoPath, RepoPathError},
    split::Manifest,
};

/// The program.
const PROGRAM: &str = "patch-package";

/// The scripts of a workspace that package managers run when they install.
const SCRIPTS: [&str; 8] =
    ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "dependencies"];

/// Where it has its patches if no option says otherwise.
const USUAL_FOLDER: &str = "patches";

/// The folder of the patches that an install of this workspace applies, where it runs the program.
pub(in crate::split) fn folder(workspace: &RepoPath, manifest: &Manifest) -> Option<Result<RepoPath, PatchFolder>> {
    let scripts = SCRIPTS.iter().filter_map(|name| manifest.scripts.get(*name));
    let command = scripts.map(|script| script::expanded(script, manifest)).find(|script| runs(script))?;
    let folder = script::option(&command, &["--patch-dir"]).unwrap_or_else(|| USUAL_FOLDER.to_owned());
    Some(workspace.resolve(&folder).map_err(|reason| PatchFolder { folder, reason }))
}

/// A folder of patches that is not in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) struct PatchFolder {
    /// As it is written.
    pub(in crate::split) folder: String,
    /// What is wrong with it.
    pub(in crate::split) reason: RepoPathError,
}

fn runs(script: &str) -> bool {
    script::commands(script).iter().flatten().any(|word| word.rsplit('/').next() == Some(PROGRAM))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(scripts: &str) -> Option<String> {
        let manifest = Manifest::parse("package.json", &format!(r#"{{"scripts": {{{scripts}}}}}"#)).unwrap();
        let folder = folder(&"apps/a".parse().unwrap(), &manifest)?;
        Some(folder.map_or_else(|error| error.reason.to_string(), |path| path.to_string()))
    }

    #[test]
    fn the_folder_is_the_usual_one_or_that_of_the_option() {
        let usual = Some("apps/a/patches".to_owned());
        assert_eq!(found(r#""postinstall": "patch-package""#), usual);
        assert_eq!(found(r#""prepare": "husky && npx patch-package --error-on-fail""#), usual);
        assert_eq!(found(r#""postinstall": "yarn fix", "fix": "./node_modules/.bin/patch-package""#), usual);
        let option = |option: &str| found(&format!(r#""postinstall": "x; patch-package {option}""#));
        assert_eq!(option("--patch-dir ../../tools/patches").as_deref(), Some("tools/patches"));
        assert_eq!(option("--patch-dir=./p").as_deref(), Some("apps/a/p"));
        assert_eq!(option("--patch-dir ../../../p").as_deref(), Some("path leaves the repository"));
    }

    #[test]
    fn other_scripts_apply_no_patches() {
        assert_eq!(found(r#""patch": "patch-package", "postinstall": "echo""#), None);
        assert_eq!(found(""), None);
    }
}
