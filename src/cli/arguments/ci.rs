//! The arguments of `splitter ci`.

use clap::{Args, Subcommand, ValueEnum};

use super::cache::address;
use crate::{
    caches::{Address, PublicKey},
    ci::{Provider, StoreCache, settings::is_plain},
    split::System,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CiCommand {
    /// Write the workflow of your CI system, and never over an edited one
    ///
    /// The written files keep the options. Without options, init writes them again with the same ones. If somebody edited a file,
    /// init writes nothing, prints a diff, and exits with 1.
    #[command(after_help = examples! {
        "splitter ci init --cache cachix:acme" => "Write a workflow that reads and fills the cache `acme` of Cachix",
        "splitter ci init --cache cachix:acme --images registry.example/acme --bots" => "Also send container images, and update the hashes on the branches of bots",
    })]
    Init(Box<CiInitOptions>),
    /// Check that the written workflow is up to date and not edited
    #[command(after_help = examples! {
        "splitter ci check" => "Check the workflow of each CI system; the exit code is 1 if one differs",
        "splitter ci check --json" => "Print the findings as JSON",
    })]
    Check(CiCheckOptions),
    /// Plan the jobs that build what no cache has
    ///
    /// It evaluates the flake, asks the caches, and prints the jobs. What several jobs would build is built first, by one job for
    /// each system. It builds nothing. Nothing to build is a success.
    #[command(after_help = examples! {
        "splitter ci matrix" => "Show what the caches of splitter.json lack, and the jobs that build it",
        "splitter ci matrix --json --cache cachix:acme --system x86_64-linux" => "Print the jobs for one system as JSON",
    })]
    Matrix(CiMatrixOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CiInitOptions {
    /// The CI system [default: found from the files and the remote of the repository]
    #[arg(long, value_name = "PROVIDER", value_enum)]
    pub(in crate::cli) provider: Option<ProviderName>,
    /// Read this binary cache and push to it (repeatable): cachix:NAME, attic:SERVER/NAME, or the URL of a store
    #[arg(long = "cache", value_name = "CACHE", value_parser = address)]
    pub(in crate::cli) caches: Vec<Address>,
    /// Trust what this public key signed (repeatable), for caches whose tool does not know it
    #[arg(long = "public-key", value_name = "KEY", value_parser = public_key)]
    pub(in crate::cli) public_keys: Vec<PublicKey>,
    /// Keep the Nix store between runs with this action (GitHub) [default: cache-nix-action without --cache, none with it]
    #[arg(long, value_name = "ACTION", value_enum)]
    pub(in crate::cli) store_cache: Option<StoreCacheName>,
    /// Build for this system (repeatable) [default: x86_64-linux]
    #[arg(long = "system", value_name = "SYSTEM")]
    pub(in crate::cli) systems: Vec<System>,
    /// Run the jobs of a system on this runner (repeatable): a label, a tag or a queue
    #[arg(long = "runner", value_name = "SYSTEM=RUNNER", value_parser = runner)]
    pub(in crate::cli) runners: Vec<(System, String)>,
    /// Send the container images to this registry, from the branch
    #[arg(long, value_name = "REGISTRY", value_parser = registry)]
    pub(in crate::cli) images: Option<String>,
    /// Log in to the registry with the job's own token instead of secrets, for the registry of the CI system
    #[arg(long, requires = "images")]
    pub(in crate::cli) registry_token: bool,
    /// Update the hashes on the branches of Renovate and Dependabot
    #[arg(long)]
    pub(in crate::cli) bots: bool,
    /// Take splitter from the clone at this URL [default: the input of the flake, or the variable `SPLITTER_URL` of the CI system]
    #[arg(long, value_name = "URL", value_parser = clone_url)]
    pub(in crate::cli) program: Option<String>,
    /// The branch that fills the caches [default: the default branch]
    #[arg(long, value_name = "BRANCH", value_parser = plain)]
    pub(in crate::cli) branch: Option<String>,
}

impl CiInitOptions {
    /// Returns whether an option was given that the written files keep.
    pub(in crate::cli) fn chooses(&self) -> bool {
        let lists = [self.caches.len(), self.public_keys.len(), self.systems.len(), self.runners.len()];
        let texts = [&self.images, &self.program, &self.branch];
        self.bots || self.store_cache.is_some() || lists != [0; 4] || texts.iter().any(|text| text.is_some())
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CiCheckOptions {
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CiMatrixOptions {
    /// Ask this cache (repeatable): cachix:NAME, attic:SERVER/NAME, or the URL of a store [default: `caches` of splitter.json]
    #[arg(long = "cache", value_name = "CACHE", value_parser = address)]
    pub(in crate::cli) caches: Vec<Address>,
    /// Trust what this public key signed (repeatable), besides the keys in the settings of Nix
    #[arg(long = "public-key", value_name = "KEY", value_parser = public_key)]
    pub(in crate::cli) public_keys: Vec<PublicKey>,
    /// Plan jobs for this system (repeatable) [default: the system of this machine]
    #[arg(long = "system", value_name = "SYSTEM")]
    pub(in crate::cli) systems: Vec<System>,
    /// Run the jobs of a system on this runner (repeatable): a label, a tag or a queue
    #[arg(long = "runner", value_name = "SYSTEM=RUNNER", value_parser = runner)]
    pub(in crate::cli) runners: Vec<(System, String)>,
    /// Name the runners as this CI system does [default: the CI system of `--format`, otherwise github]
    #[arg(long, value_name = "PROVIDER", value_enum)]
    provider: Option<ProviderName>,
    /// Make one job for each system, for CI without a cache that its jobs push to
    #[arg(long)]
    pub(in crate::cli) by_system: bool,
    /// Also write `any`, `any-shared`, `shared` and `matrix` to the file in `GITHUB_OUTPUT`, and a summary to `GITHUB_STEP_SUMMARY`
    #[arg(long)]
    pub(in crate::cli) github_output: bool,
    /// Print the plan in this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = MatrixFormat::Text)]
    format: MatrixFormat,
    /// Print JSON; the same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}

impl CiMatrixOptions {
    /// Returns the chosen format.
    pub(in crate::cli) fn format(&self) -> MatrixFormat {
        if self.json { MatrixFormat::Json } else { self.format }
    }

    /// Returns the chosen CI system. A format that only one CI system reads chooses it.
    pub(in crate::cli) fn provider(&self) -> Provider {
        let of_format = match self.format() {
            MatrixFormat::Gitlab => Provider::Gitlab,
            MatrixFormat::Buildkite => Provider::Buildkite,
            MatrixFormat::Text | MatrixFormat::Json => Provider::Github,
        };
        self.provider.map_or(of_format, Provider::from)
    }
}

/// Output formats of `ci matrix`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MatrixFormat {
    /// Plain text
    #[default]
    Text,
    /// JSON
    Json,
    /// A child pipeline of `GitLab`
    Gitlab,
    /// Steps for `buildkite-agent pipeline upload`
    Buildkite,
}

/// CI systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ProviderName {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Forgejo Actions
    Forgejo,
    /// Buildkite
    Buildkite,
}

impl From<ProviderName> for Provider {
    fn from(name: ProviderName) -> Self {
        match name {
            ProviderName::Github => Self::Github,
            ProviderName::Gitlab => Self::Gitlab,
            ProviderName::Forgejo => Self::Forgejo,
            ProviderName::Buildkite => Self::Buildkite,
        }
    }
}

/// Actions that keep the Nix store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum StoreCacheName {
    /// The store as one entry of GitHub's cache
    CacheNixAction,
    /// GitHub's cache as a binary cache
    Hestia,
    /// Nothing is kept
    None,
}

impl From<StoreCacheName> for StoreCache {
    fn from(name: StoreCacheName) -> Self {
        match name {
            StoreCacheName::CacheNixAction => Self::CacheNixAction,
            StoreCacheName::Hestia => Self::Hestia,
            StoreCacheName::None => Self::None,
        }
    }
}

/// What the written files can have in quotes, in YAML and in a shell.
fn plain(text: &str) -> Result<String, String> {
    if is_plain(text) {
        return Ok(text.to_owned());
    }
    Err("expected letters, digits and any of `._-/:@?&=+%,~`".to_owned())
}

/// Reads the start of the names of images: a host and a repository.
fn registry(text: &str) -> Result<String, String> {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
    let has_repository = bare.split_once('/').is_some_and(|(host, rest)| !host.is_empty() && !rest.is_empty());
    if !has_repository {
        return Err("expected a registry with a repository, such as `registry.example/acme`".to_owned());
    }
    if text.contains("://") {
        return Err(format!("expected a registry without a scheme: `{bare}`"));
    }
    plain(text)
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    text.parse::<PublicKey>().map_err(|error| error.to_string())
}

fn clone_url(text: &str) -> Result<String, String> {
    match text.split_once("://") {
        Some(("https" | "http" | "ssh" | "file", _)) => plain(text),
        _ => Err("expected the URL of a git repository, with https, ssh or file".to_owned()),
    }
}

/// Reads `SYSTEM=RUNNER`.
pub(in crate::cli) fn runner(text: &str) -> Result<(System, String), String> {
    let (system, label) =
        text.split_once('=').ok_or_else(|| "expected `SYSTEM=RUNNER`, such as `x86_64-linux=large`".to_owned())?;
    let system = system.parse::<System>().map_err(|error| error.to_string())?;
    Ok((system, plain(label)?))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        options: CiMatrixOptions,
    }

    #[test]
    fn a_format_of_one_ci_system_chooses_it() {
        for (words, provider) in [
            ("", Provider::Github),
            ("--json", Provider::Github),
            ("--format gitlab", Provider::Gitlab),
            ("--format buildkite", Provider::Buildkite),
            ("--format buildkite --provider forgejo", Provider::Forgejo),
        ] {
            let found = Words::parse_from(std::iter::once("x").chain(words.split_whitespace())).options.provider();
            assert_eq!(found, provider, "{words}");
        }
    }

    #[test]
    fn images_need_a_registry_with_a_repository() {
        assert_eq!(registry("registry.example:5000/acme").as_deref(), Ok("registry.example:5000/acme"));
        assert!(registry("https://registry.example/acme").unwrap_err().ends_with("`registry.example/acme`"));
        for text in ["registry.example", "registry.example/", "https://registry.example", "/acme", ""] {
            assert!(registry(text).unwrap_err().contains("with a repository"), "{text}");
        }
    }
}
