//! The test harness: real package managers and a real Nix, in a clean environment, with a registry in this process.
//!
//! | module | holds |
//! | --- | --- |
//! | [`package`] | npm packages that a test makes, packed to the same bytes each time |
//! | [`loopback`] | an npm registry on a loopback port, with faults on demand |
//! | [`forge`] | git repositories over HTTP and their archives, like GitHub's, on a loopback port |
//! | [`oci_registry`] | a registry of images on a loopback port, with faults on demand |
//! | [`real_registry`] | a real registry of images on a loopback port |
//! | [`container`] | a container of a real runc |
//! | [`images`] | plans of images, over a store in the test's folder |
//! | [`secure_proxy`] | an HTTPS proxy for requests to GitHub |
//! | [`sandbox`] | [`TestContext`]: folders and environment of one test, programs, snapshots |
//! | [`monorepo`] | a Bun monorepo with a lockfile from the real Bun, and apps that can be built and run |
//! | [`yarn_monorepo`] | the same for Yarn |
//! | [`project`] | a trait for both, for tests that are the same for every package manager |
//! | [`small`] | a repository that needs no package manager |
//! | [`programs`] | npm packages of the package managers themselves |
//! | [`stand_in`] | small replacements of nixpkgs and flake-parts, and a monorepo that a real Nix builds with them |
//! | [`tls`] | certificates of a company's own authority |
//! | [`proxy`] | an HTTP proxy with a password |
//! | [`web_cache`] | a real nginx as a binary cache |
//! | [`tools`] | the tools of `cargo xtask setup`, and skipping a test if one is missing |

pub(crate) mod container;
pub(crate) mod forge;
pub(crate) mod images;
pub(crate) mod loopback;
pub(crate) mod monorepo;
pub(crate) mod oci_registry;
pub(crate) mod package;
pub(crate) mod programs;
pub(crate) mod project;
pub(crate) mod proxy;
mod random;
pub(crate) mod real_registry;
pub(crate) mod sandbox;
pub(crate) mod secure_proxy;
pub(crate) mod small;
pub(crate) mod stand_in;
pub(crate) mod tls;
pub(crate) mod tools;
pub(crate) mod web_cache;
pub(crate) mod yarn_monorepo;

pub(crate) use self::{
    container::{Container, Programs},
    forge::Forge,
    images::Images,
    loopback::{Fault, Registry},
    monorepo::Monorepo,
    oci_registry::{OciAuth, OciFault, OciRegistry},
    package::Package,
    project::Project,
    proxy::Proxy,
    random::Random,
    real_registry::RealRegistry,
    sandbox::{TestContext, copy_folder, fail, run, splitter_snapshot, succeed},
    secure_proxy::SecureProxy,
    small::Small,
    stand_in::NixMonorepo,
    tools::{BUN_1_3_14, BUN_VERSIONS, YARN_VERSIONS, bun, yarn},
    yarn_monorepo::YarnMonorepo,
};
