//! Everything that splitter writes to a repository: the record, the Nix files, the flake.

mod change;
pub mod choices;
pub mod compare;
pub mod direnv;
pub mod files;
pub mod flake;
pub mod formatters;
pub mod just;
pub mod leftovers;
pub mod record;
pub mod settings_edit;
pub mod signature;
pub mod templates;
pub mod update;
mod wording;
