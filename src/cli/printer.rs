//! [`Printer`]: prints results to stdout and everything else to stderr.
//!
//! Colour never carries meaning. It is off if the stream is no terminal or `NO_COLOR` is set.
//!
//! This is the one door to the terminal, and [`super::text`] escapes everything that passes it. So no caller has to know
//! which names come from a repository, a registry or a build.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use serde::Serialize;

use super::{
    style::{ODD, painted},
    text::{EscapedJson, LogWriter},
};

/// The first failure to write to stdout. All later output is dropped, because a gap in the middle would be worse.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints all output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    quiet: bool,
}

impl Printer {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Prints a line of the result to stdout. A failure does not end the run, because the verdict decides the exit code. See
    /// [`Self::lost`].
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn data(self, line: impl Display) {
        if LOST.get().is_none()
            && let Err(error) = writeln!(anstream::stdout().lock(), "{}", painted(&line.to_string()))
        {
            let _ = LOST.set(error);
        }
    }

    /// Returns why a part of the result could not be written. A reader that stops early, such as `head`, is no failure.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn lost(self) -> Option<&'static io::Error> {
        LOST.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Prints the result as JSON to stdout, without a copy in memory.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn json(self, report: &impl Serialize) {
        if LOST.get().is_some() {
            return;
        }
        let mut out = BufWriter::with_capacity(1 << 16, anstream::stdout().lock());
        let written = serde_json::to_writer_pretty(EscapedJson(&mut out), report).map_err(io::Error::from);
        if let Err(error) = written.and_then(|()| writeln!(out)).and_then(|()| out.flush()) {
            let _ = LOST.set(error);
        }
    }

    /// Prints a line about the work to stderr, unless `--quiet`.
    pub(super) fn note(self, line: impl Display) {
        if !self.quiet {
            self.error_line(line);
        }
    }

    /// Prints a warning to stderr, unless `--quiet`.
    pub(super) fn warning(self, text: impl Display) {
        self.note(format_args!("{ODD}warning{ODD:#}: {text}"));
    }

    /// Prints a line to stderr, always. A closed stderr is ignored.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn error_line(self, line: impl Display) {
        let _ = writeln!(anstream::stderr().lock(), "{}", painted(&line.to_string()));
    }

    /// Returns a writer for the log of `--verbose`, whose lines have colours of their own.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn log(self) -> LogWriter<io::Stderr> {
        LogWriter(io::stderr())
    }

    /// Returns whether a progress bar can be drawn.
    pub(super) fn draws_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Returns whether stderr shows colour.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn draws_colour(self) -> bool {
        anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
    }

    /// Returns whether `--quiet` is set.
    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }
}
