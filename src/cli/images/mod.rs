//! `splitter images`: the layers of container images, and sending or writing images.

mod error;
mod json;
mod plans;
mod progress;
mod push;
mod show;
mod write;

use self::{error::ImagesError, plans::Choice};
use super::{
    arguments::{Global, ImagesCommand, ImagesOptions},
    failure::{Failure, Outcome},
    printer::Printer,
};
use crate::image::report;

pub(super) fn run(global: &Global, options: &ImagesOptions, printer: Printer) -> Result<Outcome, Failure> {
    match &options.command {
        Some(ImagesCommand::Push(options)) => push::run(global, options, printer),
        Some(ImagesCommand::Write(options)) => write::run(global, options, printer),
        None => {
            let store = plans::store()?;
            let plans = plans::read(global, &Choice::of(&options.plans), &store, printer)?;
            let rows = report::rows(&plans);
            if options.json {
                printer.json(&json::render(&rows));
            } else {
                show::print(&rows, printer);
            }
            Ok(Outcome::Done)
        }
    }
}
