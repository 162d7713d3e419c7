//! `splitter update-hash`: brings `splitter.lock.json` up to date with the lockfile.

use std::time::Instant;

use camino::Utf8Path;

use super::{
    arguments::{FetchingOptions, Global, UpdateHashOptions},
    check::{package_line, print_list},
    failure::{Failure, Outcome},
    interrupt,
    printer::{BOLD, GOOD, Printer},
    progress::DownloadProgress,
    text::{bytes, count, duration, things},
};
use crate::{
    fetch::{Cache, Downloader, Environment, FetchError, Registries},
    nix::{command::Nix, nar::NarDigest, store_path::StoreName},
    parallel::both,
    repo::{Tree as _, WorkTree},
    scaffold::{
        compare::{Change, PackageChange, packages},
        files::Files,
        record::{PATH, Record, RecordError},
        templates,
        update::{Extent, FromCache, Online, Update, update},
    },
    split::{Choices, Split, System},
};

pub(super) fn run(global: &Global, options: &UpdateHashOptions, printer: Printer) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let repo = work_tree(global)?;
    let (split, old) = both(|| Split::read(&repo, &Choices::default()), || previous(&repo, printer));
    let (old, split) = (old?, split?);
    warn(&split, printer);
    let extent = extent(options.preload)?;
    let update = bring_up_to_date(&repo, &split, old.as_ref(), &options.fetching, &extent, printer)?;
    let mut files = Files::default();
    files.put(record_path()?, update.record.render());
    let written = interrupt::uninterrupted(|| files.write(repo.root()))?;
    let was_written = !written.created.is_empty() || !written.changed.is_empty();
    print_summary(&split, old.as_ref(), &update, was_written, start, printer);
    if !repo.is_file(&templates::target("default.nix"))? {
        printer.note("  the Nix files beside it are not there yet: `splitter init` writes them");
    }
    if options.preload {
        preload(&update, printer)?;
    }
    Ok(Outcome::Done)
}

/// The repository that `--repo` or the current folder lies in.
pub(super) fn work_tree(global: &Global) -> Result<WorkTree, Failure> {
    let folder = global.repo.as_deref().unwrap_or(Utf8Path::new("."));
    Ok(WorkTree::discover(folder)?)
}

pub(super) fn record_path() -> Result<crate::repo::RepoPath, Failure> {
    Ok(PATH.parse().map_err(|_| RecordError::Absent)?)
}

/// The record as it is. One that cannot be read is written anew from the lockfile, unless a newer splitter wrote it.
pub(super) fn previous(tree: &WorkTree, printer: Printer) -> Result<Option<Record>, Failure> {
    match Record::read(tree) {
        Ok(record) => Ok(record),
        Err(
            error @ (RecordError::Json(_)
            | RecordError::Conflict { .. }
            | RecordError::NoVersion
            | RecordError::TooOld { .. }),
        ) => {
            printer.note(format_args!("{PATH} cannot be read ({error}); it is written anew from the lockfile"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Prints what is odd about a repository.
pub(super) fn warn(split: &Split, printer: Printer) {
    for warning in &split.warnings {
        printer.warning(warning);
    }
    if let Some(first) = split.drift.first() {
        let more = match split.drift.len() - 1 {
            0 => String::new(),
            more => format!(", and {} more", things(more, "difference")),
        };
        printer.warning(format_args!("the manifests and bun.lock disagree: {first}{more}; run `bun install`"));
    }
}

/// Makes the record of a split, from the network and the cache or from the cache alone.
pub(super) fn bring_up_to_date(
    repo: &WorkTree,
    split: &Split,
    old: Option<&Record>,
    options: &FetchingOptions,
    extent: &Extent,
    printer: Printer,
) -> Result<Update, Failure> {
    let environment = Environment::of_process();
    let cache = cache(&environment)?;
    if options.offline {
        let source = FromCache { cache: &cache, registries: &split.registries };
        return Ok(update(split, old, &source, extent)?);
    }
    let registries = Registries::load(repo.root(), &environment)?;
    let downloader = Downloader::new(registries, cache, options.jobs);
    let progress = DownloadProgress::new(printer);
    Ok(update(split, old, &Online { downloader: &downloader, progress: &progress }, extent)?)
}

fn cache(environment: &Environment) -> Result<Cache, FetchError> {
    Ok(Cache::open(Cache::default_root(environment)?)?)
}

fn print_summary(
    split: &Split,
    old: Option<&Record>,
    update: &Update,
    was_written: bool,
    start: Instant,
    printer: Printer,
) {
    let mut counts = String::new();
    if let Some(old) = old {
        let changes = packages(split, &old.dependencies);
        print_list("packages", changes.iter().map(package_line), printer);
        counts = format!(", {}", counted(&changes));
    }
    let state = if was_written { "wrote" } else { "unchanged" };
    printer.data(format_args!(
        "{GOOD}{state}{GOOD:#} {PATH}: {}{counts}, in {}",
        things(update.record.dependencies.len(), "package"),
        duration(start.elapsed())
    ));
    printer.note(format_args!(
        "  downloaded {} ({}), reused {} ({}) from the cache",
        count(update.downloaded.files),
        bytes(update.downloaded.bytes),
        count(update.reused.files),
        bytes(update.reused.bytes)
    ));
    for (part, output) in update.record.deps.iter().filter(|(part, _)| update.hashed.contains_key(*part)) {
        let size = format!("{}, {}", things(output.packages, "package"), bytes(output.bytes));
        printer.note(format_args!("  {BOLD}{part:<14}{BOLD:#} {} ({size})", output.hash));
    }
}

/// `+1 −2 ~3`
fn counted(changes: &[PackageChange]) -> String {
    let of = |change| count(changes.iter().filter(|package| package.change == change).count());
    format!("+{} -{} ~{}", of(Change::Added), of(Change::Removed), of(Change::Changed))
}

fn extent(preload: bool) -> Result<Extent, Failure> {
    if !preload {
        return Ok(Extent::WhatChanged);
    }
    // Asked first, so that a missing Nix shows before anything is downloaded.
    Nix::require()?;
    Ok(Extent::System(System::of_this_machine()?))
}

/// Puts the parts that this system's build reads into the Nix store. They are laid out in the cache's folder first,
/// where hard links cost nothing.
fn preload(update: &Update, printer: Printer) -> Result<(), Failure> {
    let nix = Nix::require()?;
    let cache = cache(&Environment::of_process())?;
    let system = System::of_this_machine()?;
    let wanted = ["common".to_owned(), system.to_string()];
    for (part, tree) in update.hashed.iter().filter(|(part, _)| wanted.contains(part)) {
        let output = &update.record.deps[part];
        let name: StoreName = Record::store_name(part, &output.fingerprint).parse()?;
        let digest: NarDigest = output.hash.to_string().parse()?;
        let path = nix.add(tree, &name, digest, cache.root())?;
        printer.note(format_args!("  in the Nix store: {path}"));
    }
    let tarball = update.record.package_manager.tarballs.get(&system);
    if let Some((file, tarball)) = update.program.as_ref().zip(tarball) {
        // The name that `fetchurl` gives it.
        let name: StoreName = tarball.url.path().rsplit('/').next().unwrap_or_default().parse()?;
        let path = nix.add_file(file, &name, &tarball.integrity.digests()[0], cache.root())?;
        printer.note(format_args!("  in the Nix store: {path}"));
    }
    Ok(())
}
