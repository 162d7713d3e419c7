//! `splitter cache`: what binary caches have, pushing to them, and pins.

mod error;
mod json;
mod pin;
mod push;
mod session;
mod show;
mod status;
mod upload;

use self::error::CacheError;
pub(super) use self::session::Session;
use super::{
    arguments::{CacheCommand, Global},
    failure::{Failure, Outcome},
    printer::Printer,
};

pub(super) fn run(global: &Global, command: &CacheCommand, printer: Printer) -> Result<Outcome, Failure> {
    match command {
        CacheCommand::Status(options) => status::run(global, options, printer),
        CacheCommand::Push(options) => push::run(global, options, printer),
        CacheCommand::Pin(options) => pin::run(global, options, printer),
    }
}
