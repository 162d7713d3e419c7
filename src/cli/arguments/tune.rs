//! The arguments of `splitter tune`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::tune::Profile;

#[derive(Debug, Args)]
#[command(next_line_help = false)]
pub(in crate::cli) struct TuneOptions {
    #[command(flatten)]
    pub(in crate::cli) output: TuneOutput,
    /// Write to this file, and show what changes; never over a file that was edited [default format: nix.conf]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["show", "diff", "json"])]
    pub(in crate::cli) write: Option<Utf8PathBuf>,
    /// How much of the computer builds may take
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = ProfileName::Balanced)]
    pub(in crate::cli) profile: ProfileName,
    /// Build and download a small set with what is set and with the advice, and take back what does not help
    #[arg(long)]
    pub(in crate::cli) measure: bool,
    /// Do not ask caches how fast they answer
    #[arg(long)]
    pub(in crate::cli) offline: bool,
}

/// What to print.
#[derive(Debug, Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option, and clap allows one of them")]
pub(in crate::cli) struct TuneOutput {
    /// Show what this computer has, the settings and their reasons [default]
    #[arg(long)]
    pub(in crate::cli) show: bool,
    /// Print the difference to what is set
    #[arg(long)]
    pub(in crate::cli) diff: bool,
    /// Print lines for nix.conf
    #[arg(long)]
    pub(in crate::cli) nix_conf: bool,
    /// Print a module for `NixOS`
    #[arg(long = "nixos")]
    pub(in crate::cli) nix_os: bool,
    /// Print a module for nix-darwin
    #[arg(long)]
    pub(in crate::cli) darwin: bool,
    /// Print the value of `NIX_CONFIG` for a job of CI
    #[arg(long)]
    pub(in crate::cli) ci: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ProfileName {
    /// Leave half of the cores to other programs
    Conservative,
    /// Use every core once
    Balanced,
    /// For a computer that only builds
    HighPerformance,
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Conservative => Self::Conservative,
            ProfileName::Balanced => Self::Balanced,
            ProfileName::HighPerformance => Self::HighPerformance,
        }
    }
}
