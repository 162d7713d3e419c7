//! Why a repository could not be split.

use crate::split::{manifest_path, workspaces::detect::start::Unclear};
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
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
    /// A manifest or `splitter.json` is not what its format says.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The files of the package manager were refused.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// A URL in a file that builds read holds a secret.
    #[error(transparent)]
    SecretInUrl(#[from] SecretInUrl),
    /// There is no `package.json` beside the lockfile.
    #[error("no `package.json` at the root of the repository")]
    NoRootManifest,
    /// There is no lockfile that can be read.
    #[error("no `bun.lock` or `yarn.lock` at the root of the repository")]
    NoLockfile,
    /// There is only Bun's binary lockfile.
    #[error("`bun.lockb` is Bun's binary lockfile; splitter reads the text lockfile `bun.lock`")]
    BinaryLockfile,
    /// There is a lockfile of a package manager that is not supported.
    #[error("`{0}` is not supported; splitter reads `bun.lock` and `yarn.lock`")]
    UnsupportedLockfile(&'static str),
    /// There are two lockfiles.
    #[error("both `bun.lock` and `yarn.lock` are at the root of the repository{}", told_apart(pin.as_deref()))]
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
    /// The path of a patch does not stay in the repository.
    #[error("wrong path `{path}` of the patch of `{package}`: {reason}")]
    PatchPath {
        /// The package that is patched.
        package: String,
        /// The path as written.
        path: String,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// The folder of patches does not stay in the repository.
    #[error("wrong folder `{folder}` of patches for `patch-package`: {reason}")]
    PatchFolder {
        /// The folder as written.
        folder: String,
        /// The manifest whose script names it.
        file: RepoPath,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// A link does not stay in the repository.
    #[error("`{package}` links out of the repository (`{specifier}`): {reason}")]
    LinkPath {
        /// The package that is a link.
        package: String,
        /// The link as written.
        specifier: String,
        /// The manifest that has it.
        file: RepoPath,
        /// Where it stands.
        position: Position,
        /// What is wrong with it.
        reason: RepoPathError,
    },
    /// A link leads to what is known on one machine.
    #[error("package `{package}` is a link to `{target}`, which `bun link` makes known on one machine only")]
    LinkOfMachine {
        /// The package that is a link.
        package: String,
        /// The name that it leads to.
        target: String,
        /// Where it stands in `bun.lock`.
        position: Position,
    },
    /// Two workspaces have one name.
    #[error("two workspaces are named `{name}`: `{first}` and `{second}`")]
    EqualNames {
        /// The name.
        name: String,
        /// One folder.
        first: RepoPath,
        /// The other folder.
        second: RepoPath,
    },
    /// A package from a repository that cannot be fetched by a commit.
    #[error("package `{key}` is a {kind} dependency without a commit that can be fetched (`{resolution}`)")]
    NoCommit {
        /// Its key in the lockfile.
        key: String,
        /// `git` or `GitHub`.
        kind: &'static str,
        /// What the lockfile says, without a user name or a password.
        resolution: String,
        /// Where it says so.
        position: Position,
        /// The lockfile.
        file: &'static str,
    },
    /// Two entries of the lockfile want different bytes at one place.
    #[error("`{path}` is locked with two different integrities: {first} and {second}")]
    TwoIntegrities {
        /// The tarball's place in the fixed output.
        path: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A file that the lock set names is not there.
    #[error("`{path}` is named by {by}, but there is no such file")]
    Missing {
        /// The file.
        path: RepoPath,
        /// What names it.
        by: String,
    },
    /// `splitter.json` says something that cannot be.
    #[error("{reason}")]
    Config {
        /// What is wrong.
        reason: String,
    },
    /// A script that starts an app says more than which file it runs.
    #[error("the script `{}` of `{workspace}` is not understood: `{}` in `{}`", script.script, script.part, script.text)]
    UnclearStart {
        /// The app's folder.
        workspace: RepoPath,
        /// The script.
        script: Box<Unclear>,
    },
    /// `--app` or `splitter.json` names an app that is not there.
    #[error("there is no app `{name}`; the apps are {apps}")]
    NoSuchApp {
        /// The name.
        name: String,
        /// The apps that there are.
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
            Self::NoCommit { file, position, .. } => Some(Location::at(*file, *position)),
            Self::PatchFolder { file, .. } => Some(Location::file(file.as_str())),
            Self::LinkPath { file, position, .. } => Some(Location::at(file.as_str(), *position)),
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
            Self::UnclearStart { workspace, script } => return hints_for_start(workspace, &script.file),
            Self::NoLockfile => "`bun install` or `yarn install` writes one",
            Self::BinaryLockfile => {
                "`bun install --save-text-lockfile --frozen-lockfile --lockfile-only` writes it; then remove `bun.lockb`"
            }
            Self::TwoLockfiles { pin: Some(_) } => "remove the other one",
            Self::TwoLockfiles { pin: None } => {
                "remove the one that is not in use, or say in `packageManager` which package manager you use"
            }
            Self::NoCommit { .. } => {
                "expected are the 40 hexadecimal digits of a commit, at a URL of http, https, git or ssh: install again, so that \
                 the commit is locked, or depend on a version from the registry"
            }
            Self::TwoIntegrities { .. } => "an install of your package manager writes the lockfile anew",
            Self::Missing { .. } => "restore the file, or remove the entry that names it",
            Self::PatchPath { .. } | Self::PatchFolder { .. } => "move the patches into the repository",
            Self::LinkPath { .. } => {
                "a build has the repository alone: bring the folder into it, or publish it and depend on a version"
            }
            Self::LinkOfMachine { .. } => "name a folder of the repository: `link:./path/to/it`",
            Self::EqualNames { .. } => "give each workspace a name of its own",
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// How to say what starts an app. Names are quoted as JSON has them.
fn hints_for_start(workspace: &RepoPath, file: &str) -> Vec<String> {
    let [folder, file] = [workspace.to_string(), file.to_owned()].map(serde_json::Value::String);
    let choice = |key: &str, value: &str| format!("\"workspaces\": {{ {folder}: {{ \"{key}\": {value} }} }}");
    vec![
        format!(
            "the app's program runs one file and nothing else; name it in splitter.json: `{}`; variables, options and other \
             commands are not kept",
            choice("start", &file.to_string())
        ),
        format!("if it is no app: `{}`", choice("kind", "\"library\"")),
    ]
}

/// Which of two lockfiles is in use, as far as the manifest tells.
fn told_apart(pin: Option<&str>) -> String {
    let lockfile = match pin.and_then(|pin| pin.split('@').next()) {
        Some("bun") => BUN_LOCK,
        Some("yarn") => YARN_LOCK,
        _ => return String::new(),
    };
    format!("; `packageManager` (`{}`) uses `{lockfile}`", pin.unwrap_or_default())
}
