//! `splitter init`: writes the flake and the hashes. All files are computed first, then written together.

mod advice;
mod apps;
mod git;
mod neighbours;
mod offer;

use std::{collections::BTreeSet, time::Instant};

pub(super) use self::git::untracked_files;

use super::{
    arguments::{Global, InitOptions},
    failure::{Failure, Outcome},
    fetching::bring_up_to_date,
    interrupt,
    printer::Printer,
    repository::{lfs_files, previous, recovered, warn, warn_of_lfs},
    style::{BOLD, GOOD},
    text::{count, duration, things},
};
use crate::{
    repo::{Asks, RepoPath, Snapshot, Tree as _, WorkTree},
    scaffold::{
        choices,
        direnv::{self, Direnv},
        files::{Files, Written},
        flake,
        just::{self, Just},
        record::{self, Record},
        templates::{self, Layout},
        update::Extent,
    },
    split::{Choices, Split},
};

pub(super) fn run(global: &Global, options: &InitOptions, printer: Printer) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let tree = recovered(global, printer)?;
    let choices = Choices { systems: options.systems.clone(), apps: options.apps.iter().cloned().collect() };
    let old = previous(&tree, printer)?;
    let split = Split::read(&Snapshot::new(tree.clone(), Asks::Whole), &choices)?;
    warn(&tree, &split, printer)?;
    let lfs_files = lfs_files(&tree, &split);
    warn_of_lfs(&tree, &lfs_files, printer)?;
    let update = bring_up_to_date(&tree, &split, old.as_ref(), &options.fetching, &Extent::WhatChanged, printer)?;
    let input = options.input.as_deref().or(split.config.input.as_deref());
    let mut files = generated(&tree, Layout::of(split.pin.manager.name, input))?;
    files.put(record::path(), update.record.render());
    if let Some(config) = choices::recorded(&tree, &split, &choices, options.input.as_deref())? {
        files.put(RepoPath::root().child(crate::split::config::FILE), config);
    }
    let has_flake = tree.is_file(&flake_path())?;
    let expression = if has_flake { None } else { advice::expression(&tree)? };
    if !has_flake && expression.is_none() {
        let settings = flake::settings::of_new_flake(&split, !lfs_files.is_empty());
        files.put(flake_path(), templates::flake(input, &settings));
    }
    if options.direnv || (!options.no_hook && offer::direnv(&tree, printer)?) {
        add_direnv(&tree, &mut files, printer)?;
    }
    let just = if options.just { Some(just::files(&tree)?) } else { None };
    if let Some(Just::Written { files: texts, .. }) = &just {
        for (path, text) in texts {
            files.put(path.clone(), text.as_str());
        }
    }
    let written = interrupt::uninterrupted(|| files.write(tree.root()))?;
    print_written(&written, printer);
    if let Some(just) = &just {
        advise_just(just, printer);
    }
    apps::warn_of_none(&split, printer);
    let apps: BTreeSet<&str> = split.graph.apps().map(|(name, _)| name).collect();
    printer.data(format_args!(
        "{GOOD}ready{GOOD:#}: {}{} and {} in {}",
        things(update.record.dependencies.len(), "package"),
        for_other_systems(&update.record),
        things(apps.len(), "app"),
        duration(start.elapsed())
    ));
    let is_first = old.is_none();
    let advice = advice::Advice { tree: &tree, split: &split, apps: &apps, input, is_first, expression };
    advice.print(printer)?;
    if !options.no_hook {
        offer::hook(&tree, printer)?;
    }
    Ok(Outcome::Done)
}

/// Counts the packages that no recorded system needs. They are in no part of `deps`.
fn for_other_systems(record: &Record) -> String {
    let is_other = |entry: &&record::DependencyRecord| entry.systems.as_ref().is_some_and(Vec::is_empty);
    match record.dependencies.iter().filter(is_other).count() {
        0 => String::new(),
        number => format!(" ({} for other systems)", count(number)),
    }
}

fn add_direnv(tree: &WorkTree, files: &mut Files, printer: Printer) -> Result<(), Failure> {
    match direnv::files(tree)? {
        Direnv::Written(texts) => texts.into_iter().for_each(|(path, text)| files.put(path, text)),
        Direnv::Kept => printer.note("  .envrc is kept; it enters the dev shell with the line `use flake`"),
    }
    Ok(())
}

/// Says what is left to do. Only what was written is worth advice, so this comes after writing.
fn advise_just(just: &Just, printer: Printer) {
    match just {
        Just::Written { advice: Some(justfile), .. } => {
            printer.note(format_args!("  add the line `{BOLD}{}{BOLD:#}` to {justfile}", just::LINE));
        }
        Just::Written { advice: None, .. } => {}
        Just::Kept => printer.note(format_args!("  {} was edited and is kept", just::FILE)),
    }
}

fn flake_path() -> RepoPath {
    RepoPath::root().child("flake.nix")
}

/// Returns the generated files, and removes those of older versions.
fn generated(tree: &WorkTree, layout: Layout) -> Result<Files, Failure> {
    let mut files = Files::default();
    for (path, content) in layout.targets() {
        files.put(path, content);
    }
    for path in templates::stale(tree, layout)? {
        files.remove(path);
    }
    Ok(files)
}

fn print_written(written: &Written, printer: Printer) {
    let groups = [("created", &written.created), ("changed", &written.changed), ("removed", &written.removed)];
    for (verb, paths) in groups {
        let (generated, others): (Vec<_>, Vec<_>) =
            paths.iter().partition(|path| path.as_str().starts_with(templates::FOLDER));
        for path in others {
            printer.note(format_args!("  {verb} {BOLD}{path}{BOLD:#}"));
        }
        if !generated.is_empty() {
            let files = things(generated.len(), "file");
            printer.note(format_args!("  {verb} {BOLD}{}/{BOLD:#} ({files})", templates::FOLDER));
        }
    }
    if *written == Written::default() {
        printer.note("  all files are up to date");
    }
}
