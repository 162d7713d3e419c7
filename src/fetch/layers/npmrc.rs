//! The `.npmrc` files of the repository and the user, and the global one. Bun and Yarn 1 read them.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use npmrc_config_rs::{LoadOptions, NpmrcConfig, global_prefix_from, nerf_dart};
use url::Url;

use super::{
    Layer, expanded, file_path, is_set, read_if_there,
    transport::{ClientCertificate, Proxy, Transport, Transports},
    unreadable,
};
use crate::{
    fetch::{
        cautions::{Caution, Pending, Reach},
        credentials::Credentials,
        environment::{Environment, expand, variables_of},
    },
    managers::registries::{
        ProjectRegistries, REPLACE_REGISTRY_HOST, RcEntry, RegistryError, ReplaceHost, npmrc_entries, registry_url,
    },
    names::NPMRC,
    reading,
};

/// The place of the user's file in [`NpmrcFiles::configs`].
const USERS: usize = 1;

/// The parsed files.
pub(super) struct NpmrcFiles {
    /// The registries that the repository's file sets.
    pub(super) project: Layer,
    /// The repository's file, then the user's with the global one behind it, then those of the folders above the
    /// repository.
    configs: Vec<NpmrcConfig>,
    /// The lines with credentials in all files but the user's.
    pub(super) credentials_of_repository: Vec<String>,
    /// The paths and texts of all files but the user's.
    texts_of_repository: Vec<(Utf8PathBuf, String)>,
}

impl NpmrcFiles {
    /// Reads the files that Bun reads, which are not those of the folders above.
    pub(super) fn read(root: &Utf8Path, environment: &Environment) -> Result<Self, RegistryError> {
        let text = read_if_there(&root.join(NPMRC))?;
        let alone = ProjectRegistries::from_npmrc(text.as_deref().unwrap_or_default())?;
        Ok(Self {
            project: Layer {
                default: alone.names_default().then(|| alone.default_registry().clone()),
                scopes: alone.scopes().clone(),
            },
            configs: vec![config_of(root)?, user_config(root, environment)?],
            credentials_of_repository: credential_lines(root, environment),
            texts_of_repository: Some((NPMRC.into(), text.unwrap_or_default()))
                .filter(|_| user_path(environment) != Some(root.join(NPMRC)))
                .into_iter()
                .collect(),
        })
    }

    /// Reads the files that Yarn 1 reads. Those of the folders above have the lowest priority.
    pub(super) fn read_with_parents(root: &Utf8Path, environment: &Environment) -> Result<Self, RegistryError> {
        let mut files = Self::read(root, environment)?;
        // The home folder may be above the repository. Its file is the user's.
        let users = user_path(environment);
        let is_other = |folder: &&Utf8Path| folder.join(NPMRC).is_file() && users != Some(folder.join(NPMRC));
        for folder in root.ancestors().skip(1).filter(is_other) {
            files.configs.push(config_of(folder)?);
            files.credentials_of_repository.extend(credential_lines(folder, environment));
            let path = folder.join(NPMRC);
            let text = read_if_there(&path)?.unwrap_or_default();
            files.texts_of_repository.push((path, text));
        }
        Ok(files)
    }

    /// Returns the registries that all files but the repository's set.
    pub(super) fn user(&self, environment: &Environment) -> Result<Layer, RegistryError> {
        let mut merged = Layer::default();
        for config in self.configs.iter().skip(1).rev() {
            merged.override_with(layer(config, environment)?);
        }
        Ok(merged)
    }

    /// Returns the user's file, and those of the repository and of the folders above it.
    pub(super) fn by_owner(&self) -> (&[NpmrcConfig], Vec<NpmrcConfig>) {
        let others = self.configs.iter().enumerate().filter(|(at, _)| *at != USERS).map(|(_, config)| config.clone());
        (&self.configs[USERS..=USERS], others.collect())
    }

    /// Returns the registries that the user's file sets.
    pub(super) fn users_alone(&self, environment: &Environment) -> Result<Layer, RegistryError> {
        layer(&self.configs[USERS], environment)
    }

    /// Returns the credentials that are keyed by a URL.
    pub(super) fn credentials(&self, environment: &Environment) -> Credentials {
        Credentials::new(self.configs.clone(), environment.clone())
    }

    /// Returns the variables that the repository's files send to hosts. Credentials without a URL go to the registry
    /// `top`, if the package manager reads them.
    pub(super) fn sent_variables(&self, top: Option<&Url>, environment: &Environment) -> Vec<Pending> {
        let mut pending = Vec::new();
        for (path, text) in &self.texts_of_repository {
            for entry in npmrc_entries(text) {
                let variables = variables_of(&entry.value, environment);
                let Some((reach, to)) = reach_of(&entry, top, environment).filter(|_| !variables.is_empty()) else {
                    continue;
                };
                let caution = |variable| Caution::sent(path, entry.position, variable, &to);
                pending.extend(
                    variables.into_iter().map(|variable| Pending { reach: reach.clone(), caution: caution(variable) }),
                );
            }
        }
        pending
    }

    /// Returns the registry URLs as written. They may contain credentials.
    pub(super) fn registry_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for config in &self.configs {
            texts.extend(config.get("registry").map(str::to_owned));
            texts.extend(config.scoped_registries().into_values().map(String::from));
        }
        texts
    }

    /// Returns `replace-registry-host`, if a file or variable sets it.
    pub(super) fn replace_host(&self, environment: &Environment) -> Option<ReplaceHost> {
        self.value(REPLACE_REGISTRY_HOST, environment).map(|text| ReplaceHost::parse(&text))
    }

    /// Returns proxies and certificates. The HTTP client reads `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` itself.
    pub(super) fn transports(&self, root: &Utf8Path, environment: &Environment) -> Transports {
        let value = |name: &str| self.value(name, environment);
        let cafiles = [value("cafile"), environment.get("NODE_EXTRA_CA_CERTS").map(str::to_owned)];
        let identity = value("cert").zip(value("key"));
        let base = Transport {
            cafiles: cafiles.into_iter().flatten().map(|file| file_path(root, &file, environment)).collect(),
            authorities: authorities(root, environment),
            identity: identity
                .map(|(certificate, key)| ClientCertificate::Pem(format!("{}\n{}\n", pem(&certificate), pem(&key)))),
            https_proxy: value("https-proxy").or_else(|| value("proxy")).map(Proxy),
            http_proxy: value("proxy").map(Proxy),
            no_proxy: value("noproxy"),
        };
        Transports { base, hosts: Vec::new(), identities: self.identities(root, environment) }
    }

    /// Returns the value of a key: from npm's variable for it, else from the first file that has it. `None` if the
    /// value uses a variable that is not set.
    fn value(&self, name: &str, environment: &Environment) -> Option<String> {
        let lower = format!("npm_config_{}", name.replace('-', "_"));
        if let Some(text) = environment.first_of(&[&lower, &lower.to_ascii_uppercase()]) {
            return Some(text.to_owned()).filter(|text| is_set(text));
        }
        let text = self.configs.iter().find_map(|config| config.get(name))?;
        expand(text, &|name| environment.get(name).map(str::to_owned)).ok().filter(|text| is_set(text))
    }

    /// Returns `certfile` and `keyfile`, keyed by their URL.
    fn identities(&self, root: &Utf8Path, environment: &Environment) -> BTreeMap<String, ClientCertificate> {
        let entries = entries(root, environment).into_iter().flatten();
        let keys = entries.filter_map(|entry| entry.key.strip_suffix(":certfile").map(str::to_owned));
        let file = |name: String| self.value(&name, environment).map(|file| file_path(root, &file, environment));
        let found = keys.filter_map(|key| {
            let (certificate, private) = (file(format!("{key}:certfile"))?, file(format!("{key}:keyfile"))?);
            Some((key, ClientCertificate::Files { certificate, key: private }))
        });
        found.collect()
    }
}

/// Returns `ca` from the first file that sets it. A file may list several as `ca[]`.
fn authorities(root: &Utf8Path, environment: &Environment) -> Vec<String> {
    let of_file = |entries: Vec<RcEntry>| -> Vec<String> {
        let named = entries.into_iter().filter(|entry| matches!(entry.key.as_str(), "ca" | "ca[]"));
        named.map(|entry| entry.value).filter(|text| is_set(text)).map(|text| pem(&text)).collect()
    };
    entries(root, environment).into_iter().map(of_file).find(|found| !found.is_empty()).unwrap_or_default()
}

/// Returns the entries of the repository's and the user's file. The crate cannot list all keys of a kind, or read
/// lists.
fn entries(root: &Utf8Path, environment: &Environment) -> [Vec<RcEntry>; 2] {
    let read = |path: Utf8PathBuf| reading::text(path).unwrap_or_default();
    let texts = [read(root.join(NPMRC)), user_path(environment).map(read).unwrap_or_default()];
    texts.map(|text| npmrc_entries(&text).collect())
}

/// Returns the lines with credentials in a folder's file. Empty if it is the user's file.
fn credential_lines(folder: &Utf8Path, environment: &Environment) -> Vec<String> {
    let path = folder.join(NPMRC);
    if user_path(environment).is_some_and(|users| users == path) {
        return Vec::new();
    }
    let text = reading::text(path).unwrap_or_default();
    let entries = npmrc_entries(&text).filter(|entry| match entry.key.rsplit(':').next() {
        Some("_authToken" | "_auth" | "_password" | "username") => true,
        Some("registry") => entry.value.contains('@'),
        _ => false,
    });
    entries.map(|entry| format!("{}={}", entry.key, entry.value)).collect()
}

/// Returns the requests that send the value of an entry, and the registry or proxy that gets them.
fn reach_of(entry: &RcEntry, top: Option<&Url>, environment: &Environment) -> Option<(Reach, String)> {
    let (place, name) = entry.key.rsplit_once(':').unwrap_or(("", &entry.key));
    let url = || Url::parse(&expand(&entry.value, &|name| environment.get(name).map(str::to_owned)).ok()?).ok();
    match name {
        "_authToken" | "_auth" | "_password" | "username" => {
            let key = if place.is_empty() { nerf_dart(top?) } else { place.to_owned() };
            let registry = key.split('@').next().unwrap_or_default().to_owned();
            Some((Reach::Credentials(key), registry))
        }
        "registry" => {
            let url = url()?;
            Some((Reach::Below(nerf_dart(&url)), url.host_str()?.to_owned()))
        }
        "proxy" | "https-proxy" if place.is_empty() => Some((Reach::All, url()?.host_str()?.to_owned())),
        _ => None,
    }
}

/// Returns PEM text with each `\n` replaced by a line break.
fn pem(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn no_npmrc(root: &Utf8Path) -> LoadOptions {
    LoadOptions {
        cwd: Some(root.into()),
        // Without a prefix the crate would search for `node` and use its folder.
        global_prefix: Some(root.into()),
        skip_project: true,
        skip_user: true,
        skip_global: true,
        ..LoadOptions::default()
    }
}

fn npmrc_error(path: &Utf8Path, source: npmrc_config_rs::Error) -> RegistryError {
    RegistryError::Npmrc { path: path.to_owned(), source: Box::new(source) }
}

/// Refuses a file that the crate would read without end.
fn look_at(path: &Utf8Path) -> Result<(), RegistryError> {
    match reading::check(path.as_std_path()) {
        Err(error) if reading::refused(&error).is_some() => Err(unreadable(path, error)),
        // The crate reports all other errors.
        _ => Ok(()),
    }
}

/// Reads the file of one folder.
fn config_of(folder: &Utf8Path) -> Result<NpmrcConfig, RegistryError> {
    let path = folder.join(NPMRC);
    look_at(&path)?;
    // Loaded by path, because the crate would otherwise search upwards for a project.
    let config = match NpmrcConfig::load_from_file(path.as_std_path()) {
        Err(npmrc_config_rs::Error::FileNotFound(_)) => NpmrcConfig::load_with_options(no_npmrc(folder)),
        loaded => loaded,
    };
    config.map_err(|source| npmrc_error(&path, source))
}

/// Returns the path of the user's file.
fn user_path(environment: &Environment) -> Option<Utf8PathBuf> {
    let named = environment.first_of(&["NPM_CONFIG_USERCONFIG", "npm_config_userconfig"]).map(Utf8PathBuf::from);
    named.or_else(|| Some(environment.home()?.join(NPMRC)))
}

fn user_config(root: &Utf8Path, environment: &Environment) -> Result<NpmrcConfig, RegistryError> {
    let user = user_path(environment);
    user.as_deref().map_or(Ok(()), look_at)?;
    let prefix = global_prefix(environment);
    let options = LoadOptions {
        skip_user: user.is_none(),
        skip_global: prefix.is_none(),
        user_config: user.clone().map(Into::into),
        global_prefix: prefix.or_else(|| Some(root.into())),
        ..no_npmrc(root)
    };
    NpmrcConfig::load_with_options(options).map_err(|source| npmrc_error(user.as_deref().unwrap_or(root), source))
}

/// Returns the folder whose `etc/npmrc` is the global file. npm uses the prefix where `node` is installed.
fn global_prefix(environment: &Environment) -> Option<std::path::PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let node = which::which_in("node", environment.get("PATH"), here).ok();
    let prefix = environment.first_of(&["NPM_CONFIG_PREFIX", "npm_config_prefix", "PREFIX"]);
    global_prefix_from(prefix, node.as_deref(), environment.get("DESTDIR"), cfg!(windows))
}

fn layer(config: &NpmrcConfig, environment: &Environment) -> Result<Layer, RegistryError> {
    let path = Utf8Path::new("~/.npmrc");
    let default = config.get("registry").filter(|text| is_set(text));
    let scopes = config.scoped_registries().into_iter().map(|(scope, url)| {
        let url = registry_url(path, &scope, url.as_str())?;
        Ok((scope, url))
    });
    Ok(Layer {
        default: default
            .map(|text| registry_url(path, "registry", &expanded(path, "registry", text, environment)?))
            .transpose()?,
        scopes: scopes.collect::<Result<_, RegistryError>>()?,
    })
}
