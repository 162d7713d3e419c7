//! Measures the split of a repository against the usual build: which scenarios there are, in which order they run, what Nix's log
//! says of a run, and the report.
//!
//! The usual build is made by `nix/unsplit.nix` from splitter's own derivations. [`crate::cli`] runs Nix and edits scratch copies.

pub mod dependency;
pub mod derivations;
pub mod flake;
pub mod log;
pub mod plan;
pub mod report;
pub mod statistics;

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a repository is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// One derivation for each app, with the whole repository as source and an install inside.
    Unsplit,
    /// The derivations of splitter.
    Split,
}

impl Side {
    /// Returns the name in reports, and in the scratch copy's flake.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsplit => "unsplit",
            Self::Split => "split",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A situation to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Nothing is built.
    Cold,
    /// Everything is built, and evaluated from the start.
    Warm,
    /// The same command again.
    NoChange,
    /// A line in a source file of an app.
    AppEdit,
    /// A line in a source file of a library.
    LibraryEdit,
    /// A new test.
    TestEdit,
    /// A line in a README.
    ReadmeEdit,
    /// An app needs one more package of the lockfile.
    Dependency,
    /// A blank line in the lockfile.
    LockEdit,
    /// A machine without builds, and a cache with all of them.
    NewMachine,
    /// The same machine builds the next commit.
    NextCommit,
    /// An image is sent again after an edit of its app.
    Image,
}

impl Scenario {
    /// All scenarios, in the order in which they run.
    pub const ALL: [Self; 12] = [
        Self::Cold,
        Self::Warm,
        Self::NoChange,
        Self::AppEdit,
        Self::LibraryEdit,
        Self::TestEdit,
        Self::ReadmeEdit,
        Self::Dependency,
        Self::LockEdit,
        Self::NewMachine,
        Self::NextCommit,
        Self::Image,
    ];

    /// The scenarios of a quick run.
    pub const QUICK: [Self; 4] = [Self::Cold, Self::NoChange, Self::AppEdit, Self::ReadmeEdit];

    /// Returns the name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
            Self::NoChange => "no-change",
            Self::AppEdit => "app-edit",
            Self::LibraryEdit => "library-edit",
            Self::TestEdit => "test-edit",
            Self::ReadmeEdit => "readme-edit",
            Self::Dependency => "dependency",
            Self::LockEdit => "lock-edit",
            Self::NewMachine => "new-machine",
            Self::NextCommit => "next-commit",
            Self::Image => "image",
        }
    }

    /// Returns the name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Cold => "Cold",
            Self::Warm => "Warm",
            Self::NoChange => "No change",
            Self::AppEdit => "App edit",
            Self::LibraryEdit => "Library edit",
            Self::TestEdit => "Test edit",
            Self::ReadmeEdit => "README edit",
            Self::Dependency => "Dependency added",
            Self::LockEdit => "Lockfile edit",
            Self::NewMachine => "New machine, cache",
            Self::NextCommit => "New machine, next commit",
            Self::Image => "Image sent again",
        }
    }

    /// Returns what is measured, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Cold => "Nothing is built. The store has the tools and the tarballs.",
            Self::Warm => "Everything is built. Nix evaluates from the start, as in a new checkout.",
            Self::NoChange => "The same command again, with Nix's evaluation cache.",
            Self::AppEdit => "A source file of an app changed.",
            Self::LibraryEdit => "A source file of a library changed.",
            Self::TestEdit => "A workspace has a new test.",
            Self::ReadmeEdit => "A README changed.",
            Self::Dependency => "An app depends on one more package, which the lockfile has for another workspace.",
            Self::LockEdit => "The lockfile has one more blank line.",
            Self::NewMachine => "The store has only the tools. A binary cache has everything else.",
            Self::NextCommit => "The same, and a source file of an app changed since the cache was filled.",
            Self::Image => "A container image is sent to a registry that has the image from before an app edit.",
        }
    }

    /// Whether it takes a store without builds, which it fills.
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Cold | Self::NewMachine | Self::NextCommit)
    }

    /// Whether it reads a binary cache.
    pub const fn reads_cache(self) -> bool {
        matches!(self, Self::NewMachine | Self::NextCommit)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
