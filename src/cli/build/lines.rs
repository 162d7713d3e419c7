//! Shows builds as lines: one when a build starts, one when it ends.

use super::{Course, Step, View, Why};
use crate::cli::{
    printer::Printer,
    style::{BAD, DIM},
    text::{duration, escape},
};

/// Plain lines, for logs and pipes.
pub(super) struct Lines<'a> {
    pub(super) printer: Printer,
    pub(super) why: &'a Why,
    /// Whether the logs of all builds are shown.
    pub(super) is_verbose: bool,
}

impl View for Lines<'_> {
    fn show(&mut self, _: &Course, step: &Step<'_>) {
        let printer = self.printer;
        match step {
            Step::Started(build) => match &build.id {
                Some(id) => {
                    let place = if build.machine.is_empty() { String::new() } else { format!(" on {}", build.machine) };
                    printer.note(format_args!("{}: building{place}: {}", build.name, escape(&self.why.line(id))));
                }
                None if self.is_verbose => printer.note(format_args!("{}: building", escape(&build.name))),
                None => {}
            },
            Step::Ended(build) => {
                let took = duration(build.took.unwrap_or_default());
                if build.failed {
                    printer.note(format_args!("{BAD}{}: failed{BAD:#} after {took}", escape(&build.name)));
                } else if build.stopped {
                    printer.note(format_args!("{}: stopped after {took}", escape(&build.name)));
                } else if build.id.is_some() || self.is_verbose {
                    printer.note(format_args!("{}: built in {took}", escape(&build.name)));
                }
            }
            Step::Line(build, text) if self.is_verbose => {
                printer.note(format_args!("{DIM}{}>{DIM:#} {text}", escape(&build.name)));
            }
            Step::Message(text) if self.is_verbose => printer.note(escape(text)),
            Step::Line(..) | Step::Message(_) | Step::Other => {}
        }
    }
}
