//! Where the files of the dependency list come from, in the form that is recorded and that builds read.
//!
//! One module decides this, because the record, its comparison with a repository and the model of the derivations must agree.

use std::collections::BTreeSet;

use url::Url;

use crate::managers::registries::strip_credentials;
use crate::split::{
    Split,
    lock::dependencies::{Dependency, Form},
};

/// The origin of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The download URL, if it differs from the usual one at the registry.
    pub(crate) url: Option<Url>,
    /// Whether `url` serves an archive whose files splitter repacks.
    pub(crate) unpack: bool,
    /// The git repository of the commit in the path. It replaces `url`.
    pub(crate) git: Option<Url>,
}

/// Returns the origin of a dependency. The URL is omitted if it is the usual one at the default registry.
pub(crate) fn origin_of(split: &Split, dependency: &Dependency) -> Origin {
    let is_default = split.registries.registry_for(&dependency.name) == split.registries.default_registry();
    let url = || dependency.download_url(&split.registries);
    match dependency.form {
        Form::Verbatim => Origin { url: (dependency.url.is_some() || !is_default).then(url), unpack: false, git: None },
        Form::Repacked => Origin { url: Some(url()), unpack: true, git: None },
        Form::Commit(_) => Origin { url: None, unpack: false, git: Some(without_credentials(url())) },
    }
}

/// Removes credentials from the URL of a git repository. The user of an ssh URL stays: it is part of the address.
fn without_credentials(mut url: Url) -> Url {
    let user = if url.scheme() == "ssh" { url.username().to_owned() } else { String::new() };
    strip_credentials(&mut url);
    let _ = url.set_username(&user);
    url
}

/// Registries in the lockfile that are replaced by the default registry.
pub(crate) fn replaced_registries(split: &Split) -> BTreeSet<Url> {
    let registries = &split.registries;
    let elsewhere = split.dependencies.iter().filter_map(|dependency| Some((dependency, dependency.url.as_ref()?)));
    // URLs of a scope with its own registry stay as they are, because the record names no registries of scopes.
    let of_default =
        elsewhere.filter(|(dependency, _)| registries.registry_for(&dependency.name) == registries.default_registry());
    of_default.filter_map(|(dependency, url)| registries.replaced(url, &dependency.name)).collect()
}
