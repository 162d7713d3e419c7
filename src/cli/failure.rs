//! How a run ends: exit codes, and errors as a user sees them.

use std::{error::Error, io, process::ExitCode};

use super::{
    printer::{BAD, NOTE, ODD, Printer},
    text::escape,
};
use crate::diagnostic::{Category, Diagnose};

/// The exit code of wrong input or use.
const INPUT: u8 = 2;

/// What is said of a bug.
const REPORT: &str = "  this is a bug in splitter: please report it with the command and its output";

fn exit_code(category: Category) -> u8 {
    match category {
        Category::Input => INPUT,
        Category::Environment => 3,
        Category::Bug => 70,
    }
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All is well, and the result is on stdout.
    Done,
    /// A check found no difference, which the exit code alone says.
    Agreement,
    /// A check found a difference.
    Difference,
}

impl Outcome {
    /// The verdict of a check. The exit code tells people and scripts all of it; a report for programs must also arrive.
    pub(super) fn verdict(agrees: bool, is_report: bool) -> Self {
        match (agrees, is_report) {
            (false, _) => Self::Difference,
            (true, false) => Self::Agreement,
            (true, true) => Self::Done,
        }
    }

    /// Ends the run. A verdict stands even if its text could not be written; any other result is lost with its text.
    pub(super) fn end(self, printer: Printer) -> ExitCode {
        match (self, printer.lost()) {
            (Self::Done, Some(error)) => return Failure::from(LostOutput(error)).report(printer),
            (_, Some(error)) => printer.error_line(format_args!("{ODD}warning{ODD:#}: {}", LostOutput(error))),
            (_, None) => {}
        }
        match self {
            Self::Done | Self::Agreement => ExitCode::SUCCESS,
            Self::Difference => ExitCode::from(1),
        }
    }
}

/// The result of a command did not reach stdout.
#[derive(Debug, thiserror::Error)]
#[error("could not write all of the output to stdout: {0}")]
struct LostOutput(&'static io::Error);

impl Diagnose for LostOutput {
    fn category(&self) -> Category {
        Category::Environment
    }
}

/// Why a run failed.
#[derive(Debug)]
pub(super) struct Failure(Box<dyn Diagnose>);

impl<E: Diagnose + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl Failure {
    /// The error.
    pub(super) fn error(&self) -> &dyn Diagnose {
        self.0.as_ref()
    }

    /// Prints the error: message, place, causes, hints.
    pub(super) fn report(&self, printer: Printer) -> ExitCode {
        let error = &self.0;
        printer.error_line(format_args!("{BAD}error{BAD:#}: {}", escape(&error.to_string())));
        if let Some(location) = error.location() {
            printer.error_line(format_args!("  at {}", escape(&location.to_string())));
        }
        for cause in causes(error.as_ref()) {
            printer.error_line(format_args!("  caused by: {}", escape(&cause)));
        }
        if error.category() == Category::Bug {
            printer.error_line(REPORT);
        }
        for hint in error.hints() {
            printer.error_line(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&hint)));
        }
        ExitCode::from(exit_code(error.category()))
    }
}

/// The errors below an error, without those whose text stands in the one above.
fn causes(error: &dyn Diagnose) -> Vec<String> {
    let mut shown = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !shown.contains(&text) {
            causes.push(text.clone());
            shown = text;
        }
        next = Error::source(cause);
    }
    causes
}

/// Lets a panic, which is always a bug, end with the exit code of one.
pub(super) fn end_panics_as_bugs() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        Printer::new(false).error_line(REPORT);
        super::interrupt::end(exit_code(Category::Bug).into());
    }));
}

/// Prints what clap says: help and version are results, the rest is wrong use.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        // Nothing can be done if stderr is gone.
        _ if error.use_stderr() => ExitCode::from(INPUT),
        Err(lost) if lost.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(exit_code(Category::Environment)),
        _ => ExitCode::SUCCESS,
    }
}
