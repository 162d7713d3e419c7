//! Draws the build graph: what is downloaded, installed and built, its size, and what an edit rebuilds.
//!
//! A picture consists of boxes in build order and lines between them. [`mermaid`] and [`svg`] write it. A line between two
//! workspaces is omitted if other lines imply it, because nobody could follow all lines in a monorepo of thirty workspaces.
//! [`layers`] draws the layers of container images. [`page`] is the frame of HTML pages.

mod build;
pub mod layers;
mod layout;
pub mod mermaid;
pub mod page;
pub mod svg;

pub use build::{Sizes, picture};

/// The kind of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Downloaded packages.
    Deps,
    /// The installed packages.
    Install,
    /// A library without its own build. Its sources are part of the builds that use it.
    Library,
    /// A library with its own build.
    BuiltLibrary,
    /// An app.
    App,
}

/// The effect of an edit on a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// No edit is shown.
    None,
    /// It is kept.
    Kept,
    /// It is rebuilt.
    Rebuilt,
    /// It contains the edit, and has no derivation of its own.
    Edited,
    /// It lies between the edit and what is rebuilt.
    Between,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub title: String,
    /// The folder and the size.
    pub detail: String,
    /// The effect of the edit.
    pub mark: Mark,
}

/// Boxes in build order, and lines between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The downloads and the install.
    pub packages: Vec<Node>,
    /// The apps, and the workspaces that they are built from.
    pub workspaces: Vec<Node>,
    /// Lines between workspaces, as indices of the used workspace and of its user.
    pub edges: Vec<(usize, usize)>,
    /// The workspaces that no app is built from.
    pub unused: Vec<String>,
    /// The edited file, if an edit is shown.
    pub edit: Option<String>,
}
