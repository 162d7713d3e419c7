//! `splitter` splits the Nix build of a Bun or Yarn monorepo: dependencies are built from the lockfile, apps from sources.
//!
//! A module may use the modules below it in this table, never those above it:
//!
//! | module | contains | side effects |
//! | --- | --- | --- |
//! | [`cli`] | one file for each command, the printer, exit codes | prints |
//! | [`caches`] | binary caches: what a repository needs of them, and what they have | uses the network, runs `nix` |
//! | [`guard`] | checks of a tree or a commit, the git hook | writes hooks; runs git |
//! | [`closure`] | runtime closures: sizes, parts, the files that hold references | reads the store; runs `nix` |
//! | [`proof`] | states of a repository, comparison of the model with Nix, traces of builds | writes a scratch folder |
//! | [`reproduce`] | the differences of two builds of an output, their causes | reads both |
//! | [`picture`] | drawings of the build graph and of the layers of images: Mermaid, SVG, HTML | none |
//! | [`diagnosis`] | what the log of a failed build says of the cause | none |
//! | [`ci`] | the files of CI systems, the plan of their jobs | none |
//! | [`image`] | container images: plans, layers, registries | reads the store, writes layouts, uses the network |
//! | [`scaffold`] | files written to a repository | writes files |
//! | [`fetch`] | registries, the tarball cache, downloads | uses the network |
//! | [`nix`] | NAR, hashes, store paths, running `nix` | only the runner |
//! | [`split`] | the lock set, source sets, fingerprints, the workspace graph | none |
//! | [`managers`] | package managers: lockfiles, pins, settings, registries, messages | none |
//! | [`lockfile`] | the common model of lockfiles | none |
//! | [`repo`] | the repository as files | reads files |
//!
//! All modules may use these: [`diagnostic`] (place and hints of errors), `parallel` (threads), `ending` (child processes and
//! temporary folders to clean up), `reading` (files of authors who are not trusted), `escaping` (characters that control a terminal), [`shell`] (quoting), [`names`] (file names), [`system`] (systems), and `secrets` (secrets in
//! URLs).

pub mod caches;
pub mod ci;
pub mod cli;
pub mod closure;
pub mod diagnosis;
pub mod guard;
pub mod image;
pub mod picture;
pub mod proof;
pub mod reproduce;
pub mod scaffold;

pub mod fetch;
pub mod nix;

pub mod split;

pub mod lockfile;
pub mod managers;
pub mod repo;

pub mod diagnostic;
mod ending;
mod escaping;
pub mod names;
mod parallel;
mod reading;
mod secrets;
pub mod shell;
pub mod system;
