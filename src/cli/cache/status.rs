//! `splitter cache status`.

use super::{
    CacheError, Session, json,
    show::{self, View},
};
use crate::{
    caches::{query::Depth, report::Report},
    cli::{
        arguments::{CacheStatusOptions, Global},
        failure::{Failure, Outcome},
        printer::Printer,
    },
};

pub(super) fn run(global: &Global, options: &CacheStatusOptions, printer: Printer) -> Result<Outcome, Failure> {
    let session = Session::open(global, &options.choice, printer)?;
    let choices = session.choices(&options.caches, "--cache", |_| true)?;
    let survey = session.survey(&choices, Depth::Archives)?;
    let report = Report::of(&session.wanted, &survey);
    if options.choice.json {
        printer.json(&json::report(&report, &session.wanted));
    } else {
        let view = if global.verbose > 0 { View::Full } else { View::Lacking };
        show::print(&report, &session.wanted, view, printer);
    }
    refuse_blindness(&report)?;
    Ok(Outcome::verdict(report.is_complete(), true))
}

/// Fails if no cache answers: then nothing is known.
pub(super) fn refuse_blindness(report: &Report<'_>) -> Result<(), CacheError> {
    if !report.is_blind() {
        return Ok(());
    }
    let away = report.caches.iter().filter_map(|cache| Some((cache.address.clone(), cache.away.clone()?)));
    Err(CacheError::AllAway { away: away.collect() })
}
