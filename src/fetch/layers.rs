//! The files and variables that say where this machine fetches from, and their order.

use std::{collections::BTreeMap, fmt};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use npmrc_config_rs::{LoadOptions, NpmrcConfig, global_prefix_from};
use url::Url;

use super::{
    credentials::Credentials,
    environment::{Environment, UnsetVariable, expand},
};
use crate::split::registries::{BUNFIG, BunRegistry, Bunfig, NPMRC, ProjectRegistries, RegistryError, registry_url};

/// The variables that name the default registry, and those that hold its token, the strongest first.
const REGISTRY_VARIABLES: [&str; 3] = ["BUN_CONFIG_REGISTRY", "NPM_CONFIG_REGISTRY", "npm_config_registry"];
const TOKEN_VARIABLES: [&str; 3] = ["BUN_CONFIG_TOKEN", "NPM_CONFIG_TOKEN", "npm_config_token"];

/// How to reach registries beside what the system says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Transport {
    /// Files of certificates to trust in addition to the system's.
    pub(super) cafiles: Vec<Utf8PathBuf>,
    /// The proxy for `https:` URLs; without one the system's variables count.
    pub(super) https_proxy: Option<Proxy>,
    /// The proxy for `http:` URLs.
    pub(super) http_proxy: Option<Proxy>,
    /// Hosts that are reached without a proxy.
    pub(super) no_proxy: Option<String>,
}

/// The URL of a proxy, which may carry a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy(pub(super) String);

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What one file, or all files together, say.
#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) default: Option<Url>,
    pub(super) scopes: BTreeMap<String, Url>,
}

impl Layer {
    fn override_with(&mut self, stronger: Self) {
        self.default = stronger.default.or(self.default.take());
        self.scopes.extend(stronger.scopes);
    }
}

/// The files, as they were read.
pub(super) struct Files {
    project: ProjectRegistries,
    project_npmrc: Layer,
    /// The repository's, then the user's.
    bunfigs: [(Utf8PathBuf, Bunfig); 2],
    /// The repository's, then the user's with the global one behind it.
    npmrc: [NpmrcConfig; 2],
    root: Utf8PathBuf,
}

impl Files {
    pub(super) fn read(root: &Utf8Path, environment: &Environment) -> Result<Self, RegistryError> {
        let npmrc_text = read_if_there(&root.join(NPMRC))?;
        let bunfig_text = read_if_there(&root.join(BUNFIG))?;
        let npmrc_alone = ProjectRegistries::read(npmrc_text.as_deref(), None)?;
        let project_bunfig = Bunfig::read(BUNFIG.into(), bunfig_text.as_deref().unwrap_or_default())?;
        Ok(Self {
            project: ProjectRegistries::read(npmrc_text.as_deref(), bunfig_text.as_deref())?,
            project_npmrc: Layer {
                default: npmrc_alone.names_default().then(|| npmrc_alone.default_registry().clone()),
                scopes: npmrc_alone.scopes().clone(),
            },
            bunfigs: [(BUNFIG.into(), project_bunfig), user_bunfig(environment)?],
            npmrc: [project_npmrc_config(root)?, user_npmrc_config(root, environment)?],
            root: root.to_owned(),
        })
    }

    /// The registries of all files and variables, the strongest of each.
    pub(super) fn merged(&self, environment: &Environment) -> Result<Layer, RegistryError> {
        let mut merged = npmrc_layer(&self.npmrc[1], environment)?;
        merged.override_with(self.project_npmrc.clone());
        for (path, bunfig) in self.bunfigs.iter().rev() {
            merged.override_with(bunfig_layer(path, bunfig, environment)?);
        }
        merged.override_with(environment_layer(environment));
        Ok(merged)
    }

    /// The keys of `.npmrc`, and what they cannot say: the token of a variable, which is for the default registry, those
    /// of `bunfig.toml` files, and those inside of URLs.
    pub(super) fn credentials(&self, default: &Url, environment: &Environment) -> Credentials {
        let mut credentials = Credentials::new(self.npmrc.to_vec(), environment.clone());
        if let Some(token) = environment.first_of(&TOKEN_VARIABLES) {
            credentials.add_token(default, token);
        }
        let mut texts: Vec<String> = environment.first_of(&REGISTRY_VARIABLES).map(str::to_owned).into_iter().collect();
        for (path, bunfig) in &self.bunfigs {
            for registry in bunfig.scopes.values().chain(&bunfig.registry) {
                // Merging read the same texts, so that none is wrong here.
                if let Ok(Some((url, text))) = bun_url(path, "", registry, environment) {
                    credentials.add_bun_registry(&url, registry);
                    texts.push(text);
                }
            }
        }
        for config in &self.npmrc {
            texts.extend(config.get("registry").map(str::to_owned));
            texts.extend(config.scoped_registries().into_values().map(String::from));
        }
        for text in &texts {
            credentials.add_userinfo(text);
        }
        credentials
    }

    pub(super) fn into_project(self) -> ProjectRegistries {
        self.project
    }

    /// Proxies and certificates. The variables `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` need nothing here.
    pub(super) fn transport(&self, environment: &Environment) -> Transport {
        let key = |name: &str| {
            let text = self.npmrc.iter().find_map(|config| config.get(name))?;
            expand(text, &|name| environment.get(name).map(str::to_owned)).ok().filter(|text| is_set(text))
        };
        let cafiles = [
            key("cafile"),
            self.bunfigs[0].1.cafile.clone(),
            self.bunfigs[1].1.cafile.clone(),
            environment.get("NODE_EXTRA_CA_CERTS").map(str::to_owned),
        ];
        Transport {
            cafiles: cafiles.into_iter().flatten().map(|file| file_path(&self.root, &file, environment)).collect(),
            https_proxy: key("https-proxy").or_else(|| key("proxy")).map(Proxy),
            http_proxy: key("proxy").map(Proxy),
            no_proxy: key("noproxy"),
        }
    }
}

/// `false` and `null` are how npm's files unset a key.
fn is_set(text: &str) -> bool {
    !matches!(text, "" | "false" | "null" | "undefined")
}

fn file_path(root: &Utf8Path, text: &str, environment: &Environment) -> Utf8PathBuf {
    match (text.strip_prefix("~/"), environment.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => root.join(text),
    }
}

fn read_if_there(path: &Utf8Path) -> Result<Option<String>, RegistryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The first of `$XDG_CONFIG_HOME/.bunfig.toml` and `~/.bunfig.toml` that is there.
fn user_bunfig(environment: &Environment) -> Result<(Utf8PathBuf, Bunfig), RegistryError> {
    let folders = [environment.get("XDG_CONFIG_HOME").map(Utf8PathBuf::from), environment.home()];
    for path in folders.into_iter().flatten().map(|folder| folder.join(".bunfig.toml")) {
        if let Some(text) = read_if_there(&path)? {
            let bunfig = Bunfig::read(&path, &text)?;
            return Ok((path, bunfig));
        }
    }
    Ok((Utf8PathBuf::from(".bunfig.toml"), Bunfig::default()))
}

fn no_npmrc(root: &Utf8Path) -> LoadOptions {
    LoadOptions {
        cwd: Some(root.into()),
        // A prefix keeps the crate from searching for `node`, whose folder it would take.
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

fn project_npmrc_config(root: &Utf8Path) -> Result<NpmrcConfig, RegistryError> {
    let path = root.join(NPMRC);
    // Loaded by its own path: the crate would search upwards for a project otherwise.
    let config = match NpmrcConfig::load_from_file(path.as_std_path()) {
        Err(npmrc_config_rs::Error::FileNotFound(_)) => NpmrcConfig::load_with_options(no_npmrc(root)),
        loaded => loaded,
    };
    config.map_err(|source| npmrc_error(NPMRC.into(), source))
}

fn user_npmrc_config(root: &Utf8Path, environment: &Environment) -> Result<NpmrcConfig, RegistryError> {
    let user = environment
        .first_of(&["NPM_CONFIG_USERCONFIG", "npm_config_userconfig"])
        .map(Utf8PathBuf::from)
        .or_else(|| Some(environment.home()?.join(NPMRC)));
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

/// The folder whose `etc/npmrc` is the global file: npm takes the one that `node` is installed in.
fn global_prefix(environment: &Environment) -> Option<std::path::PathBuf> {
    let folders = std::env::split_paths(environment.get("PATH").unwrap_or_default());
    let node = folders.map(|folder| folder.join("node")).find(|path| path.is_file());
    let prefix = environment.first_of(&["NPM_CONFIG_PREFIX", "npm_config_prefix", "PREFIX"]);
    global_prefix_from(prefix, node.as_deref(), environment.get("DESTDIR"), cfg!(windows))
}

fn npmrc_layer(config: &NpmrcConfig, environment: &Environment) -> Result<Layer, RegistryError> {
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

fn bunfig_layer(path: &Utf8Path, bunfig: &Bunfig, environment: &Environment) -> Result<Layer, RegistryError> {
    let mut layer = Layer::default();
    if let Some(registry) = &bunfig.registry {
        layer.default = bun_url(path, "install.registry", registry, environment)?.map(|(url, _)| url);
    }
    for (scope, registry) in &bunfig.scopes {
        if let Some((url, _)) = bun_url(path, &format!("install.scopes.{scope}"), registry, environment)? {
            layer.scopes.insert(scope.clone(), url);
        }
    }
    Ok(layer)
}

/// The URL of a registry, and the text that it was read from, which may carry credentials.
fn bun_url(
    path: &Utf8Path,
    key: &str,
    registry: &BunRegistry,
    environment: &Environment,
) -> Result<Option<(Url, String)>, RegistryError> {
    let Some(text) = &registry.url else { return Ok(None) };
    let text = expanded(path, key, text, environment)?;
    Ok(Some((registry_url(path, key, &text)?, text)))
}

/// Bun passes over a value that is no `http:` or `https:` URL, and so does this.
fn environment_layer(environment: &Environment) -> Layer {
    let mut urls =
        REGISTRY_VARIABLES.iter().filter_map(|name| registry_url((*name).into(), name, environment.get(name)?).ok());
    Layer { default: urls.next(), scopes: BTreeMap::new() }
}

fn expanded(path: &Utf8Path, key: &str, text: &str, environment: &Environment) -> Result<String, RegistryError> {
    expand(text, &|name| environment.get(name).map(str::to_owned)).map_err(|UnsetVariable(variable)| {
        RegistryError::Unset { path: path.to_owned(), key: key.to_owned(), variable }
    })
}
