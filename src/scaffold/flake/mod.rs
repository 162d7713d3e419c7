//! Reads an existing `flake.nix` and finds the lines that add splitter to it.
//!
//! The lines are insertions into the text, so tests can apply exactly what is printed and evaluate the result. If the
//! style of the flake is unclear, nothing is guessed. The user gets general lines and the reason.

mod diff;
mod doors;
mod imports;
mod inputs;
mod insert;
mod parts;
mod plain;
pub mod settings;
mod syntax;
mod utils;

use std::{sync::mpsc, time::Duration};

pub use diff::diff;
pub use imports::{Uses, uses};
pub use insert::Insertion;

/// What to add to the flake.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The URL of splitter, if it is an input of the flake and its files are not in the repository.
    pub input: Option<&'a str>,
    /// The names of the packages to add.
    pub packages: &'a [String],
    /// The names of the checks to add.
    pub checks: &'a [String],
}

/// Advice on adding splitter to a flake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// Insertions for a flake of a known style.
    Insert {
        /// The common name of the style.
        style: &'static str,
        /// The insertions, in any order.
        insertions: Vec<Insertion>,
        /// Outputs that are not added, because the flake has its own.
        kept: Vec<Kept>,
    },
    /// The style of the flake is unknown.
    Unknown {
        /// The reason, as a clause about the flake.
        reason: &'static str,
    },
}

/// An output that both the flake and splitter define. The flake's stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// The name in the flake: `devShell`, `packages.editor`.
    pub own: String,
    /// The expression for splitter's output: `splitterOutputs.devShells.default`.
    pub ours: String,
}

/// The size limit of a file, in bytes.
const LIMIT: usize = 256 * 1024;

/// The stack size in bytes. Syntax trees are dropped recursively and can nest as deeply as the text is long.
const STACK: usize = 512 * 1024 * 1024;

/// The time limit for a file. Real files take milliseconds, but the parser's time grows with the square of the nesting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds what to add to a flake.
pub fn advice(text: &str, wanted: Wanted<'_>) -> Advice {
    let (source, input) = (text.to_owned(), wanted.input.map(str::to_owned));
    let (packages, checks) = (wanted.packages.to_vec(), wanted.checks.to_vec());
    let found = parsed(text, move |root| {
        doors::advice(&source, root, Wanted { input: input.as_deref(), packages: &packages, checks: &checks })
    });
    found.unwrap_or(Advice::Unknown { reason: "it could not be parsed as Nix" })
}

/// Calls `read` with the syntax tree of a text. Returns `None` if the text has an error, is too long, or takes too long.
fn parsed<T: Send + 'static>(text: &str, read: impl FnOnce(&rnix::Root) -> T + Send + 'static) -> Option<T> {
    if text.len() > LIMIT {
        return None;
    }
    let (sender, receiver) = mpsc::channel();
    let text = text.to_owned();
    let work = move || {
        let found = rnix::Root::parse(&text).ok().ok().map(|root| read(&root));
        // After a timeout the receiver is gone.
        let _ = sender.send(found);
    };
    std::thread::Builder::new().stack_size(STACK).spawn(work).ok()?;
    receiver.recv_timeout(PATIENCE).ok()?
}

#[cfg(test)]
mod tests;
