//! `lint`: what slows a Nix build down, found in the files that a team already has.
//!
//! It reads Nix files, `flake.lock`, workflows, Dockerfiles, `nix.conf`, scripts and manifests. A [`Rule`] is data with a function for each
//! kind of file that it reads, one file each in `rules`. Everything here is pure: files go in as texts, findings come out. `cli::lint` finds
//! the files.

mod allow;
mod choices;
mod file;
mod kind;
pub mod model;
mod page;
pub mod rules;
mod run;
mod settings;
pub mod view;

#[cfg(test)]
mod anti_patterns;
#[cfg(test)]
mod own_files;
#[cfg(test)]
mod testing;

pub use self::{
    allow::odd_comments,
    choices::{Choice, Choices},
    file::{Context, File, Found},
    kind::{Kind, is_foreign, kind_of},
    model::{Check, Edit, Example, Finding, Fix, Level, Rule},
    page::{overview, page},
    rules::main_nixpkgs,
    run::{Report, Unread, apply, first_nix_error, lint, of_rules},
};
