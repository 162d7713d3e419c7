//! demo
use super::{
    arguments::DemoOptions,
    failure::{Failure, Outcome},
    printer::Printer,
};
pub(super) fn run(_options: &DemoOptions, _printer: Printer) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
