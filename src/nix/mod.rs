//! What splitter knows of Nix: hashing what will be a store path, and running the real `nix`.
//!
//! Hashes and paths are computed here rather than asked of Nix, so that a developer without Nix keeps them right
//! too, for every system at once, and so that the pre-commit check needs no process.
//!
//! | module | holds | touches the world |
//! | --- | --- | --- |
//! | [`base32`] | the digits of store paths | no |
//! | [`store_path`] | names, and the path of a fixed output from its hash | no |
//! | [`nar`] | trees, the archive format, its hash | reads the files of a tree; `lay_out` makes them |
//! | [`command`] | finding and running `nix`; putting a tree into the store | runs programs |
//!
//! All but [`command`] is pure: the same tree and the same name give the same answer on every machine.

pub mod command;

pub mod store_path;

pub mod base32;
pub mod nar;
