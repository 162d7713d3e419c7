//! `splitter completions` and `splitter man`: texts that an installation puts where shells and `man` look. Both are made from
//! the arguments, so they cannot differ from them.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use clap::CommandFactory as _;
use clap_mangen::Man;
use fs_err as fs;

use super::{
    arguments::{Arguments, CompletionsOptions, ManOptions},
    failure::{Failure, Outcome},
    printer::Printer,
};
use crate::diagnostic::{Category, Diagnose};

/// The section of programs, which is also the ending of each file.
const SECTION: &str = "1";

/// A page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write man pages to `{folder}`")]
struct Unwritten {
    folder: Utf8PathBuf,
    source: io::Error,
}

impl Diagnose for Unwritten {
    fn category(&self) -> Category {
        Category::Environment
    }
}

pub(super) fn completions(options: &CompletionsOptions, printer: Printer) -> Outcome {
    printer.data(completions_for(options.shell).trim_end());
    Outcome::Done
}

pub(super) fn man(options: &ManOptions, printer: Printer) -> Result<Outcome, Failure> {
    let pages = pages();
    let Some(folder) = &options.output else {
        // The first page is that of the program.
        printer.data(pages.first().map_or("", |page| page.text.trim_end()));
        return Ok(Outcome::Done);
    };
    write(&pages, folder).map_err(|source| Unwritten { folder: folder.clone(), source })?;
    printer.note(format_args!("wrote {} man pages to {folder}", pages.len()));
    Ok(Outcome::Done)
}

fn completions_for(shell: clap_complete::Shell) -> String {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A man page, in the language of `man`.
struct Page {
    name: String,
    text: String,
}

/// Returns the page of the program, then those of its commands.
fn pages() -> Vec<Page> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    add_pages(&command, &mut pages);
    pages
}

fn add_pages(command: &clap::Command, pages: &mut Vec<Page>) {
    // `splitter ci init` has the page `splitter-ci-init`.
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let page = Man::new(command.clone()).title(&name).section(SECTION).manual("splitter");
    let mut text = Vec::new();
    // A vector takes every write.
    let _ = page.render(&mut text);
    pages.push(Page { name, text: String::from_utf8_lossy(&text).into_owned() });
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        add_pages(inner, pages);
    }
}

fn write(pages: &[Page], folder: &Utf8Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    pages.iter().try_for_each(|page| fs::write(folder.join(format!("{}.{SECTION}", page.name)), &page.text))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_command_has_a_page_and_completions() {
        let pages = pages();
        let command = Arguments::command();
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            let name = format!("splitter-{}", inner.get_name());
            assert!(pages.iter().any(|page| page.name == name), "{name}");
            for &shell in Shell::value_variants() {
                assert!(completions_for(shell).contains(inner.get_name()), "{shell} {name}");
            }
        }
        assert_eq!(pages[0].name, "splitter");
        assert!(pages[0].text.contains(env!("CARGO_PKG_VERSION")));
    }

    /// The printer would escape control characters, and then the texts would be wrong.
    #[test]
    fn texts_have_no_control_characters() {
        let of_pages = pages().into_iter().map(|page| page.text);
        let of_shells = Shell::value_variants().iter().map(|&shell| completions_for(shell));
        for text in of_pages.chain(of_shells) {
            let odd = text.chars().find(|&character| character.is_control() && !"\n\t".contains(character));
            assert_eq!(odd, None, "{text}");
        }
    }
}
