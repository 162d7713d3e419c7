//! `splitter ci`: writes the workflow of a CI system, checks it, and plans its jobs.

mod check;
mod error;
mod init;
mod matrix;
mod place;

use super::{
    arguments::{CiCommand, Global},
    failure::{Failure, Outcome},
    printer::Printer,
};

pub(super) fn run(global: &Global, command: &CiCommand, printer: Printer) -> Result<Outcome, Failure> {
    match command {
        CiCommand::Init(options) => init::run(global, options, printer),
        CiCommand::Check(options) => check::run(global, options, printer),
        CiCommand::Matrix(options) => matrix::run(global, options, printer),
    }
}
