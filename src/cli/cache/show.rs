//! Reports for people.

use crate::{
    caches::{
        closure::Lack,
        narinfo::Trust,
        report::{CacheRow, Report, Row, State},
        wanted::{Thing, Wanted},
    },
    cli::{
        printer::Printer,
        style::{BAD, BOLD, DIM, GOOD, NOTE},
        text::{bytes, count, escape, things},
    },
};

/// The number of paths shown for each cache.
const SHOWN: usize = 10;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// What is lacking.
    Lacking,
    /// Also what is complete.
    Full,
    /// What is still lacking after a push. A second push is no remedy.
    AfterPush,
}

/// Prints a report.
pub(super) fn print(report: &Report<'_>, wanted: &Wanted, view: View, printer: Printer) {
    for (number, cache) in report.caches.iter().enumerate() {
        print_cache(report, number, cache, wanted, view, printer);
    }
    for (address, trouble) in &report.upstream_away {
        printer.warning(format_args!(
            "{} of the settings of Nix does not answer: {}",
            escape(address),
            escape(&trouble.to_string())
        ));
    }
    for attribute in &wanted.refused {
        printer.warning(format_args!("Nix does not evaluate {}", escape(attribute)));
    }
    if report.rows.iter().any(|row| row.together == State::Unknown) {
        printer.note("the paths of content-addressed derivations are known only after a build, so caches cannot be asked for them");
    }
    let built: Vec<String> = report.would_build().map(name).collect();
    let built = if built.is_empty() { "nothing".to_owned() } else { built.join(", ") };
    printer.data(format_args!("an empty machine would build {built}"));
    printer.data(format_args!("and fetch {}", bytes(report.fetch)));
}

/// Returns the name of a thing, with its system if there is one.
pub(super) fn name(thing: &Thing) -> String {
    match thing.system {
        Some(system) => format!("{} ({system})", thing.name),
        None => thing.name.clone(),
    }
}

fn print_cache(report: &Report<'_>, number: usize, cache: &CacheRow, wanted: &Wanted, view: View, printer: Printer) {
    let address = escape(&cache.address).into_owned();
    if let Some(trouble) = &cache.away {
        printer.data(format_args!(
            "{BOLD}{address}{BOLD:#} {BAD}does not answer{BAD:#}: {}",
            escape(&trouble.to_string())
        ));
        // If no cache answers, the error at the end has the hints.
        if !report.is_blind()
            && let Some(hint) = trouble.hint(&cache.address)
        {
            printer.note(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&hint)));
        }
        return;
    }
    let complete = report.rows.iter().filter(|row| row.states[number].is_complete()).count();
    printer.data(format_args!(
        "{BOLD}{address}{BOLD:#} has {} of {}",
        count(complete),
        things(report.rows.len(), "thing")
    ));
    for row in report.rows.iter().filter(|row| view == View::Full || !row.states[number].is_complete()) {
        printer.data(line(row, row.states[number]));
    }
    print_lacks(cache, wanted, view, printer);
    if let Some(first) = cache.differs.first() {
        let path = first.in_store(&wanted.store);
        let more = cache.differs.len() - 1;
        let more = if more > 0 { format!(" and {} more", count(more)) } else { String::new() };
        printer.warning(format_args!("{address} has another build of {}{more} than this machine", escape(&path)));
    }
}

fn line(row: &Row<'_>, state: State) -> String {
    let text = match state {
        State::Complete => format!("{GOOD}complete{GOOD:#}"),
        State::Unknown => "unknown".to_owned(),
        State::Missing => format!("{BAD}missing{BAD:#}"),
        State::Refused => format!("{BAD}not usable{BAD:#}"),
        State::Holes(lacking) => format!("{BAD}incomplete{BAD:#}, lacks {}", things(lacking, "path")),
        State::Inputs(lacking) => {
            format!("{BAD}no rebuild{BAD:#}, lacks {} that an edit needs", things(lacking, "path"))
        }
        State::Away => "no answer".to_owned(),
    };
    format!("  {} {DIM}{}{DIM:#}  {text}", escape(&name(row.thing)), row.thing.kind)
}

/// Prints the paths that are lacking for another reason than that nobody pushed them, and all holes.
fn print_lacks(cache: &CacheRow, wanted: &Wanted, view: View, printer: Printer) {
    let is_own = |item: &crate::caches::item::Item| wanted.things.iter().any(|thing| thing.paths.contains(item));
    let lacks = cache.lacks.iter().filter(|(item, lack)| **lack != Lack::Missing || !is_own(item));
    let lacks: Vec<_> = lacks.collect();
    for (item, lack) in lacks.iter().take(SHOWN) {
        printer.data(format_args!("    {}: {}", escape(&item.in_store(&wanted.store)), escape(&says(lack))));
    }
    if let Some(more) = lacks.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        printer.data(format_args!("    and {}; `--json` has all", things(more, "more path")));
    }
    // A push mends what is missing, and something else the rest.
    let first = |is_missing: bool| cache.lacks.values().find(|lack| (**lack == Lack::Missing) == is_missing);
    let by_push = first(true).filter(|_| view != View::AfterPush);
    for lack in [by_push, first(false)].into_iter().flatten() {
        printer.note(format_args!("{NOTE}hint{NOTE:#}: {}", escape(&hint(lack, &cache.address))));
    }
}

/// Returns what is wrong with a path, in words.
pub(super) fn says(lack: &Lack) -> String {
    match lack {
        Lack::Missing => "missing".to_owned(),
        Lack::Untrusted(trust) => format!("{trust}, so Nix does not take it"),
        Lack::NoArchive => "its archive is missing, although the cache says that it is there".to_owned(),
        Lack::Cut { expected, found } => {
            format!("its archive is cut: expected {}, found {}", bytes(*expected), bytes(*found))
        }
        Lack::Unreadable(why) => format!("its narinfo cannot be read: {why}"),
    }
}

fn hint(lack: &Lack, address: &str) -> String {
    match lack {
        Lack::Missing => format!("run `splitter cache push --to {address}`"),
        Lack::Untrusted(Trust::Unsigned) => {
            "sign it: run `nix store sign --store CACHE --key-file FILE --recursive PATH`, or delete it from the cache and push again with SPLITTER_CACHE_KEY_FILE".to_owned()
        }
        Lack::Untrusted(Trust::Foreign(keys)) => format!(
            "if you trust {}, add its public key to `publicKeys` of this cache in splitter.json, and to `trusted-public-keys` of Nix",
            keys.join(", ")
        ),
        Lack::Untrusted(_) => "somebody changed it, or it was signed by a different key of the same name; delete it from the cache".to_owned(),
        Lack::NoArchive | Lack::Cut { .. } | Lack::Unreadable(_) => {
            "delete its narinfo from the cache and push again: Nix and its tools skip a path whose narinfo is there".to_owned()
        }
    }
}
