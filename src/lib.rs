//! `splitter` splits the Nix build of a Bun or Yarn monorepo: dependencies are built from the lockfile, apps from sources.
//!
//! A module may use the modules below it in this table, never those above it:
//!
//! | module | contains | side effects |
//! | --- | --- | --- |
//! | [`cli`] | one file for each command, the printer, exit codes | prints |
//! | [`doctor`] | checks of this machine and of a repository: what slows builds down, and what mends it | uses the network, runs `nix` and git |
//! | [`bench`] | measurements of the split against the usual build: scenarios, logs, reports | none |
//! | [`caches`] | binary caches: what a repository needs of them, and what they have | uses the network, runs `nix` |
//! | [`tune`] | settings of Nix for this computer, with reasons | uses the network, runs `nix` |
//! | [`guard`] | checks of a tree or a commit, the git hook | writes hooks; runs git |
//! | [`closure`] | runtime closures: sizes, parts, the files that hold references | reads the store; runs `nix` |
//! | [`proof`] | states of a repository, comparison of the model with Nix, traces of builds | writes a scratch folder |
//! | [`reproduce`] | the differences of two builds of an output, their causes | reads both |
//! | [`picture`] | drawings of the build graph and of the layers of images: Mermaid, SVG, HTML | none |
//! | [`diagnosis`] | what the log of a failed build says of the cause | none |
//! | [`ci`] | the files of CI systems, the plan of their jobs | none |
//! | [`lint`] | rules about Nix files, workflows, Dockerfiles and settings | none |
//! | [`image`] | container images: plans, layers, registries | reads the store, writes layouts, uses the network |
//! | [`history`] | what builds did over time: times, caches, sizes | reads and writes the state folder |
//! | [`scaffold`] | files written to a repository | writes files |
//! | [`fetch`] | registries, the tarball cache, downloads | uses the network |
//! | [`nix`] | NAR, hashes, store paths, running `nix` | only the runner |
//! | [`machine`] | what this computer has: cores, memory, the disk of the store | reads files; runs programs; writes a scratch folder |
//! | [`split`] | the lock set, source sets, fingerprints, the workspace graph | none |
//! | [`managers`] | package managers: lockfiles, pins, settings, registries, messages | none |
//! | [`lockfile`] | the common model of lockfiles | none |
//! | [`repo`] | the repository as files | reads files |
//!
//! All modules may use these: [`diagnostic`] (place and hints of errors), `parallel` (threads), `ending` (child processes and
//! temporary folders to clean up), `reading` (files of authors who are not trusted), `escaping` (characters that control a terminal), [`shell`] (quoting), [`names`] (file names), [`system`] (systems), and `secrets` (secrets in
//! URLs).

pub mod bench;
pub mod caches;
pub mod ci;
pub mod cli;
pub mod closure;
pub mod diagnosis;
pub mod doctor;
pub mod guard;
pub mod history;
pub mod image;
pub mod lint;
pub mod picture;
pub mod proof;
pub mod reproduce;
pub mod scaffold;
pub mod tune;

pub mod fetch;
pub mod machine;
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
