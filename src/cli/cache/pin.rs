//! `splitter cache pin`.

use std::collections::BTreeSet;

use serde_json::json;

use super::{CacheError, Session, status::refuse_blindness};
use crate::{
    caches::{
        Address, CacheChoice,
        pin::{Keep, Pin, pin_in_cachix},
        query::Depth,
        report::Report,
        wanted::{Kind, Thing},
    },
    cli::{
        arguments::{CachePinOptions, Global},
        failure::{Failure, Outcome},
        printer::Printer,
        style::BOLD,
        text::escape,
    },
    fetch,
};

pub(super) fn run(global: &Global, options: &CachePinOptions, printer: Printer) -> Result<Outcome, Failure> {
    if options.choice.names.is_empty() {
        return Err(CacheError::NoNames.into());
    }
    let session = Session::open(global, &options.choice, printer)?;
    let choice = target(options, &session)?;
    let cache = cachix_name(&choice.address)?;
    if !session.machine.has_cachix_token() {
        return Err(CacheError::NoToken(choice.address.to_string()).into());
    }
    let things = things(options, &session);
    let survey = session.survey(std::slice::from_ref(&choice), Depth::Infos)?;
    let report = Report::of(&session.wanted, &survey);
    refuse_blindness(&report)?;
    let is_there = |thing: &&&Thing| {
        report
            .rows
            .iter()
            .any(|row| std::ptr::eq(row.thing, **thing) && row.states.iter().all(|state| state.is_fetched()))
    };
    let lacking: Vec<String> = things.iter().filter(|thing| !is_there(thing)).map(|thing| thing.name.clone()).collect();
    if !lacking.is_empty() {
        return Err(CacheError::NotThere { address: choice.address.to_string(), names: lacking }.into());
    }
    let keep = match (options.keep_days, options.keep_revisions) {
        (Some(days), _) => Keep::Days(days),
        (None, Some(revisions)) => Keep::Revisions(revisions),
        (None, None) => Keep::Forever,
    };
    let pins: Vec<Pin> = things.iter().flat_map(|thing| pins_of(thing, keep, &session.wanted.store)).collect();
    for pin in &pins {
        let pinned = fetch::run(pin_in_cachix(cache, pin, &session.asking()))?;
        pinned.map_err(|trouble| CacheError::Pin {
            name: pin.name.clone(),
            address: choice.address.to_string(),
            trouble,
        })?;
        if !options.choice.json {
            printer.data(format_args!("{BOLD}{}{BOLD:#}  {}", escape(&pin.name), escape(&pin.path)));
        }
    }
    if options.choice.json {
        let pins = pins.iter().map(|pin| json!({ "name": pin.name, "path": pin.path }));
        printer.json(&json!({ "version": 1, "cache": choice.address.to_string(), "pins": pins.collect::<Vec<_>>() }));
    }
    Ok(Outcome::Done)
}

/// The named things, without what they are built from: a pin keeps what its path refers to, and what a build needs has names of its
/// own.
fn things<'a>(options: &CachePinOptions, session: &'a Session) -> Vec<&'a Thing> {
    let names: BTreeSet<String> = session.package_names(&options.choice.names).into_iter().collect();
    let is_named = |thing: &&Thing| {
        thing.kind != Kind::Input
            && (names.contains(&thing.name)
                || thing.name.strip_prefix("library-").is_some_and(|name| names.contains(name)))
    };
    session.wanted.things.iter().filter(is_named).collect()
}

/// The pins of a thing. The name does not change with the version, so that old versions can go.
fn pins_of(thing: &Thing, keep: Keep, store: &str) -> Vec<Pin> {
    let system = thing.system.map(|system| format!("-{system}")).unwrap_or_default();
    let is_one = thing.paths.len() == 1;
    let name = |item: &crate::caches::item::Item| {
        if is_one { format!("{}{system}", thing.name) } else { format!("{}{system}-{}", thing.name, item.name()) }
    };
    thing.paths.iter().map(|item| Pin { name: name(item), path: item.in_store(store), keep }).collect()
}

/// Returns the cache that the user named, or the only one that can pin.
fn target(options: &CachePinOptions, session: &Session) -> Result<CacheChoice, CacheError> {
    let named: Vec<Address> = options.to.iter().cloned().collect();
    let is_cachix = |choice: &CacheChoice| matches!(choice.address, Address::Cachix { .. });
    let all = session.choices(&named, "--to", |_| true)?;
    let able: Vec<&CacheChoice> = all.iter().filter(|choice| is_cachix(choice)).collect();
    match (&all[..], &able[..]) {
        ([one], _) => Ok(one.clone()),
        (_, [one]) => Ok((*one).clone()),
        _ => Err(CacheError::SeveralCaches { found: all.iter().map(|choice| choice.address.to_string()).collect() }),
    }
}

/// Returns the name of a cache of Cachix. Others have no pins, each for a reason of its own.
fn cachix_name(address: &Address) -> Result<&str, CacheError> {
    let (why, hint) = match address {
        Address::Cachix { name } => return Ok(name),
        Address::Attic { .. } => (
            "Attic keeps paths for a time that is set for the whole cache",
            "set the time: `attic cache configure NAME --retention-period '3 months'`".to_owned(),
        ),
        Address::S3 { .. } => (
            "rules of the bucket delete files by age",
            "delete nothing by age, because a reference is older than what refers to it".to_owned(),
        ),
        Address::File { .. } => ("nothing deletes files of a folder", "nothing needs to be done".to_owned()),
        Address::Http { .. } => (
            "HTTP has no request for it",
            "if the server serves a live store, add a root for the garbage collector there".to_owned(),
        ),
        Address::Ssh { url } => (
            "the protocol has no roots for the garbage collector",
            format!(
                "add a root there: `ssh {} nix-store --realise PATH --add-root /nix/var/nix/gcroots/NAME`",
                url.host_str().unwrap_or_default()
            ),
        ),
    };
    Err(CacheError::NoPins { address: address.to_string(), why, hint })
}
