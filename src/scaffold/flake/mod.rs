//! Reads the `flake.nix` that a repository has already, and finds the lines that take splitter into that very flake.
//!
//! The lines come as insertions into the text, so that what is printed is what was found to fit: tests apply them and evaluate the result.
//! What a parser cannot tell gets no guess: the plain lines, and a word on why.

mod diff;
mod doors;
mod imports;
mod inputs;
mod insert;
mod parts;
mod plain;
mod syntax;
mod utils;

use std::{sync::mpsc, time::Duration};

pub use diff::diff;
pub use imports::{Uses, uses};
pub use insert::Insertion;

/// How the flake gets at splitter, and what it gets.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The URL of splitter as an input of the flake, where its files are not in the repository.
    pub input: Option<&'a str>,
    /// The names of the packages.
    pub packages: &'a [String],
}

/// What to add to a flake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// These insertions, into a flake of this style.
    Insert {
        /// The style, as people name it.
        style: &'static str,
        /// What to insert, by offset.
        insertions: Vec<Insertion>,
    },
    /// It cannot be told how the flake makes its outputs.
    Unknown {
        /// Why, as a clause.
        reason: &'static str,
    },
}

/// The longest file that is read.
const LIMIT: usize = 256 * 1024;

/// The stack for trees that the text may nest as deep as it is long: they are dropped by recursion.
const STACK: usize = 512 * 1024 * 1024;

/// How long a file may take. A real one takes milliseconds; for hostile nesting the parser takes time by the square of its depth.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds what to add to a flake.
pub fn advice(text: &str, wanted: Wanted<'_>) -> Advice {
    let (source, input, packages) = (text.to_owned(), wanted.input.map(str::to_owned), wanted.packages.to_vec());
    let found =
        parsed(text, move |root| doors::advice(&source, root, Wanted { input: input.as_deref(), packages: &packages }));
    found.unwrap_or(Advice::Unknown { reason: "it cannot be read as Nix" })
}

/// Gives the tree of a text to `read`. None if the text has an error, is too long, or takes too long.
fn parsed<T: Send + 'static>(text: &str, read: impl FnOnce(&rnix::Root) -> T + Send + 'static) -> Option<T> {
    if text.len() > LIMIT {
        return None;
    }
    let (sender, receiver) = mpsc::channel();
    let text = text.to_owned();
    let work = move || {
        let found = rnix::Root::parse(&text).ok().ok().map(|root| read(&root));
        // Nobody waits any more if it took too long.
        let _ = sender.send(found);
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).ok()?;
    receiver.recv_timeout(PATIENCE).ok()?
}

#[cfg(test)]
mod tests;
