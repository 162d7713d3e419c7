//! The files of each CI system.

mod actions;
mod buildkite;
mod gitlab;

use super::{
    actions::Pins,
    settings::{Program, Provider, Settings, StoreCache},
    target::Target,
    template::Values,
    written::{self, Finding},
};
use crate::{shell, system::System};

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

/// Returns the files for these choices.
pub fn wanted(settings: &Settings, pins: &Pins) -> Vec<WrittenFile> {
    let bodies = match settings.provider {
        Provider::Github | Provider::Forgejo => actions::bodies(settings, pins),
        Provider::Gitlab => gitlab::bodies(settings, pins),
        Provider::Buildkite => buildkite::bodies(settings, pins),
    };
    let signed = |(path, body): (String, String)| WrittenFile { path, text: written::signed(settings, &body) };
    bodies.into_iter().map(signed).collect()
}

/// Returns the choices that made a file, and whether it was edited since. Nothing if splitter did not write it.
pub fn origin(text: &str) -> Option<(Settings, bool)> {
    written::origin(text)
}

/// Compares a file with what would be written. Nothing means that they are the same.
pub fn compare(found: Option<&str>, wanted: Option<&str>, pins: &Pins) -> Option<Finding> {
    written::compare(found, wanted, pins)
}

/// Returns a name for files of the repository in `folder`: repositories of one git repository have files of their own.
fn name(folder: &str) -> String {
    if folder.is_empty() { "splitter".to_owned() } else { format!("splitter-{}", folder.replace('/', "-")) }
}

/// Returns the values that all templates use.
fn values(settings: &Settings, pins: &Pins, prefix: &'static str) -> Values {
    let mut values = Values::new(pins, prefix);
    let is_github = settings.provider == Provider::Github;
    values.flag("github", is_github);
    values.text("NAME", name(&settings.folder));
    values.flag("folder", !settings.folder.is_empty());
    values.text("FOLDER", settings.folder.as_str());
    values.text("BRANCH", settings.branch.as_str());
    values.text("RUNNER", settings.runner(System::X8664Linux));
    values.flag("fan_out", settings.shares_builds());
    values.flag("cache_nix", settings.store_cache == StoreCache::CacheNixAction);
    values.flag("hestia", settings.store_cache == StoreCache::Hestia);
    values.text("HESTIA", pins.version("Mic92/hestia"));
    set_program(&mut values, settings);
    set_caches(&mut values, settings);
    values.flag("images", settings.images.is_some());
    if let Some(images) = &settings.images {
        values.text("REGISTRY", images.registry.trim_end_matches('/'));
        values.flag("job_token", images.job_token);
    }
    let linux = settings.systems.iter().filter(|system| system.os() == "linux");
    values.text("IMAGE_SYSTEMS", options("--system", linux));
    values.text("MATRIX_OPTIONS", matrix_options(settings));
    values
}

fn set_program(values: &mut Values, settings: &Settings) {
    let is_input = settings.program == Program::Input;
    values.flag("input", is_input);
    // The URL of a flake's input is none that cargo reads. Other providers' machines have no Rust.
    values.flag("cargo", !is_input && matches!(settings.provider, Provider::Github | Provider::Gitlab));
    values.flag("variable", settings.program == Program::Variable);
    if let Program::Url(url) = &settings.program {
        values.flag("url", true);
        values.text("PROGRAM", url.as_str());
    }
}

fn set_caches(values: &mut Values, settings: &Settings) {
    let cachix: Vec<&str> = settings.caches.iter().filter_map(Target::cachix).collect();
    values.flag("cachix", !cachix.is_empty());
    values.flag("more_cachix", cachix.len() > 1);
    values.flag("pushes", !settings.caches.is_empty());
    values.text("CACHIX", cachix.first().copied().unwrap_or_default());
    values.text("MORE_CACHIX", cachix.get(1..).unwrap_or_default().join(","));
    let substituters: Vec<&str> = settings.caches.iter().filter_map(Target::substituter).collect();
    values.flag("substituters", !substituters.is_empty());
    values.text("SUBSTITUTERS", substituters.join(" "));
    values.flag("keys", !settings.public_keys.is_empty());
    values.text("KEYS", settings.public_keys.join(" "));
}

/// Returns values with the names of a cache that is pushed to.
fn pushing(values: &Values, target: &Target) -> Values {
    let mut values = values.clone();
    values.text("CACHE", target.to_string());
    values.text("TARGET", target.to_string());
    let (flag, secret) = match target {
        Target::Cachix(_) => ("to_cachix", "CACHIX_AUTH_TOKEN"),
        Target::Attic { server, .. } => {
            values.text("SERVER", server.as_str());
            ("to_attic", "ATTIC_TOKEN")
        }
        Target::Store(_) if target.has_scheme("s3") => ("to_s3", "AWS_SECRET_ACCESS_KEY"),
        Target::Store(_) if target.has_scheme("ssh-ng") => ("to_ssh", "SSH_KEY"),
        Target::Store(_) => ("to_store", "NIX_SECRET_KEY"),
    };
    values.flag(flag, true);
    // Servers of Cachix and Attic sign, and so does a store behind ssh.
    values.flag("signs", matches!(flag, "to_s3" | "to_store"));
    values.text("SECRET", secret);
    values
}

/// Returns the options of `splitter ci matrix` for these choices.
fn matrix_options(settings: &Settings) -> String {
    let mut words = vec![options("--system", settings.systems.iter())];
    words.push(options("--cache", settings.caches.iter()));
    if settings.store_cache == StoreCache::Hestia {
        // The action exports the address of its server.
        words.push(r#"--cache "http://$HESTIA_LISTEN?trusted=true""#.to_owned());
    }
    words.push(options("--public-key", settings.public_keys.iter()));
    let runners = settings.runners.iter().map(|(system, label)| format!("{system}={label}"));
    words.push(options("--runner", runners));
    if settings.provider != Provider::Github {
        words.push(format!("--provider {}", settings.provider.name()));
    }
    if !settings.shares_builds() {
        words.push("--by-system".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// Returns an option for each value, quoted for a shell.
fn options(name: &str, values: impl Iterator<Item = impl ToString>) -> String {
    values.map(|value| format!("{name} {}", shell::word(&value.to_string()))).collect::<Vec<_>>().join(" ")
}
