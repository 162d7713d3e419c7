//! The whole, with a real Nix and a real sandbox: what splitter wrote is built, run, edited and built again.

mod checks;
mod doors;
mod edits;
mod git;
mod kinds;
mod libraries;
mod local;
mod outputs;
mod own_installs;
mod patch_package;
mod record;
mod registries;
mod scope;
mod scripts;
mod shards;
mod stale;
mod trees;
mod verify;
mod yarn;
mod yarn_corners;
mod yarn_git;
