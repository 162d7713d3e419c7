//! `splitter ci init`: writes the files of a CI system, unless somebody edited one.

use std::collections::BTreeSet;

use super::{
    error::CiError,
    place::{Found, Place, team},
};
use crate::{
    caches::{Address, CacheChoice},
    ci::{
        self, Finding, Images, Program, Provider, Settings, StoreCache, WrittenFile, actions::Pins, diff::diff,
        settings::is_plain,
    },
    cli::{
        arguments::{CiInitOptions, Global},
        failure::{Failure, Outcome},
        interrupt,
        printer::Printer,
        repository::work_tree,
        style::{BAD, BOLD, NOTE},
    },
    repo::{RepoPath, Tree as _, WorkTree},
    scaffold::files::{Files, WriteError, journal},
    split::config,
    system::System,
};

pub(super) fn run(global: &Global, options: &CiInitOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    if !tree.is_file(&RepoPath::root().child("flake.nix"))? {
        return Err(CiError::NoFlake.into());
    }
    let place = Place::of(&tree)?;
    let fail = |source| WriteError { path: RepoPath::root().child(journal::FILE), source };
    interrupt::uninterrupted(|| journal::recover(place.top.root())).map_err(fail)?;
    let provider = options.provider.map_or_else(|| place.provider(), |name| Ok(name.into()))?;
    let written = place.settings(provider)?;
    let is_first = written.is_none();
    let settings = match written {
        Some(written) if !options.chooses() => Settings { folder: place.folder.clone(), ..written },
        _ => chosen(&tree, &place, provider, options)?,
    };
    let found = place.files(provider)?;
    let pins = found.iter().filter_map(|file| file.text.as_deref()).fold(Pins::of_the_program(), Pins::with_newer_of);
    let team = team(&tree)?;
    check(&settings, &team)?;
    warn_of_caches(&settings, &team, printer);
    let wanted = ci::wanted(&settings, &team, &pins);
    let edited = edited(&found, &wanted, &pins);
    if !edited.is_empty() {
        print_diffs(&edited, printer);
        return Ok(Outcome::Difference);
    }
    let mut files = Files::default();
    for file in &found {
        match wanted.iter().find(|wanted| wanted.path == file.path.as_str()) {
            Some(wanted) => files.put(file.path.clone(), wanted.text.as_str()),
            // What splitter did not write is not its own to remove.
            None if file.text.as_deref().and_then(ci::origin).is_some() => files.remove(file.path.clone()),
            None => {}
        }
    }
    let written = interrupt::uninterrupted(|| files.write(place.top.root()))?;
    let groups = [("created", &written.created), ("changed", &written.changed), ("removed", &written.removed)];
    for (verb, path) in groups.iter().flat_map(|(verb, paths)| paths.iter().map(move |path| (verb, path))) {
        printer.data(format_args!("{verb} {BOLD}{path}{BOLD:#}"));
    }
    if groups.iter().all(|(_, paths)| paths.is_empty()) {
        printer.data("all files are up to date");
    }
    if is_first || options.chooses() {
        print_advice(&settings, &team, printer);
    }
    Ok(Outcome::Done)
}

/// Returns the choices of the options, with defaults for the others.
fn chosen(tree: &WorkTree, place: &Place, provider: Provider, options: &CiInitOptions) -> Result<Settings, Failure> {
    let config = config::read(tree)?;
    let program = match &options.program {
        Some(url) => Program::Url(url.clone()),
        None if config.input.is_some() => Program::Input,
        None => Program::Variable,
    };
    let has_cache = !options.caches.is_empty() || !team(tree)?.is_empty();
    let store_cache = match options.store_cache {
        Some(name) => name.into(),
        None if provider == Provider::Github && !has_cache => StoreCache::CacheNixAction,
        None => StoreCache::None,
    };
    let mut systems = options.systems.clone();
    if systems.is_empty() {
        systems.push(System::X8664Linux);
    }
    systems.sort_unstable();
    systems.dedup();
    Ok(Settings {
        provider,
        branch: options.branch.clone().map_or_else(|| place.branch(), Ok)?,
        folder: place.folder.clone(),
        systems,
        runners: options.runners.iter().cloned().collect(),
        caches: options.caches.clone(),
        public_keys: options.public_keys.clone(),
        store_cache,
        images: options
            .images
            .as_ref()
            .map(|registry| Images { registry: registry.clone(), job_token: options.registry_token }),
        bots: options.bots,
        program,
    })
}

/// Refuses choices that make no workflow.
fn check(settings: &Settings, team: &[CacheChoice]) -> Result<(), CiError> {
    let provider = settings.provider;
    if let Some(system) = settings.runners.keys().find(|system| !settings.systems.contains(system)) {
        return Err(CiError::OtherRunner { system: *system, chosen: settings.systems.clone() });
    }
    for CacheChoice { address, .. } in settings.caches(team) {
        // A workflow has no configuration of attic, which alone knows servers by other names than their hosts.
        if matches!(address, Address::Attic { .. }) && address.substituter().is_none() {
            return Err(CiError::NoHost { address });
        }
        let text = address.to_string();
        if !is_plain(&text) {
            return Err(CiError::NotPlain { what: "cache", text });
        }
    }
    if settings.store_cache != StoreCache::None && provider != Provider::Github {
        return Err(CiError::StoreCache);
    }
    let Some(images) = &settings.images else { return Ok(()) };
    let linux: Vec<System> = settings.systems.iter().copied().filter(|system| system.os() == "linux").collect();
    match linux.len() {
        0 => Err(CiError::NoImages),
        1 => Ok(()),
        _ if settings.shares_builds(team) => Ok(()),
        _ => Err(CiError::ImagesNeedCache { systems: linux }),
    }?;
    if images.job_token && provider == Provider::Buildkite { Err(CiError::NoToken { provider }) } else { Ok(()) }
}

/// Names caches that CI's machines do not have, and those whose paths Nix would refuse.
fn warn_of_caches(settings: &Settings, team: &[CacheChoice], printer: Printer) {
    let caches = settings.caches(team);
    for address in caches.iter().map(|cache| &cache.address).filter(|address| address.is_of_this_machine()) {
        printer.warning(format_args!(
            "{address} is a cache of this machine, which the machines of CI do not have; name another one with `--cache`"
        ));
    }
    if !settings.public_keys.is_empty() {
        return;
    }
    // The tool of Cachix knows the key, and a store behind ssh is not read.
    let needs_key = |cache: &&CacheChoice| {
        let is_read = matches!(cache.address, Address::Attic { .. } | Address::S3 { .. } | Address::Http { .. });
        is_read && cache.public_keys.is_empty() && !cache.address.is_of_this_machine()
    };
    for cache in caches.iter().filter(needs_key) {
        printer.warning(format_args!(
            "{}: Nix takes nothing from it without its public key; name the key with `--public-key`, or in `publicKeys` of splitter.json",
            cache.address
        ));
    }
}

/// A file that was edited, or that splitter did not write, with the text that it would get.
struct Edited<'a> {
    path: &'a RepoPath,
    old: &'a str,
    new: &'a str,
    finding: Finding,
}

fn edited<'a>(found: &'a [Found], wanted: &'a [WrittenFile], pins: &Pins) -> Vec<Edited<'a>> {
    let check = |file: &'a Found| {
        let old = file.text.as_deref()?;
        let new = wanted.iter().find(|wanted| wanted.path == file.path.as_str()).map(|wanted| wanted.text.as_str());
        let finding = match ci::compare(Some(old), new, pins)? {
            // Somebody's edits would be lost with the file.
            Finding::Unwanted if ci::origin(old).is_some_and(|(_, is_edited)| is_edited) => Finding::Edited,
            finding => finding,
        };
        matches!(finding, Finding::Edited | Finding::Foreign).then_some(Edited {
            path: &file.path,
            old,
            new: new.unwrap_or_default(),
            finding,
        })
    };
    found.iter().filter_map(check).collect()
}

fn print_diffs(edited: &[Edited<'_>], printer: Printer) {
    for Edited { path, old, new, finding } in edited {
        let why = if *finding == Finding::Foreign { "was not written by splitter" } else { "was edited" };
        printer.error_line(format_args!("{BAD}not written{BAD:#}: {BOLD}{path}{BOLD:#} {why}"));
        let target = if new.is_empty() { "/dev/null".to_owned() } else { format!("b/{path}") };
        printer.data(format_args!("--- a/{path}\n+++ {target}"));
        printer.data(diff(old, new).trim_end_matches('\n'));
    }
    printer.note(format_args!(
        "{NOTE}hint{NOTE:#}: to take the new text, run `{BOLD}splitter ci init … | git apply{BOLD:#}`, or remove the file first; to keep \
         yours, move it to another name"
    ));
}

/// Says what the CI system needs besides the files.
fn print_advice(settings: &Settings, team: &[CacheChoice], printer: Printer) {
    let caches = settings.caches(team);
    let pushed = caches.iter().filter(|cache| cache.push);
    let secrets: Vec<&str> = pushed.flat_map(|cache| secrets(&cache.address)).copied().collect();
    let of_registry = settings.images.as_ref().filter(|images| !images.job_token);
    let mut secrets: Vec<&str> =
        secrets.into_iter().chain(of_registry.iter().flat_map(|_| ["REGISTRY_USER", "REGISTRY_PASSWORD"])).collect();
    let mut seen = BTreeSet::new();
    secrets.retain(|secret| seen.insert(*secret));
    if !secrets.is_empty() {
        printer.note(format_args!("{NOTE}secrets{NOTE:#}: set {} in the CI system", secrets.join(", ")));
    }
    if settings.program == Program::Variable {
        printer.note(format_args!(
            "{NOTE}variable{NOTE:#}: set SPLITTER_URL to the URL of a clone of splitter, or write it with `--program URL`"
        ));
    }
    match settings.provider {
        Provider::Github | Provider::Forgejo => printer.note(format_args!(
            "{NOTE}branch protection{NOTE:#}: require the check `splitter`; it fails if any other job fails"
        )),
        Provider::Gitlab => printer.note(format_args!(
            "{NOTE}next{NOTE:#}: in .gitlab-ci.yml, include {BOLD}{}{BOLD:#}",
            ci::files(settings.provider, &settings.folder).first().map_or("", String::as_str)
        )),
        Provider::Buildkite => printer.note(format_args!(
            "{NOTE}next{NOTE:#}: let the pipeline run `{BOLD}buildkite-agent pipeline upload {}{BOLD:#}`",
            ci::files(settings.provider, &settings.folder).first().map_or("", String::as_str)
        )),
    }
    if settings.systems.len() == 1 {
        printer.note(format_args!("{NOTE}systems{NOTE:#}: {}; add others with `--system`", settings.systems[0]));
    }
}

/// Returns the secrets that pushing to a cache needs.
fn secrets(address: &Address) -> &'static [&'static str] {
    match address {
        Address::Cachix { .. } => &["CACHIX_AUTH_TOKEN"],
        Address::Attic { .. } => &["ATTIC_TOKEN"],
        Address::S3 { .. } => &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NIX_SECRET_KEY"],
        Address::Ssh { .. } => &["SSH_KEY"],
        Address::File { .. } | Address::Http { .. } => &["NIX_SECRET_KEY"],
    }
}
