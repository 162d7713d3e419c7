//! [`Printer`]: prints results to stdout and everything else to stderr.
//!
//! Colour never carries meaning. It is off if the stream is no terminal or `NO_COLOR` is set.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// The first failure to write to stdout. All later output is dropped, because a gap in the middle would be worse.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints all output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    quiet: bool,
}

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default();
pub(super) const ODD: Style = AnsiColor::Yellow.on_default();

impl Printer {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Prints a line of the result to stdout. A failure does not end the run, because the verdict decides the exit code. See
    /// [`Self::lost`].
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn data(self, line: impl Display) {
        if LOST.get().is_none()
            && let Err(error) = writeln!(anstream::stdout().lock(), "{line}")
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
        let written = serde_json::to_writer_pretty(&mut out, report).map_err(io::Error::from);
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
        let _ = writeln!(anstream::stderr().lock(), "{line}");
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
