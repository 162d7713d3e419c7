//! A picture of the derivations: what is downloaded, installed and built, of what size, and what an edit rebuilds.
//!
//! A picture is boxes in the order in which they are built and lines between them; [`mermaid`] and [`svg`] write it. Of the
//! lines between workspaces only those are drawn that no other way says: in a monorepo of thirty workspaces nobody could
//! follow all of them.

mod build;
mod layout;
pub mod mermaid;
pub mod svg;

pub use build::{Sizes, picture};

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Downloaded packages.
    Deps,
    /// The installed packages.
    Install,
    /// A library that is no derivation: its sources are part of what uses it.
    Library,
    /// A library that is built by itself.
    BuiltLibrary,
    /// An app.
    App,
}

/// What an edit does to a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// No edit is shown.
    None,
    /// It stays.
    Kept,
    /// It is built anew.
    Rebuilt,
    /// The edit is in it, and it has no derivation of its own.
    Edited,
    /// It lies between the edit and what is rebuilt.
    Between,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it stands for.
    pub kind: Kind,
    /// Its name.
    pub title: String,
    /// Its place and its size.
    pub detail: String,
    /// What the edit does to it.
    pub mark: Mark,
}

/// Boxes, and lines between them by their indices, from what is built first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The downloads and the install.
    pub packages: Vec<Node>,
    /// The workspaces that apps are built from, the apps among them.
    pub workspaces: Vec<Node>,
    /// Lines between workspaces: used, user.
    pub edges: Vec<(usize, usize)>,
    /// The workspaces that no app is built from.
    pub unused: Vec<String>,
    /// The edit that is shown.
    pub edit: Option<String>,
}
