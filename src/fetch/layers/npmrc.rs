//! The `.npmrc` files of the repository, of the user, and the global one: Bun and Yarn 1 read them.

use camino::{Utf8Path, Utf8PathBuf};
use npmrc_config_rs::{LoadOptions, NpmrcConfig, global_prefix_from};

use super::{Layer, Proxy, Transport, expanded, file_path, is_set, read_if_there};
use crate::{
    fetch::{
        credentials::Credentials,
        environment::{Environment, expand},
    },
    split::registries::{NPMRC, ProjectRegistries, RegistryError, registry_url},
};

/// The files, as they were read.
pub(super) struct NpmrcFiles {
    /// What the repository's says of registries.
    pub(super) project: Layer,
    /// The repository's, then the user's with the global one behind it.
    configs: [NpmrcConfig; 2],
}

impl NpmrcFiles {
    pub(super) fn read(root: &Utf8Path, environment: &Environment) -> Result<Self, RegistryError> {
        let text = read_if_there(&root.join(NPMRC))?;
        let alone = ProjectRegistries::read(text.as_deref(), None)?;
        Ok(Self {
            project: Layer {
                default: alone.names_default().then(|| alone.default_registry().clone()),
                scopes: alone.scopes().clone(),
            },
            configs: [project_config(root)?, user_config(root, environment)?],
        })
    }

    /// What the user's file and the global one say of registries.
    pub(super) fn user(&self, environment: &Environment) -> Result<Layer, RegistryError> {
        layer(&self.configs[1], environment)
    }

    /// The credentials that are keyed by a URL.
    pub(super) fn credentials(&self, environment: &Environment) -> Credentials {
        Credentials::new(self.configs.to_vec(), environment.clone())
    }

    /// The texts of registries, which may carry credentials themselves.
    pub(super) fn registry_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for config in &self.configs {
            texts.extend(config.get("registry").map(str::to_owned));
            texts.extend(config.scoped_registries().into_values().map(String::from));
        }
        texts
    }

    /// Proxies and certificates. The variables `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` need nothing here.
    pub(super) fn transport(&self, root: &Utf8Path, environment: &Environment) -> Transport {
        let key = |name: &str| {
            let text = self.configs.iter().find_map(|config| config.get(name))?;
            expand(text, &|name| environment.get(name).map(str::to_owned)).ok().filter(|text| is_set(text))
        };
        let cafiles = [key("cafile"), environment.get("NODE_EXTRA_CA_CERTS").map(str::to_owned)];
        Transport {
            cafiles: cafiles.into_iter().flatten().map(|file| file_path(root, &file, environment)).collect(),
            https_proxy: key("https-proxy").or_else(|| key("proxy")).map(Proxy),
            http_proxy: key("proxy").map(Proxy),
            no_proxy: key("noproxy"),
        }
    }
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

fn project_config(root: &Utf8Path) -> Result<NpmrcConfig, RegistryError> {
    let path = root.join(NPMRC);
    // Loaded by its own path: the crate would search upwards for a project otherwise.
    let config = match NpmrcConfig::load_from_file(path.as_std_path()) {
        Err(npmrc_config_rs::Error::FileNotFound(_)) => NpmrcConfig::load_with_options(no_npmrc(root)),
        loaded => loaded,
    };
    config.map_err(|source| npmrc_error(NPMRC.into(), source))
}

fn user_config(root: &Utf8Path, environment: &Environment) -> Result<NpmrcConfig, RegistryError> {
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
