//! The reports of diffoscope, if this machine has it. It knows many formats that splitter does not read.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    ending,
    reproduce::{Difference, Kind},
};

/// The most files of an output that it compares. It needs about a second for each.
const MOST: usize = 5;
/// The largest file that it compares, in bytes.
const LARGEST: u64 = 8 << 20;
/// The longest report that is kept, in bytes.
const LONGEST: usize = 20_000;

/// The reports of one output.
#[derive(Debug)]
pub(super) struct Reports {
    program: Option<std::path::PathBuf>,
    left: usize,
}

impl Default for Reports {
    fn default() -> Self {
        Self { program: which::which("diffoscope").ok(), left: MOST }
    }
}

impl Reports {
    /// Compares a file of two outputs.
    pub(super) fn of(&mut self, first: &Utf8Path, second: &Utf8Path, difference: &Difference) -> Option<String> {
        let program = self.program.as_ref()?;
        if difference.kind != Kind::Content || self.left == 0 {
            return None;
        }
        let [first, second] =
            [(first, &difference.path), (second, difference.other.as_ref().unwrap_or(&difference.path))].map(
                |(root, path): (&Utf8Path, &String)| if path.is_empty() { root.to_owned() } else { root.join(path) },
            );
        let is_large = |path: &Utf8PathBuf| fs_err::metadata(path).map_or(true, |file| file.len() > LARGEST);
        if is_large(&first) || is_large(&second) {
            return None;
        }
        self.left -= 1;
        let mut command = Command::new(program);
        command.args(["--no-progress", "--text", "-", "--max-text-report-size", &LONGEST.to_string()]);
        // It exits with 1 if the files differ.
        let output = ending::output(command.arg("--").arg(&first).arg(&second)).ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let end = text.floor_char_boundary(LONGEST);
        (output.status.code() == Some(1) && end > 0).then(|| text[..end].to_owned())
    }
}
