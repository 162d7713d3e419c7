//! [`NixError`].

use std::{fmt, io, path::PathBuf};

use super::NIX_VARIABLE;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    nix::{nar::NarError, store_path::StorePath},
};

/// Why Nix did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// There is none.
    #[error("`nix` was not found in {NIX_VARIABLE} or PATH")]
    Missing,
    /// It could not be run.
    #[error("could not run `{}`: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ran and failed.
    #[error("`{command}` failed ({status}){}", Tail(last_lines))]
    Failed {
        /// The program's name and its arguments.
        command: String,
        /// How it ended, as the system says it.
        status: String,
        /// The last lines that it wrote to stderr.
        last_lines: Vec<String>,
    },
    /// It succeeded, but did not answer in the form that it documents.
    #[error("`{command}` gave no {expected}, but `{found}`")]
    Answer {
        /// The program's name and its arguments.
        command: String,
        /// What was asked for.
        expected: &'static str,
        /// The start of what it wrote.
        found: String,
    },
    /// It put a tree elsewhere than its hash says.
    #[error("Nix put the dependencies at `{found}`; expected `{expected}`")]
    OtherPath {
        /// Where the tree's hash puts it.
        expected: StorePath,
        /// Where Nix says it is.
        found: String,
    },
    /// The tree could not be read or laid out for Nix.
    #[error(transparent)]
    Tree(#[from] NarError),
}

/// Lines below a message, indented.
struct Tail<'a>(&'a [String]);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Diagnose for NixError {
    fn category(&self) -> Category {
        match self {
            Self::Tree(error) => error.category(),
            _ => Category::Environment,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Tree(error) => error.location(),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing => vec![
                "install Nix from https://nixos.org/download".to_owned(),
                format!("or name the program: {NIX_VARIABLE}=/path/to/nix"),
            ],
            Self::OtherPath { .. } => vec![
                "a file of the download cache may have changed meanwhile: run `splitter update-hash`".to_owned(),
                "a store that is not /nix/store has other paths".to_owned(),
            ],
            Self::Tree(error) => error.hints(),
            Self::Start { .. } | Self::Failed { .. } | Self::Answer { .. } => Vec::new(),
        }
    }
}
