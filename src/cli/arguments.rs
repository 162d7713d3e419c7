//! The arguments of the program. The doc comments here are its `--help`.

use std::num::NonZeroUsize;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::split::System;

/// Text below the help of a command: examples, each with what it does.
macro_rules! examples {
    ($($command:literal => $text:literal),* $(,)?) => {
        // The styles of clap's headings and commands. clap strips them without colour.
        concat!("\x1b[1;4mExamples:\x1b[0m", $("\n  \x1b[1m", $command, "\x1b[0m\n      ", $text),*)
    };
}

mod bench;
mod build;
mod cache;
mod ci;
mod dev;
mod doctor;
mod images;
mod lint;
mod manual;
mod reproduce;
mod stats;
mod tune;

pub(super) use self::{
    bench::BenchOptions,
    build::{BuildOptions, SizeOptions, TraceOptions, VerifyOptions},
    cache::{CacheChoiceOptions, CacheCommand, CachePinOptions, CachePushOptions, CacheStatusOptions},
    ci::{CiCheckOptions, CiCommand, CiInitOptions, CiMatrixOptions, MatrixFormat},
    dev::{ConfigOptions, DevCommand, LinkOptions, UpOptions},
    doctor::DoctorOptions,
    images::{ImagesCommand, ImagesOptions, ImagesPushOptions, ImagesWriteOptions, LabelOptions, PlanOptions},
    lint::{LintFormat, LintOptions},
    manual::{CompletionsOptions, ManOptions},
    reproduce::ReproduceOptions,
    stats::{Since, StatsOptions},
    tune::{TuneOptions, TuneOutput},
};

/// Build a Bun or Yarn monorepo with Nix, and rebuild only what changed
///
/// splitter writes a flake with separate derivations for the dependencies and for each app. A change to the lockfile
/// rebuilds the dependencies. An edit rebuilds only the apps that use the edited file. splitter computes the hashes
/// without Nix, for all systems, and reports stale ones.
#[derive(Debug, Parser)]
#[command(name = "splitter", version, propagate_version = true, after_help = AFTER_HELP, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

const AFTER_HELP: &str = concat!(
    "\x1b[1;4mExit codes:\x1b[0m
  0    success
  1    a check found a difference, or a build failed
  2    wrong input: a file or an option must be corrected
  3    the environment lacks something (network, Nix, disk), or stdout cannot be written
  70   a bug in splitter
  129, 130, 143
       ended by a signal (HUP, Ctrl-C, TERM)

",
    examples! {
        "splitter scan" => "Show how this repository is split. This writes nothing, so start here",
        "splitter init" => "Write the flake and the hashes",
    }
);

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The repository, or a folder in it [default: the current folder]
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(super) repo: Option<Utf8PathBuf>,
    /// Print only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    pub(super) quiet: bool,
    /// Print more details (repeat for even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub(super) verbose: u8,
}

const GLOBAL: &str = "Global options";
const DOWNLOADS: &str = "Download options";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show how the repository is split, without writing anything
    #[command(after_help = examples! {
        "splitter scan" => "Show the lock set, the workspaces and the source set of each app",
        "splitter scan --app web" => "Show only the source set of the app `web`",
    })]
    Scan(ScanOptions),
    /// Write the flake and the hashes
    #[command(after_help = examples! {
        "splitter init" => "Write the flake and the hashes for all apps and systems",
        "splitter init --app web --system x86_64-linux" => "Write them for one app and one system",
    })]
    Init(InitOptions),
    /// Update the hashes after a change to the lockfile
    #[command(after_help = examples! {
        "splitter update-hash" => "Download new packages and update their hashes",
        "splitter update-hash --preload" => "Also add the tarballs to the Nix store, so that the next build downloads nothing",
    })]
    UpdateHash(UpdateHashOptions),
    /// Check that the recorded hashes match the lockfile
    #[command(after_help = examples! {
        "splitter check" => "Check the working tree",
        "splitter check --format github" => "Check in a GitHub workflow, with annotations for each finding",
    })]
    Check(CheckOptions),
    /// Show what a change rebuilds, and which file or package causes it
    #[command(after_help = examples! {
        "splitter explain" => "Show what the uncommitted changes rebuild",
        "splitter explain main..HEAD" => "Show what the commits of this branch rebuild",
    })]
    Explain(ExplainOptions),
    /// Draw the build graph as Mermaid or SVG
    #[command(after_help = examples! {
        "splitter graph -o graph.svg" => "Write the build graph to an SVG file",
        "splitter graph --edit packages/ui/src/button.tsx" => "Print a Mermaid flowchart that marks what an edit of this file rebuilds",
    })]
    Graph(GraphOptions),
    /// Check that Nix rebuilds what splitter expects after each edit, and nothing else
    ///
    /// It compares the derivations with splitter's model. It builds nothing, so it does not show whether a source set has every file
    /// that its build reads. `--trace` shows that too, and builds.
    #[command(after_help = examples! {
        "splitter verify" => "Make sample edits in a scratch copy and evaluate each with Nix",
        "splitter verify -- --override-input nixpkgs github:NixOS/nixpkgs/nixos-unstable" => "Use another nixpkgs for all evaluations",
    })]
    Verify(VerifyOptions),
    /// Build packages with Nix, and say what to change where a build fails
    ///
    /// It runs `nix build`, tells why each package is built again, and names the cause of a failed build with the line of
    /// splitter.json that mends it. The exit code is 1 if a build fails.
    #[command(after_help = examples! {
        "splitter build" => "Build all packages",
        "splitter build web --fix" => "Build the package `web`, and add lines to splitter.json until it builds",
    })]
    Build(BuildOptions),
    /// Measure the builds of this repository against the usual build, and write a report
    ///
    /// The usual build has one derivation for each app, with the whole repository as source and an install inside. splitter makes it
    /// of the same record. All runs have stores of their own in the cache folder, and edits are made in a scratch copy.
    #[command(after_help = examples! {
        "splitter bench --quick" => "Measure a cold build, no change, and two edits once",
        "splitter bench web --report bench.html --report bench.md" => "Measure everything for the package `web`, and write two reports",
    })]
    Bench(BenchOptions),
    /// Show how large each package is with all that it needs to run, and why
    #[command(after_help = examples! {
        "splitter size" => "Show the size of every package and its largest parts",
        "splitter size api main..HEAD" => "Show how much the package `api` grew on this branch",
    })]
    Size(SizeOptions),
    /// Show how long builds took over time, what was built again, and why
    ///
    /// `splitter build` and `splitter cache push` note each run in a file of this machine. Nothing is sent anywhere.
    #[command(after_help = examples! {
        "splitter stats --since 30d" => "Show the last 30 days",
        "splitter stats --against main" => "Compare this branch with the branch `main`, and fail past the buildBudget of splitter.json",
        "splitter stats --html stats.html" => "Write a page for a browser",
    })]
    Stats(StatsOptions),
    /// Find files that a build looks for and does not get, or gets and never reads
    ///
    /// It builds each package on Linux with its command under strace, and compares what the command opened and looked for with the
    /// files that git has. A command that fails is traced too.
    #[command(after_help = examples! {
        "splitter trace" => "Trace every package, and the libraries that they need",
        "splitter trace web --write" => "Trace the package `web`, and add what it lacks to splitter.json until nothing is missing",
    })]
    Trace(TraceOptions),
    /// Build packages twice, and show which files differ and why
    ///
    /// It builds each package, and the libraries and installs that it needs, in two stores of their own, in other folders, at other
    /// times and on another number of processors. Your own store stays as it is. The exit code is 1 if a file differs that
    /// `knownDifferences` of splitter.json does not allow.
    #[command(after_help = examples! {
        "splitter reproduce" => "Build all packages twice and compare them",
        "splitter reproduce web --only --images" => "Build only the package `web` twice, and compare the layers of its image",
    })]
    Reproduce(ReproduceOptions),
    /// Show the layers of container images, and send images to a registry
    ///
    /// The flake has a plan for each image: groups of store paths, from rare to frequent change. splitter makes the layers from it,
    /// with the same bytes on every machine, and sends only those that the registry lacks. It needs no Docker.
    #[command(args_conflicts_with_subcommands = true, after_help = examples! {
        "splitter images" => "Show the layers of all images, what changes them, and which images share them",
        "splitter images main..HEAD" => "Show which layers the commits of this branch send again, in bytes",
        "splitter images web --edit apps/web/src/main.ts" => "Show which layers of the image `web` an edit of this file sends again",
        "splitter images --output layers.svg" => "Draw the layers",
        "splitter images push web --to registry.example/acme/web" => "Build the plan of the image `web`, and send it",
    })]
    Images(Box<ImagesOptions>),
    /// Start databases and apps for development, with the programs that the builds use
    ///
    /// splitter.json names services (a database, a mail server) and processes (the apps' `dev` scripts). process-compose starts them
    /// in their order, each when what it needs is ready. The data is in .splitter/dev of the checkout.
    #[command(subcommand, after_help = examples! {
        "splitter dev suggest" => "Print lines for splitter.json",
        "splitter dev up" => "Start everything, until Ctrl-C",
    })]
    Dev(DevCommand),
    /// Put the packages of the Nix build into this checkout, without an install
    #[command(after_help = examples! {
        "splitter link" => "Link the packages: they are built, or come from a binary cache",
        "splitter link --undo" => "Remove the links",
    })]
    Link(LinkOptions),
    /// Show what binary caches have, and push to them
    #[command(subcommand, after_help = examples! {
        "splitter cache status" => "Ask the caches of splitter.json for everything that CI and developers need",
        "splitter cache push --to cachix:acme" => "Build what the cache lacks, push it, and check that it is there",
    })]
    Cache(CacheCommand),
    /// Write the workflow of your CI system, and plan its jobs
    #[command(subcommand, after_help = examples! {
        "splitter ci init --cache cachix:acme" => "Write a workflow that reads and fills the cache `acme` of Cachix",
        "splitter ci matrix" => "Show the jobs that build what no cache has",
    })]
    Ci(CiCommand),
    /// Find what slows builds down or makes them fail, and say what mends it
    ///
    /// It checks this machine (Nix and its settings, binary caches, disk, clock) and the hashes, sources and Nix code of the repository. Each
    /// finding says why it matters here, and what mends it. It changes nothing, and works without Nix, without a network and outside
    /// of a repository. The exit code is 1 if something should be mended.
    #[command(after_help = examples! {
        "splitter doctor" => "Make all checks, and end with the three findings that matter most",
        "splitter doctor slow-ci" => "Make only the checks that explain a slow CI",
    })]
    Doctor(DoctorOptions),
    /// Show settings of Nix that suit this computer, and why
    ///
    /// It reads cores, memory and the disk of the store, and asks the installed Nix which settings it knows. Nothing that weakens
    /// Nix comes out. docs/tune.md of splitter says where usual advice is wrong.
    #[command(after_help = examples! {
        "splitter tune" => "Show what this computer has, the settings and their reasons",
        "splitter tune --nixos --write tune.nix" => "Write a module for NixOS",
    })]
    Tune(TuneOptions),
    /// Find what makes Nix builds slow or wrong, in flakes, workflows and Dockerfiles
    ///
    /// It reads the Nix files, flake.lock, workflows, Dockerfiles and scripts of any repository, and needs neither Nix nor a lockfile. The exit
    /// code is 1 if it finds an error or a warning. docs/lint.md lists the rules, and `--explain` prints the page of each.
    #[command(after_help = examples! {
        "splitter lint" => "Check the whole repository",
        "splitter lint --pedantic flake.nix .github" => "Check the flake and the workflows, and show everything",
        "splitter lint --explain whole-repository" => "Print the page of a rule",
    })]
    Lint(LintOptions),
    /// Manage the git hook that stops commits with stale hashes
    #[command(subcommand, after_help = examples! {
        "splitter hook install" => "Add the git hook to this repository",
        "splitter hook status" => "Show whether the git hook runs for the next commit",
    })]
    Hook(HookCommand),
    /// Try these commands on a sample monorepo
    #[command(after_help = examples! {
        "splitter demo" => "Run the demo in a temporary folder",
        "splitter demo --with yarn-berry /tmp/sample" => "Run it with Yarn 4, and keep the sample in /tmp/sample",
    })]
    Demo(DemoOptions),
    /// Print completions for a shell
    #[command(after_help = examples! {
        "splitter completions bash > ~/.local/share/bash-completion/completions/splitter" => "Complete commands and options in bash",
        "splitter completions fish > ~/.config/fish/completions/splitter.fish" => "Complete them in fish",
    })]
    Completions(CompletionsOptions),
    /// Print the man page, or write the pages of all commands
    #[command(after_help = examples! {
        "splitter man | man -l -" => "Read the man page",
        "splitter man --output ~/.local/share/man/man1" => "Install the pages of all commands",
    })]
    Man(ManOptions),
}

#[derive(Debug, Args)]
pub(super) struct ScanOptions {
    /// Show only the source set of this app (repeatable)
    #[arg(long = "app", value_name = "APP")]
    pub(super) apps: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct InitOptions {
    /// Build only this app (repeatable; saved in splitter.json) [default: all apps]
    #[arg(long = "app", value_name = "APP")]
    pub(super) apps: Vec<String>,
    /// Record hashes only for this system (repeatable; saved in splitter.json) [default: all four systems]
    #[arg(long = "system", value_name = "SYSTEM")]
    pub(super) systems: Vec<System>,
    /// Take splitter's Nix files from this flake instead of copying them into nix/splitter (saved in splitter.json)
    ///
    /// By default, `init` copies all Nix files that your builds need into nix/splitter. With this option, your flake gets splitter
    /// as an input, flake.lock pins its version, and nix/splitter has only splitter.lock.json. Nix files of an earlier `init` are
    /// removed. To go back, delete "input" from splitter.json and run `splitter init`.
    #[arg(long, value_name = "URL", value_parser = flake_url)]
    pub(super) input: Option<String>,
    /// Also write .envrc, with which direnv enters the dev shell
    #[arg(long)]
    pub(super) direnv: bool,
    /// Also write splitter.just, with recipes for just
    #[arg(long)]
    pub(super) just: bool,
    /// Do not offer to install the git hook, or to write .envrc
    #[arg(long)]
    pub(super) no_hook: bool,
    #[command(flatten)]
    pub(super) fetching: FetchingOptions,
}

fn flake_url(text: &str) -> Result<String, String> {
    if crate::split::config::is_flake_url(text) {
        return Ok(text.to_owned());
    }
    Err("expected the URL of a flake, such as `github:owner/splitter`".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct UpdateHashOptions {
    /// Also add the tarballs and the package manager to the Nix store, so that the next build downloads nothing
    ///
    /// splitter downloads tarballs to a cache of its own. Without this option, Nix downloads the changed ones a second time. This
    /// needs Nix on this machine.
    #[arg(long)]
    pub(super) preload: bool,
    #[command(flatten)]
    pub(super) fetching: FetchingOptions,
}

/// Options for downloads.
#[derive(Debug, Args)]
pub(super) struct FetchingOptions {
    /// Use only cached tarballs, without the network
    #[arg(long, help_heading = DOWNLOADS)]
    pub(super) offline: bool,
    /// Download this many tarballs at once
    #[arg(long, value_name = "N", help_heading = DOWNLOADS, default_value_t = crate::fetch::DEFAULT_JOBS)]
    pub(super) jobs: NonZeroUsize,
}

#[derive(Debug, Default, Args)]
pub(super) struct CheckOptions {
    /// Check the staged files instead of the working tree
    #[arg(long)]
    pub(super) staged: bool,
    /// Print the findings in this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
    /// Print JSON; the same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl CheckOptions {
    /// Returns the chosen format.
    pub(super) fn format(&self) -> CheckFormat {
        if self.json { CheckFormat::Json } else { self.format }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum HookCommand {
    /// Add the git hook, or print its lines if another tool manages the hooks
    #[command(after_help = examples! {
        "splitter hook install" => "Add the git hook, and keep the hooks that exist",
        "splitter --repo services/shop hook install" => "Add it for a repository in a subfolder",
    })]
    Install,
    /// Remove the git hook, and keep all other hooks
    #[command(after_help = examples! {
        "splitter hook uninstall" => "Remove the git hook",
        "splitter --repo services/shop hook uninstall" => "Remove it for a repository in a subfolder",
    })]
    Uninstall,
    /// Show whether the git hook runs for the next commit, and from which file
    #[command(after_help = examples! {
        "splitter hook status" => "Show the status; the exit code is 1 if the hook does not run",
        "splitter hook status || splitter hook install" => "Install the git hook if it does not run",
    })]
    Status,
    /// Check the staged files; the installed git hook calls this before each commit
    ///
    /// You need not run it yourself. Run it to see what the hook would say now, or call it from a hook that you write. The exit code
    /// is 1 if the commit would have stale hashes.
    #[command(after_help = examples! {
        "splitter hook run" => "Check the staged files as the git hook does",
        "SPLITTER_HOOK=0 git commit" => "Commit once without the git hook",
    })]
    Run,
}

/// Output formats of `check`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// Plain text
    #[default]
    Text,
    /// JSON
    Json,
    /// Plain text with annotations for GitHub workflows
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// `JUnit` XML, for `GitLab`, Jenkins and others
    Junit,
}

#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// A commit to compare with the working tree, or two commits as `FROM..TO` [default: HEAD]
    #[arg(value_name = "REV")]
    pub(super) revision: Option<String>,
    /// Compare with the staged files instead of the working tree
    #[arg(long)]
    pub(super) staged: bool,
    /// Also evaluate both states with Nix, and report where it disagrees
    #[arg(long)]
    pub(super) nix: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Options for all nix commands of `--nix`, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS", requires = "nix")]
    pub(super) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct GraphOptions {
    /// Draw a Mermaid flowchart [default, unless FILE ends in .svg]
    #[arg(long, conflicts_with = "svg")]
    pub(super) mermaid: bool,
    /// Draw an SVG image
    #[arg(long)]
    pub(super) svg: bool,
    /// Write to this file [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<Utf8PathBuf>,
    /// Mark what an edit of this file rebuilds (path from the root of the repository)
    #[arg(long, value_name = "PATH")]
    pub(super) edit: Option<Utf8PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DemoOptions {
    /// Use this package manager
    #[arg(long = "with", value_name = "MANAGER", value_enum, default_value_t = DemoManager::Bun)]
    pub(super) manager: DemoManager,
    /// Create the sample in this folder, and keep it [default: a temporary folder]
    #[arg(value_name = "DIR")]
    pub(super) folder: Option<Utf8PathBuf>,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(super) nix_options: Vec<String>,
}

/// Package managers of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DemoManager {
    /// Bun 1.4
    Bun,
    /// Yarn classic, 1.22
    Yarn,
    /// Yarn 4, with `node_modules`
    YarnBerry,
}
