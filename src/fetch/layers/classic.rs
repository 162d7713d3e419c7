//! The settings that Yarn 1 reads.
//!
//! Priority, tested with Yarn 1: npm's variables, `YARN_REGISTRY`, every `.npmrc`, every `.yarnrc`. The repository's
//! file comes before the user's, and the `.npmrc` files of the folders above come last. Only `.npmrc` holds
//! credentials. splitter sends a token without a URL to the default registry of the file's owner: a repository
//! does not decide where a user's token goes. Yarn sends it to every registry.

use camino::Utf8Path;
use npmrc_config_rs::nerf_dart;
use url::Url;

use super::{
    Layer, REGISTRY_VARIABLE, Settings, environment_layer, file_path, is_set,
    npmrc::NpmrcFiles,
    read_if_there,
    transport::{Proxy, Transports},
};
use crate::{
    fetch::{cautions::Pending, credentials::Credentials, environment::Environment},
    managers::{
        registries::{ProjectRegistries, RegistryError, is_yarns, npm_default, registry_url},
        yarn_classic::rc::ClassicRc,
    },
    names::YARNRC,
};

/// The variables that name the default registry, in order of priority.
const REGISTRY_VARIABLES: [&str; 4] =
    [REGISTRY_VARIABLE, "npm_config_registry", "NPM_CONFIG_REGISTRY", "YARN_REGISTRY"];

pub(super) fn read(
    root: &Utf8Path,
    project: &ProjectRegistries,
    environment: &Environment,
) -> Result<Settings, RegistryError> {
    let npmrc = NpmrcFiles::read_with_parents(root, environment)?;
    let text = read_if_there(&root.join(YARNRC))?.unwrap_or_default();
    let yarnrcs = [ClassicRc::parse(YARNRC.into(), &text)?, user_rc(environment)?];
    let mut used = merged(&npmrc, &yarnrcs, environment)?;
    let mut credentials = credentials(&npmrc, &yarnrcs, environment);
    // The repository chooses the default registry, but not where the user's token goes.
    let (users, others) = npmrc.by_owner();
    let default = used.default.clone().map_or_else(npm_default, Ok)?;
    let users_registry = users_registry(&npmrc, &yarnrcs[1], environment)?;
    credentials.add_top_of_npmrc(&default, &others);
    credentials.add_top_of_npmrc(&users_registry, users);
    let mut cautions = npmrc.sent_variables(Some(&default), environment);
    if default != users_registry && credentials.has_top(users) {
        cautions.push(Pending::kept_back(nerf_dart(&default), "the token without a URL in ~/.npmrc"));
    }
    if used.default.is_none() && is_yarns(project.default_registry()) {
        used.default = npms_where_it_has_a_token(&credentials)?;
    }
    Ok(Settings {
        used,
        credentials,
        transports: transports(root, &npmrc, &yarnrcs, environment),
        replace_host: npmrc.replace_host(environment),
        credentials_of_repository: credentials_of_repository(npmrc, &yarnrcs[0]),
        cautions,
    })
}

/// Returns npm's registry if there is a token for it. Yarn sends that token to its own alias of the registry too.
/// splitter sends a token only to its own host, so it must use npm's host name.
fn npms_where_it_has_a_token(credentials: &Credentials) -> Result<Option<Url>, RegistryError> {
    let npm = npm_default()?;
    Ok(credentials.find(&npm).is_some().then_some(npm))
}

/// Returns the default registry that the user's files and variables name, or npm's.
fn users_registry(npmrc: &NpmrcFiles, rc: &ClassicRc, environment: &Environment) -> Result<Url, RegistryError> {
    let mut users = layer("~/.yarnrc".into(), rc)?;
    users.override_with(npmrc.users_alone(environment)?);
    users.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
    users.default.map_or_else(npm_default, Ok)
}

/// Merges the registries of all files and variables by priority.
fn merged(npmrc: &NpmrcFiles, yarnrcs: &[ClassicRc; 2], environment: &Environment) -> Result<Layer, RegistryError> {
    let [project, user] = yarnrcs;
    let mut merged = layer("~/.yarnrc".into(), user)?;
    merged.override_with(layer(YARNRC.into(), project)?);
    merged.override_with(npmrc.user(environment)?);
    merged.override_with(npmrc.project.clone());
    merged.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
    Ok(merged)
}

/// Returns the credentials of `.npmrc` and those inside URLs.
fn credentials(npmrc: &NpmrcFiles, yarnrcs: &[ClassicRc; 2], environment: &Environment) -> Credentials {
    let mut credentials = npmrc.credentials(environment);
    let mut texts: Vec<String> = environment.first_of(&REGISTRY_VARIABLES).map(str::to_owned).into_iter().collect();
    texts.extend(npmrc.registry_texts());
    for rc in yarnrcs {
        texts.extend(rc.scopes().map(|(_, url)| url).chain(rc.get("registry")).map(|url| url.text.clone()));
    }
    for text in &texts {
        credentials.add_userinfo(text);
    }
    credentials
}

/// Returns the lines with credentials of `.npmrc` files, and the URLs with credentials of the repository's `.yarnrc`.
fn credentials_of_repository(npmrc: NpmrcFiles, rc: &ClassicRc) -> Vec<String> {
    let urls = rc.scopes().map(|(_, url)| url).chain(rc.get("registry")).map(|url| url.text.clone());
    npmrc.credentials_of_repository.into_iter().chain(urls.filter(|url| url.contains('@'))).collect()
}

fn transports(root: &Utf8Path, npmrc: &NpmrcFiles, yarnrcs: &[ClassicRc; 2], environment: &Environment) -> Transports {
    let key = |name: &str| {
        let setting = yarnrcs.iter().find_map(|rc| rc.get(name));
        setting.map(|setting| setting.text.clone()).filter(|text| is_set(text))
    };
    let mut transports = npmrc.transports(root, environment);
    let base = &mut transports.base;
    base.cafiles.extend(key("cafile").map(|file| file_path(root, &file, environment)));
    base.http_proxy = base.http_proxy.take().or_else(|| key("proxy").map(Proxy));
    base.https_proxy = base.https_proxy.take().or_else(|| key("https-proxy").or_else(|| key("proxy")).map(Proxy));
    transports
}

fn user_rc(environment: &Environment) -> Result<ClassicRc, RegistryError> {
    let Some(path) = environment.home().map(|home| home.join(YARNRC)) else { return Ok(ClassicRc::default()) };
    Ok(ClassicRc::parse(&path, &read_if_there(&path)?.unwrap_or_default())?)
}

fn layer(path: &Utf8Path, rc: &ClassicRc) -> Result<Layer, RegistryError> {
    let default = rc.get("registry").map(|url| registry_url(path, "registry", &url.text)).transpose()?;
    let scopes = rc.scopes().map(|(scope, url)| {
        let url = registry_url(path, &format!("{scope}:registry"), &url.text)?;
        Ok((scope.to_owned(), url))
    });
    Ok(Layer { default, scopes: scopes.collect::<Result<_, RegistryError>>()? })
}
