//! Running a program for a limited time.

use std::{
    io,
    panic::resume_unwind,
    process::{Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::{
    ending::{Child, read_all},
    parallel::both,
    repo::GIT_VARIABLES,
};

/// Runs a program without input and returns its output, or `None` if it was still running at the end of the time. It and the
/// programs that it started are then killed.
pub(crate) fn output(command: &mut Command, limit: Duration) -> io::Result<Option<Output>> {
    // Nix runs git, which must not take the repository of a hook for another one.
    for variable in GIT_VARIABLES {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Child::spawn_with_helpers(command)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (is_late, (stderr, stdout)) = thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        let reader = scope.spawn(move || {
            let outputs = both(|| read_all(stderr), || read_all(stdout));
            drop(running);
            outputs
        });
        let is_late = ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if is_late {
            child.kill();
        }
        (is_late, reader.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let status = child.wait()?;
    Ok(if is_late { None } else { Some(Output { status, stdout: stdout?, stderr: stderr? }) })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str, limit: Duration) -> Option<Output> {
        output(Command::new("/bin/sh").args(["-c", script]), limit).unwrap()
    }

    #[test]
    fn output_and_status_come_back() {
        let output = shell("echo a; echo b >&2; exit 3", Duration::from_mins(1)).unwrap();
        assert_eq!((output.stdout, output.stderr), (b"a\n".to_vec(), b"b\n".to_vec()));
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_program_that_hangs_ends_with_its_helpers() {
        let start = Instant::now();
        assert!(shell("sleep 60 & sleep 60", Duration::from_millis(100)).is_none());
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
