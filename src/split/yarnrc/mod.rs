//! The rc files of Yarn: `.yarnrc.yml` of Yarn 2 and later, `.yarnrc` of Yarn 1.
//!
//! Each is read for three things: where files of the repository lie that Yarn runs or reads ([`BerryRc`],
//! [`ClassicRc`]), where packages come from, and which of its settings decide an install. The last are also cut from the
//! text by the Nix code, by a rule that stands in `blocks` and `classic`, since Nix has no reader of YAML; both readings
//! have to agree.

mod berry;
mod blocks;
mod classic;
mod error;
mod npm;
pub(crate) mod variables;
mod yaml;

pub(crate) use self::npm::{NetworkSettings, NpmAuth, NpmSettings, Setting};
pub use self::{
    berry::{BerryRc, NodeLinker},
    blocks::kept as kept_of_berry,
    classic::{ClassicRc, kept as kept_of_classic},
    error::YarnRcError,
};

pub(crate) use crate::names::{YARNRC as CLASSIC_FILE, YARNRC_YML as BERRY_FILE};
