//! Runs git so that it never prompts, and ends when its caller does.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use url::Url;

use super::{Credentials, FetchGitError};
use crate::{
    ending::{Child, read_all},
    repo::GIT_VARIABLES,
};

/// Git in a temporary bare repository.
pub(super) struct BareGit {
    program: OsString,
    folder: PathBuf,
    running: Arc<Running>,
}

/// The result of a finished git process.
struct Ended {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: String,
}

impl BareGit {
    pub(super) fn new(program: OsString, folder: &Path, running: Arc<Running>) -> Self {
        Self { program, folder: folder.to_owned(), running }
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
        command.args(["fetch", "--quiet", "--no-recurse-submodules", "--no-auto-maintenance"]);
        command.args(options).arg("--").arg(url.as_str()).args(refs);
        let ended = self.run(&mut command, Vec::new())?;
        if ended.status.success() { Ok(()) } else { Err(FetchGitError::of_fetch(&ended.stderr, url)) }
    }

    /// Whether the repository has the commit.
    pub(super) fn has(&self, id: &str) -> Result<bool, FetchGitError> {
        let mut command = self.command();
        command.args(["cat-file", "-e"]).arg(format!("{id}^{{commit}}"));
        Ok(self.run(&mut command, Vec::new())?.status.success())
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
        Ok(self.run(&mut command, Vec::new())?.status.success())
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
        // `FetchGitError` reads git's untranslated messages.
        command.env("LC_ALL", "C").env_remove("LANGUAGE");
        // No prompts. An empty GIT_ASKPASS overrides any other configured program.
        command.envs([("GIT_TERMINAL_PROMPT", "0"), ("GIT_ASKPASS", ""), ("GCM_INTERACTIVE", "never")]);
        command
    }

    fn expect(&self, command: &mut Command, stdin: Vec<u8>) -> Result<Vec<u8>, FetchGitError> {
        let ended = self.run(command, stdin)?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        Err(FetchGitError::failed(&ended.stderr))
    }

    fn run(&self, command: &mut Command, stdin: Vec<u8>) -> Result<Ended, FetchGitError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(command).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FetchGitError::NotInstalled,
            _ => FetchGitError::Io(error),
        })?;
        let (input, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        self.running.begin(child);
        let (stdout, stderr) = thread::scope(|scope| {
            // If git ends early, its own message says more than the write error.
            scope.spawn(move || input.map(|mut input| input.write_all(&stdin)));
            let stderr = scope.spawn(move || read_all(stderr));
            (read_all(stdout), stderr.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let status = self.running.wait()?;
        Ok(Ended { status, stdout: stdout?, stderr: String::from_utf8_lossy(&stderr?).into_owned() })
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

    fn begin(&self, mut child: Child) {
        let mut state = self.state();
        if state.is_over {
            // This closes its pipes, so the readers end too.
            let _ = child.kill();
        }
        state.child = Some(child);
    }

    /// Waits for the process, after its pipes are closed.
    fn wait(&self) -> io::Result<ExitStatus> {
        match self.state().child.take() {
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
        if let Some(child) = &mut state.child {
            let _ = child.kill();
        }
    }
}
