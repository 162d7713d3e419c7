//! Runtime closures: a store path with all store paths that it needs to run, their sizes, and the reason for each.
//!
//! Nix finds the references of an output by searching its files for the hashes of its inputs. This module searches the same
//! way, so it can name the file that holds a reference.
//!
//! | module | holds | side effects |
//! | --- | --- | --- |
//! | [`path_info`] | reading the JSON of `nix path-info` | none |
//! | [`measure`] | the size of a closure, its parts, and the way from the output to each part | none |
//! | [`compare`] | the difference between two closures | none |
//! | [`scan`] | the files of an output that hold a reference | reads files of the store |
//! | [`gather`] | building the packages of a repository's state and asking Nix for their closures | runs `nix`, a scratch folder |

pub mod compare;
mod error;
pub mod gather;
pub mod measure;
pub mod path_info;
pub mod scan;

pub use self::{
    compare::{PartChange, compare, compared_name},
    error::ClosureError,
    gather::{Evaluated, Evaluation, Measured, Packages, Request, evaluate},
    measure::{Closure, Part, Reference},
    path_info::{Item, Items},
    scan::Holders,
};

/// The number of digits of the hash in a store path.
const HASH_DIGITS: usize = 32;

/// Returns the base name of a store path: `/nix/store/<hash>-<name>` gives `<hash>-<name>`. Nix prints both forms.
pub fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Returns the name of a store path without its hash, such as `nodejs-22.1.0`.
pub fn name(path: &str) -> &str {
    let base = base_name(path);
    base.get(HASH_DIGITS..).and_then(|rest| rest.strip_prefix('-')).unwrap_or(base)
}

/// Returns the hash of a store path, if it has one.
fn hash(path: &str) -> Option<&str> {
    let base = base_name(path);
    base.get(HASH_DIGITS..)?.starts_with('-').then(|| &base[..HASH_DIGITS])
}

/// Returns the name of a package without its version, by Nix's rule: the version starts after the first `-` that no letter
/// follows.
fn name_without_version(name: &str) -> &str {
    let starts_version =
        |(at, _): &(usize, &str)| name[at + 1..].starts_with(|next: char| !next.is_ascii_alphabetic()) && *at > 0;
    name.match_indices('-').find(starts_version).map_or(name, |(at, _)| &name[..at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cut_out_of_store_paths() {
        let path = "/nix/store/8z3wjas3v8r3l97274kb79bz2v91mya3-nodejs-slim-22.1.0";
        assert_eq!((name(path), hash(path)), ("nodejs-slim-22.1.0", Some("8z3wjas3v8r3l97274kb79bz2v91mya3")));
        assert_eq!((name("x"), hash("x"), hash("/nix/store")), ("x", None, None));
        assert_eq!(name_without_version(name(path)), "nodejs-slim");
        for (text, expected) in
            [("gcc-13-lib", "gcc"), ("a", "a"), ("a-", "a-"), ("-1", "-1"), ("a-b", "a-b"), ("a--b", "a")]
        {
            assert_eq!(name_without_version(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = (name(&text), hash(&text), name_without_version(&text));
        }
    }
}
