//! Exit codes, and how errors are printed.

use std::{error::Error, io, process::ExitCode};

use super::{
    printer::Printer,
    style::{BAD, NOTE, ODD},
    text::escape,
};
use crate::diagnostic::{Category, Diagnose};

/// The exit code for wrong input or use.
const INPUT: u8 = 2;

/// How the system says that the process has too many open files, on Linux and macOS.
const TOO_MANY_FILES: &str = "(os error 24)";

/// The hint about open files.
const OPEN_FILES: &str = "raise the limit of open files: run `ulimit -n 1024` in this shell first";

/// The line printed for a bug.
const REPORT: &str = "  this is a bug in splitter; please report it with the command and its output";

fn exit_code(category: Category) -> u8 {
    match category {
        Category::Input => INPUT,
        Category::Environment => 3,
        Category::Bug => 70,
    }
}

/// The result of a run that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Success, with a result on stdout.
    Done,
    /// A check found no difference. The exit code is the whole result.
    Agreement,
    /// A check found a difference.
    Difference,
}

impl Outcome {
    /// Returns the outcome of a check. The exit code is enough for people and scripts; a report for programs must also be
    /// written.
    pub(super) fn verdict(agrees: bool, is_report: bool) -> Self {
        match (agrees, is_report) {
            (false, _) => Self::Difference,
            (true, false) => Self::Agreement,
            (true, true) => Self::Done,
        }
    }

    /// Returns the exit code. A verdict keeps its code if its text cannot be written; any other result then fails.
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

/// The result could not be written to stdout.
#[derive(Debug, thiserror::Error)]
#[error("could not write the output to stdout: {0}")]
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
        let lacks_files = causes(error.as_ref()).iter().any(|cause| cause.contains(TOO_MANY_FILES));
        let about_files = (lacks_files || error.to_string().contains(TOO_MANY_FILES)).then(|| OPEN_FILES.to_owned());
        for hint in error.hints().into_iter().chain(about_files) {
            printer.error_line(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&hint)));
        }
        ExitCode::from(exit_code(error.category()))
    }
}

/// Returns the texts of the sources of an error, without those that the text above already contains.
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

/// How the panics of the standard library and of tokio begin if the system starts no other thread.
const NO_THREAD: [&str; 2] = ["failed to spawn thread", "OS can't spawn worker thread"];

/// Ends the program because the system starts no other thread.
fn end_without_thread() -> ! {
    let printer = Printer::new(false);
    printer.error_line(format_args!("{BAD}error{BAD:#}: the system starts no other thread for this user"));
    let hint = "end other programs, or raise the limit of processes (`ulimit -u`, or the limit of the container)";
    printer.error_line(format_args!("{NOTE}hint{NOTE:#}: {hint}"));
    super::interrupt::end(exit_code(Category::Environment).into())
}

/// Ends the program with the exit code for bugs when it panics.
pub(super) fn end_panics_as_bugs() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if NO_THREAD.iter().any(|start| text.starts_with(start)) {
            end_without_thread();
        }
        print(panic);
        Printer::new(false).error_line(REPORT);
        super::interrupt::end(exit_code(Category::Bug).into());
    }));
}

/// Prints clap's message: help and version are results, everything else is wrong use.
pub(super) fn usage(mut error: clap::Error) -> ExitCode {
    // For an unknown option clap advises to put it after `--`, which would pass it to nix.
    if error.kind() == clap::error::ErrorKind::UnknownArgument {
        error.remove(clap::error::ContextKind::Suggested);
    }
    match error.print() {
        // A closed stderr cannot be reported.
        _ if error.use_stderr() => ExitCode::from(INPUT),
        Err(lost) if lost.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(exit_code(Category::Environment)),
        _ => ExitCode::SUCCESS,
    }
}
