//! Binary caches: what a repository needs of them, what they have, and whether Nix would take it.
//!
//! splitter asks caches itself, many paths at once. Nix remembers for an hour that a path is missing, gives up a whole build
//! for some answers, and says nothing for others.
//!
//! | module | holds | touches the world |
//! | --- | --- | --- |
//! | [`item`] | base names of store paths | no |
//! | [`narinfo`] | what a cache says of a store path, and who signed it | no |
//! | [`wanted`] | everything that CI and developers need of a repository, from one evaluation | runs `nix` |
//! | [`machine`] | the settings of Nix and of the tools of caches on this machine | reads files, runs `nix` |
//! | [`query`] | asking caches | network, reads folders, runs `nix` |
//! | [`closure`] | following references through several caches | asks through [`query`] |
//! | [`pin`] | names for paths that a cache must not delete | network |
//! | [`report`] | what each cache lacks of each thing, and what that costs | no |

pub mod closure;
pub mod item;
pub mod machine;
pub mod narinfo;
mod netrc;
pub mod pin;
pub mod query;
pub mod report;
mod trouble;
pub mod wanted;

pub use self::trouble::Trouble;
pub use crate::split::caches::{
    Address, AddressError, CacheChoice, KeyError, PublicKey, SecretKeyError, check_secret_key,
};
