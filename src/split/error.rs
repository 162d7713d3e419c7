//! Errors of splitting a repository.

use crate::split::{
    development::DevelopmentError,
    manifest_path,
    workspaces::{
        detect::start::Unclear,
        graph::{Remedy, setting},
    },
};
use crate::{
    diagnostic::{Category, Diagnose, Location, Position, did_you_mean},
    lockfile::json::JsonError,
    managers::ManagerError,
    names::{BUN_LOCK, MANIFEST, SETTINGS, YARN_LOCK},
    repo::{RepoPath, RepoPathError, TreeError},
    secrets::SecretInUrl,
};

/// Why a repository could not be split.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// Reading the repository failed.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A manifest or `splitter.json` breaks its format.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A file of the package manager is not accepted.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// Services or processes of `splitter.json` do not fit.
    #[error(transparent)]
    Development(#[from] DevelopmentError),
    /// A URL in a file that builds read holds a secret.
    #[error(transparent)]
    SecretInUrl(#[from] SecretInUrl),
    /// The root has no `package.json`.
    #[error("no `package.json` at the root of the repository")]
    NoRootManifest,
    /// The root has no lockfile.
    #[error("no `bun.lock` or `yarn.lock` at the root of the repository")]
    NoLockfile,
    /// The only lockfile is Bun's binary one.
    #[error("`bun.lockb` is Bun's binary lockfile; splitter reads the text lockfile `bun.lock`")]
    BinaryLockfile,
    /// The lockfile belongs to a package manager that is not supported.
    #[error("`{0}` is not supported; splitter reads `bun.lock` and `yarn.lock`")]
    UnsupportedLockfile(&'static str),
    /// There are two lockfiles.
    #[error("found both `bun.lock` and `yarn.lock` at the root of the repository{}", told_apart(pin.as_deref()))]
    TwoLockfiles {
        /// `packageManager` of the root manifest.
        pin: Option<String>,
    },
    /// A workspace pattern cannot be read.
    #[error("wrong workspace pattern `{pattern}`: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A workspace is a link that leads out of the repository.
    #[error("the workspace `{path}` is a link out of the repository; the workspace pattern `{pattern}` matches it")]
    WorkspaceOutside {
        /// The workspace.
        path: RepoPath,
        /// The pattern.
        pattern: String,
    },
    /// The package manager refuses a workspace.
    #[error("`{path}` {reason}; {manager} refuses to install")]
    RefusedWorkspace {
        /// The workspace's manifest.
        path: RepoPath,
        /// What is wrong with it.
        reason: &'static str,
        /// The package manager.
        manager: &'static str,
    },
    /// The manifest of a workspace has a duplicate key, and the package manager refuses it.
    #[error("`{path}` has the key `{key}` twice; {manager} refuses to install")]
    DuplicateKey {
        /// The workspace's manifest.
        path: RepoPath,
        /// The position of the second one.
        position: Position,
        /// The key.
        key: String,
        /// The package manager.
        manager: &'static str,
    },
    /// The path of a patch leads outside the repository.
    #[error("wrong path `{path}` for the patch of `{package}`: {reason}")]
    PatchPath {
        /// The patched package.
        package: String,
        /// The path as written.
        path: String,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// The folder of patches lies outside the repository.
    #[error("wrong folder `{folder}` for the patches of `patch-package`: {reason}")]
    PatchFolder {
        /// The folder as written.
        folder: String,
        /// The manifest whose script names it.
        file: RepoPath,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// A link leads outside the repository.
    #[error("`{package}` links out of the repository (`{specifier}`): {reason}")]
    LinkPath {
        /// The package that is a link.
        package: String,
        /// The link as written.
        specifier: String,
        /// The manifest that has the link.
        file: RepoPath,
        /// The position of the link in the manifest.
        position: Position,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// A link leads to a package that `bun link` registered on one machine.
    #[error("package `{package}` is a link to `{target}`, which `bun link` registers on one machine only")]
    LinkOfMachine {
        /// The package that is a link.
        package: String,
        /// The registered name.
        target: String,
        /// The position of the link in `bun.lock`.
        position: Position,
    },
    /// Two workspaces have the same name.
    #[error("two workspaces are named `{name}`: `{first}` and `{second}`")]
    EqualNames {
        /// The name.
        name: String,
        /// One folder.
        first: RepoPath,
        /// The other folder.
        second: RepoPath,
    },
    /// A git dependency has no commit that can be fetched.
    #[error(
        "cannot fetch the {kind} dependency `{key}`: expected a 40-digit commit at an http(s), git or ssh URL, found \
         `{resolution}`"
    )]
    NoCommit {
        /// The key of the package in the lockfile.
        key: String,
        /// `git` or `GitHub`.
        kind: &'static str,
        /// The resolution in the lockfile, without a user name or a password.
        resolution: String,
        /// The position of the entry.
        position: Position,
        /// The lockfile.
        file: &'static str,
    },
    /// Two entries of the lockfile give different integrities for one tarball.
    #[error("the lockfile has two integrities for `{path}`: `{first}` and `{second}`")]
    TwoIntegrities {
        /// The path of the tarball in the fixed output.
        path: String,
        /// One integrity.
        first: String,
        /// The other integrity.
        second: String,
    },
    /// A file or folder is missing.
    #[error("`{path}` is missing; {by} refers to it")]
    Missing {
        /// The file or folder.
        path: RepoPath,
        /// What refers to it, in words.
        by: String,
    },
    /// A file or folder is missing, because its submodule is not checked out.
    #[error("`{path}` is missing, because the git submodule `{submodule}` is not checked out; {by} refers to it")]
    NotCheckedOut {
        /// The file or folder.
        path: RepoPath,
        /// What refers to it, in words.
        by: String,
        /// The submodule.
        submodule: RepoPath,
    },
    /// A file that an install reads is a pointer of Git LFS.
    #[error("`{path}` is a Git LFS pointer and not the file itself; {by} refers to it")]
    LfsPointer {
        /// The file.
        path: RepoPath,
        /// What refers to it, in words.
        by: String,
    },
    /// A value in `splitter.json` does not fit the repository.
    #[error("{reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// A script that starts an app is not one command that runs one file.
    #[error(
        "the script `{}` of `{workspace}` is not supported: expected one command that runs one file, found {}",
        script.script, found_in(script)
    )]
    UnclearStart {
        /// The app's folder.
        workspace: RepoPath,
        /// The script.
        script: Box<Unclear>,
    },
    /// `--app` or `splitter.json` names a workspace that is a library.
    #[error("`{workspace}` is a library: {reason}")]
    AppIsLibrary {
        /// The workspace.
        workspace: RepoPath,
        /// Why it is a library, in words.
        reason: String,
        /// The setting that makes it an app.
        remedy: Option<Remedy>,
    },
    /// `--app` or `splitter.json` names an app that does not exist.
    #[error("there is no app `{name}`; {}", if apps.is_empty() { "no workspace is an app".to_owned() } else { format!("the apps are {apps}") })]
    NoSuchApp {
        /// The name.
        name: String,
        /// The apps of the repository, separated by commas.
        apps: String,
    },
}

impl Diagnose for SplitError {
    fn category(&self) -> Category {
        match self {
            Self::Tree(error) => error.category(),
            Self::Manager(error) => error.category(),
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Tree(error) => error.location(),
            Self::Json(error) => error.location(),
            Self::Manager(error) => error.location(),
            Self::SecretInUrl(error) => error.location(),
            Self::Development(error) => error.location(),
            Self::NoCommit { file, position, .. } => Some(Location::at(*file, *position)),
            Self::PatchFolder { file, .. } => Some(Location::file(file.as_str())),
            Self::LinkPath { file, position, .. } => Some(Location::at(file.as_str(), *position)),
            Self::DuplicateKey { path, position, .. } => Some(Location::at(path.as_str(), *position)),
            Self::LinkOfMachine { position, .. } => Some(Location::at(BUN_LOCK, *position)),
            Self::Pattern { .. } | Self::PatchPath { .. } => Some(Location::file(MANIFEST)),
            Self::Config { .. } => Some(Location::file(SETTINGS)),
            Self::UnclearStart { workspace, .. } => Some(Location::file(manifest_path(workspace).as_str())),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Json(error) => return error.hints(),
            Self::Manager(error) => return error.hints(),
            Self::SecretInUrl(error) => return error.hints(),
            Self::Development(error) => return error.hints(),
            Self::UnclearStart { workspace, script } => return hints_for_start(workspace, &script.file),
            Self::AppIsLibrary { workspace, remedy, .. } => {
                return remedy.iter().map(|remedy| remedy.advice(workspace)).collect();
            }
            Self::NoSuchApp { name, apps } => return did_you_mean(apps.split(", "), name).into_iter().collect(),
            Self::NoLockfile => "run `bun install` or `yarn install` to create one",
            Self::BinaryLockfile => {
                "run `bun install --save-text-lockfile --frozen-lockfile --lockfile-only`, then remove `bun.lockb`"
            }
            Self::TwoLockfiles { pin: Some(_) } => "remove the other lockfile",
            Self::TwoLockfiles { pin: None } => {
                "remove the lockfile that is not in use, or set `packageManager` in `package.json`"
            }
            Self::NoCommit { .. } => {
                "remove the dependency and add it again so that the lockfile names the commit, or depend on a version from the registry"
            }
            Self::TwoIntegrities { .. } => {
                "compare both with `dist.integrity` of the package in the registry, and correct the wrong one in the lockfile"
            }
            Self::Missing { .. } => "restore it, or remove the reference to it",
            Self::NotCheckedOut { .. } => "run `git submodule update --init`",
            Self::LfsPointer { .. } => {
                return vec![
                    "run `git lfs pull`".to_owned(),
                    "for builds with Nix 2.27 or later, add `inputs.self.lfs = true;` to flake.nix".to_owned(),
                ];
            }
            Self::PatchPath { .. } | Self::PatchFolder { .. } => "move the patches into the repository",
            Self::LinkPath { .. } => {
                "move the folder into the repository, or publish the package and depend on a version"
            }
            Self::LinkOfMachine { .. } => "link to a folder of the repository, such as `link:./path/to/it`",
            Self::WorkspaceOutside { .. } => {
                "move the folder into the repository, or exclude it from the patterns: builds have no files from outside"
            }
            Self::RefusedWorkspace { .. } => "give the workspace a name of letters, digits, `-`, `_` and `.`",
            Self::DuplicateKey { .. } => "remove one of the two",
            Self::EqualNames { .. } => "give each workspace its own name",
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// Hints that show how to set what starts an app. Names are quoted as in JSON.
fn hints_for_start(workspace: &RepoPath, file: &str) -> Vec<String> {
    let choice = |key: &str, value: &str| setting(workspace, key, value);
    let command = serde_json::Value::String(format!("node --import ./pre.js {file}"));
    vec![
        format!("set what starts the app in splitter.json: `{}`", choice("start", file)),
        format!(
            "`start` can be a whole command, such as `\"start\": {command}`: its variables, options and arguments are kept; \
             several commands (`&&`), pipes, redirections and `$VAR` are not supported"
        ),
        format!("if it is not an app, set `{}`", choice("kind", "library")),
    ]
}

/// Describes the part of a script that is not understood.
fn found_in(script: &Unclear) -> String {
    let Unclear { part, text, file, .. } = script;
    if part == text && part.trim_start_matches("./") == file {
        return format!("a file name without a program (`{part}`)");
    }
    format!("`{part}` in `{text}`")
}

/// Names the lockfile that the pin in the manifest uses, if there is a pin.
fn told_apart(pin: Option<&str>) -> String {
    let lockfile = match pin.and_then(|pin| pin.split('@').next()) {
        Some("bun") => BUN_LOCK,
        Some("yarn") => YARN_LOCK,
        _ => return String::new(),
    };
    format!("; `packageManager` (`{}`) uses `{lockfile}`", pin.unwrap_or_default())
}
