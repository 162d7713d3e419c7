//! Running one program of Nix to its end.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{self, BufRead as _, BufReader},
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::{ChildStderr, Command, Stdio},
    thread,
};

use super::{FEATURES, NixError, log};
use crate::{
    ending::{Child, read_all},
    repo::GIT_VARIABLES,
};

/// The number of last lines of a failed program to keep.
const LINES_KEPT: usize = 30;
/// The number of bytes of each such line to keep, since a line may be a whole archive.
const LINE_KEPT: usize = 2000;
/// The number of bytes of a line to pass on.
const LINE_SEEN: usize = 1 << 20;

/// The stdout of a program.
pub(super) struct Answer {
    command: String,
    stdout: Vec<u8>,
}

/// Runs `command`, and passes each line of its stderr to `watch` as it is written.
pub(super) fn run(command: &mut Command, watch: &mut dyn FnMut(&str)) -> Result<Answer, NixError> {
    let program = PathBuf::from(command.get_program());
    tracing::debug!(command = shown(command), "runs");
    let mut child = spawn(command).map_err(|source| NixError::Start { program: program.clone(), source })?;
    let (stdout, last_lines) = drain(&mut child, watch);
    let ended = stdout.and_then(|stdout| Ok((stdout, child.wait()?)));
    let (stdout, status) = ended.map_err(|source| NixError::Start { program, source })?;
    let command = shown(command);
    if status.success() {
        Ok(Answer { command, stdout })
    } else {
        Err(NixError::Failed { command, status: status.to_string(), last_lines })
    }
}

/// Runs another program than Nix with the same precautions, and passes each line of its stderr to `watch`.
pub fn run_program(command: &mut Command, watch: &mut dyn FnMut(&str)) -> Result<(), NixError> {
    run(command, watch).map(|_| ())
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    for variable in GIT_VARIABLES {
        command.env_remove(variable);
    }
    Child::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// Reads all of stdout, and the last lines of stderr. It reads both at once: a program blocks when either pipe is full.
fn drain(child: &mut Child, watch: &mut dyn FnMut(&str)) -> (io::Result<Vec<u8>>, Vec<String>) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let reader = scope.spawn(move || read_all(stdout));
        let last_lines = stderr.map(|stderr| follow(stderr, watch)).unwrap_or_default();
        (reader.join().unwrap_or_else(|panic| resume_unwind(panic)), last_lines)
    })
}

impl Answer {
    pub(super) fn text(&self) -> Result<String, NixError> {
        String::from_utf8(self.stdout.clone()).map_err(|_| self.unexpected("UTF-8 text"))
    }

    pub(super) fn json(&self) -> Result<serde_json::Value, NixError> {
        serde_json::from_slice(&self.stdout).map_err(|_| self.unexpected("JSON"))
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> NixError {
        let found = String::from_utf8_lossy(&self.stdout).chars().take(200).collect();
        NixError::Answer { command: self.command.clone(), expected, found }
    }
}

/// Returns the program's name and its arguments, without those of every call.
fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let arguments = command.get_args().filter(|argument| !FEATURES.iter().any(|feature| argument == feature));
    let words: Vec<_> = std::iter::once(name).chain(arguments).map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Reads lines to the end, and keeps the last ones. A read error is ignored: the program's exit status decides.
fn follow(stderr: ChildStderr, watch: &mut dyn FnMut(&str)) -> Vec<String> {
    let mut last = VecDeque::with_capacity(LINES_KEPT);
    let mut lines = BufReader::new(stderr).split(b'\n');
    while let Some(Ok(line)) = lines.next() {
        let seen = String::from_utf8_lossy(&line[..line.len().min(LINE_SEEN)]).trim_end().to_owned();
        watch(&seen);
        for line in log::of_failure(&seen).iter().flat_map(|text| text.split('\n')) {
            if last.len() == LINES_KEPT {
                last.pop_front();
            }
            last.push_back(line[..line.floor_char_boundary(LINE_KEPT)].to_owned());
        }
    }
    last.into()
}
