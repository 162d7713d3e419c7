//! What Yarn 1 reads.
//!
//! Its order, which was tried with the real one: npm's variables, `YARN_REGISTRY`, every `.npmrc`, every `.yarnrc`, and
//! of two files the repository's before the user's. Credentials are in `.npmrc` alone. Files in the folders above the
//! repository are not read.

use camino::Utf8Path;

use super::{
    Layer, Proxy, Settings, Transport, environment_layer, file_path, is_set, npmrc::NpmrcFiles, read_if_there,
};
use crate::{
    fetch::{credentials::Credentials, environment::Environment},
    split::{
        registries::{RegistryError, registry_url},
        yarnrc::{CLASSIC_FILE, ClassicRc},
    },
};

/// The variables that name the default registry, the strongest first.
const REGISTRY_VARIABLES: [&str; 3] = ["npm_config_registry", "NPM_CONFIG_REGISTRY", "YARN_REGISTRY"];

pub(super) fn read(root: &Utf8Path, environment: &Environment) -> Result<Settings, RegistryError> {
    let npmrc = NpmrcFiles::read(root, environment)?;
    let project = ClassicRc::parse(CLASSIC_FILE.into(), &read_if_there(&root.join(CLASSIC_FILE))?.unwrap_or_default())?;
    let yarnrcs = [project, user_rc(environment)?];
    Ok(Settings {
        used: merged(&npmrc, &yarnrcs, environment)?,
        credentials: credentials(&npmrc, &yarnrcs, environment),
        transport: transport(root, &npmrc, &yarnrcs, environment),
    })
}

/// The registries of all files and variables, the strongest of each.
fn merged(npmrc: &NpmrcFiles, yarnrcs: &[ClassicRc; 2], environment: &Environment) -> Result<Layer, RegistryError> {
    let [project, user] = yarnrcs;
    let mut merged = layer("~/.yarnrc".into(), user)?;
    merged.override_with(layer(CLASSIC_FILE.into(), project)?);
    merged.override_with(npmrc.user(environment)?);
    merged.override_with(npmrc.project.clone());
    merged.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
    Ok(merged)
}

/// The keys of `.npmrc`, and what URLs hold.
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

fn transport(root: &Utf8Path, npmrc: &NpmrcFiles, yarnrcs: &[ClassicRc; 2], environment: &Environment) -> Transport {
    let key = |name: &str| {
        let setting = yarnrcs.iter().find_map(|rc| rc.get(name));
        setting.map(|setting| setting.text.clone()).filter(|text| is_set(text))
    };
    let mut transport = npmrc.transport(root, environment);
    transport.cafiles.extend(key("cafile").map(|file| file_path(root, &file, environment)));
    transport.http_proxy = transport.http_proxy.or_else(|| key("proxy").map(Proxy));
    transport.https_proxy = transport.https_proxy.or_else(|| key("https-proxy").or_else(|| key("proxy")).map(Proxy));
    transport
}

fn user_rc(environment: &Environment) -> Result<ClassicRc, RegistryError> {
    let Some(path) = environment.home().map(|home| home.join(CLASSIC_FILE)) else { return Ok(ClassicRc::default()) };
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
