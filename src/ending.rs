//! Child processes and temporary folders, which must end with the program.
//!
//! A signal ends the program without unwinding, so no destructor runs. [`leave_nothing`] does the cleanup first.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::parallel::both;

static PROCESSES: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
static FOLDERS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Attempts to remove a folder. Another thread may add a file at the same time.
const TRIES: usize = 10;

/// Stops other threads from starting processes or creating folders until the program has ended.
pub(crate) struct Ended {
    _processes: MutexGuard<'static, BTreeSet<u32>>,
    _folders: MutexGuard<'static, BTreeSet<PathBuf>>,
}

/// Ends all processes and removes all temporary folders. The program must end while it holds the result.
pub(crate) fn leave_nothing() -> Ended {
    let processes = lock(&PROCESSES);
    let folders = lock(&FOLDERS);
    end(&processes);
    for folder in folders.iter() {
        // If this fails, the next run removes folders of the cache.
        let _ = (0..TRIES).any(|_| fs_err::remove_dir_all(folder).is_ok());
    }
    Ended { _processes: processes, _folders: folders }
}

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks processes to end, so that git and Nix can end their children, then kills the rest.
#[cfg(unix)]
fn end(processes: &BTreeSet<u32>) {
    use std::{thread, time::Duration};

    use rustix::process::{Pid, Signal, kill_process};

    const PATIENCE: usize = 300;
    let mut left: Vec<Pid> =
        processes.iter().filter_map(|id| i32::try_from(*id).ok()).filter_map(Pid::from_raw).collect();
    for process in &left {
        let _ = kill_process(*process, Signal::TERM);
    }
    for _ in 0..PATIENCE {
        left.retain(|process| !has_ended(*process));
        if left.is_empty() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    for process in left {
        let _ = kill_process(process, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn end(_: &BTreeSet<u32>) {}

/// Returns whether a process has ended, without reaping it: its id stays valid.
#[cfg(unix)]
fn has_ended(process: rustix::process::Pid) -> bool {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(process), options), Ok(None))
}

/// A child process that ends with the program.
#[derive(Debug)]
pub(crate) struct Child(std::process::Child);

impl Child {
    /// Starts a process.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        // The lock is held, so that every started process is registered.
        let mut processes = lock(&PROCESSES);
        let child = command.spawn()?;
        processes.insert(child.id());
        Ok(Self(child))
    }

    /// Waits until the process ends.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.wait_for_end();
        // After reaping, another process may get this id.
        lock(&PROCESSES).remove(&self.0.id());
        self.0.wait()
    }

    #[cfg(unix)]
    fn wait_for_end(&self) {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
        if let Some(process) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
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
        &self.0
    }
}

impl DerefMut for Child {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        lock(&PROCESSES).remove(&self.0.id());
    }
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
pub(crate) struct Folder(Option<tempfile::TempDir>);

impl Folder {
    /// Creates a folder in `parent`. Its name begins with `prefix`.
    pub(crate) fn new(prefix: &str, parent: &Path) -> io::Result<Self> {
        let mut folders = lock(&FOLDERS);
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        folders.insert(folder.path().to_owned());
        Ok(Self(Some(folder)))
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), tempfile::TempDir::path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut folders = lock(&FOLDERS);
        if let Some(folder) = self.0.take() {
            folders.remove(folder.path());
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
        let id = child.id();
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
        end(&BTreeSet::from([child.id()]));
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()), Some(9));
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
