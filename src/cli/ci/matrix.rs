//! `splitter ci matrix`: evaluates the flake, asks the caches, and prints the jobs that build what no cache has.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
};

use fs_err as fs;

use super::{error::CiError, place::Place};
use crate::{
    caches::{
        CacheChoice,
        closure::Survey,
        item::Item,
        query::Depth,
        wanted::{Kind, Thing, Wanted},
    },
    ci::{
        self, Provider,
        matrix::{self, Item as Entry, Job, Layout, Plan},
    },
    cli::{
        arguments::{CacheChoiceOptions, CiMatrixOptions, Global, MatrixFormat},
        cache::Session,
        failure::{Failure, Outcome},
        printer::Printer,
        style::{BOLD, GOOD, NOTE},
        text::things,
    },
    repo::WorkTree,
    system::System,
};

pub(super) fn run(global: &Global, options: &CiMatrixOptions, printer: Printer) -> Result<Outcome, Failure> {
    printer.note("evaluating the flake");
    let session = Session::open(global, &everything(options), printer)?;
    let found = &session.wanted;
    let survey = session.survey_of(&asked(&session, options), &roots(found), Depth::Infos)?;
    warn(found, &survey, printer);
    let items = items(found, &survey);
    let plan = matrix::plan(&items, &layout(options));
    if options.github_output {
        write_to("GITHUB_OUTPUT", &matrix::github_output(&plan)?)?.ok_or(CiError::NoOutputFile)?;
        write_to("GITHUB_STEP_SUMMARY", &matrix::summary(&items, &plan))?;
    }
    print(&session.tree, &items, &plan, options, printer)?;
    Ok(Outcome::Done)
}

/// Chooses everything for these systems.
fn everything(options: &CiMatrixOptions) -> CacheChoiceOptions {
    let mut systems = options.systems.clone();
    systems.sort_unstable();
    systems.dedup();
    CacheChoiceOptions { names: Vec::new(), systems, json: false, nix_options: options.nix_options.clone() }
}

/// Returns the caches to ask. Without any, only those of Nix's settings are asked.
fn asked(session: &Session, options: &CiMatrixOptions) -> Vec<CacheChoice> {
    let mut choices = session.choices(&options.caches, "--cache", |_| true).unwrap_or_default();
    for choice in &mut choices {
        choice.public_keys.extend(options.public_keys.iter().cloned());
    }
    choices
}

fn roots(found: &Wanted) -> BTreeSet<Item> {
    built(found).flat_map(|thing| &thing.paths).cloned().collect()
}

/// Returns what CI builds. It has no use for a dev shell, and the inputs of the flake are there once it is evaluated.
fn built(found: &Wanted) -> impl Iterator<Item = &Thing> {
    found.things.iter().filter(|thing| !matches!(thing.kind, Kind::DevShell | Kind::Input))
}

fn warn(found: &Wanted, survey: &Survey, printer: Printer) {
    for cache in &survey.caches {
        let Some(trouble) = &cache.away else { continue };
        printer.warning(format_args!("{} is not asked: {trouble}", cache.address));
        if let Some(hint) = trouble.hint(&cache.address) {
            printer.note(format_args!("{NOTE}hint{NOTE:#}: {hint}"));
        }
    }
    for attribute in &found.refused {
        printer.warning(format_args!("{attribute} cannot be evaluated, so no job builds it"));
    }
}

fn items(found: &Wanted, survey: &Survey) -> Vec<Entry> {
    let all: Vec<usize> = (0..survey.caches.len()).collect();
    let item = |thing: &Thing| {
        // A path that only a build tells is in no cache that could be asked.
        let is_cached = !thing.paths.is_empty() && survey.is_complete(&thing.paths, &all);
        Some(Entry {
            name: thing.name.clone(),
            kind: thing.kind.name().to_owned(),
            system: thing.system?,
            installable: thing.attribute.as_ref().map(|attribute| installable(attribute)),
            is_job: !matches!(thing.kind, Kind::Deps | Kind::PackageManager) && thing.attribute.is_some(),
            derivation: thing.derivation.clone()?,
            needs: thing.needs.iter().cloned().collect(),
            cache: is_cached.then(|| cache(thing, survey)),
        })
    };
    built(found).filter_map(item).collect()
}

/// Returns the cache that has the outputs, or all of them if each has a part.
fn cache(thing: &Thing, survey: &Survey) -> String {
    let has_all = |cache: &usize| thing.paths.iter().all(|path| survey.lack(path, &[*cache]).is_none());
    match (0..survey.caches.len()).find(has_all) {
        Some(cache) => survey.caches[cache].address.clone(),
        None => survey.caches.iter().map(|cache| cache.address.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// Returns what `nix build` takes. The attribute is the path of splitter's own names, which have no dots; names of the user that
/// need quotes in Nix are the last ones.
fn installable(attribute: &str) -> String {
    let mut parts = attribute.splitn(3, '.');
    let (output, system, name) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
    let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_path = output == Some("legacyPackages");
    if is_path || is_plain(name) {
        return format!(".#{attribute}");
    }
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!(".#{}.{}.\"{name}\"", output.unwrap_or_default(), system.unwrap_or_default())
}

fn layout(options: &CiMatrixOptions) -> Layout {
    let provider = options.provider();
    let mut runners: BTreeMap<System, String> =
        System::ALL.into_iter().map(|system| (system, provider.runner(system))).collect();
    runners.extend(options.runners.iter().cloned());
    Layout { runners, by_system: options.by_system }
}

/// Appends to the file that a variable names. Returns nothing without the variable.
fn write_to(variable: &str, text: &str) -> Result<Option<()>, CiError> {
    let Some(path) = std::env::var(variable).ok().filter(|path| !path.is_empty()) else { return Ok(None) };
    let file = fs::OpenOptions::new().append(true).create(true).open(&path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(Some(())),
        Err(source) => Err(CiError::Output { path, source }),
    }
}

fn print(
    tree: &WorkTree,
    items: &[Entry],
    plan: &Plan,
    options: &CiMatrixOptions,
    printer: Printer,
) -> Result<(), Failure> {
    match options.format() {
        MatrixFormat::Text => print_text(items, plan, printer),
        MatrixFormat::Json => printer.json(&matrix::json(items, plan)),
        MatrixFormat::Gitlab => {
            let place = Place::of(tree)?;
            let files = ci::files(Provider::Gitlab, &place.folder);
            printer.json(&matrix::gitlab(plan, files.get(1).map_or("", String::as_str)));
        }
        MatrixFormat::Buildkite => {
            let place = Place::of(tree)?;
            let files = ci::files(Provider::Buildkite, &place.folder);
            printer.json(&matrix::buildkite(plan, files.get(1).map_or("", String::as_str)));
        }
    }
    Ok(())
}

fn print_text(items: &[Entry], plan: &Plan, printer: Printer) {
    let missing = items.iter().filter(|item| item.cache.is_none() && item.is_job).count();
    if plan.matrix.is_empty() {
        printer.data(format_args!("{GOOD}nothing to build{GOOD:#}: the caches have {}", things(items.len(), "thing")));
        return;
    }
    printer.data(format_args!("{} of {} in no cache", missing, things(items.len(), "thing")));
    let stages = [("first, because several jobs need it:", &plan.shared), ("jobs:", &plan.matrix)];
    for (title, jobs) in stages.iter().filter(|(_, jobs)| !jobs.is_empty()) {
        printer.data(format_args!("\n{title}"));
        for Job { name, runner, names, .. } in *jobs {
            printer.data(format_args!("  {BOLD}{name}{BOLD:#} on {runner}: {}", names.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nix_would_cut_are_quoted() {
        for (attribute, expected) in [
            ("packages.x86_64-linux.web", ".#packages.x86_64-linux.web"),
            ("packages.x86_64-linux.a.b \"c\"", ".#packages.x86_64-linux.\"a.b \\\"c\\\"\""),
            ("legacyPackages.x86_64-linux.images.web.plan", ".#legacyPackages.x86_64-linux.images.web.plan"),
        ] {
            assert_eq!(installable(attribute), expected);
        }
    }
}
