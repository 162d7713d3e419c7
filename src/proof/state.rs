//! A state of a repository: a commit, the index or the work tree, split.

use std::fmt;

use camino::Utf8PathBuf;

use crate::{
    diagnostic::{Category, Diagnose, Location},
    parallel::both,
    repo::{
        Git, GitError, GitIndex, Staged, Tree, TreeError, WorkTree,
        states::{self, FileStates},
    },
    scaffold::{
        compare::{self, compare},
        record::{Kept, Record, RecordError},
    },
    split::{Choices, Split, SplitError, System, plan::Derivations},
};

/// Where a state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A commit.
    Commit {
        /// As it was named.
        name: String,
        /// Its id.
        id: String,
    },
    /// What git is about to commit.
    Index,
    /// The files as they lie on disk.
    WorkTree,
}

/// A repository in one state.
pub struct State {
    /// Where.
    pub place: Place,
    /// Its split.
    pub split: Split,
    /// Its derivations.
    pub derivations: Derivations,
    /// What is recorded of it.
    pub record: Option<Record>,
    /// Whether `splitter.lock.json` is there and right, so that Nix builds what the model says.
    pub is_recorded: bool,
    /// The folder that holds exactly this state, if any does.
    pub folder: Option<Utf8PathBuf>,
    /// The files of it.
    pub tree: Box<dyn Tree + Send>,
}

/// Why a state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Git knows no such commit.
    #[error("git knows no commit `{0}`")]
    UnknownCommit(String),
    /// Git did not answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Its files could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// It could not be split.
    #[error("in {place}: {source}")]
    Split {
        /// Where.
        place: Place,
        /// Why.
        source: Box<SplitError>,
    },
    /// Its record was refused.
    #[error("in {place}: {source}")]
    Record {
        /// Where.
        place: Place,
        /// Why.
        source: Box<RecordError>,
    },
}

impl StateError {
    /// The error that this one puts into its place.
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
        self.inner().map(Diagnose::hints).unwrap_or_default()
    }
}

impl Place {
    /// The commit that a user named.
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
            Self::Index => f.write_str("the index"),
            Self::WorkTree => f.write_str("the work tree"),
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
            Place::WorkTree => (Box::new(root.clone()), states::of_work_tree(git, root)?),
        };
        let folder = (place == Place::WorkTree).then(|| root.root().to_owned());
        Ok(Self { folder, ..Self::of(tree, files, place)? })
    }

    /// The state of a tree with these files.
    pub fn of(tree: Box<dyn Tree + Send>, files: FileStates, place: Place) -> Result<Self, StateError> {
        let split = Split::read(tree.as_ref(), &Choices::default())
            .map_err(|source| StateError::Split { place: place.clone(), source: Box::new(source) })?;
        let record = match compare::Recorded::read(tree.as_ref(), false) {
            Ok(recorded) => Some(recorded),
            // What cannot be read is written anew from the lockfile, but for what an update keeps of it.
            Err(error @ (RecordError::Tree(_) | RecordError::TooNew { .. })) => {
                return Err(StateError::Record { place, source: Box::new(error) });
            }
            Err(_) => None,
        };
        let is_recorded = record.as_ref().is_some_and(|recorded| compare(&split, recorded).record_is_fresh());
        let record = record.map(|recorded| recorded.record);
        let older = || Kept::read(tree.as_ref()).ok().flatten().as_ref().map(Kept::recorded);
        let known = record.as_ref().map(Record::recorded).or_else(older).unwrap_or_default();
        let derivations = Derivations::of(&split, files, &known, system(&split));
        Ok(Self { place, split, derivations, record, is_recorded, folder: None, tree })
    }

    /// The system whose derivations it has.
    pub fn system(&self) -> System {
        system(&self.split)
    }
}

/// This machine's system where the repository is built for it, else the first that it is built for.
fn system(split: &Split) -> System {
    let own = System::of_this_machine().ok().filter(|system| split.systems.contains(system));
    own.or_else(|| split.systems.first().copied()).unwrap_or(System::X8664Linux)
}
