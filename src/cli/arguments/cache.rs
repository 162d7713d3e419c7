//! The arguments of `splitter cache`.

use clap::{Args, Subcommand};

use crate::{
    caches::{Address, AddressError},
    diagnostic::Diagnose as _,
    split::System,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CacheCommand {
    /// Show which caches have what CI and developers need
    ///
    /// For each package, library, check, image, install and dev shell, and for the inputs of the flake, it asks the caches for
    /// the store path and for everything that it refers to, and for what a rebuild needs after an edit. It builds nothing.
    #[command(after_help = examples! {
        "splitter cache status" => "Ask the caches of splitter.json for everything",
        "splitter cache status web --cache https://cache.example.org" => "Ask another cache for one package and what it is built from",
    })]
    Status(CacheStatusOptions),
    /// Build what caches lack, push it, and check that they have it
    ///
    /// It pushes while it builds: the results with everything that they refer to, and what a rebuild needs after an edit. Then it
    /// asks the cache whether everything is there. Tokens come from `CACHIX_AUTH_TOKEN`, `attic login`, the netrc file of Nix and the
    /// variables of S3; the secret key that signs from the file that `SPLITTER_CACHE_KEY_FILE` names.
    #[command(after_help = examples! {
        "splitter cache push --to cachix:acme" => "Push everything to a cache of Cachix",
        "splitter cache push web --to file:///srv/cache --dry-run" => "Show what would be built and pushed for one package",
    })]
    Push(CachePushOptions),
    /// Keep packages in a cache, so that it does not delete them
    #[command(after_help = examples! {
        "splitter cache pin web --to cachix:acme --keep-revisions 3" => "Keep the last three pinned versions of `web`",
        "splitter cache pin web nodeModules --keep-days 30" => "Keep two packages for a month, in the cache of splitter.json",
    })]
    Pin(CachePinOptions),
}

/// Options that choose things.
#[derive(Debug, Args)]
pub(in crate::cli) struct CacheChoiceOptions {
    /// Only these packages, libraries, checks or workspaces (by folder), with what they are built from [default: everything]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    /// For this system (repeatable) [default: the system of this machine]
    #[arg(long = "system", value_name = "SYSTEM")]
    pub(in crate::cli) systems: Vec<System>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CacheStatusOptions {
    /// Ask this cache (repeatable) [default: `caches` in splitter.json]
    #[arg(long = "cache", value_name = "CACHE", value_parser = address)]
    pub(in crate::cli) caches: Vec<Address>,
    #[command(flatten)]
    pub(in crate::cli) choice: CacheChoiceOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CachePushOptions {
    /// Push to this cache (repeatable) [default: `caches` in splitter.json without `"push": false`]
    #[arg(long = "to", value_name = "CACHE", value_parser = address)]
    pub(in crate::cli) to: Vec<Address>,
    /// Build and push nothing, and show what would be
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Push although files differ from the last commit. A checkout of the commit may need other paths
    #[arg(long)]
    pub(in crate::cli) allow_dirty: bool,
    /// Build on these machines, as in Nix's setting `builders`
    #[arg(long, value_name = "BUILDERS")]
    pub(in crate::cli) builders: Option<String>,
    /// Build in this store, such as `ssh-ng://builder`, and push from there
    #[arg(long, value_name = "STORE")]
    pub(in crate::cli) store: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) choice: CacheChoiceOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CachePinOptions {
    /// Pin in this cache [default: the only one in splitter.json that can pin]
    #[arg(long = "to", value_name = "CACHE", value_parser = address)]
    pub(in crate::cli) to: Option<Address>,
    /// Keep each pin for this many days
    #[arg(long, value_name = "N", conflicts_with = "keep_revisions")]
    pub(in crate::cli) keep_days: Option<u32>,
    /// Keep this many versions of each pin
    #[arg(long, value_name = "N")]
    pub(in crate::cli) keep_revisions: Option<u32>,
    #[command(flatten)]
    pub(in crate::cli) choice: CacheChoiceOptions,
}

/// Reads the address of a cache. clap prints only messages, so the hints are a part of the message.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let shown = |error: AddressError| {
        let hints = error.hints().into_iter().map(|hint| format!("\nhint: {hint}"));
        format!("{error}{}", hints.collect::<String>())
    };
    text.parse().map_err(shown)
}
