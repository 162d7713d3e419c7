//! Runs git so that it never prompts, and ends when its caller does.

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use fs_err as fs;
use url::Url;

use super::{Credentials, FetchGitError};
use crate::{ending::Child, repo::GIT_VARIABLES};

/// The longest output that is kept in memory, in bytes.
const MOST_OUTPUT: u64 = 64 << 20;

/// The largest repository that git may fetch, in bytes.
const MOST_WRITTEN: u64 = 4 << 30;

/// The fewest bytes that count as progress. A server that sends a byte each second makes none.
const PROGRESS: u64 = 1024;

/// The longest time between two looks at the progress.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest part of git's messages that is kept, in bytes. Git's progress is in the same pipe.
const LONGEST_MESSAGE: usize = 64 << 10;

/// Git in a temporary bare repository.
pub(super) struct BareGit {
    program: OsString,
    folder: PathBuf,
    running: Arc<Running>,
    /// The longest time without progress.
    stall: Duration,
}

/// The result of a finished git process.
struct Ended {
    status: ExitStatus,
    stderr: String,
}

impl BareGit {
    pub(super) fn new(program: OsString, folder: &Path, running: Arc<Running>, stall: Duration) -> Self {
        Self { program, folder: folder.to_owned(), running, stall }
    }

    /// Creates the repository.
    pub(super) fn init(&self) -> Result<(), FetchGitError> {
        let mut command = self.command();
        // The user's templates may contain hooks.
        command.args(["init", "--quiet", "--bare", "--template="]).arg(&self.folder);
        self.expect(&mut command, Vec::new()).map(drop)
    }

    /// Fetches `refs` from `url`.
    pub(super) fn fetch(
        &self,
        url: &Url,
        credentials: Credentials,
        options: &[&str],
        refs: &[&str],
    ) -> Result<(), FetchGitError> {
        let mut command = self.command();
        command.args(["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60"]);
        if credentials == Credentials::None {
            command.args(["-c", "credential.helper="]);
        }
        if url.scheme() == "ssh" && !self.has_ssh_of_its_own()? {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20");
        }
        command.args(["fetch", "--progress", "--no-recurse-submodules", "--no-auto-maintenance"]);
        command.args(options).arg("--").arg(url.as_str()).args(refs);
        let ended = self.end(&mut command)?;
        if ended.status.success() { Ok(()) } else { Err(FetchGitError::of_fetch(&ended.stderr, url)) }
    }

    /// Whether the repository has the commit.
    pub(super) fn has(&self, id: &str) -> Result<bool, FetchGitError> {
        let mut command = self.command();
        command.args(["cat-file", "-e"]).arg(format!("{id}^{{commit}}"));
        Ok(self.end(&mut command)?.status.success())
    }

    /// Runs a command whose output does not matter.
    fn end(&self, command: &mut Command) -> Result<Ended, FetchGitError> {
        let discard = |mut stdout: ChildStdout| Ok(io::copy(&mut stdout, &mut io::sink())?);
        self.run(command, Vec::new(), discard).map(|(ended, _)| ended)
    }

    /// Runs a command that only reads the repository, with this stdin. Returns its stdout.
    pub(super) fn read(&self, arguments: &[&str], stdin: Vec<u8>) -> Result<Vec<u8>, FetchGitError> {
        self.expect(self.command().args(arguments), stdin)
    }

    /// Whether the user has configured a replacement for ssh.
    fn has_ssh_of_its_own(&self) -> Result<bool, FetchGitError> {
        if ["GIT_SSH_COMMAND", "GIT_SSH"].iter().any(|name| std::env::var_os(name).is_some()) {
            return Ok(true);
        }
        let mut command = self.command();
        command.args(["config", "--get", "core.sshCommand"]);
        Ok(self.end(&mut command)?.status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // A git hook may run splitter, and sets such variables. `GIT_CONFIG_*` stays, since it may configure
        // credentials.
        for variable in GIT_VARIABLES.iter().filter(|variable| !variable.starts_with("GIT_CONFIG_")) {
            command.env_remove(variable);
        }
        command.env("GIT_DIR", &self.folder).current_dir(&self.folder);
        command.env("GIT_NO_REPLACE_OBJECTS", "1");
        // Large contents are streamed. Anything else of such a size, such as a tree, is refused.
        command.env("GIT_ALLOC_LIMIT", "256m");
        command.args(["-c", "core.bigFileThreshold=16m", "-c", "pack.threads=2"]);
        // `FetchGitError` reads git's untranslated messages.
        command.env("LC_ALL", "C").env_remove("LANGUAGE");
        // No prompts. An empty GIT_ASKPASS overrides any other configured program.
        command.envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_ASKPASS", ""), ("GCM_INTERACTIVE", "never")]);
        command
    }

    fn expect(&self, command: &mut Command, stdin: Vec<u8>) -> Result<Vec<u8>, FetchGitError> {
        let (ended, stdout) = self.run(command, stdin, |mut stdout| {
            let mut bytes = Vec::new();
            (&mut stdout).take(MOST_OUTPUT + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        })?;
        let stdout = stdout?;
        if stdout.len() as u64 > MOST_OUTPUT {
            return Err(FetchGitError::TooMuch { what: "a list of files, or a commit, is longer than 64 MiB" });
        }
        ended.done().map(|()| stdout)
    }

    /// Runs a command that only reads the repository. `read` gets its stdout. If it fails, git is ended and the failure counts.
    pub(super) fn read_through<T: Send>(
        &self,
        arguments: &[&str],
        stdin: Vec<u8>,
        read: impl FnOnce(&mut dyn BufRead) -> Result<T, FetchGitError> + Send,
    ) -> Result<T, FetchGitError> {
        let (ended, found) =
            self.run(self.command().args(arguments), stdin, |stdout| read(&mut BufReader::new(stdout)))?;
        let found = found?;
        ended.done().map(|()| found)
    }

    /// Runs a process. `read` reads its stdout. What it leaves unread ends the process.
    fn run<T: Send>(
        &self,
        command: &mut Command,
        stdin: Vec<u8>,
        read: impl FnOnce(ChildStdout) -> Result<T, FetchGitError> + Send,
    ) -> Result<(Ended, Result<T, FetchGitError>), FetchGitError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn_with_helpers(command).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FetchGitError::NotInstalled,
            _ => FetchGitError::Io(error),
        })?;
        let (input, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        self.running.begin(child);
        let said = AtomicU64::new(0);
        let (stdout, stderr, cut) = thread::scope(|scope| {
            // If git ends early, its own message says more than the write error.
            scope.spawn(move || input.map(|mut input| input.write_all(&stdin)));
            let stderr = scope.spawn(|| tail(stderr, &said));
            let (over, is_over) = mpsc::channel::<()>();
            let said = &said;
            let watch = scope.spawn(move || self.watch(&is_over, said));
            // Dropping the pipe ends a git that has more to say.
            let read = stdout.map_or_else(|| Err(io::Error::from(io::ErrorKind::BrokenPipe).into()), read);
            if read.is_err() {
                self.running.kill();
            }
            let stderr = stderr.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            drop(over);
            (read, stderr, watch.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let status = self.running.wait()?;
        match cut {
            Some(error) => Err(error),
            None => Ok((Ended { status, stderr: String::from_utf8_lossy(&stderr?).into_owned() }, stdout)),
        }
    }

    /// Ends git if it makes no progress, or if the repository grows too large. Returns the reason, if it did.
    ///
    /// Progress is what git says, which includes the steps of `--progress`, or what it writes into the repository.
    fn watch(&self, is_over: &mpsc::Receiver<()>, said: &AtomicU64) -> Option<FetchGitError> {
        let mut seen = 0;
        let mut since = Instant::now();
        let pause = (self.stall / 20).min(LONGEST_PAUSE);
        while is_over.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
            let written = size_of(&self.folder);
            if written > MOST_WRITTEN {
                self.running.kill();
                return Some(FetchGitError::TooMuch { what: "what git received is larger than 4 GiB" });
            }
            let now = written + said.load(Ordering::Relaxed);
            if now >= seen + PROGRESS {
                (seen, since) = (now, Instant::now());
            }
            if since.elapsed() >= self.stall {
                self.running.kill();
                return Some(FetchGitError::Stalled { after: self.stall });
            }
        }
        None
    }
}

impl Ended {
    fn done(self) -> Result<(), FetchGitError> {
        if self.status.success() { Ok(()) } else { Err(FetchGitError::failed(&self.stderr)) }
    }
}

/// Returns the size of all files in a folder. Files that vanish meanwhile do not count.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// Reads a pipe to its end, and returns the last bytes. Counts all of them.
fn tail(pipe: Option<ChildStderr>, count: &AtomicU64) -> io::Result<Vec<u8>> {
    let Some(mut pipe) = pipe else { return Ok(Vec::new()) };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(kept),
            Ok(length) => {
                count.fetch_add(length as u64, Ordering::Relaxed);
                kept.extend_from_slice(&buffer[..length]);
                if kept.len() > 2 * LONGEST_MESSAGE {
                    kept.drain(..kept.len() - LONGEST_MESSAGE);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The running process, if any, shared with the guard that may kill it.
#[derive(Default)]
pub(super) struct Running {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    child: Option<Child>,
    is_over: bool,
}

impl Running {
    /// Returns a guard that kills the process when it is dropped.
    pub(super) fn guard(self: Arc<Self>) -> Guard {
        Guard(self)
    }

    fn begin(&self, child: Child) {
        let mut state = self.state();
        if state.is_over {
            // This closes its pipes, so the readers end too.
            child.kill();
        }
        state.child = Some(child);
    }

    /// Ends the process and its helpers. It still has to be waited for.
    fn kill(&self) {
        if let Some(child) = &self.state().child {
            child.kill();
        }
    }

    /// Waits for the process, after its pipes are closed.
    fn wait(&self) -> io::Result<ExitStatus> {
        let child = self.state().child.take();
        match child {
            Some(mut child) => child.wait(),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kills the process when dropped, see [`Running::guard`].
pub(super) struct Guard(Arc<Running>);

impl Drop for Guard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_over = true;
        if let Some(child) = &state.child {
            child.kill();
        }
    }
}
