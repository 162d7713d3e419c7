//! End-to-end tests with a real Nix and a real sandbox: they build, run, edit and rebuild what splitter generates.

mod checks;
mod doors;
mod edits;
mod git;
mod kinds;
mod libraries;
mod local;
mod outputs;
mod own_installs;
mod packages;
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
