//! [`Git`]: the git program, run so that it sees what the git that started splitter sees.
//!
//! A hook inherits `GIT_INDEX_FILE` and, in a linked working tree, `GIT_DIR`. They name the commit that is being made,
//! so they are kept. If `GIT_DIR` is set and `GIT_WORK_TREE` is not, git takes the current folder for the top of the
//! working tree. That is wrong in a subfolder, so `GIT_WORK_TREE` is set as well. For other repositories, all these
//! variables are removed.

use std::{
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::RepoPath;
use crate::{
    diagnostic::{Category, Diagnose},
    ending::{self, Child, read_all},
    reading::{self, Refused},
};

/// The variables that tie git to one repository: the output of `git rev-parse --local-env-vars` of git 2.47, and one
/// more that older versions list.
pub const GIT_VARIABLES: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Files that git reads for nearly every command.
const READ_ALWAYS: [&str; 7] =
    [".git", ".git/HEAD", ".git/config", ".git/index", ".git/info/attributes", ".git/info/exclude", ".git/packed-refs"];

/// Why git failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Git could not be started.
    #[error("could not run git")]
    Start(#[source] io::Error),
    /// The folder is not in a git repository.
    #[error("`{0}` is not in a git repository")]
    NoRepository(Utf8PathBuf),
    /// The repository belongs to another user, so git does not read its settings.
    #[error("git does not use the repository of `{0}`, because it belongs to another user (\"dubious ownership\")")]
    OtherOwner(Utf8PathBuf),
    /// A file that git reads never ends or answers.
    #[error("could not run git: `{path}` is not a file that git can read: {why}")]
    Refused {
        /// The file.
        path: Utf8PathBuf,
        /// What it is.
        why: Refused,
    },
    /// Git ended with an error.
    #[error("`git {command}` failed: {message}")]
    Failed {
        /// The command, without its options.
        command: String,
        /// Its message.
        message: String,
    },
    /// Git's output could not be read.
    #[error("could not read the output of `git {0}`")]
    Answer(&'static str),
    /// An object is too large to read.
    #[error("the file is larger than {} MiB (git object {object})", crate::reading::MOST >> 20)]
    TooLarge {
        /// Its id.
        object: String,
    },
    /// An object of the index is missing.
    #[error("the content of `{path}` is missing: this partial clone has not fetched it")]
    Missing {
        /// The file.
        path: String,
    },
}

impl Diagnose for GitError {
    fn category(&self) -> Category {
        match self {
            Self::NoRepository(_) | Self::TooLarge { .. } | Self::Refused { .. } => Category::Input,
            _ => Category::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::OtherOwner(folder) => vec![format!(
                "change the owner of the repository, or, if you trust it, run `git config --global --add safe.directory \
                 {folder}` with the folder that holds `.git`"
            )],
            Self::Missing { path } => vec![format!("run `git show :{path}` to fetch it")],
            _ => Vec::new(),
        }
    }
}

/// Git in a folder.
#[derive(Debug, Clone)]
pub struct Git {
    folder: Utf8PathBuf,
    place: RepositoryChoice,
}

/// The repository that git works in.
#[derive(Debug, Clone)]
enum RepositoryChoice {
    /// The one that the environment and the folder give.
    Inherited,
    /// The one in the environment, with the top of its working tree.
    Named { git_dir: PathBuf, work_tree: PathBuf },
    /// The one that holds the folder. The environment is ignored.
    Folder,
}

impl Git {
    /// Runs git in `folder`, an absolute path.
    pub fn at(folder: &Utf8Path) -> Self {
        let here = env::current_dir().unwrap_or_default();
        let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(|value| here.join(value));
        let top = named("GIT_WORK_TREE").unwrap_or_else(|| here.clone());
        let is_inside = Path::new(folder).starts_with(&top) || top.starts_with(folder);
        let place = match named("GIT_DIR") {
            _ if !is_inside => RepositoryChoice::Folder,
            None => RepositoryChoice::Inherited,
            Some(git_dir) => RepositoryChoice::Named { git_dir, work_tree: top },
        };
        Self { folder: folder.to_owned(), place }
    }

    /// Runs git in the repository that holds `folder`. The environment is ignored.
    pub fn alone_at(folder: Utf8PathBuf) -> Self {
        Self { folder, place: RepositoryChoice::Folder }
    }

    /// Runs git in a submodule. Returns `None` if it is not checked out.
    pub(super) fn submodule(&self, path: &RepoPath) -> Option<Self> {
        let folder = path.on_disk(&self.folder);
        folder.join(".git").exists().then(|| Self::alone_at(folder))
    }

    /// Returns the folder that git runs in.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Builds a command. It takes no lock, asks no questions, and fetches nothing.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.folder).args(args);
        // [`GitError`] reads messages. A locale would also change how filters of the user see their texts.
        command.env("LANGUAGE", "C");
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
        match &self.place {
            RepositoryChoice::Inherited => {}
            RepositoryChoice::Named { git_dir, work_tree } => {
                command.env("GIT_DIR", git_dir).env("GIT_WORK_TREE", work_tree);
            }
            RepositoryChoice::Folder => GIT_VARIABLES.iter().for_each(|name| {
                command.env_remove(name);
            }),
        }
        command
    }

    /// Runs a command that must succeed, and returns its stdout.
    pub fn output(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.check()?;
        let Output { status, stdout, stderr } = ending::output(&mut self.command(args)).map_err(GitError::Start)?;
        if status.success() { Ok(stdout) } else { Err(self.failed(args, &stderr)) }
    }

    /// Refuses files that git would read without end: it opens a named pipe and waits.
    pub fn check(&self) -> Result<(), GitError> {
        for folder in self.folder.ancestors() {
            let place = folder.join(".git");
            for path in READ_ALWAYS.iter().map(|name| folder.join(name)) {
                if let Some(why) = reading::check(path.as_std_path()).err().as_ref().and_then(reading::refused)
                    && why != Refused::TooLarge
                {
                    return Err(GitError::Refused { path, why });
                }
            }
            if place.exists() {
                break;
            }
        }
        Ok(())
    }

    /// Runs a command and returns its stdout without the last line break, or `None` if it fails.
    pub fn ask(&self, args: &[&str]) -> Result<Option<String>, GitError> {
        match self.output(args) {
            Ok(output) => Ok(Some(String::from_utf8_lossy(&output).trim_end_matches(['\n', '\r']).to_owned())),
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs a command and returns the names that it prints, each terminated by a zero byte.
    pub(super) fn names(&self, args: &[&str]) -> Result<Vec<String>, GitError> {
        let output = self.output(args)?;
        let names = output.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Stores an object with this content, as git would store a file of this path. Returns its id.
    pub fn store(&self, content: &[u8], path: &str) -> Result<String, GitError> {
        let args = ["hash-object", "-w", "--stdin", "--path", path];
        let mut command = self.command(&args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(&mut command).map_err(GitError::Start)?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(content).map_err(GitError::Start)?;
        }
        // Both outputs are one line at most, so neither pipe fills up.
        let stdout = read_all(child.stdout.take()).map_err(GitError::Start)?;
        let stderr = read_all(child.stderr.take()).map_err(GitError::Start)?;
        let status = child.wait().map_err(GitError::Start)?;
        if !status.success() {
            return Err(self.failed(&args, &stderr));
        }
        Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
    }

    /// Returns a path in the folder relative to the top of the working tree, as git names it.
    pub fn prefixed(&self, path: &str) -> Result<String, GitError> {
        Ok(format!("{}{path}", self.ask(&["rev-parse", "--show-prefix"])?.unwrap_or_default()))
    }

    pub(super) fn failed(&self, args: &[&str], stderr: &[u8]) -> GitError {
        let message = String::from_utf8_lossy(stderr).trim().to_owned();
        if message.contains("dubious ownership") {
            return GitError::OtherOwner(self.folder.clone());
        }
        if message.contains("not a git repository") {
            return GitError::NoRepository(self.folder.clone());
        }
        GitError::Failed { command: args.first().copied().unwrap_or_default().to_owned(), message }
    }
}
