//! Ends child processes when the program is killed with a signal that it cannot handle.
//!
//! A guardian is a shell that reads the ids of processes from a pipe. Only this program can write to the pipe. When the
//! program ends, in any way, the system closes it, and the guardian ends the processes that are left. Linux could do this
//! for each process by itself, but only from code between `fork` and `exec`, which is unsafe; macOS cannot.

use std::{
    io::Write as _,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use super::Started;

/// Reads `+ <id>` and `- <id>`. It ignores the signals that the program itself handles.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
live=
while read -r sign id; do
  if [ "$sign" = + ]; then
    live="$live $id"
  else
    rest=
    for one in $live; do [ "$one" = "$id" ] || rest="$rest $one"; done
    live=$rest
  fi
done
for one in $live; do kill -TERM "$one" 2>/dev/null; done
"#;

static GUARDIAN: Mutex<State> = Mutex::new(State::New);

enum State {
    New,
    Watching {
        /// Kept because a dropped child would be a zombie that nobody reaps; it ends after this program.
        _shell: Child,
        pipe: ChildStdin,
    },
    /// There is no shell. Nothing ends processes after a kill.
    None,
}

/// Starts the guardian. Done before the first process starts: a kill between its start and [`watch`] would leave it running, and
/// the start of a shell would make that time long.
pub(super) fn prepare() {
    let mut state = GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*state, State::New) {
        *state = start();
    }
}

/// Adds a process that has just started.
pub(super) fn watch(process: Started) {
    tell('+', process);
}

/// Removes a process that has ended.
pub(super) fn leave(process: Started) {
    tell('-', process);
}

fn tell(sign: char, Started { id, is_group }: Started) {
    let mut state = GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner);
    let State::Watching { pipe, .. } = &mut *state else { return };
    // A group is named by the negative id of its first process.
    let group = if is_group { "-" } else { "" };
    if writeln!(pipe, "{sign} {group}{id}").is_err() {
        *state = State::None;
    }
}

#[cfg(unix)]
fn start() -> State {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    // A kill of the program's group must not reach it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let Ok(mut shell) = command.spawn() else { return State::None };
    match shell.stdin.take() {
        Some(pipe) => State::Watching { _shell: shell, pipe },
        None => State::None,
    }
}

#[cfg(not(unix))]
fn start() -> State {
    State::None
}
