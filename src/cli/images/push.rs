//! `splitter images push`.

use std::{collections::BTreeMap, sync::Arc};

use super::{ImagesError, budget, labels, plans, plans::Choice, progress::PushProgress};
use crate::{
    cli::{
        arguments::{Global, ImagesPushOptions},
        failure::{Failure, Outcome},
        fetching::{cache, stall},
        printer::Printer,
        text::bytes,
    },
    fetch::{self, Environment},
    image::{
        Plan, Reference, credentials,
        known::Known,
        push::{PushError, Pushed, Session},
        reference::is_tag,
        registry::Registry,
    },
};

/// An image with its place.
struct Target {
    plans: Vec<Plan>,
    registry: Registry,
    tags: Vec<String>,
}

pub(in crate::cli) fn run(global: &Global, options: &ImagesPushOptions, printer: Printer) -> Result<Outcome, Failure> {
    if let Some(tag) = options.tags.iter().find(|tag| !is_tag(tag)) {
        return Err(ImagesError::Tag(tag.clone()).into());
    }
    let environment = Environment::of_process();
    let (store, stall) = (plans::store()?, stall(&environment)?);
    let labels = labels::read(global, &options.labels, options.plans.plan_files.is_empty(), &environment)?;
    let images = plans::read(global, &Choice::of_push(&options.plans), &store, printer)?;
    if budget::refuses(&images, printer) {
        return Ok(Outcome::Difference);
    }
    let mut plans: Vec<Plan> = images.into_iter().map(|image| image.plan).collect();
    for plan in &mut plans {
        labels.add_to(plan);
    }
    let images = by_name(plans);
    let progress = Arc::new(PushProgress::new(printer));
    let mut targets = Vec::new();
    let count = images.len();
    for (name, plans) in images {
        let reference = place(&name, &plans, options.to.as_deref(), count)?;
        let credential = credentials::find(&reference, &environment)?;
        let tags = tags(&plans, &reference, &options.tags);
        let counter = Arc::clone(&progress);
        let registry = Registry::new(&reference, credential, stall, counter).map_err(PushError::from)?;
        targets.push(Target { plans, registry, tags });
    }
    let known = Known::in_cache(&cache(&environment)?);
    let mut session = Session::new(store, options.compression.into(), known, Arc::clone(&progress) as _);
    session.is_dry = options.dry_run;
    for target in &targets {
        let reference = target.registry.reference();
        progress.begin(&target.plans, reference);
        let pushed = fetch::run(session.push(&target.registry, &target.plans, &target.tags))??;
        progress.end();
        report(&pushed, reference, options.dry_run, printer);
        printer.data(format_args!("{reference}@{}", pushed.digest));
    }
    Ok(Outcome::Done)
}

fn report(pushed: &Pushed, reference: &Reference, is_dry: bool, printer: Printer) {
    let tags = pushed.tags.join(", ");
    if pushed.was_there {
        printer.note(format_args!("{reference} has this image already, tagged {tags}"));
    } else if is_dry {
        printer.note(format_args!("would send {} to {reference}, and tag it {tags}", bytes(pushed.sent)));
    } else {
        printer.note(format_args!("sent {} to {reference}, tagged {tags}", bytes(pushed.sent)));
    }
}

/// Groups plans: those with one name are one image for several platforms.
fn by_name(plans: Vec<Plan>) -> BTreeMap<String, Vec<Plan>> {
    let mut images: BTreeMap<String, Vec<Plan>> = BTreeMap::new();
    for plan in plans {
        images.entry(plan.name.clone()).or_default().push(plan);
    }
    // The order of the plans must not decide the digest of the index.
    for plans in images.values_mut() {
        plans.sort_by(|a, b| a.platform.cmp(&b.platform));
    }
    images
}

fn place(name: &str, plans: &[Plan], to: Option<&str>, images: usize) -> Result<Reference, Failure> {
    let text = match to {
        Some(to) if to.ends_with('/') => format!("{to}{name}"),
        Some(to) if images > 1 => return Err(ImagesError::OneRepository { to: to.to_owned(), count: images }.into()),
        Some(to) => to.to_owned(),
        None => {
            let registry = plans.iter().find_map(|plan| plan.registry.as_deref());
            let registry = registry.ok_or_else(|| ImagesError::NoRegistry(name.to_owned()))?;
            format!("{}/{name}", registry.trim_end_matches('/'))
        }
    };
    Ok(Reference::parse(&text)?)
}

/// Returns the tags that the user gave, or else the one of the plan. Without any, the digest gives one.
fn tags(plans: &[Plan], reference: &Reference, given: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = reference.tag.iter().chain(given).cloned().collect();
    if tags.is_empty() {
        tags.extend(plans.iter().find_map(|plan| plan.tag.clone()));
    }
    let mut seen = std::collections::BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}
