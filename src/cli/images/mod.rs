//! `splitter images`: the layers of container images, what a change sends again, and sending or writing images.

mod budget;
mod changes;
mod draw;
mod error;
mod json;
mod labels;
mod plans;
mod progress;
mod push;
mod show;
mod write;

use self::{error::ImagesError, plans::Choice};
use super::{
    arguments::{Global, ImagesCommand, ImagesOptions},
    failure::{Failure, Outcome},
    printer::Printer,
};
use crate::image::report;

pub(super) fn run(global: &Global, options: &ImagesOptions, printer: Printer) -> Result<Outcome, Failure> {
    match &options.command {
        Some(ImagesCommand::Push(options)) => push::run(global, options, printer),
        Some(ImagesCommand::Write(options)) => write::run(global, options, printer),
        None => view(global, options, printer),
    }
}

/// A change of the repository.
#[derive(Debug, PartialEq, Eq)]
enum Change<'a> {
    None,
    Range(&'a str),
    Edit(&'a camino::Utf8Path),
}

fn view(global: &Global, options: &ImagesOptions, printer: Printer) -> Result<Outcome, Failure> {
    let (names, change) = chosen(options)?;
    let ImagesOptions { plan_files, systems, nix_options, .. } = options;
    let choice = Choice { names: &names, files: plan_files, systems, nix_options, command: None };
    let store = plans::store()?;
    let compared = match change {
        Change::None => None,
        Change::Range(range) => Some(changes::of_range(global, range, &choice, &store, printer)?),
        Change::Edit(path) => Some(changes::of_edit(global, path, &choice, &store, printer)?),
    };
    let own;
    let images = if let Some(compared) = &compared {
        &compared.images
    } else {
        own = plans::read(global, &choice, &store, printer)?;
        &own
    };
    if let Some(path) = &options.output {
        draw::write(path, images, compared.as_ref(), printer)?;
    }
    match &compared {
        Some(compared) if options.json => printer.json(&json::comparison(compared)),
        Some(compared) => show::print_comparison(compared, printer),
        None if options.json => printer.json(&json::layers(images, &report::rows(&plans::plans(images)))),
        None => show::print(images, &report::rows(&plans::plans(images)), printer),
    }
    let over = budget::lines(images, compared.as_ref().map_or(&[], |compared| &compared.changes));
    for line in over.iter().filter(|_| !options.json) {
        printer.data(line);
    }
    Ok(if over.is_empty() { Outcome::Done } else { Outcome::Difference })
}

/// Sorts the arguments into names and a change. The name of an image has no `.`, so a range cannot be confused with it.
fn chosen(options: &ImagesOptions) -> Result<(Vec<String>, Change<'_>), ImagesError> {
    let (ranges, names): (Vec<&String>, Vec<&String>) = options.words.iter().partition(|word| word.contains(".."));
    let names = names.into_iter().chain(&options.images).cloned().collect();
    let mut changes = ranges.iter().map(|range| range.as_str()).chain(options.edit.iter().map(|path| path.as_str()));
    match (changes.next(), changes.next()) {
        (Some(first), Some(second)) => {
            Err(ImagesError::TwoChanges { first: first.to_owned(), second: second.to_owned() })
        }
        (None, _) => Ok((names, Change::None)),
        (Some(_), None) => {
            let edit = options.edit.as_deref().map_or(Change::None, Change::Edit);
            Ok((names, ranges.first().map_or(edit, |range| Change::Range(range))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str], edit: Option<&str>) -> ImagesOptions {
        ImagesOptions {
            command: None,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            images: vec!["push".to_owned()],
            edit: edit.map(Into::into),
            plan_files: Vec::new(),
            systems: Vec::new(),
            output: None,
            json: false,
            nix_options: Vec::new(),
        }
    }

    #[test]
    fn names_ranges_and_edits_are_told_apart() {
        let found = |words: &[&str], edit: Option<&str>| {
            let options = options(words, edit);
            let found = chosen(&options).map(|(names, change)| (names.join(","), format!("{change:?}")));
            found.map_err(|error| error.to_string())
        };
        assert_eq!(found(&["web"], None), Ok(("web,push".to_owned(), "None".to_owned())));
        assert_eq!(found(&["web", "main.."], None), Ok(("web,push".to_owned(), "Range(\"main..\")".to_owned())));
        assert_eq!(found(&[], Some("../a")), Ok(("push".to_owned(), "Edit(\"../a\")".to_owned())));
        assert!(found(&["a..b"], Some("x")).unwrap_err().ends_with("found `a..b` and `x`"));
        assert!(found(&["a..b", "c..d"], None).unwrap_err().ends_with("found `a..b` and `c..d`"));
    }
}
