//! What can be typed. The doc comments here are the program's `--help`.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::split::System;

/// Split the Nix build of a Bun or Yarn monorepo: dependencies by lockfile, apps by source
///
/// splitter writes a flake whose dependency derivations change only when dependencies change, keeps their fixed-output
/// hashes right without Nix and for every system at once, and tells when one is stale.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0    done
  1    a check found a difference
  2    wrong input or use
  3    the environment lacks something (network, Nix, disk), or stdout could not be written
  70   a bug in splitter
  128 and more: ended by a signal (130 for Ctrl-C, 143 for TERM, 129 for HUP)

Start with `splitter scan`, which writes nothing.";

// The styles of clap's headings and commands. clap strips them without colour.
const SIZE_EXAMPLES: &str = concat!(
    "\x1b[1;4mExamples:\x1b[0m",
    "\n  \x1b[1msplitter size\x1b[0m\n      Show the size of every package and its largest parts",
    "\n  \x1b[1msplitter size api main..HEAD\x1b[0m\n      Show how much the package `api` grew on this branch",
);

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The repository, or any folder inside it [default: the current folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) repo: Option<Utf8PathBuf>,
    /// Print errors and results only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print more about the work (can be repeated)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show how the repository is split, and write nothing
    Scan(ScanOptions),
    /// Write the flake and the hashes
    Init(InitOptions),
    /// Bring the hashes up to date with the lockfile
    UpdateHash(UpdateHashOptions),
    /// Tell whether the hashes are right for the lockfile, in milliseconds
    Check(CheckOptions),
    /// Tell what an edit rebuilds, and which file or package causes it
    Explain(ExplainOptions),
    /// Draw what is built, of what size, and what an edit rebuilds
    Graph(GraphOptions),
    /// Prove with Nix that an edit rebuilds what it must and nothing else
    Verify(VerifyOptions),
    /// Show how large each package is with all that it needs to run, and why
    #[command(after_help = SIZE_EXAMPLES)]
    Size(SizeOptions),
    /// Set up the git hook that stops a commit with stale hashes
    #[command(subcommand)]
    Hook(HookCommand),
    /// Show all of it on a sample monorepo in a new folder
    Demo(DemoOptions),
}

#[derive(Debug, Args)]
pub(super) struct ScanOptions {
    /// Show only this app's source set (can be repeated)
    #[arg(long = "app", value_name = "APP")]
    pub(super) apps: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct InitOptions {
    /// Make a derivation for this app only (can be repeated) [default: every app; recorded in splitter.json]
    #[arg(long = "app", value_name = "APP")]
    pub(super) apps: Vec<String>,
    /// Record hashes for this system only (can be repeated) [default: the four usual systems; recorded in splitter.json]
    #[arg(long = "system", value_name = "SYSTEM")]
    pub(super) systems: Vec<System>,
    /// Take splitter as an input of the flake, from this URL, and write the record alone (recorded in splitter.json)
    ///
    /// The Nix files of an earlier `init` are removed. To go back, delete "input" from splitter.json and run `splitter init`.
    #[arg(long, value_name = "URL", value_parser = flake_url)]
    pub(super) input: Option<String>,
    /// Do not offer to set up the git hook
    #[arg(long)]
    pub(super) no_hook: bool,
    #[command(flatten)]
    pub(super) fetching: FetchingOptions,
}

fn flake_url(text: &str) -> Result<String, String> {
    if crate::split::config::is_flake_url(text) {
        return Ok(text.to_owned());
    }
    Err("expected the URL of a flake, as `github:owner/splitter`".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct UpdateHashOptions {
    /// Put the tarballs into the Nix store as well, so that the next build downloads nothing
    #[arg(long)]
    pub(super) preload: bool,
    #[command(flatten)]
    pub(super) fetching: FetchingOptions,
}

/// How tarballs are had.
#[derive(Debug, Args)]
pub(super) struct FetchingOptions {
    /// Use the cache alone, and no network
    #[arg(long)]
    pub(super) offline: bool,
    /// How many tarballs to download at once
    #[arg(long, value_name = "N", default_value_t = crate::fetch::DEFAULT_JOBS)]
    pub(super) jobs: NonZeroUsize,
}

#[derive(Debug, Default, Args)]
pub(super) struct CheckOptions {
    /// Check what git is about to commit, in place of the work tree
    #[arg(long)]
    pub(super) staged: bool,
    /// How to print what is found
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
    /// Print JSON, as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl CheckOptions {
    /// The format that was chosen.
    pub(super) fn format(&self) -> CheckFormat {
        if self.json { CheckFormat::Json } else { self.format }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum HookCommand {
    /// Add it; where a tool owns the hooks, print the lines for its configuration
    Install,
    /// Take it out, and leave what was there before
    Uninstall,
    /// Tell whether it would run for the next commit here, and from which file
    Status,
    /// Check what is about to be committed: what the hook calls
    Run,
}

/// How `check` prints what it found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For people, and annotations of a GitHub workflow
    Github,
    /// SARIF 2.1.0, which code scanning reads
    Sarif,
    /// XML of test results, which GitLab, Jenkins and others read
    Junit,
}

#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// What to compare the work tree with: a commit, or two as `FROM..TO` [default: HEAD]
    #[arg(value_name = "REV")]
    pub(super) revision: Option<String>,
    /// Compare with what git is about to commit, in place of the work tree
    #[arg(long)]
    pub(super) staged: bool,
    /// Have Nix evaluate both states too, in scratch copies, and tell where it says something else
    #[arg(long)]
    pub(super) nix: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Options for every call of nix, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS", requires = "nix")]
    pub(super) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct GraphOptions {
    /// Draw a Mermaid flowchart, for a README [default, unless FILE ends in .svg]
    #[arg(long, conflicts_with = "svg")]
    pub(super) mermaid: bool,
    /// Draw an SVG file
    #[arg(long)]
    pub(super) svg: bool,
    /// The file to write [default: print it]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<Utf8PathBuf>,
    /// Show what an edit of this file, by its path from the repository's root, rebuilds
    #[arg(long, value_name = "PATH")]
    pub(super) edit: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct VerifyOptions {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Options for every call of nix, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(super) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct SizeOptions {
    /// Measure these packages of the flake [default: all apps and installs]. `A..B` compares two commits
    #[arg(value_name = "NAME|A..B")]
    pub(super) names: Vec<String>,
    /// Compare with this commit
    #[arg(long, value_name = "REV")]
    pub(super) from: Option<String>,
    /// Measure this commit [default: the working tree]
    #[arg(long, value_name = "REV")]
    pub(super) to: Option<String>,
    /// Build nothing, and measure only what is in the store
    #[arg(long)]
    pub(super) no_build: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Options for every call of nix, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(super) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct DemoOptions {
    /// The package manager of the sample
    #[arg(long = "with", value_name = "MANAGER", value_enum, default_value_t = DemoManager::Bun)]
    pub(super) manager: DemoManager,
    /// The folder to make [default: a new temporary folder, removed at the end]
    #[arg(value_name = "DIR")]
    pub(super) folder: Option<Utf8PathBuf>,
    /// Options for every call of nix, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(super) nix_options: Vec<String>,
}

/// The package manager of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DemoManager {
    /// Bun 1.4
    Bun,
    /// Yarn classic, 1.22
    Yarn,
    /// Yarn 4, with `node_modules`
    YarnBerry,
}
