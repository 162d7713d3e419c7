//! Shows builds as lines: one when a build starts, one when it ends.

use std::collections::BTreeSet;

use super::{Course, Step, View, Why, course::Build};
use crate::{
    cli::{
        printer::Printer,
        style::{BAD, DIM},
        text::{duration, escape},
    },
    split::plan::Id,
};

/// Plain lines, for logs and pipes.
pub(super) struct Lines<'a> {
    pub(super) printer: Printer,
    pub(super) why: &'a Why,
    /// Whether the logs of all builds are shown.
    pub(super) is_verbose: bool,
    /// Why parts of `deps` are downloaded, as far as it was shown. There can be many parts, most with the same reason.
    pub(super) downloads: BTreeSet<String>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(printer: Printer, why: &'a Why, is_verbose: bool) -> Self {
        Self { printer, why, is_verbose, downloads: BTreeSet::new() }
    }

    /// Returns the line for a build of splitter that starts. Parts of `deps` with the same reason share one.
    fn started(&mut self, build: &Build, id: &Id) -> Option<String> {
        let (why, place) = (
            self.why.line(id),
            if build.machine.is_empty() { String::new() } else { format!(" on {}", build.machine) },
        );
        if matches!(id, Id::Deps(_)) && !self.is_verbose {
            return self.downloads.insert(why.clone()).then(|| format!("deps: downloading packages: {}", escape(&why)));
        }
        Some(format!("{}: building{place}: {}", build.name, escape(&why)))
    }
}

impl View for Lines<'_> {
    fn show(&mut self, _: &Course, step: &Step<'_>) {
        let printer = self.printer;
        match step {
            Step::Started(build) => match &build.id {
                Some(id) => {
                    if let Some(line) = self.started(build, id) {
                        printer.note(line);
                    }
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
                } else if self.is_verbose || !matches!(build.id, None | Some(Id::Deps(_))) {
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
