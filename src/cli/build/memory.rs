//! What is remembered of earlier builds of a repository, in the cache folder: the files of the last successful build of each
//! package, and how long each build took.
//!
//! Files are remembered by git's object ids. Their contents are in git; those that git does not have are kept here, so that the
//! model of the earlier state can be made again. A memory that cannot be read or written is ignored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::{
    fetch::{Cache, Environment},
    proof::{Place, State},
    reading,
    repo::{
        Git, GitIndex, RepoPath,
        states::{self, FileKind, FileState, FileStates},
    },
};

/// Changes with the form of the memory.
const FORMAT: u8 = 1;

/// The largest content that is kept, and the largest sum of all.
const LARGEST: usize = 4 << 20;
const ALL: usize = 32 << 20;

/// The memory of one repository.
pub(super) struct Memory {
    place: Option<(Utf8PathBuf, Utf8PathBuf)>,
    known: Known,
}

#[derive(Default, Serialize, Deserialize)]
struct Known {
    format: u8,
    /// The states of the repository, by a name.
    states: BTreeMap<String, Snapshot>,
    /// The state of the last successful build of each package.
    packages: BTreeMap<String, String>,
    /// The last time that each derivation took, in milliseconds.
    times: BTreeMap<String, u64>,
}

/// The files of a repository at one time.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    /// Object id and kind by path.
    files: BTreeMap<RepoPath, String>,
    /// Contents that git does not have, as Base64 by object id.
    contents: BTreeMap<String, String>,
}

impl Memory {
    /// Reads the memory of the repository at `root`.
    pub(super) fn of(root: &Utf8Path) -> Self {
        let folder = Cache::default_root(&Environment::of_process()).ok();
        let place = folder.map(|folder| {
            let name = blake3::hash(root.as_str().as_bytes()).to_hex();
            let file = folder.join("built").join(format!("{}.json", &name[..32]));
            (folder, file)
        });
        let read = |(_, file): &(Utf8PathBuf, Utf8PathBuf)| serde_json::from_slice(&reading::bytes(file).ok()?).ok();
        let known = place.as_ref().and_then(read).filter(|known: &Known| known.format == FORMAT).unwrap_or_default();
        Self { place, known }
    }

    /// Returns the time that a derivation took.
    pub(super) fn time(&self, name: &str) -> Option<u64> {
        self.known.times.get(name).copied()
    }

    /// Remembers the time that a derivation took.
    pub(super) fn took(&mut self, name: &str, milliseconds: u64) {
        self.known.times.insert(name.to_owned(), milliseconds);
    }

    /// Returns the states of the last successful builds of packages, by name, each with its packages.
    pub(super) fn states(&self, packages: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        let mut states: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (package, state) in self.known.packages.iter().filter(|(package, _)| packages.contains(*package)) {
            states.entry(state.clone()).or_default().insert(package.clone());
        }
        states
    }

    /// Returns whether a remembered state has exactly these files.
    pub(super) fn is_same(state: &str, files: &FileStates) -> bool {
        name_of(&listed(files)) == state
    }

    /// Makes a remembered state again. Returns nothing if git no longer has its files, or if this splitter cannot read it.
    pub(super) fn recall(&self, git: &Git, state: &str) -> Option<State> {
        let snapshot = self.known.states.get(state)?;
        let files: FileStates =
            snapshot.files.iter().map(|(path, text)| Some((path.clone(), read_state(text)?))).collect::<Option<_>>()?;
        let content =
            |(id, text): (&String, &String)| Some((id.clone(), data_encoding::BASE64.decode(text.as_bytes()).ok()?));
        let contents: Option<HashMap<String, Vec<u8>>> = snapshot.contents.iter().map(content).collect();
        let tree = GitIndex::of_states(git.clone(), &files, contents?);
        let place = Place::Index;
        State::of(Box::new(tree), files, place)
            .inspect_err(|error| tracing::debug!(%error, "could not read the state of the last build"))
            .ok()
    }

    /// Remembers that these packages were built from the files of a state.
    pub(super) fn keep(&mut self, git: &Git, state: &State, packages: impl IntoIterator<Item = String>) {
        let files = listed(state.derivations.files());
        let name = name_of(&files);
        let packages: Vec<String> = packages.into_iter().collect();
        if packages.is_empty() {
            return;
        }
        if !self.known.states.contains_key(&name) {
            let contents = contents(git, state);
            self.known.states.insert(name.clone(), Snapshot { files, contents });
        }
        self.known.packages.extend(packages.into_iter().map(|package| (package, name.clone())));
        let used: BTreeSet<&String> = self.known.packages.values().collect();
        self.known.states.retain(|name, _| used.contains(name));
    }

    /// Writes the memory.
    pub(super) fn write(&mut self) {
        self.known.format = FORMAT;
        let Some((cache, file)) = &self.place else { return };
        let Ok(text) = serde_json::to_vec(&self.known) else { return };
        if let Err(error) = Cache::open(cache).and_then(|cache| cache.write(file, &text)) {
            tracing::debug!(%error, "could not store what was built");
        }
    }
}

fn listed(files: &FileStates) -> BTreeMap<RepoPath, String> {
    let kind = |kind| match kind {
        FileKind::Plain => "",
        FileKind::Executable => " x",
        FileKind::Link => " l",
        FileKind::Submodule => " s",
    };
    files.iter().map(|(path, state)| (path.clone(), format!("{}{}", state.content, kind(state.kind)))).collect()
}

fn read_state(text: &str) -> Option<FileState> {
    let (content, kind) = match text.split_once(' ') {
        None => (text, FileKind::Plain),
        Some((content, "x")) => (content, FileKind::Executable),
        Some((content, "l")) => (content, FileKind::Link),
        Some((content, "s")) => (content, FileKind::Submodule),
        Some(_) => return None,
    };
    Some(FileState { content: content.to_owned(), kind })
}

fn name_of(files: &BTreeMap<RepoPath, String>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, state) in files {
        hasher.update(path.as_str().as_bytes()).update(b"\0").update(state.as_bytes()).update(b"\0");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Returns the contents that git does not have in this repository: of new and of changed files, and of files in submodules.
fn contents(git: &Git, state: &State) -> BTreeMap<String, String> {
    let index = states::listed(git).unwrap_or_default();
    let is_new =
        |(path, state): &(&RepoPath, &FileState)| index.get(*path).is_none_or(|known| known.content != state.content);
    let mut room = ALL;
    let mut contents = BTreeMap::new();
    for (path, file) in state.derivations.files().iter().filter(is_new) {
        let bytes = match file.kind {
            FileKind::Link => state.tree.link(path).ok().flatten().map(String::into_bytes),
            _ => state.tree.read(path).ok().flatten(),
        };
        let Some(bytes) = bytes.filter(|bytes| bytes.len() <= LARGEST.min(room)) else { continue };
        room -= bytes.len();
        contents.insert(file.content.clone(), data_encoding::BASE64.encode(&bytes));
    }
    contents
}
