//! The journal of a run that writes files: what makes a killed run whole again.
//!
//! It lies at the root of the repository while files are being written, and is locked by the run that writes them. It lists
//! every file with digests of its old and its new content. New contents lie beside their targets. When all of them do, the
//! journal gets a second line. Without that line, nothing has been replaced yet, and the next run removes what is there.
//! With it, the next run completes the set.
//!
//! A repository is not trusted, and neither is a journal in it. A file is only replaced or removed if its content and the new
//! one are those of the journal, and if it does not lie behind a link that leaves the repository.

use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::read_if_there;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    repo::RepoPath,
};

/// The journal's name.
pub const FILE: &str = ".splitter-journal";

/// What the names of new contents beside their targets begin with.
pub const TEMPORARY: &str = ".splitter-new-";

/// The second line.
const COMPLETE: &str = "complete";

/// Everything that a run is about to write.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) files: Vec<JournalEntry>,
    /// Folders that are made for the files.
    pub(super) folders: Vec<RepoPath>,
}

/// A file before and after, as digests; none if there is no file.
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

/// What became of a run that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// It had replaced nothing. What it left was removed.
    Removed,
    /// It had begun to replace files. All of them are replaced now.
    Completed,
    /// It had begun to replace files, and some were changed since. They were left alone.
    Changed,
}

/// The journal of this run. It is locked.
pub(super) struct Journal {
    file: fs::File,
    path: Utf8PathBuf,
}

impl Journal {
    /// Begins one. Waits for a run that is writing, and recovers from one that was cut off.
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

    /// Whether the file that was opened is still the journal. The run that was waited for has removed its own.
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

    /// Says what will be written.
    pub(super) fn plan(&mut self, plan: &Plan) -> io::Result<()> {
        self.file.write_all(format!("{}\n", serde_json::to_string(plan)?).as_bytes())
    }

    /// Says that all new contents lie beside their targets.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        self.file.write_all(format!("{COMPLETE}\n").as_bytes())?;
        self.file.file().sync_data()
    }

    /// Ends it. If it cannot be removed, the next run finds that there is nothing to do.
    pub(super) fn end(self) {
        let _ = fs::remove_file(&self.path);
    }

    fn recover(&mut self, root: &Utf8Path) -> io::Result<Option<Recovered>> {
        let mut bytes = Vec::new();
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

/// A repository has some old and some new files.
#[derive(Debug, thiserror::Error)]
#[error("an earlier run of splitter was cut off while it replaced files: some are old, some are new")]
pub struct HalfWritten;

impl Diagnose for HalfWritten {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        Some(Location::file(FILE))
    }

    fn hints(&self) -> Vec<String> {
        vec!["run `splitter update-hash`, which replaces the rest".to_owned()]
    }
}

/// Recovers from a run that was cut off while it wrote files to the repository at `root`.
pub fn recover(root: &Utf8Path) -> io::Result<Option<Recovered>> {
    match Journal::open(root, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(mut journal) if journal.is_current()? => {
            let recovered = journal.recover(root)?;
            journal.end();
            Ok(recovered)
        }
        // The run that was waited for has ended well.
        Ok(_) => Ok(None),
    }
}

/// Whether a run was cut off after it had begun to replace files, so that the repository has some old and some new ones.
pub fn is_half_written(root: &Utf8Path) -> bool {
    let path = root.join(FILE);
    let Ok(file) = fs::File::open(&path) else { return false };
    // A run that is still writing has it locked.
    if !path.is_file() || file.file().try_lock_shared().is_err() {
        return false;
    }
    let (plan, is_complete) = fs::read(&path).map(|bytes| parse(&bytes)).unwrap_or_default();
    let is_new = |entry: &JournalEntry| current(root, entry).is_ok_and(|now| now == entry.after);
    is_complete && !plan.files.iter().all(is_new)
}

/// A journal, and whether it has its second line. One that was cut off in its first line lists nothing: nothing was begun.
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

/// Replaces what a run has not, unless a file was changed since.
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

/// Whether no link leads out of the repository on the way to a file.
fn lies_within(root: &Utf8Path, path: &RepoPath) -> bool {
    let real = |path: &Utf8Path| fs::canonicalize(path).ok();
    let (folder, root) = (real(&path.parent().on_disk(root)), real(root));
    folder.zip(root).is_some_and(|(folder, root)| folder.starts_with(root))
}

/// Where the new content of a file lies before it replaces the old one.
pub fn temporary(target: &Utf8Path) -> Utf8PathBuf {
    target.with_file_name(format!("{TEMPORARY}{}", target.file_name().unwrap_or_default()))
}

/// Puts the new content in place, or removes the file if it has none.
pub(super) fn replace(path: &RepoPath, root: &Utf8Path, has_content: bool) -> io::Result<()> {
    let target = path.on_disk(root);
    if has_content { fs::rename(temporary(&target), &target) } else { fs::remove_file(&target) }
}

/// Removes new contents that lie beside their targets.
pub(super) fn clear(root: &Utf8Path, plan: &Plan) {
    for entry in plan.files.iter().filter(|entry| lies_within(root, &entry.path)) {
        // Most are not there. One that cannot be removed harms nothing.
        let _ = fs::remove_file(temporary(&entry.path.on_disk(root)));
    }
}
