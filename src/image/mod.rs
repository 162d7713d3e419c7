//! Container images: the third engine beside `dockerTools` and `nix2container`, which needs neither.
//!
//! The Nix build writes a [`Plan`]: groups of store paths, from rare to frequent change, and the configuration. This module
//! turns each group into a layer with the same bytes on every machine, and sends to a registry only what it lacks.
//!
//! | module | holds | side effects |
//! | --- | --- | --- |
//! | [`plan`] | the plan, and reading it | none |
//! | [`reference`](mod@reference) | names of registries, repositories and tags | none |
//! | [`store`] | the folder of store paths | none |
//! | [`tar`] | a layer as a tar stream | reads files of the store |
//! | [`compression`] | gzip and zstd on all cores, with the same bytes for any number of them | threads |
//! | [`layer`] | a layer as a file with its digests | a temporary file |
//! | [`manifest`] | the JSON documents of OCI | none |
//! | [`known`] | what earlier runs made and sent | the cache |
//! | [`credentials`] | what Docker and podman know of registries | reads files, runs helpers |
//! | [`registry`] | the protocol of registries | network |
//! | [`push`] | sending images | all of these |
//! | [`layout`] | writing an OCI layout | writes a folder |
//! | [`labels`] | the commit in labels and the time of creation | none |
//! | [`compare`] | which layers would be sent again after a change | none |
//! | [`report`] | the layers of images, and which they share | none |

pub mod compare;
pub mod compression;
pub mod credentials;
pub mod digest;
pub mod known;
pub mod labels;
pub mod layer;
pub mod layout;
pub mod manifest;
pub mod plan;
pub mod push;
pub mod reference;
pub mod registry;
pub mod report;
pub mod store;
pub mod tar;

pub use self::{
    compression::Compression,
    digest::Digest,
    plan::{Plan, PlanError},
    reference::{Reference, ReferenceError},
    store::Store,
};
