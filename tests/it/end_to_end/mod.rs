//! The whole, with a real Nix and a real sandbox: what splitter wrote is built, run, edited and built again.

mod edits;
mod libraries;
mod local;
mod outputs;
mod record;
mod stale;
mod trees;
mod yarn;
mod yarn_corners;
