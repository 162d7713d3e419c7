//! Where the files of the dependency list come from, as it is recorded and as builds read it: the record, its comparison
//! with a repository and the model of the derivations must say the same.

use std::collections::BTreeSet;

use url::Url;

use crate::managers::registries::strip_credentials;
use crate::split::{
    Split,
    lock::dependencies::{Dependency, Form},
};

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Where it is downloaded from, if that is not its place at the registry.
    pub(crate) url: Option<Url>,
    /// What is at `url` is an archive whose files are packed anew.
    pub(crate) unpack: bool,
    /// The repository of the commit that its path names, in place of `url`.
    pub(crate) git: Option<Url>,
}

/// Where a dependency comes from: without a URL where it lies at the default registry's place for it.
pub(crate) fn origin_of(split: &Split, dependency: &Dependency) -> Origin {
    let is_default = split.registries.registry_for(&dependency.name) == split.registries.default_registry();
    let url = || dependency.download_url(&split.registries);
    match dependency.form {
        Form::Verbatim => Origin { url: (dependency.url.is_some() || !is_default).then(url), unpack: false, git: None },
        Form::Repacked => Origin { url: Some(url()), unpack: true, git: None },
        Form::Commit(_) => Origin { url: None, unpack: false, git: Some(without_credentials(url())) },
    }
}

/// A repository's URL as it may be recorded. The user of ssh is no secret, and part of the address.
fn without_credentials(mut url: Url) -> Url {
    let user = if url.scheme() == "ssh" { url.username().to_owned() } else { String::new() };
    strip_credentials(&mut url);
    let _ = url.set_username(&user);
    url
}

/// The registries that the lockfile names and in whose place the default one is asked.
pub(crate) fn replaced_registries(split: &Split) -> BTreeSet<Url> {
    let registries = &split.registries;
    let elsewhere = split.dependencies.iter().filter_map(|dependency| Some((dependency, dependency.url.as_ref()?)));
    // One of a scope with a registry of its own stays where the lockfile has it: the record names no registries of scopes.
    let of_default =
        elsewhere.filter(|(dependency, _)| registries.registry_for(&dependency.name) == registries.default_registry());
    of_default.filter_map(|(dependency, url)| registries.replaced(url, &dependency.name)).collect()
}
