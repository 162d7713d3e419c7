//! The arguments of the commands that build and look at what was built.

use clap::Args;

use super::FetchingOptions;

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyOptions {
    /// Also trace every package and the libraries that they need, as `splitter trace` does
    #[arg(long)]
    pub(in crate::cli) trace: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BuildOptions {
    /// Build these packages, libraries or checks [default: all apps]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    /// Add lines to splitter.json until everything is built, or no line is known that mends it
    #[arg(long)]
    pub(in crate::cli) fix: bool,
    /// Make no link `result` to what is built
    #[arg(long)]
    pub(in crate::cli) no_link: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SizeOptions {
    /// Measure these packages of the flake [default: all apps and installs]. `A..B` compares two commits
    #[arg(value_name = "NAME|A..B")]
    pub(in crate::cli) names: Vec<String>,
    /// Compare with this commit
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) from: Option<String>,
    /// Measure this commit [default: the working tree]
    #[arg(long, value_name = "REV")]
    pub(in crate::cli) to: Option<String>,
    /// Build nothing, and measure only what is in the store
    #[arg(long)]
    pub(in crate::cli) no_build: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TraceOptions {
    /// Trace these packages, libraries, checks or workspaces (by folder) [default: all packages and the libraries that they need]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    /// Also build over the whole repository, and report the files that only this build reads
    ///
    /// A build that lists a folder does not look for a file that is not there. Only this option finds such files.
    #[arg(long)]
    pub(in crate::cli) full: bool,
    /// Add what is missing to splitter.json, update the hashes, and trace again until nothing is missing
    #[arg(long)]
    pub(in crate::cli) write: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) fetching: FetchingOptions,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}
