//! The settings that Yarn 2 and later read: `.yarnrc.yml`, and no files of npm.
//!
//! Priority: variables, the repository's file, the files of the folders above it, the user's file. Mappings are merged
//! entry by entry. A package gets the credentials of its scope, else those of its registry in `npmRegistries`, else
//! the top-level ones. They are sent for scoped packages, and for others only with `npmAlwaysAuth`.
//!
//! Yarn sends them to any URL that a lockfile gives for the package, and the user's to registries that the repository
//! names. splitter sends them only to URLs below the registry, and the user's only to registries that the user's own file
//! or variables name.

mod network;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use npmrc_config_rs::nerf_dart;
use url::Url;

use super::{Layer, REGISTRY_VARIABLE, Settings, dotenv, environment_layer, read_if_there, sent_below, unset};
use crate::{
    fetch::{
        cautions::{Caution, Pending, Reach},
        credentials::{Credential, Credentials},
        environment::{Environment, UnsetVariable, recorded},
        secret::Secret,
    },
    managers::{
        registries::{ProjectRegistries, RegistryError, npm_default, registry_url},
        yarn::rc::{
            NpmAuth, NpmSettings, Setting,
            variables::{Unset, expand},
        },
    },
    names::YARNRC_YML,
};

/// The variables that name the default registry, in order of priority.
const REGISTRY_VARIABLES: [&str; 2] = [REGISTRY_VARIABLE, "YARN_NPM_REGISTRY_SERVER"];

pub(super) fn read(
    root: &Utf8Path,
    project: &ProjectRegistries,
    environment: &Environment,
) -> Result<Settings, RegistryError> {
    let files = files(root, environment)?;
    // Texts may use variables of environment files too. Settings come only from variables of the process.
    let (variables, environment_texts) = with_environment_files(root, &files, environment)?;
    let mut used = Layer::default();
    for (path, npm) in files.iter().rev() {
        used.override_with(layer(path, npm, &variables.all)?);
    }
    used.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
    for scope in files.iter().flat_map(|(_, npm)| npm.scopes.keys()) {
        // A scope without a registry uses Yarn's default registry.
        used.scopes.entry(scope.clone()).or_insert(npm_default()?);
    }
    let default = used.default.as_ref().unwrap_or(project.default_registry());
    let (credentials, mut cautions) = credentials(&files, (default, &used.scopes), &variables.all, environment)?;
    cautions.extend(sent_variables(&files, (default, &used.scopes), &variables, environment));
    let transports = network::transports(root, &files, environment, &variables.all);
    let mut credentials_of_repository = credentials_of_repository(&files, environment);
    credentials_of_repository.extend(environment_texts);
    Ok(Settings { used, credentials, transports, replace_host: None, credentials_of_repository, cautions })
}

/// Returns the credentials for the registries in use and for those that the user names, and what was kept back.
fn credentials(
    files: &[(Utf8PathBuf, NpmSettings)],
    used: (&Url, &BTreeMap<String, Url>),
    variables: &Environment,
    environment: &Environment,
) -> Result<(Credentials, Vec<Pending>), RegistryError> {
    let users = Users::of(files, environment)?;
    let of_owner = |is_wanted: bool| files.iter().filter(move |(path, _)| is_users(path, environment) == is_wanted);
    let all = Merged::of(files, Some(environment), environment);
    let repositorys = Merged::of(of_owner(false), None, environment);
    let users_own = Merged::of(of_owner(true), Some(environment), environment);
    let mut credentials = Credentials::new(Vec::new(), variables.clone());
    let kept_back = all.add_credentials(&repositorys, &users, &mut credentials, used, variables);
    let named = (&users.default, &users.scopes);
    users_own.add_credentials(&Merged::default(), &users, &mut credentials, named, variables);
    for text in registry_texts(files, environment, variables) {
        credentials.add_userinfo(&text);
    }
    Ok((credentials, kept_back))
}

/// Returns the credentials in all files but the user's, as written.
fn credentials_of_repository(files: &[(Utf8PathBuf, NpmSettings)], environment: &Environment) -> Vec<String> {
    let mut texts = Vec::new();
    for (_, npm) in files.iter().filter(|(path, _)| !is_users(path, environment)) {
        let servers = npm.server.iter().chain(npm.scopes.values().filter_map(|scope| scope.server.as_ref()));
        texts.extend(servers.map(|server| server.text.clone()).filter(|url| url.contains('@')));
        let scopes = npm.scopes.iter().map(|(scope, settings)| (scope.as_str(), &settings.auth));
        let registries = npm.registries.iter().map(|(registry, auth)| (registry.as_str(), auth));
        for (place, NpmAuth { token, ident, always }) in [("", &npm.auth)].into_iter().chain(scopes).chain(registries) {
            let text = |setting: &Option<Setting>| setting.as_ref().map(|setting| setting.text.clone());
            let all = [("token", text(token)), ("ident", text(ident)), ("always", always.clone())];
            texts.extend(all.into_iter().filter_map(|(key, value)| Some(format!("{place} {key}={}", value?))));
        }
    }
    texts
}

/// Returns the variables, including those of environment files, and the texts of the repository's environment files.
fn with_environment_files(
    root: &Utf8Path,
    files: &[(Utf8PathBuf, NpmSettings)],
    environment: &Environment,
) -> Result<(Variables, Vec<String>), RegistryError> {
    let listing = files.iter().find_map(|(path, npm)| Some((path.parent(), npm.environment_files.as_ref()?)));
    let by_default = [dotenv::DEFAULT.to_owned()];
    let (folder, names) = match listing {
        Some((folder, names)) => (root.join(folder.unwrap_or(root)), names.as_slice()),
        None => (root.to_owned(), by_default.as_slice()),
    };
    let (all, origins, texts) = dotenv::with_files(environment, &folder, names)?;
    let is_users = environment.home().is_some_and(|home| home == folder);
    Ok((Variables { all, origins }, if is_users { Vec::new() } else { texts }))
}

/// Reads the files, in order of priority.
fn files(root: &Utf8Path, environment: &Environment) -> Result<Vec<(Utf8PathBuf, NpmSettings)>, RegistryError> {
    let mut folders: Vec<Utf8PathBuf> = root.ancestors().map(Utf8Path::to_owned).collect();
    folders.extend(environment.home().filter(|home| !folders.contains(home)));
    let mut files = Vec::new();
    for folder in folders {
        let path = folder.join(YARNRC_YML);
        if let Some(text) = read_if_there(&path)? {
            let shown = if folder == root { YARNRC_YML.into() } else { path };
            let npm = NpmSettings::read(&shown, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
            files.push((shown, npm));
        }
    }
    Ok(files)
}

fn layer(path: &Utf8Path, npm: &NpmSettings, environment: &Environment) -> Result<Layer, RegistryError> {
    let url = |key: &str, setting: &Setting| {
        let text = expanded(&setting.text, environment).map_err(|UnsetVariable(name)| unset(path, key, name))?;
        registry_url(path, key, &text)
    };
    let mut layer = Layer {
        default: npm.server.as_ref().map(|server| url("npmRegistryServer", server)).transpose()?,
        scopes: BTreeMap::new(),
    };
    for (scope, settings) in &npm.scopes {
        if let Some(server) = &settings.server {
            let key = format!("npmScopes.{}.npmRegistryServer", &scope[1..]);
            layer.scopes.insert(scope.clone(), url(&key, server)?);
        }
    }
    Ok(layer)
}

/// Credentials of several files and variables, merged by priority.
#[derive(Default)]
struct Merged {
    top: Auth,
    scopes: BTreeMap<String, Auth>,
    registries: BTreeMap<String, Auth>,
}

/// The credentials of a scope or a registry.
#[derive(Default)]
struct Auth {
    token: Option<Value>,
    ident: Option<Value>,
    always: Option<String>,
}

/// A setting as written.
#[derive(Clone)]
struct Value {
    text: String,
    /// How messages call it, if it belongs to the user.
    users: Option<String>,
}

/// The registries that the user's own file and variables name. They get the user's credentials.
struct Users {
    default: Url,
    scopes: BTreeMap<String, Url>,
}

impl Users {
    fn of(files: &[(Utf8PathBuf, NpmSettings)], environment: &Environment) -> Result<Self, RegistryError> {
        let mut layer = Layer::default();
        let mut scopes = BTreeMap::new();
        for (path, npm) in files.iter().filter(|(path, _)| is_users(path, environment)) {
            // Variables of the repository's environment files do not count. A registry that needs one is not the user's.
            layer = self::layer(path, npm, environment).unwrap_or_default();
            for scope in npm.scopes.keys() {
                scopes.insert(scope.clone(), layer.scopes.get(scope).cloned().map_or_else(npm_default, Ok)?);
            }
        }
        layer.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
        Ok(Self { default: layer.default.map_or_else(npm_default, Ok)?, scopes })
    }

    /// Whether the user's credentials for a scope, or those at the top, go to `registry`.
    fn name(&self, scope: Option<&str>, registry: &Url) -> bool {
        match scope {
            Some(scope) => self.scopes.get(scope) == Some(registry),
            None => self.default == *registry || self.scopes.values().any(|named| named == registry),
        }
    }
}

impl Merged {
    /// Merges the files and, if given, the variables of the environment.
    fn of<'a>(
        files: impl IntoIterator<Item = &'a (Utf8PathBuf, NpmSettings)>,
        variables: Option<&Environment>,
        environment: &Environment,
    ) -> Self {
        let variable = |name: &str| variables.and_then(|variables| variables.get(name)).map(str::to_owned);
        let value = |name: &str| Some(Value { text: variable(name)?, users: Some(format!("`{name}`")) });
        let mut merged = Self {
            top: Auth {
                token: value("YARN_NPM_AUTH_TOKEN"),
                ident: value("YARN_NPM_AUTH_IDENT"),
                always: variable("YARN_NPM_ALWAYS_AUTH"),
            },
            ..Self::default()
        };
        for (path, npm) in files {
            let is_users = is_users(path, environment);
            merged.top.fill(&npm.auth, is_users);
            for (scope, settings) in &npm.scopes {
                merged.scopes.entry(scope.clone()).or_default().fill(&settings.auth, is_users);
            }
            for (registry, auth) in &npm.registries {
                merged.registries.entry(registry.clone()).or_default().fill(auth, is_users);
            }
        }
        merged
    }

    /// Adds the credentials of each registry. The first ones added for a URL win. Credentials of the user go only to
    /// registries that the user names; elsewhere those of `repositorys` count. Returns what was kept back.
    fn add_credentials(
        &self,
        repositorys: &Self,
        users: &Users,
        credentials: &mut Credentials,
        used: (&Url, &BTreeMap<String, Url>),
        environment: &Environment,
    ) -> Vec<Pending> {
        let (default, scopes) = used;
        let mut kept_back = Vec::new();
        for (scope, registry) in scopes {
            let key = format!("{}{scope}/", nerf_dart(registry));
            let chosen = self.chosen(Some(scope), registry, environment);
            let own = || repositorys.chosen(Some(scope), registry, environment);
            if let Some(credential) = users.permit(chosen, own, key, registry, &mut kept_back) {
                credentials.add_for_scope(registry, scope, credential.clone());
                // Its tarballs may have other paths below the registry. The default registry also has other packages.
                if registry != default {
                    credentials.add(registry, credential);
                }
            }
        }
        let of_default = self.registries.get(self.key_of(default).unwrap_or_default());
        // A tarball may also be below one of the other registries in `npmRegistries`.
        for (registry, auth) in
            self.registries.iter().filter(|(_, auth)| of_default.is_none_or(|own| !std::ptr::eq(*auth, own)))
        {
            if let (Some(url), Some((credential, _))) = (url_of_key(registry), auth.credential(environment)) {
                credentials.add(&url, credential);
            }
        }
        let chosen = self.chosen(None, default, environment);
        let is_always = is_true(of_default.unwrap_or(&self.top).always.as_deref(), environment);
        let key = if is_always { nerf_dart(default) } else { format!("{}@", nerf_dart(default)) };
        let own = || repositorys.chosen(None, default, environment);
        if let Some(credential) = users.permit(chosen, own, key, default, &mut kept_back) {
            if is_always {
                credentials.add(default, credential);
            } else {
                credentials.add_for_scopes(default, credential);
            }
        }
        kept_back
    }

    /// Returns the credentials that Yarn chooses for the packages of a scope, or for those without one.
    fn chosen(&self, scope: Option<&str>, registry: &Url, environment: &Environment) -> Option<Chosen> {
        let own = scope.and_then(|scope| Some((scope, self.scopes.get(scope).filter(|auth| auth.is_set())?)));
        let keyed = || self.registries.get(self.key_of(registry)?);
        let (auth, bound) = match own {
            Some((scope, auth)) => (auth, Bound::Scope(scope.to_owned())),
            None => keyed().map_or((&self.top, Bound::Nothing), |auth| (auth, Bound::Url)),
        };
        let (credential, users) = auth.credential(environment)?;
        Some(Chosen { credential, users, bound })
    }

    /// Returns the key of a registry in `npmRegistries`, if it has one.
    fn key_of(&self, registry: &Url) -> Option<&str> {
        let full = registry.as_str().trim_end_matches('/');
        let without_scheme = full.trim_start_matches(registry.scheme()).trim_start_matches(':');
        let find = |key: &str| self.registries.get_key_value(key).map(|(key, _)| key.as_str());
        find(full).or_else(|| find(without_scheme))
    }
}

/// The credentials that Yarn sends to a registry.
struct Chosen {
    credential: Credential,
    /// How messages call the setting, if it belongs to the user.
    users: Option<String>,
    bound: Bound,
}

/// What the setting of credentials names.
enum Bound {
    Scope(String),
    Url,
    Nothing,
}

impl Users {
    /// Returns the credentials to send: the chosen ones if they may be sent, else those of the repository's files.
    fn permit(
        &self,
        chosen: Option<Chosen>,
        repositorys: impl FnOnce() -> Option<Chosen>,
        key: String,
        registry: &Url,
        kept_back: &mut Vec<Pending>,
    ) -> Option<Credential> {
        let chosen = chosen?;
        let Some(secret) = chosen.users else { return Some(chosen.credential) };
        let (may_have_it, secret) = match chosen.bound {
            Bound::Url => (true, secret),
            Bound::Nothing => (self.name(None, registry), secret),
            Bound::Scope(scope) => (self.name(Some(&scope), registry), format!("{secret} of the scope `{scope}`")),
        };
        if may_have_it {
            return Some(chosen.credential);
        }
        if let Some(own) = repositorys() {
            return Some(own.credential);
        }
        kept_back.push(Pending::kept_back(key, &secret));
        None
    }
}

impl Auth {
    fn fill(&mut self, weaker: &NpmAuth, is_users: bool) {
        let value = |setting: &Option<Setting>, key: &str| {
            let text = setting.as_ref()?.text.clone();
            Some(Value { text, users: is_users.then(|| format!("`{key}` in ~/{YARNRC_YML}")) })
        };
        self.token = self.token.take().or_else(|| value(&weaker.token, "npmAuthToken"));
        self.ident = self.ident.take().or_else(|| value(&weaker.ident, "npmAuthIdent"));
        self.always = self.always.take().or_else(|| weaker.always.clone());
    }

    fn is_set(&self) -> bool {
        self.token.is_some() || self.ident.is_some()
    }

    /// Returns the token, else the identity, which is `user:password` or its base64, and how messages call it if it
    /// belongs to the user. Skips empty values.
    fn credential(&self, environment: &Environment) -> Option<(Credential, Option<String>)> {
        let secret_of_ident = |ident: &str| match ident.split_once(':') {
            Some((user, password)) => Secret::basic(user, password),
            None => Secret::basic_encoded(ident),
        };
        let value = |value: &Option<Value>, secret: &dyn Fn(&str) -> Secret| {
            let Value { text, users } = value.as_ref()?;
            let text =
                Some(expanded(text, environment)).filter(|text| text.as_ref().map_or(true, |text| !text.is_empty()))?;
            Some((text.map(|text| secret(&text)), users.clone()))
        };
        value(&self.token, &Secret::bearer).or_else(|| value(&self.ident, &secret_of_ident))
    }
}

/// Returns the URL of a key in `npmRegistries`.
fn url_of_key(key: &str) -> Option<Url> {
    let with_scheme = if key.starts_with("//") { format!("https:{key}/") } else { format!("{key}/") };
    Url::parse(&with_scheme).ok()
}

/// Whether a file is the user's own.
fn is_users(path: &Utf8Path, environment: &Environment) -> bool {
    environment.home().is_some_and(|home| home.join(YARNRC_YML) == path)
}

/// Returns the variables that the repository's files send to hosts.
fn sent_variables(
    files: &[(Utf8PathBuf, NpmSettings)],
    used: (&Url, &BTreeMap<String, Url>),
    variables: &Variables,
    environment: &Environment,
) -> Vec<Pending> {
    let (default, scopes) = used;
    let mut pending = Vec::new();
    for (path, npm) in files.iter().filter(|(path, _)| !is_users(path, environment)) {
        let of_scopes = npm.scopes.iter().filter_map(|(scope, settings)| {
            Some((format!("{}{scope}/", nerf_dart(scopes.get(scope)?)), &settings.auth))
        });
        let of_registries = npm.registries.iter().filter_map(|(key, auth)| Some((nerf_dart(&url_of_key(key)?), auth)));
        let top = [(nerf_dart(default), &npm.auth)];
        for (key, auth) in top.into_iter().chain(of_scopes).chain(of_registries) {
            for Setting { text, position } in [&auth.token, &auth.ident].into_iter().flatten() {
                pending.extend(sent_below(path, Some(*position), variables.of_process(text), &key));
            }
        }
        for Setting { text, position } in
            npm.server.iter().chain(npm.scopes.values().filter_map(|scope| scope.server.as_ref()))
        {
            let url = expanded(text, &variables.all).ok().and_then(|text| Url::parse(&text).ok());
            for (variable, url) in variables.of_process(text).into_iter().zip(std::iter::repeat(url)) {
                let Some(url) = url else { continue };
                let caution = Caution::sent(path, Some(*position), variable, url.host_str().unwrap_or_default());
                pending.push(Pending { reach: Reach::Below(nerf_dart(&url)), caution });
            }
        }
        for network in [&npm.network].into_iter().chain(npm.hosts.values()) {
            for text in [&network.http_proxy, &network.https_proxy].into_iter().flatten() {
                let host = expanded(text, &variables.all).ok().and_then(|text| Url::parse(&text).ok());
                let Some(host) = host.as_ref().and_then(Url::host_str) else { continue };
                let caution = |variable| Caution::sent(path, None, variable, host);
                let sent = variables.of_process(text).into_iter();
                pending.extend(sent.map(|variable| Pending { reach: Reach::All, caution: caution(variable) }));
            }
        }
    }
    pending
}

/// The variables that settings may use.
struct Variables {
    /// Those of the process, overridden by those of environment files.
    all: Environment,
    /// For each variable of an environment file, the variables of the process in its value.
    origins: BTreeMap<String, Vec<String>>,
}

impl Variables {
    /// Returns the variables of the process in a text. Empty if a variable is not set.
    fn of_process(&self, text: &str) -> Vec<String> {
        let lookup = |name: &str| self.all.get_even_empty(name).map(str::to_owned);
        let named = recorded(&|lookup| expand(text, lookup).is_ok(), &lookup);
        named.into_iter().flat_map(|name| self.origins.get(&name).cloned().unwrap_or(vec![name])).collect()
    }
}

fn is_true(text: Option<&str>, environment: &Environment) -> bool {
    let value = text.and_then(|text| expanded(text, environment).ok());
    matches!(value.as_deref(), Some("true" | "1"))
}

fn expanded(text: &str, environment: &Environment) -> Result<String, UnsetVariable> {
    expand(text, &|name| environment.get_even_empty(name).map(str::to_owned)).map_err(|Unset(name)| UnsetVariable(name))
}

/// Returns the registry URLs as written. They may contain credentials.
fn registry_texts(
    files: &[(Utf8PathBuf, NpmSettings)],
    environment: &Environment,
    variables: &Environment,
) -> Vec<String> {
    let of_variables = environment.first_of(&REGISTRY_VARIABLES).map(str::to_owned);
    let settings = files
        .iter()
        .flat_map(|(_, npm)| npm.server.iter().chain(npm.scopes.values().filter_map(|scope| scope.server.as_ref())));
    of_variables.into_iter().chain(settings.filter_map(|setting| expanded(&setting.text, variables).ok())).collect()
}
