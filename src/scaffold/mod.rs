//! What is written to a repository: the record of a split, the Nix files, the flake.

mod change;
pub mod choices;
pub mod compare;
pub mod files;
pub mod flake;
pub mod record;
pub mod templates;
pub mod update;
