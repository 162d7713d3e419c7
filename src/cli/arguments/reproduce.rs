//! The arguments of `splitter reproduce`.

use camino::Utf8PathBuf;
use clap::Args;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct ReproduceOptions {
    /// Compare these packages, libraries or checks, and what they need [default: all apps]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    /// Build only what is named twice. The libraries and installs that it needs come from your store or are built once
    #[arg(long)]
    pub(in crate::cli) only: bool,
    /// Also compare the layers of the container images of these packages
    #[arg(long, conflicts_with = "rebuild")]
    pub(in crate::cli) images: bool,
    /// Run the second build in a folder of another depth too
    ///
    /// Nix's sandbox runs every build in the same folder. But many bundlers write paths relative to it, which this option shows.
    #[arg(long, conflicts_with = "rebuild")]
    pub(in crate::cli) deeper: bool,
    /// Put the second store into this folder, for example on another file system, where folders list their files in another order
    #[arg(long, value_name = "DIR", conflicts_with = "rebuild")]
    pub(in crate::cli) second: Option<Utf8PathBuf>,
    /// Build once more in your own store instead, and show only Nix's verdict
    ///
    /// This takes one build instead of two, and copies nothing. But it does not say which files differ, and only the time differs
    /// between the builds.
    #[arg(long)]
    pub(in crate::cli) rebuild: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}
