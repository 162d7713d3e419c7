//! The journal of a run that writes files. With it, the next run can recover from a killed one.
//!
//! The journal lies at the root of the repository while files are written, and the writing run holds a lock on it. It
//! lists every file with digests of the old and the new content. New contents are written beside their targets. When all
//! are there, the journal gets a second line. Without that line nothing has been replaced, and the next run removes the
//! new contents. With it, the next run completes the replacement.
//!
//! A repository is not trusted, and neither is a journal in it. A file is only replaced or removed if its content and the
//! new one match the journal, and if its path does not leave the repository through a symbolic link.

use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::read_if_there;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    reading,
    repo::RepoPath,
};

/// The name of the journal.
pub const FILE: &str = ".splitter-journal";

/// The prefix of the names of new contents beside their targets.
pub const TEMPORARY: &str = ".splitter-new-";

/// The second line of a journal.
const COMPLETE: &str = "complete";

/// The changes that a run is about to make.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) files: Vec<JournalEntry>,
    /// Folders to create, parents first.
    pub(super) folders: Vec<RepoPath>,
}

/// Digests of a file before and after; `None` for no file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct JournalEntry {
    pub(super) path: RepoPath,
    before: Option<String>,
    after: Option<String>,
}

impl JournalEntry {
    pub(super) fn new(path: &RepoPath, before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        Self { path: path.clone(), before: before.map(digest), after: after.map(digest) }
    }
}

fn digest(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

/// How the files of an interrupted run were recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// No file had been replaced. Its temporary files were removed.
    Removed,
    /// Some files had been replaced. All of them are now.
    Completed,
    /// Some files had been replaced, and some have changed since. They were left alone.
    Changed,
}

/// The journal of this run, locked.
pub(super) struct Journal {
    file: fs::File,
    path: Utf8PathBuf,
}

impl Journal {
    /// Begins a journal. Waits for a running splitter, and recovers from an interrupted one.
    pub(super) fn begin(root: &Utf8Path) -> io::Result<Self> {
        loop {
            let mut journal = Self::open(root, true)?;
            if journal.is_current()? {
                journal.recover(root)?;
                journal.file.file().set_len(0)?;
                return Ok(journal);
            }
        }
    }

    fn open(root: &Utf8Path, is_new: bool) -> io::Result<Self> {
        let path = root.join(FILE);
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other(format!("`{path}` is not a file; remove it")));
        }
        let file = fs::File::options().create(is_new).read(true).append(true).open(&path)?;
        match file.file().lock() {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Self { file, path }),
        }
    }

    /// Whether the opened file is still the journal. A run that ends removes its own.
    #[cfg(unix)]
    fn is_current(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let opened = self.file.metadata()?;
        Ok(fs::metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == (opened.dev(), opened.ino())))
    }

    #[cfg(not(unix))]
    fn is_current(&self) -> io::Result<bool> {
        Ok(self.path.is_file())
    }

    /// Writes the first line: the changes to make.
    pub(super) fn plan(&mut self, plan: &Plan) -> io::Result<()> {
        self.file.write_all(format!("{}\n", serde_json::to_string(plan)?).as_bytes())
    }

    /// Writes the second line: all new contents lie beside their targets.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        self.file.write_all(format!("{COMPLETE}\n").as_bytes())?;
        self.file.file().sync_data()
    }

    /// Removes the journal. If that fails, the next run finds nothing to do.
    pub(super) fn end(self) {
        let _ = fs::remove_file(&self.path);
    }

    fn recover(&mut self, root: &Utf8Path) -> io::Result<Option<Recovered>> {
        let mut bytes = Vec::new();
        reading::check(self.path.as_std_path())?;
        self.file.read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let (plan, is_complete) = parse(&bytes);
        if !is_complete {
            clear(root, &plan);
            plan.folders.iter().rev().for_each(|folder| {
                let _ = fs::remove_dir(folder.on_disk(root));
            });
            return Ok(Some(Recovered::Removed));
        }
        let recovered = complete(root, &plan)?;
        clear(root, &plan);
        Ok(Some(recovered))
    }
}

/// A repository with some old and some new files.
#[derive(Debug, thiserror::Error)]
#[error("an earlier run of splitter was interrupted while it replaced files; some are old, some are new")]
pub struct HalfWritten;

impl Diagnose for HalfWritten {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        Some(Location::file(FILE))
    }

    fn hints(&self) -> Vec<String> {
        vec!["run `splitter update-hash` to replace the rest".to_owned()]
    }
}

/// Recovers from a run that was interrupted while it wrote files to the repository at `root`.
pub fn recover(root: &Utf8Path) -> io::Result<Option<Recovered>> {
    match Journal::open(root, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(mut journal) if journal.is_current()? => {
            let recovered = journal.recover(root)?;
            journal.end();
            Ok(recovered)
        }
        // The other run has ended normally.
        Ok(_) => Ok(None),
    }
}

/// Whether a run was interrupted while it replaced files, which leaves some old and some new ones.
pub fn is_half_written(root: &Utf8Path) -> bool {
    let path = root.join(FILE);
    // Looked at first: opening a named pipe would wait.
    if reading::check(path.as_std_path()).is_err() {
        return false;
    }
    let Ok(file) = fs::File::open(&path) else { return false };
    // A run that is still writing holds the lock.
    if file.file().try_lock_shared().is_err() {
        return false;
    }
    let (plan, is_complete) = reading::bytes(&path).map(|bytes| parse(&bytes)).unwrap_or_default();
    let is_new = |entry: &JournalEntry| current(root, entry).is_ok_and(|now| now == entry.after);
    is_complete && !plan.files.iter().all(is_new)
}

/// Returns the plan of a journal, and whether its second line is there. An incomplete first line means that nothing was
/// written.
fn parse(bytes: &[u8]) -> (Plan, bool) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let plan: Option<Plan> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let is_complete = plan.is_some() && lines.next() == Some(COMPLETE);
    (plan.unwrap_or_default(), is_complete)
}

fn current(root: &Utf8Path, entry: &JournalEntry) -> io::Result<Option<String>> {
    Ok(read_if_there(&entry.path.on_disk(root))?.as_deref().map(digest))
}

/// Replaces the remaining files, unless one has changed since.
fn complete(root: &Utf8Path, plan: &Plan) -> io::Result<Recovered> {
    let mut open = Vec::new();
    for entry in &plan.files {
        let now = current(root, entry)?;
        if now == entry.after {
            continue;
        }
        let new = read_if_there(&temporary(&entry.path.on_disk(root)))?.as_deref().map(digest);
        if now != entry.before || new != entry.after || !lies_within(root, &entry.path) {
            return Ok(Recovered::Changed);
        }
        open.push(entry);
    }
    open.into_iter().try_for_each(|entry| replace(&entry.path, root, entry.after.is_some()))?;
    Ok(Recovered::Completed)
}

/// Whether the path of a file stays inside the repository.
fn lies_within(root: &Utf8Path, path: &RepoPath) -> bool {
    let real = |path: &Utf8Path| fs::canonicalize(path).ok();
    let (folder, root) = (real(&path.parent().on_disk(root)), real(root));
    folder.zip(root).is_some_and(|(folder, root)| folder.starts_with(root))
}

/// Returns the place of a file's new content before it replaces the old one.
pub fn temporary(target: &Utf8Path) -> Utf8PathBuf {
    target.with_file_name(format!("{TEMPORARY}{}", target.file_name().unwrap_or_default()))
}

/// Moves the new content into place, or removes the file if it has none.
pub(super) fn replace(path: &RepoPath, root: &Utf8Path, has_content: bool) -> io::Result<()> {
    let target = path.on_disk(root);
    if has_content { fs::rename(temporary(&target), &target) } else { fs::remove_file(&target) }
}

/// Removes new contents beside their targets.
pub(super) fn clear(root: &Utf8Path, plan: &Plan) {
    for entry in plan.files.iter().filter(|entry| lies_within(root, &entry.path)) {
        // Most do not exist. A leftover does no harm.
        let _ = fs::remove_file(temporary(&entry.path.on_disk(root)));
    }
}
