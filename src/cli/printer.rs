//! [`Printer`]: data goes to stdout, everything else to stderr. Colour never carries meaning, and is left out where
//! the stream is no terminal or `NO_COLOR` is set.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    sync::OnceLock,
};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// The first failure to write to stdout. All later text for stdout is dropped: a gap in the middle would be worse.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Where all output goes.
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

    /// A line of the result, on stdout. A failure does not end the run, because the verdict is still to come: it decides
    /// the exit code. See [`Self::lost`].
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn data(self, line: impl Display) {
        if LOST.get().is_none()
            && let Err(error) = writeln!(anstream::stdout().lock(), "{line}")
        {
            let _ = LOST.set(error);
        }
    }

    /// Why a part of the result did not reach stdout. A reader that went away, such as `head`, wanted no more of it.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn lost(self) -> Option<&'static io::Error> {
        LOST.get().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// The result as JSON, on stdout, without a copy of it in memory.
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

    /// A line about the work, on stderr, unless `--quiet`.
    pub(super) fn note(self, line: impl Display) {
        if !self.quiet {
            self.error_line(line);
        }
    }

    /// A warning, on stderr, unless `--quiet`.
    pub(super) fn warning(self, text: impl Display) {
        self.note(format_args!("{ODD}warning{ODD:#}: {text}"));
    }

    /// A line that is always shown, on stderr. Nothing can be done where stderr is gone.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn error_line(self, line: impl Display) {
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }

    /// Whether a progress bar can be drawn.
    pub(super) fn draws_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Whether stderr shows colour.
    #[expect(clippy::unused_self, reason = "one object owns all output")]
    pub(super) fn draws_colour(self) -> bool {
        anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
    }

    /// Whether lines about the work are printed.
    pub(super) fn is_quiet(self) -> bool {
        self.quiet
    }
}
