//! `splitter update-hash`: updates `splitter.lock.json` after a change to the lockfile.

use std::time::Instant;

use super::{
    arguments::{Global, UpdateHashOptions},
    changes::print_list,
    failure::{Failure, Outcome},
    fetching::{bring_up_to_date, cache},
    interrupt,
    printer::Printer,
    repository::{previous, recovered, warn},
    style::{BOLD, GOOD},
    text::{bytes, count, duration, things},
};
use crate::{
    fetch::Environment,
    nix::{
        command::Nix,
        nar::{NarDigest, Tree},
        store_path::StoreName,
    },
    parallel::both,
    repo::{Asks, Snapshot, Tree as _},
    scaffold::{
        compare::{Change, PackageChange, packages},
        files::Files,
        record::{self, Kept, PATH, Record},
        templates,
        update::{Extent, Update},
    },
    split::{Choices, Split, System, lock::shards::Part},
};

/// Number of parts of `deps` shown.
const SHOWN_PARTS: usize = 4;

pub(super) fn run(global: &Global, options: &UpdateHashOptions, printer: Printer) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let repo = recovered(global, printer)?;
    let snapshot = Snapshot::new(repo.clone(), Asks::Whole);
    let (split, old) = both(|| Split::read(&snapshot, &Choices::default()), || previous(&repo, printer));
    let (old, split) = (old?, split?);
    warn(&repo, &split, printer)?;
    let extent = extent(options.preload)?;
    let has_templates = repo.is_file(&templates::sign())?;
    if old.is_none() && !has_templates {
        printer.note("no record yet: run `splitter init` to write it with the flake and the Nix files");
    }
    let update = bring_up_to_date(&repo, &split, old.as_ref(), &options.fetching, &extent, printer)?;
    let mut files = Files::default();
    files.put(record::path(), update.record.render());
    let written = interrupt::uninterrupted(|| files.write(repo.root()))?;
    let was_written = !written.created.is_empty() || !written.changed.is_empty();
    print_summary(&split, old.as_ref(), &update, was_written, start, printer);
    if !has_templates && old.is_some() {
        printer.note("  the Nix files are missing; run `splitter init` to write them");
    } else if old.as_ref().is_some_and(Kept::is_older) {
        printer.warning("the Nix files still read the older format; run `splitter init` to rewrite them");
    }
    if options.preload {
        preload(&update, printer)?;
    }
    Ok(Outcome::Done)
}

fn print_summary(
    split: &Split,
    old: Option<&Kept>,
    update: &Update,
    was_written: bool,
    start: Instant,
    printer: Printer,
) {
    let mut counts = String::new();
    if let Some(old) = old {
        let changes = packages(split, &old.dependencies);
        print_list("packages", changes.iter().map(ToString::to_string), printer);
        if was_written || !changes.is_empty() {
            counts = format!(" ({})", counted(&changes));
        }
    }
    let state = if was_written { "wrote" } else { "unchanged" };
    printer.data(format_args!(
        "{GOOD}{state}{GOOD:#} {PATH}: {}{counts}, in {}",
        things(update.record.dependencies.len(), "package"),
        duration(start.elapsed())
    ));
    if update.downloaded.files + update.reused.files > 0 {
        printer.note(format_args!(
            "  downloaded {} ({}), reused {} ({}) from the cache",
            count(update.downloaded.files),
            bytes(update.downloaded.bytes),
            count(update.reused.files),
            bytes(update.reused.bytes)
        ));
    }
    print_parts(old, update, printer);
}

/// Prints the hashes of the changed parts, and their share of `deps` if it has several parts.
fn print_parts(old: Option<&Kept>, update: &Update, printer: Printer) {
    let deps = &update.record.deps;
    // `--preload` also hashes parts that did not change.
    let is_changed = |part: &str| {
        let recorded = old.and_then(|old| old.deps.get(part));
        recorded.is_none_or(|recorded| recorded.hash != deps[part].hash)
    };
    let hashed = update.hashed.keys().filter(|part| is_changed(&part.to_string()));
    let hashed: Vec<_> = hashed.map(|part| (part, &deps[&part.to_string()])).collect();
    for (part, output) in hashed.iter().take(SHOWN_PARTS) {
        let size = format!("{}, {}", things(output.packages, "package"), bytes(output.bytes));
        let name = format!("deps-{part}");
        printer.note(format_args!("  {BOLD}{name:<19}{BOLD:#} {} ({size})", output.hash));
    }
    if hashed.len() > SHOWN_PARTS {
        printer.note(format_args!("  and {} more", count(hashed.len() - SHOWN_PARTS)));
    }
    let is_cut = deps.values().any(|output| !output.shard.is_whole());
    if is_cut && !hashed.is_empty() {
        let size = |output: &record::FixedOutput| output.bytes;
        printer.note(format_args!(
            "  {} of {} changed ({} of {})",
            count(hashed.len()),
            things(deps.len(), "part"),
            bytes(hashed.iter().map(|(_, output)| size(output)).sum()),
            bytes(deps.values().map(size).sum())
        ));
    }
}

/// `1 added, 2 removed`
fn counted(changes: &[PackageChange]) -> String {
    let kinds = [(Change::Added, "added"), (Change::Removed, "removed"), (Change::Changed, "changed")];
    let counts = kinds.map(|(kind, word)| (changes.iter().filter(|package| package.change == kind).count(), word));
    let texts: Vec<_> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", count(*number)))
        .collect();
    if texts.is_empty() { "none changed".to_owned() } else { texts.join(", ") }
}

fn extent(preload: bool) -> Result<Extent, Failure> {
    if !preload {
        return Ok(Extent::WhatChanged);
    }
    // Checked first, so that a missing Nix fails before the downloads.
    Nix::require()?;
    Ok(Extent::System(System::of_this_machine()?))
}

/// Adds the parts that builds for this system read to the Nix store. They are laid out in the cache's folder first, because
/// hard links cost nothing there.
fn preload(update: &Update, printer: Printer) -> Result<(), Failure> {
    let nix = Nix::require()?;
    let cache = cache(&Environment::of_process())?;
    let system = System::of_this_machine()?;
    let wanted: Vec<(&Part, &Tree)> = update.hashed.iter().filter(|(part, _)| part.serves(system)).collect();
    for (index, (part, tree)) in wanted.iter().enumerate() {
        let output = &update.record.deps[&part.to_string()];
        let name: StoreName = Record::store_name(part, &output.fingerprint).parse()?;
        let digest: NarDigest = output.hash.to_string().parse()?;
        let path = nix.add(tree, &name, digest, cache.tmp())?;
        if index < SHOWN_PARTS {
            printer.note(format_args!("  added to the Nix store: {path}"));
        }
    }
    if wanted.len() > SHOWN_PARTS {
        printer
            .note(format_args!("  added to the Nix store: {} more parts of deps", count(wanted.len() - SHOWN_PARTS)));
    }
    let tarballs = &update.record.package_manager.tarballs;
    let tarball = tarballs.get(system.name()).or_else(|| tarballs.get("common"));
    if let Some((file, tarball)) = update.program.as_ref().zip(tarball) {
        // `fetchurl` uses this name.
        let name: StoreName = tarball.url.path().rsplit('/').next().unwrap_or_default().parse()?;
        let path = nix.add_file(file, &name, &tarball.integrity.digests()[0], cache.tmp())?;
        printer.note(format_args!("  added to the Nix store: {path}"));
    }
    Ok(())
}
