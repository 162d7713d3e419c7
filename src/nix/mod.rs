//! Splitter's own implementation of Nix's hashes and store paths, and the code that runs the real `nix`.
//!
//! Splitter computes hashes and paths itself. A developer without Nix can then keep them right too, for every system at
//! once, and the pre-commit check needs no process.
//!
//! | module | holds | touches the world |
//! | --- | --- | --- |
//! | [`base32`] | the digits of store paths | no |
//! | [`store_path`] | names, and the path of a fixed output from its hash | no |
//! | [`release`] | releases of nixpkgs, and until when they are supported | no |
//! | [`settings`] | the settings and the version of a `nix` | no |
//! | [`nar`] | trees, the archive format, its hash | reads the files of a tree; `lay_out` makes them |
//! | [`command`] | finding and running `nix`; putting a tree into the store | runs programs |
//! | [`installed`] | what the installed `nix` says of itself, within a time | runs programs |
//!
//! All modules except [`command`] and [`installed`] are pure: the same tree and name give the same result on every machine.

pub mod command;
pub mod installed;

pub mod store_path;

pub mod base32;
pub mod nar;
pub mod release;
pub mod settings;
