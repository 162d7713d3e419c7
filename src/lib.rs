//! `splitter` splits the Nix build of a Bun or Yarn monorepo in two: what depends on the lockfile alone,
//! and what depends on source.
//!
//! The modules are drawn by the direction of dependency. Each may use those below it, never those above:
//!
//! | module | holds | touches the world |
//! | --- | --- | --- |
//! | [`cli`] | one file a verb, the printer, exit codes | prints |
//! | [`guard`] | what a check says, what may be committed, the git hook | writes hooks; runs git |
//! | [`closure`] | runtime closures: sizes, parts, the files that hold references | reads the store; runs `nix` |
//! | [`proof`] | states of a repository, the model of its derivations against Nix | a scratch folder |
//! | [`picture`] | the derivations as a drawing: Mermaid, SVG | no |
//! | [`scaffold`] | what is written to a repository | writes files |
//! | [`fetch`] | registries, the tarball cache, downloads | the network |
//! | [`nix`] | NAR, hashes, store paths; running `nix` | only its runner |
//! | [`split`] | the lock set, source sets, fingerprints, the workspace graph | no |
//! | [`managers`] | the package managers: lockfiles, pins, settings, registries, words | no |
//! | [`lockfile`] | the one model of lockfiles | no |
//! | [`repo`] | the repository as files | reads files |
//!
//! [`diagnostic`] is what every error of every module is turned into before it is shown; `parallel`
//! does two things at once, `ending` holds what must not outlive the program, [`shell`] quotes words, [`names`] says what
//! files are called, [`system`] what is built for, and `secrets` finds secrets in URLs.

pub mod cli;
pub mod closure;
pub mod guard;
pub mod picture;
pub mod proof;
pub mod scaffold;

pub mod fetch;
pub mod nix;

pub mod split;

pub mod lockfile;
pub mod managers;
pub mod repo;

pub mod diagnostic;
mod ending;
pub mod names;
mod parallel;
mod secrets;
pub mod shell;
pub mod system;
