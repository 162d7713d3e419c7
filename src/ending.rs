//! Child processes and temporary folders, which must end with the program.
//!
//! A signal ends the program without unwinding, so no destructor runs. [`leave_nothing`] does the cleanup first.

mod guardian;
mod leftovers;

pub(crate) use self::leftovers::remove_all;

use std::{
    collections::BTreeSet,
    io::{self, Read},
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::parallel::both;

static PROCESSES: Mutex<BTreeSet<Started>> = Mutex::new(BTreeSet::new());
static FOLDERS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Attempts to remove a folder. Another thread may add a file at the same time.
const TRIES: usize = 10;

/// Stops other threads from starting processes or creating folders until the program has ended.
pub(crate) struct Ended {
    _processes: MutexGuard<'static, BTreeSet<Started>>,
    _folders: MutexGuard<'static, BTreeSet<PathBuf>>,
}

/// Ends all processes and removes all temporary folders. The program must end while it holds the result.
pub(crate) fn leave_nothing() -> Ended {
    let processes = lock(&PROCESSES);
    let folders = lock(&FOLDERS);
    end(&processes);
    for folder in folders.iter() {
        // If this fails, the next run removes folders of the cache.
        let _ = (0..TRIES).any(|_| remove_all(folder).is_ok());
    }
    Ended { _processes: processes, _folders: folders }
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks processes to end, so that git and Nix can end their children, then kills the rest.
#[cfg(unix)]
fn end(processes: &BTreeSet<Started>) {
    use std::{thread, time::Duration};

    use rustix::process::Signal;

    const PATIENCE: usize = 300;
    let mut left: Vec<Started> = processes.iter().copied().collect();
    for process in &left {
        process.send(Signal::TERM);
    }
    for _ in 0..PATIENCE {
        left.retain(|process| !process.pid().is_none_or(has_ended));
        if left.is_empty() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    for process in left {
        process.kill();
    }
}

#[cfg(not(unix))]
fn end(_: &BTreeSet<Started>) {}

/// Returns whether a process has ended, without reaping it: its id stays valid.
#[cfg(unix)]
fn has_ended(process: rustix::process::Pid) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(process), options), Ok(None))
}

/// A child process that ends with the program.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    started: Started,
}

/// A started process, as signals name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Started {
    id: u32,
    /// Whether it has a process group of its own.
    is_group: bool,
}

impl Child {
    /// Starts a process.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        Self::start(command, false)
    }

    /// Starts a process that starts others. They form a group, and end together. It must not read from the terminal.
    pub(crate) fn spawn_with_helpers(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        Self::start(command, cfg!(unix))
    }

    fn start(command: &mut Command, is_group: bool) -> io::Result<Self> {
        // The lock is held, so that every started process is registered.
        let mut processes = lock(&PROCESSES);
        guardian::prepare();
        let process = command.spawn()?;
        let started = Started { id: process.id(), is_group };
        processes.insert(started);
        guardian::watch(started);
        Ok(Self { process, started })
    }

    /// Kills the process and its helpers. It still has to be waited for.
    pub(crate) fn kill(&self) {
        // A reaped process is no longer registered, and another one may have its id.
        if lock(&PROCESSES).contains(&self.started) {
            self.started.kill();
        }
    }

    /// Waits until the process ends.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.wait_for_end();
        self.forget();
        self.process.wait()
    }

    /// After reaping, another process may get this id.
    fn forget(&self) {
        if lock(&PROCESSES).remove(&self.started) {
            guardian::leave(self.started);
        }
    }

    #[cfg(unix)]
    fn wait_for_end(&self) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        if let Some(process) = self.started.pid() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(process), options), Err(rustix::io::Errno::INTR)) {}
        }
    }

    #[cfg(not(unix))]
    fn wait_for_end(&self) {}
}

impl Deref for Child {
    type Target = std::process::Child;

    fn deref(&self) -> &Self::Target {
        &self.process
    }
}

impl DerefMut for Child {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.process
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.forget();
    }
}

impl Started {
    #[cfg(unix)]
    fn pid(self) -> Option<rustix::process::Pid> {
        i32::try_from(self.id).ok().and_then(rustix::process::Pid::from_raw)
    }

    #[cfg(unix)]
    fn send(self, signal: rustix::process::Signal) {
        use rustix::process::{kill_process, kill_process_group};
        let Some(process) = self.pid() else { return };
        // It may have ended.
        let _ = if self.is_group { kill_process_group(process, signal) } else { kill_process(process, signal) };
    }

    #[cfg(unix)]
    fn kill(self) {
        self.send(rustix::process::Signal::KILL);
    }

    #[cfg(not(unix))]
    fn kill(self) {}
}

/// Runs a process without input, and returns its output.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    let mut child = Child::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stderr, stdout) = both(|| read_all(stderr), || read_all(stdout));
    Ok(Output { status: child.wait()?, stdout: stdout?, stderr: stderr? })
}

/// Reads a pipe to its end.
pub(crate) fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// A temporary folder, removed on drop or when the program ends.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: Option<tempfile::TempDir>,
    /// Held while the run uses the folder.
    _lock: Option<std::fs::File>,
}

impl Folder {
    /// Creates a folder in `parent`. Its name begins with `prefix`.
    pub(crate) fn new(prefix: &str, parent: &Path) -> io::Result<Self> {
        let mut folders = lock(&FOLDERS);
        let folder = tempfile::Builder::new().prefix(prefix).rand_bytes(leftovers::RANDOM).tempdir_in(parent)?;
        folders.insert(folder.path().to_owned());
        let lock = leftovers::lock(folder.path());
        Ok(Self { folder: Some(folder), _lock: lock })
    }

    /// Creates a folder in the temporary folder of this machine, and removes those that killed runs have left there.
    pub(crate) fn in_temporary(prefix: &str) -> io::Result<Self> {
        Self::without_leftovers(prefix, &std::env::temp_dir())
    }

    /// Creates a folder in `parent`, and removes those that killed runs have left there.
    pub(crate) fn without_leftovers(prefix: &str, parent: &Path) -> io::Result<Self> {
        leftovers::remove(prefix, parent);
        Self::new(prefix, parent)
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), tempfile::TempDir::path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut folders = lock(&FOLDERS);
        if let Some(folder) = self.folder.take() {
            folders.remove(folder.path());
            // A store in it has read-only folders. What is left is removed by the next run.
            let _ = remove_all(&folder.keep());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_writes_and_how_it_ends_is_known() {
        let output = output(Command::new("sh").args(["-c", "yes | head -c 300000; yes | head -c 300000 >&2; exit 3"]));
        let Output { status, stdout, stderr } = output.unwrap();
        assert_eq!((status.code(), stdout.len(), stderr.len()), (Some(3), 300_000, 300_000));
    }

    #[test]
    fn a_process_is_known_until_its_status_is_asked_for() {
        let mut child = Child::spawn(Command::new("sleep").arg("60").stdin(Stdio::null())).unwrap();
        let id = child.started;
        assert!(lock(&PROCESSES).contains(&id));
        end(&BTreeSet::from([id]));
        assert!(!child.wait().unwrap().success());
        assert!(!lock(&PROCESSES).contains(&id));
    }

    #[test]
    fn a_process_that_does_not_heed_the_signal_is_killed() {
        let script = "trap '' TERM; echo ready; while :; do sleep 60; done";
        let mut child = Child::spawn(Command::new("sh").args(["-c", script]).stdout(Stdio::piped())).unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 6]).unwrap();
        end(&BTreeSet::from([child.started]));
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()), Some(9));
    }

    #[cfg(unix)]
    #[test]
    fn read_only_folders_go_too() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new("test-", &std::env::temp_dir()).unwrap();
        let path = folder.path().to_owned();
        let inner = path.join("store/path/lib");
        fs_err::create_dir_all(&inner).unwrap();
        fs_err::write(inner.join("file"), "").unwrap();
        for folder in [inner.as_path(), inner.parent().unwrap()] {
            fs_err::set_permissions(folder, std::fs::Permissions::from_mode(0o555)).unwrap();
        }
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_goes_when_it_is_dropped() {
        let folder = Folder::new("test-", &std::env::temp_dir()).unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir() && lock(&FOLDERS).contains(&path));
        drop(folder);
        assert!(!path.exists() && !lock(&FOLDERS).contains(&path));
    }
}
