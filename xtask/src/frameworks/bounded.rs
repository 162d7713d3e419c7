//! Programs whose time is limited, and what they said last.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::{Result, process};

/// How many lines of a log are shown when a step fails.
const LAST_LINES: usize = 25;
/// How long a process may take to end once it is asked to.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

static STOPPED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Lets Ctrl-C and SIGTERM end the running step, so that all scratch folders are removed before the program ends.
pub(super) fn heed_signals() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, STOPPED.clone())?;
    }
    Ok(())
}

/// Returns whether a signal was received.
pub(super) fn is_stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// A running program and everything that it starts, in a process group of their own.
pub(super) struct Running {
    child: Child,
    out: Utf8PathBuf,
    err: Utf8PathBuf,
}

impl Running {
    /// Starts a program. Its output goes to `<log>.out` and `<log>.err`.
    pub(super) fn start(command: &mut Command, log: &Utf8Path) -> Result<Self> {
        let (out, err) = (log.with_extension("out"), log.with_extension("err"));
        command.stdin(Stdio::null());
        command.stdout(fs::File::create(&out)?.into_file()).stderr(fs::File::create(&err)?.into_file());
        let child = command.process_group(0).spawn();
        let child = child.map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
        Ok(Self { child, out, err })
    }

    /// How the program ended, or nothing while it runs.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks the program to end with SIGTERM. Returns whether it did; if not, its group is killed.
    pub(super) fn end(&mut self) -> Result<bool> {
        self.signal("TERM");
        let start = Instant::now();
        while self.ended()?.is_none() && start.elapsed() < PATIENCE {
            thread::sleep(PAUSE);
        }
        let ended = self.ended()?.is_some();
        // Children that outlive the program are in its group.
        self.signal("KILL");
        self.child.wait()?;
        Ok(ended)
    }

    /// Waits for the end of the program, or for `limit`.
    fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            let ended = self.ended()?;
            if ended.is_some() || start.elapsed() > limit || is_stopped() {
                return Ok(ended);
            }
            thread::sleep(PAUSE);
        }
    }

    fn signal(&self, signal: &str) {
        // A group that has ended is no error.
        let group = format!("-{}", self.child.id());
        let _ = process::run_silently(Command::new("kill").args(["-s", signal, "--", &group]));
    }

    /// The last lines that the program printed, indented.
    pub(super) fn last_lines(&self) -> String {
        let text = [&self.out, &self.err].map(|file| fs::read(file).unwrap_or_default()).concat();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
        last.iter().flat_map(|line| ["    ", line, "\n"]).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.end();
        }
    }
}

/// Runs a program to its end, within `limit`. Returns what it printed to stdout.
pub(super) fn run(what: &str, command: &mut Command, limit: Duration, log: &Utf8Path) -> Result<String> {
    let mut running = Running::start(command, log)?;
    let Some(status) = running.wait(limit)? else {
        running.end()?;
        if is_stopped() {
            return Err(format!("{what} was stopped by a signal").into());
        }
        let lines = running.last_lines();
        return Err(format!("{what} did not end within {} s. Its last lines:\n{lines}", limit.as_secs()).into());
    };
    if !status.success() {
        return Err(format!("{what} failed: {status}. Its last lines:\n{}", running.last_lines()).into());
    }
    Ok(String::from_utf8_lossy(&fs::read(&running.out)?).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let log = Utf8Path::from_path(folder.path()).ok_or("not UTF-8")?.join("log");
        run("the shell", Command::new("sh").args(["-c", script]), limit, &log)
    }

    #[test]
    fn a_failure_shows_the_last_lines() {
        let error = shell("echo one; echo two >&2; exit 3", Duration::from_secs(10)).unwrap_err().to_string();
        assert_eq!(error, "the shell failed: exit status: 3. Its last lines:\n    one\n    two\n");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended_with_its_children() {
        let start = Instant::now();
        let error = shell("sleep 300 & echo waiting; wait", Duration::from_millis(300)).unwrap_err().to_string();
        assert!(error.starts_with("the shell did not end within 0 s. Its last lines:\n    waiting"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(9));
    }
}
