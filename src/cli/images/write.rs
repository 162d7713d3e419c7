//! `splitter images write`.

use camino::Utf8Path;

use super::{ImagesError, budget, labels, plans, plans::Choice};
use crate::{
    cli::{
        arguments::{Global, ImagesWriteOptions},
        failure::{Failure, Outcome},
        printer::Printer,
    },
    fetch::Environment,
    image::{Plan, layout, reference::is_tag},
};

pub(in crate::cli) fn run(global: &Global, options: &ImagesWriteOptions, printer: Printer) -> Result<Outcome, Failure> {
    let (names, folder) = match (options.words.as_slice(), options.plan_files.is_empty()) {
        ([folder], false) => (&[][..], folder),
        ([_, folder], true) => (&options.words[..1], folder),
        (words, is_built) => {
            let expected = if is_built { "the name of an image and a folder" } else { "a folder" };
            return Err(ImagesError::Words { expected, found: words.to_vec() }.into());
        }
    };
    if let Some(tag) = options.tag.as_ref().filter(|tag| !is_tag(tag)) {
        return Err(ImagesError::Tag(tag.clone()).into());
    }
    let store = plans::store()?;
    let ImagesWriteOptions { plan_files, systems, nix_options, .. } = options;
    let choice = Choice { names, files: plan_files, systems, nix_options, command: None };
    let labels = labels::read(global, &options.labels, plan_files.is_empty(), &Environment::of_process())?;
    let images = plans::read(global, &choice, &store, printer)?;
    if budget::refuses(&images, printer) {
        return Ok(Outcome::Difference);
    }
    let mut plans: Vec<Plan> = images.into_iter().map(|image| image.plan).collect();
    for plan in &mut plans {
        labels.add_to(plan);
    }
    plans.sort_by(|a, b| a.platform.cmp(&b.platform));
    if plans.iter().any(|plan| plan.name != plans[0].name) {
        return Err(ImagesError::SeveralImages { found: plans.into_iter().map(|plan| plan.name).collect() }.into());
    }
    let tag = options.tag.clone().or_else(|| plans.iter().find_map(|plan| plan.tag.clone()));
    let whole = layout::write(Utf8Path::new(folder), &plans, &store, options.compression.into(), tag.as_deref())?;
    printer.note(format_args!("wrote an OCI layout to {folder}"));
    printer.data(whole.digest);
    Ok(Outcome::Done)
}
