//! The settings that Bun reads.
//!
//! Priority, tested with Bun 1.4: variables, the repository's `bunfig.toml`, the user's `bunfig.toml`, the repository's
//! `.npmrc`, the user's `.npmrc`, the global one.
//!
//! Bun sends the token of a variable to the default registry, even if the repository names it. splitter sends it only to one that the
//! user names.

use camino::{Utf8Path, Utf8PathBuf};
use npmrc_config_rs::nerf_dart;
use url::Url;

use super::{
    Layer, REGISTRY_VARIABLE, Settings, environment_layer, expanded, file_path, npmrc::NpmrcFiles, read_if_there,
    sent_below,
};
use crate::{
    diagnostic::Position,
    fetch::{
        cautions::Pending,
        credentials::Credentials,
        environment::{Environment, variables_of},
    },
    managers::{
        bun::bunfig::{BunRegistry, Bunfig},
        registries::{ProjectRegistries, RegistryError, npm_default, registry_url},
    },
    names::BUNFIG,
};

/// The variables that name the default registry, in order of priority.
const REGISTRY_VARIABLES: [&str; 4] =
    [REGISTRY_VARIABLE, "BUN_CONFIG_REGISTRY", "NPM_CONFIG_REGISTRY", "npm_config_registry"];
/// The variables that hold the token of the default registry, in order of priority.
const TOKEN_VARIABLES: [&str; 3] = ["BUN_CONFIG_TOKEN", "NPM_CONFIG_TOKEN", "npm_config_token"];

pub(super) fn read(
    root: &Utf8Path,
    project: &ProjectRegistries,
    environment: &Environment,
) -> Result<Settings, RegistryError> {
    let files = Files::read(root, environment)?;
    let used = files.merged(environment)?;
    let default = used.default.as_ref().unwrap_or(project.default_registry());
    let users = files.users(environment)?.default.map_or_else(npm_default, Ok)?;
    let credentials = files.credentials(default, &users, environment);
    let mut cautions = files.npmrc.sent_variables(None, environment);
    cautions.extend(files.sent_variables(environment));
    if let Some(variable) = TOKEN_VARIABLES.iter().find(|name| environment.get(name).is_some() && users != *default) {
        cautions.push(Pending::kept_back(nerf_dart(default), &format!("the token in `{variable}`")));
    }
    let mut transports = files.npmrc.transports(root, environment);
    let bunfigs = || files.bunfigs.iter().map(|(_, bunfig)| bunfig);
    let cafiles = bunfigs().filter_map(|bunfig| bunfig.cafile.as_ref());
    transports.base.cafiles.extend(cafiles.map(|file| file_path(root, file, environment)));
    transports.base.authorities.extend(bunfigs().flat_map(|bunfig| bunfig.authorities.clone()));
    let replace_host = files.npmrc.replace_host(environment);
    let credentials_of_repository = files.credentials_of_repository();
    Ok(Settings { used, credentials, transports, replace_host, credentials_of_repository, cautions })
}

/// The parsed files.
struct Files {
    npmrc: NpmrcFiles,
    /// The repository's file, then the user's.
    bunfigs: [(Utf8PathBuf, Bunfig); 2],
    /// The text of the repository's `bunfig.toml`.
    text: String,
}

impl Files {
    fn read(root: &Utf8Path, environment: &Environment) -> Result<Self, RegistryError> {
        let text = read_if_there(&root.join(BUNFIG))?;
        let project_bunfig = Bunfig::read(BUNFIG.into(), text.as_deref().unwrap_or_default())?;
        Ok(Self {
            npmrc: NpmrcFiles::read(root, environment)?,
            bunfigs: [(BUNFIG.into(), project_bunfig), user_bunfig(environment)?],
            text: text.unwrap_or_default(),
        })
    }

    /// Merges the registries of all files and variables by priority.
    fn merged(&self, environment: &Environment) -> Result<Layer, RegistryError> {
        let mut merged = self.npmrc.user(environment)?;
        merged.override_with(self.npmrc.project.clone());
        for (path, bunfig) in self.bunfigs.iter().rev() {
            merged.override_with(bunfig_layer(path, bunfig, environment)?);
        }
        merged.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
        Ok(merged)
    }

    /// Merges the registries of the user's files and variables.
    fn users(&self, environment: &Environment) -> Result<Layer, RegistryError> {
        let [_, (path, bunfig)] = &self.bunfigs;
        let mut users = self.npmrc.user(environment)?;
        users.override_with(bunfig_layer(path, bunfig, environment)?);
        users.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
        Ok(users)
    }

    /// Returns the credentials of `.npmrc` and `bunfig.toml` files, those inside URLs, and the token of a variable,
    /// which is for the default registry that the user names.
    fn credentials(&self, default: &Url, users: &Url, environment: &Environment) -> Credentials {
        let mut credentials = self.npmrc.credentials(environment);
        if let Some(token) = environment.first_of(&TOKEN_VARIABLES) {
            credentials.add_token(users, token);
        }
        let mut texts: Vec<String> = environment.first_of(&REGISTRY_VARIABLES).map(str::to_owned).into_iter().collect();
        for (path, bunfig) in &self.bunfigs {
            let scopes = bunfig.scopes.iter().map(|(scope, registry)| (Some(scope), registry));
            for (scope, registry) in scopes.chain(bunfig.registry.iter().map(|registry| (None, registry))) {
                // `merged` has already read the same texts, so none is invalid here.
                let Ok(Some((url, text))) = bun_url(path, "", registry, environment) else { continue };
                texts.push(text);
                if let Some(scope) = scope {
                    credentials.add_bun_registry_for_scope(&url, scope, registry);
                }
                // A scope's own token must not apply to the other packages of the default registry.
                if scope.is_none() || url != *default {
                    credentials.add_bun_registry(&url, registry);
                }
            }
        }
        texts.extend(self.npmrc.registry_texts());
        for text in &texts {
            credentials.add_userinfo(text);
        }
        credentials
    }

    /// Returns the variables in the credentials of the repository's `bunfig.toml`.
    fn sent_variables(&self, environment: &Environment) -> Vec<Pending> {
        let [(path, bunfig), _] = &self.bunfigs;
        let scopes = bunfig.scopes.iter().map(|(scope, registry)| (Some(scope), registry));
        let mut pending = Vec::new();
        for (scope, registry) in scopes.chain(bunfig.registry.iter().map(|registry| (None, registry))) {
            let Ok(Some((url, _))) = bun_url(path, "", registry, environment) else { continue };
            let key = scope.map_or_else(|| nerf_dart(&url), |scope| format!("{}{scope}/", nerf_dart(&url)));
            for text in [&registry.token, &registry.username, &registry.password].into_iter().flatten() {
                let position = self.text.find(text).map(|offset| Position::of_offset(&self.text, offset));
                pending.extend(sent_below(path, position, variables_of(text, environment), &key));
            }
        }
        pending
    }

    /// Returns the credentials in the repository's files, as written.
    fn credentials_of_repository(self) -> Vec<String> {
        let [(_, bunfig), _] = self.bunfigs;
        let registries = bunfig.registry.into_iter().chain(bunfig.scopes.into_values());
        let of_bunfig = registries.flat_map(|BunRegistry { url, token, username, password }| {
            let url = url.filter(|url| url.contains('@'));
            let all = [("url", url), ("token", token), ("username", username), ("password", password)];
            all.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?)))
        });
        self.npmrc.credentials_of_repository.into_iter().chain(of_bunfig).collect()
    }
}

/// Reads `$XDG_CONFIG_HOME/.bunfig.toml`, or `~/.bunfig.toml` if the first is missing.
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

/// Returns the URL of a registry, and its text as written, which may contain credentials.
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
