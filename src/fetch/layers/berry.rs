//! The settings that Yarn 2 and later read: `.yarnrc.yml`, and no files of npm.
//!
//! Priority: variables, the repository's file, the files of the folders above it, the user's file. Mappings are merged
//! entry by entry. A package gets the credentials of its scope, else those of its registry in `npmRegistries`, else
//! the top-level ones. They are sent for scoped packages, and for others only with `npmAlwaysAuth`.
//!
//! Yarn sends them to any URL that a lockfile gives for the package. splitter sends them only to URLs below the
//! registry.

use std::{cmp::Reverse, collections::BTreeMap};

use camino::{Utf8Path, Utf8PathBuf};
use globset::{Glob, GlobMatcher};
use url::Url;

use super::{
    Layer, REGISTRY_VARIABLE, Settings, dotenv, environment_layer, file_path, read_if_there,
    transport::{ClientCertificate, Override, Proxy, Transport, Transports},
    unset,
};
use crate::{
    fetch::{
        credentials::{Credential, Credentials},
        environment::{Environment, UnsetVariable},
        secret::Secret,
    },
    managers::{
        registries::{ProjectRegistries, RegistryError, npm_default, registry_url},
        yarn::rc::{
            NetworkSettings, NpmAuth, NpmSettings, Setting,
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
    let variables = &variables;
    let mut used = Layer::default();
    for (path, npm) in files.iter().rev() {
        used.override_with(layer(path, npm, variables)?);
    }
    used.override_with(environment_layer(&REGISTRY_VARIABLES, environment));
    let merged = Merged::of(&files, environment);
    for scope in merged.scopes.keys() {
        // A scope without a registry uses Yarn's default registry.
        used.scopes.entry(scope.clone()).or_insert(npm_default()?);
    }
    let default = used.default.as_ref().unwrap_or(project.default_registry());
    let mut credentials = Credentials::new(Vec::new(), variables.clone());
    merged.add_credentials(&mut credentials, default, &used.scopes, variables);
    for text in registry_texts(&files, environment, variables) {
        credentials.add_userinfo(&text);
    }
    let transports = transports(root, &files, environment, variables);
    let mut credentials_of_repository = credentials_of_repository(&files, environment);
    credentials_of_repository.extend(environment_texts);
    Ok(Settings { used, credentials, transports, replace_host: None, credentials_of_repository })
}

/// Returns the credentials in all files but the user's, as written.
fn credentials_of_repository(files: &[(Utf8PathBuf, NpmSettings)], environment: &Environment) -> Vec<String> {
    let users = environment.home().map(|home| home.join(YARNRC_YML));
    let mut texts = Vec::new();
    for (_, npm) in files.iter().filter(|(path, _)| users.as_ref() != Some(path)) {
        let servers = npm.server.iter().chain(npm.scopes.values().filter_map(|scope| scope.server.as_ref()));
        texts.extend(servers.map(|server| server.text.clone()).filter(|url| url.contains('@')));
        let scopes = npm.scopes.iter().map(|(scope, settings)| (scope.as_str(), &settings.auth));
        let registries = npm.registries.iter().map(|(registry, auth)| (registry.as_str(), auth));
        for (place, NpmAuth { token, ident, always }) in [("", &npm.auth)].into_iter().chain(scopes).chain(registries) {
            let all = [("token", token), ("ident", ident), ("always", always)];
            texts.extend(all.iter().filter_map(|(key, value)| Some(format!("{place} {key}={}", value.as_ref()?))));
        }
    }
    texts
}

/// Returns the variables, including those of environment files, and the texts of the repository's environment files.
fn with_environment_files(
    root: &Utf8Path,
    files: &[(Utf8PathBuf, NpmSettings)],
    environment: &Environment,
) -> Result<(Environment, Vec<String>), RegistryError> {
    let listing = files.iter().find_map(|(path, npm)| Some((path.parent(), npm.environment_files.as_ref()?)));
    let by_default = [dotenv::DEFAULT.to_owned()];
    let (folder, names) = match listing {
        Some((folder, names)) => (root.join(folder.unwrap_or(root)), names.as_slice()),
        None => (root.to_owned(), by_default.as_slice()),
    };
    let (variables, texts) = dotenv::with_files(environment, &folder, names)?;
    let is_users = environment.home().is_some_and(|home| home == folder);
    Ok((variables, if is_users { Vec::new() } else { texts }))
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

/// The credentials of all files and variables, merged by priority.
#[derive(Default)]
struct Merged {
    top: NpmAuth,
    scopes: BTreeMap<String, NpmAuth>,
    registries: BTreeMap<String, NpmAuth>,
}

impl Merged {
    fn of(files: &[(Utf8PathBuf, NpmSettings)], environment: &Environment) -> Self {
        let variable = |name: &str| environment.get(name).map(str::to_owned);
        let mut merged = Self {
            top: NpmAuth {
                token: variable("YARN_NPM_AUTH_TOKEN"),
                ident: variable("YARN_NPM_AUTH_IDENT"),
                always: variable("YARN_NPM_ALWAYS_AUTH"),
            },
            ..Self::default()
        };
        for (_, npm) in files {
            fill(&mut merged.top, &npm.auth);
            for (scope, settings) in &npm.scopes {
                fill(merged.scopes.entry(scope.clone()).or_default(), &settings.auth);
            }
            for (registry, auth) in &npm.registries {
                fill(merged.registries.entry(registry.clone()).or_default(), auth);
            }
        }
        merged
    }

    /// Adds the credentials of each registry. The first ones added for a URL win.
    fn add_credentials(
        &self,
        credentials: &mut Credentials,
        default: &Url,
        scopes: &BTreeMap<String, Url>,
        environment: &Environment,
    ) {
        let of_default = self.of_registry(default);
        for (scope, registry) in scopes {
            let own = self.scopes.get(scope).filter(|auth| has_credentials(auth));
            let auth = own.unwrap_or_else(|| self.of_registry(registry));
            if let Some(credential) = credential(auth, environment) {
                credentials.add_for_scope(registry, scope, credential.clone());
                // Its tarballs may have other paths below the registry. The default registry also has other packages.
                if registry != default {
                    credentials.add(registry, credential);
                }
            }
        }
        // A tarball may also be below one of the other registries in `npmRegistries`.
        for (registry, auth) in self.registries.iter().filter(|(_, auth)| !std::ptr::eq(*auth, of_default)) {
            let with_scheme =
                if registry.starts_with("//") { format!("https:{registry}/") } else { format!("{registry}/") };
            if let (Ok(url), Some(credential)) = (Url::parse(&with_scheme), credential(auth, environment)) {
                credentials.add(&url, credential);
            }
        }
        if let Some(credential) = credential(of_default, environment) {
            if is_true(of_default.always.as_deref(), environment) {
                credentials.add(default, credential);
            } else {
                credentials.add_for_scopes(default, credential);
            }
        }
    }

    /// Returns the credentials of a registry, for packages whose scope sets none.
    fn of_registry(&self, registry: &Url) -> &NpmAuth {
        let full = registry.as_str().trim_end_matches('/');
        let without_scheme = full.trim_start_matches(registry.scheme()).trim_start_matches(':');
        self.registries.get(full).or_else(|| self.registries.get(without_scheme)).unwrap_or(&self.top)
    }
}

fn fill(auth: &mut NpmAuth, weaker: &NpmAuth) {
    for (value, weaker) in
        [(&mut auth.token, &weaker.token), (&mut auth.ident, &weaker.ident), (&mut auth.always, &weaker.always)]
    {
        if value.is_none() {
            value.clone_from(weaker);
        }
    }
}

fn has_credentials(auth: &NpmAuth) -> bool {
    auth.token.is_some() || auth.ident.is_some()
}

/// Returns the token, else the identity, which is `user:password` or its base64. Skips empty values.
fn credential(auth: &NpmAuth, environment: &Environment) -> Option<Credential> {
    let secret_of_ident = |ident: &str| match ident.split_once(':') {
        Some((user, password)) => Secret::basic(user, password),
        None => Secret::basic_encoded(ident),
    };
    let value = |text: &Option<String>| {
        let value = text.as_deref().map(|text| expanded(text, environment));
        value.filter(|value| value.as_ref().map_or(true, |text| !text.is_empty()))
    };
    let token = value(&auth.token).map(|token| token.map(|token| Secret::bearer(&token)));
    token.or_else(|| value(&auth.ident).map(|ident| ident.map(|ident| secret_of_ident(&ident))))
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

/// Merges proxies and certificates by priority. `networkSettings` come before the top level, longer patterns before
/// shorter ones.
fn transports(
    root: &Utf8Path,
    files: &[(Utf8PathBuf, NpmSettings)],
    environment: &Environment,
    variables: &Environment,
) -> Transports {
    let all: Vec<&NetworkSettings> = files.iter().map(|(_, npm)| &npm.network).collect();
    let text = |variable: &str, of: Of| {
        environment.get(variable).map(str::to_owned).or_else(|| strongest(&all, of, variables))
    };
    let file = |variable: &str, of: Of| text(variable, of).map(|file| file_path(root, &file, variables));
    let extra = environment.get("NODE_EXTRA_CA_CERTS").map(|path| file_path(root, path, environment));
    let identity = file("YARN_HTTPS_CERT_FILE_PATH", |of| &of.cert_file)
        .zip(file("YARN_HTTPS_KEY_FILE_PATH", |of| &of.key_file))
        .map(|(certificate, key)| ClientCertificate::Files { certificate, key });
    let base = Transport {
        cafiles: file("YARN_HTTPS_CA_FILE_PATH", |of| &of.ca_file).into_iter().chain(extra).collect(),
        identity,
        https_proxy: text("YARN_HTTPS_PROXY", |of| &of.https_proxy).map(Proxy),
        http_proxy: text("YARN_HTTP_PROXY", |of| &of.http_proxy).map(Proxy),
        ..Transport::default()
    };
    Transports { base, hosts: hosts(root, files, variables), identities: BTreeMap::new() }
}

type Of = fn(&NetworkSettings) -> &Option<String>;

fn strongest(all: &[&NetworkSettings], of: Of, variables: &Environment) -> Option<String> {
    let text = all.iter().find_map(|settings| of(settings).as_ref())?;
    expanded(text, variables).ok().filter(|text| !text.is_empty())
}

fn hosts(
    root: &Utf8Path,
    files: &[(Utf8PathBuf, NpmSettings)],
    variables: &Environment,
) -> Vec<(GlobMatcher, Override)> {
    let mut patterns: BTreeMap<&str, Vec<&NetworkSettings>> = BTreeMap::new();
    for (pattern, settings) in files.iter().flat_map(|(_, npm)| &npm.hosts) {
        patterns.entry(pattern).or_default().push(settings);
    }
    let mut patterns: Vec<_> = patterns.into_iter().collect();
    patterns.sort_by_key(|(pattern, _)| Reverse(pattern.len()));
    let settings_of = |(pattern, all): (&str, Vec<&NetworkSettings>)| {
        // Yarn also ignores an invalid pattern.
        let glob = Glob::new(pattern).ok()?.compile_matcher();
        let file = |of: Of| strongest(&all, of, variables).map(|file| file_path(root, &file, variables));
        let settings = Override {
            cafile: file(|of| &of.ca_file),
            certificate: file(|of| &of.cert_file),
            key: file(|of| &of.key_file),
            https_proxy: strongest(&all, |of| &of.https_proxy, variables).map(Proxy),
            http_proxy: strongest(&all, |of| &of.http_proxy, variables).map(Proxy),
        };
        Some((glob, settings))
    };
    patterns.into_iter().filter_map(settings_of).collect()
}
