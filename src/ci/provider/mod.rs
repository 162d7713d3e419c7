//! The files of each CI system.

mod actions;
mod buildkite;
mod gitlab;

use std::collections::BTreeSet;

use super::{
    actions::Pins,
    settings::{Program, Provider, Settings, StoreCache, is_read},
    template::Values,
    written::{self, Finding},
};
use crate::{
    shell,
    split::caches::{Address, CacheChoice, attic_endpoint},
    system::System,
};

/// A file that splitter writes for a CI system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenFile {
    /// The path from the root of the git repository.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Returns the paths of all files that splitter may write for a CI system, for the repository in `folder`.
pub fn files(provider: Provider, folder: &str) -> Vec<String> {
    match provider {
        Provider::Github | Provider::Forgejo => actions::paths(provider, folder).into(),
        Provider::Gitlab => gitlab::paths(folder).into(),
        Provider::Buildkite => buildkite::paths(folder).into(),
    }
}

/// Returns the files for these choices. `team` are the caches of `splitter.json`.
pub fn wanted(settings: &Settings, team: &[CacheChoice], pins: &Pins) -> Vec<WrittenFile> {
    let workflow = Workflow { settings, caches: settings.caches(team), is_shared: settings.shares_builds(team), pins };
    let bodies = match settings.provider {
        Provider::Github | Provider::Forgejo => actions::bodies(&workflow),
        Provider::Gitlab => gitlab::bodies(&workflow),
        Provider::Buildkite => buildkite::bodies(&workflow),
    };
    let signed = |(path, body): (String, String)| WrittenFile { path, text: written::signed(settings, &body) };
    bodies.into_iter().map(signed).collect()
}

/// Returns the choices that made a file, and whether it was edited since. Nothing if splitter did not write it.
pub fn origin(text: &str) -> Option<(Settings, bool)> {
    written::origin(text)
}

/// Returns whether splitter wrote a file, although an edit may have removed the choices that made it.
pub fn is_marked(text: &str) -> bool {
    written::is_marked(text)
}

/// Compares a file with what would be written. Nothing means that they are the same.
pub fn compare(found: Option<&str>, wanted: Option<&str>, pins: &Pins) -> Option<Finding> {
    written::compare(found, wanted, pins)
}

/// Returns a name for files of the repository in `folder`: repositories of one git repository have files of their own.
fn name(folder: &str) -> String {
    if folder.is_empty() { "splitter".to_owned() } else { format!("splitter-{}", folder.replace('/', "-")) }
}

/// What a workflow is made of.
struct Workflow<'a> {
    settings: &'a Settings,
    caches: Vec<CacheChoice>,
    /// Whether what one job built reaches the next one.
    is_shared: bool,
    pins: &'a Pins,
}

/// Returns the values that all templates use.
fn values(workflow: &Workflow<'_>, prefix: &'static str) -> Values {
    let Workflow { settings, pins, .. } = *workflow;
    let mut values = Values::new(pins, prefix);
    let is_github = settings.provider == Provider::Github;
    values.flag("github", is_github);
    values.text("NAME", name(&settings.folder));
    values.flag("folder", !settings.folder.is_empty());
    values.text("FOLDER", settings.folder.as_str());
    values.text("BRANCH", settings.branch.as_str());
    let (variable, branch) = match settings.provider {
        Provider::Github | Provider::Forgejo => ("$GITHUB_REF", format!("refs/heads/{}", settings.branch)),
        Provider::Gitlab => ("$CI_COMMIT_BRANCH", settings.branch.clone()),
        Provider::Buildkite => ("$BUILDKITE_BRANCH", settings.branch.clone()),
    };
    values.text("REF", variable);
    values.text("BRANCH_REF", branch);
    values.text("RUNNER", settings.runner(System::X8664Linux));
    values.flag("fan_out", workflow.is_shared);
    values.flag("cache_nix", settings.store_cache == StoreCache::CacheNixAction);
    values.flag("hestia", settings.store_cache == StoreCache::Hestia);
    values.text("HESTIA", pins.version("Mic92/hestia"));
    set_program(&mut values, settings);
    set_caches(&mut values, workflow);
    values.flag("images", settings.images.is_some());
    if let Some(images) = &settings.images {
        values.text("REGISTRY", images.registry.trim_end_matches('/'));
        values.flag("job_token", images.job_token);
    }
    let linux = settings.systems.iter().filter(|system| system.os() == "linux");
    values.text("IMAGE_SYSTEMS", options("--system", linux));
    values.text("MATRIX_OPTIONS", matrix_options(workflow));
    values
}

fn set_program(values: &mut Values, settings: &Settings) {
    let is_input = settings.program == Program::Input;
    values.flag("input", is_input);
    // cargo cannot read the URL of a flake's input, and other providers' machines have no Rust.
    values.flag("cargo", !is_input && matches!(settings.provider, Provider::Github | Provider::Gitlab));
    values.flag("variable", settings.program == Program::Variable);
    if let Program::Url(url) = &settings.program {
        values.flag("url", true);
        values.text("PROGRAM", url.as_str());
    }
}

fn set_caches(values: &mut Values, workflow: &Workflow<'_>) {
    // The tool of Cachix knows the URL and the key.
    let (cachix, others): (Vec<&CacheChoice>, Vec<&CacheChoice>) =
        workflow.caches.iter().partition(|cache| matches!(cache.address, Address::Cachix { .. }));
    let names: Vec<&str> = cachix
        .iter()
        .filter_map(|cache| match &cache.address {
            Address::Cachix { name } => Some(name.as_str()),
            _ => None,
        })
        .collect();
    values.flag("cachix", !names.is_empty());
    values.flag("cachix_pushes", cachix.first().is_some_and(|cache| cache.push));
    values.flag("more_cachix", names.len() > 1);
    values.text("CACHIX", names.first().copied().unwrap_or_default());
    values.text("MORE_CACHIX", names.get(1..).unwrap_or_default().join(","));
    values.flag("pushes", workflow.caches.iter().any(|cache| cache.push));
    let substituters = others.iter().filter(|cache| is_read(&cache.address));
    let substituters: Vec<String> = substituters.filter_map(|cache| cache.address.substituter()).collect();
    values.flag("substituters", !substituters.is_empty());
    values.text("SUBSTITUTERS", substituters.join(" "));
    let keys = keys(workflow);
    values.flag("keys", !keys.is_empty());
    values.text("KEYS", keys.join(" "));
}

/// Returns the public keys of all caches, each once.
fn keys(workflow: &Workflow<'_>) -> Vec<String> {
    let of_caches = workflow.caches.iter().flat_map(|cache| &cache.public_keys);
    let mut keys: Vec<String> =
        workflow.settings.public_keys.iter().chain(of_caches).map(ToString::to_string).collect();
    let mut seen = BTreeSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    keys
}

/// Returns the lines that push to each cache.
fn pushes(workflow: &Workflow<'_>, values: &Values, template: &str) -> String {
    let pushed = workflow.caches.iter().filter(|cache| cache.push);
    pushed.map(|cache| pushing(values, &cache.address).render(template)).collect()
}

/// Returns values with the names of a cache that is pushed to.
fn pushing(values: &Values, address: &Address) -> Values {
    let mut values = values.clone();
    values.text("CACHE", address.to_string());
    values.text("TARGET", address.to_string());
    let (flag, secret) = match address {
        Address::Cachix { .. } => ("to_cachix", "CACHIX_AUTH_TOKEN"),
        Address::Attic { server, name } => {
            values.text("ATTIC_CACHE", name.as_str());
            values.text("ENDPOINT", attic_endpoint(server).unwrap_or_default());
            ("to_attic", "ATTIC_TOKEN")
        }
        Address::S3 { .. } => ("to_s3", "AWS_SECRET_ACCESS_KEY"),
        Address::Ssh { .. } => ("to_ssh", "SSH_KEY"),
        Address::File { .. } | Address::Http { .. } => ("to_store", "NIX_SECRET_KEY"),
    };
    values.flag(flag, true);
    // Servers of Cachix and Attic sign, and so does a store behind ssh.
    let signs = matches!(flag, "to_s3" | "to_store");
    values.flag("signs", signs);
    let (text, key) = (address.to_string(), "secret-key=$SCRATCH/cache-key");
    let joint = if text.contains('?') { '&' } else { '?' };
    values.text("COPY_TARGET", if signs { format!("{text}{joint}{key}") } else { text });
    values.text("SECRET", secret);
    values
}

/// Returns the options of `splitter ci matrix` for these choices.
fn matrix_options(workflow: &Workflow<'_>) -> String {
    let settings = workflow.settings;
    let mut words = vec![options("--system", settings.systems.iter())];
    let read = workflow.caches.iter().map(|cache| &cache.address).filter(|address| is_read(address));
    words.push(options("--cache", read));
    if settings.store_cache == StoreCache::Hestia {
        // The action exports the address of its server.
        words.push(r#"--cache "http://$HESTIA_LISTEN?trusted=true""#.to_owned());
    }
    words.push(options("--public-key", keys(workflow).iter()));
    let runners = settings.runners.iter().map(|(system, label)| format!("{system}={label}"));
    words.push(options("--runner", runners));
    if settings.provider != Provider::Github {
        words.push(format!("--provider {}", settings.provider.name()));
    }
    if !workflow.is_shared {
        words.push("--by-system".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// Returns an option for each value, quoted for a shell.
fn options(name: &str, values: impl Iterator<Item = impl ToString>) -> String {
    values.map(|value| format!("{name} {}", shell::word(&value.to_string()))).collect::<Vec<_>>().join(" ")
}
