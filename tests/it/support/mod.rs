//! The harness: real package managers and a real Nix, in a clean environment, against a registry in this process.
//!
//! | module | holds |
//! | --- | --- |
//! | [`package`] | npm packages made in a test, packed the same way each time |
//! | [`loopback`] | an npm registry on a loopback port, which can misbehave |
//! | [`forge`] | git repositories over HTTP and archives of them, as GitHub has them, on a loopback port |
//! | [`secure_proxy`] | a proxy for what is asked of GitHub by name |
//! | [`sandbox`] | [`TestContext`]: folders and environment of one test, runs programs, snapshots |
//! | [`monorepo`] | a Bun monorepo with a lockfile by the real Bun, and apps that can be built and run |
//! | [`yarn_monorepo`] | the same for Yarn |
//! | [`project`] | what those two have in common, for tests that are the same for every package manager |
//! | [`small`] | a repository whose lockfile is made in the test, without any tool |
//! | [`programs`] | the packages that hold the package managers themselves |
//! | [`stand_in`] | small stand-ins for nixpkgs and flake-parts, and a monorepo that a real Nix builds with them |
//! | [`tls`] | certificates of a company's own authority |
//! | [`proxy`] | an HTTP proxy with a password |
//! | [`tools`] | the tools of `cargo xtask setup`, and the loud skip where one is missing |

pub(crate) mod forge;
pub(crate) mod loopback;
pub(crate) mod monorepo;
pub(crate) mod package;
pub(crate) mod programs;
pub(crate) mod project;
pub(crate) mod proxy;
pub(crate) mod sandbox;
pub(crate) mod secure_proxy;
pub(crate) mod small;
pub(crate) mod stand_in;
pub(crate) mod tls;
pub(crate) mod tools;
pub(crate) mod yarn_monorepo;

pub(crate) use self::{
    forge::Forge,
    loopback::{Fault, Registry},
    monorepo::Monorepo,
    package::Package,
    project::Project,
    proxy::Proxy,
    sandbox::{TestContext, copy_folder, fail, run, splitter_snapshot, succeed},
    secure_proxy::SecureProxy,
    small::Small,
    stand_in::NixMonorepo,
    tools::{BUN_1_3_14, BUN_VERSIONS, YARN_VERSIONS, bun, yarn},
    yarn_monorepo::YarnMonorepo,
};
