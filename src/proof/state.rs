//! States of a repository: a commit, the index or the working tree, each with its split and its derivations.

use std::fmt;

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location},
    parallel::both,
    repo::{
        Asks, Git, GitError, GitIndex, Snapshot, Staged, Tree, TreeError, WorkTree,
        states::{self, FileStates},
    },
    scaffold::{
        compare::{self, compare},
        record::{Kept, Record, RecordError},
    },
    split::{Choices, Split, SplitError, System, plan::Derivations},
};

/// The place of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A commit.
    Commit {
        /// The name that the user gave.
        name: String,
        /// The full id.
        id: String,
    },
    /// The files that git is about to commit.
    Index,
    /// The files on disk.
    WorkTree,
}

/// A repository in one state.
pub struct State {
    /// The place of the state.
    pub place: Place,
    /// The split.
    pub split: Split,
    /// The derivations.
    pub derivations: Derivations,
    /// The record, if there is one that can be read.
    pub record: Option<Record>,
    /// Whether there is no record, because `init` has not run.
    pub has_no_record: bool,
    /// Whether the record exists and is fresh. Only then Nix builds what the model says.
    pub is_recorded: bool,
    /// The folder with exactly this state, if there is one.
    pub folder: Option<Utf8PathBuf>,
    /// The files of the state.
    pub tree: Box<dyn Tree + Send>,
}

/// Why a state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The repository has no such commit.
    #[error("commit `{0}` not found")]
    UnknownCommit(String),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The files could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The state could not be split.
    #[error("in {place}: {source}")]
    Split {
        /// The place of the state.
        place: Place,
        /// The reason.
        source: Box<SplitError>,
    },
    /// The record could not be used.
    #[error("in {place}: {source}")]
    Record {
        /// The place of the state.
        place: Place,
        /// The reason.
        source: Box<RecordError>,
    },
}

impl StateError {
    /// Returns the error that this one wraps.
    fn inner(&self) -> Option<&dyn Diagnose> {
        match self {
            Self::UnknownCommit(_) => None,
            Self::Git(error) => Some(error),
            Self::Tree(error) => Some(error),
            Self::Split { source, .. } => Some(source.as_ref()),
            Self::Record { source, .. } => Some(source.as_ref()),
        }
    }
}

impl Diagnose for StateError {
    fn category(&self) -> Category {
        self.inner().map_or(Category::Input, Diagnose::category)
    }

    fn location(&self) -> Option<Location> {
        self.inner().and_then(Diagnose::location)
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownCommit(_) => {
                vec![
                    "name a commit, branch or tag of this clone; if the clone is shallow, fetch the commit first"
                        .to_owned(),
                ]
            }
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}

impl Place {
    /// Finds the commit that a user named.
    pub fn commit(git: &Git, name: &str) -> Result<Self, StateError> {
        let question = format!("{name}^{{commit}}");
        let answer = git.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &question])?;
        match answer.filter(|id| !id.is_empty()) {
            Some(id) => Ok(Self::Commit { name: name.to_owned(), id }),
            None => Err(StateError::UnknownCommit(name.to_owned())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit { name, id } if id.starts_with(name.as_str()) => f.write_str(&id[..name.len().max(7)]),
            Self::Commit { name, id } => write!(f, "{name} ({})", &id[..7.min(id.len())]),
            Self::Index => f.write_str("the staged files"),
            Self::WorkTree => f.write_str("the working tree"),
        }
    }
}

impl State {
    /// Reads a state of the repository at `root`.
    pub fn read(root: &WorkTree, git: &Git, place: Place) -> Result<Self, StateError> {
        let (tree, files): (Box<dyn Tree + Send>, FileStates) = match &place {
            Place::Commit { id, .. } => {
                let (tree, files) = both(|| GitIndex::of_commit(git.clone(), id), || states::of_commit(git, id));
                (Box::new(tree?), files?)
            }
            Place::Index => (Box::new(Staged::read(git.clone())?.index()?), states::of_index(git)?),
            Place::WorkTree => (Box::new(Snapshot::new(root.clone(), Asks::Whole)), states::of_work_tree(git, root)?),
        };
        let folder = (place == Place::WorkTree).then(|| root.root().to_owned());
        Ok(Self { folder, ..Self::of(tree, files, place)? })
    }

    /// Reads the working tree. Without git, the files come from a walk of the folder.
    pub fn of_working_tree(tree: &WorkTree) -> Result<Self, StateError> {
        let files = match states::of_work_tree(&Git::at(tree.root()), tree) {
            Err(TreeError::Git { source: GitError::NoRepository(_), .. }) => states::of_folder(tree)?,
            files => files?,
        };
        Self::of(Box::new(Snapshot::new(tree.clone(), Asks::Whole)), files, Place::WorkTree)
    }

    /// Builds the state of a tree with these files.
    pub fn of(tree: Box<dyn Tree + Send>, files: FileStates, place: Place) -> Result<Self, StateError> {
        let split = Split::read(tree.as_ref(), &Choices::default())
            .map_err(|source| StateError::Split { place: place.clone(), source: Box::new(source) })?;
        let mut has_no_record = false;
        let record = match compare::Recorded::read(tree.as_ref(), false) {
            Ok(recorded) => Some(recorded),
            // `update-hash` rewrites a broken record from the lockfile, so a broken record is no error here.
            Err(error @ (RecordError::Tree(_) | RecordError::TooNew { .. })) => {
                return Err(StateError::Record { place, source: Box::new(error) });
            }
            Err(error) => {
                has_no_record = matches!(error, RecordError::Absent);
                None
            }
        };
        let is_recorded = record.as_ref().is_some_and(|recorded| compare(&split, recorded).record_is_fresh());
        let record = record.map(|recorded| recorded.record);
        let older = || Kept::read(tree.as_ref()).ok().flatten().as_ref().map(Kept::recorded);
        let known = record.as_ref().map(Record::recorded).or_else(older).unwrap_or_default();
        let derivations = Derivations::of(&split, files, &known, system(&split));
        Ok(Self { place, split, derivations, record, has_no_record, is_recorded, folder: None, tree })
    }

    /// Returns the system that the derivations are for.
    pub fn system(&self) -> System {
        system(&self.split)
    }
}

/// Returns the system of this machine if the repository is built for it, or else the first system that it is built for.
fn system(split: &Split) -> System {
    let own = System::of_this_machine().ok().filter(|system| split.systems.contains(system));
    own.or_else(|| split.systems.first().copied()).unwrap_or(System::X8664Linux)
}
