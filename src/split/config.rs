//! Reads `splitter.json`, the user's choices. `docs/splitter.schema.json` describes it.

mod globs;
mod lint;
mod resolve;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use jsonc_parser::ast::{Object, ObjectProp, Value};

use self::values::{
    app_name, boolean, build, build_budget, caches, command, exposes, globs, globs_of_outputs, input, install, kind,
    node_modules, outputs, packages, path, paths_or_globs, runtime_install, script_names, size, systems, texts, uses,
    written_out,
};
pub use self::{
    lint::{LintConfig, LintRule},
    values::is_flake_url,
};
use crate::split::{
    SplitError, System,
    budget::{BuildBudget, SizeBudgets},
    caches::CacheChoice,
    development::{
        Given,
        settings::{self, Process, Service},
    },
    lock::downloads::{self, Download},
};
use crate::{
    lockfile::json::{Dialect, Document, JsonError, to_serde},
    names::SETTINGS,
    repo::{RepoPath, Tree, read_parsed},
};

/// The file name, at the root of the repository.
pub const FILE: &str = SETTINGS;

/// The user's choices. Anything absent is detected.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The systems to record hashes for. Empty means all supported systems.
    pub systems: Vec<System>,
    /// The names of the apps. Empty means all apps that are found.
    pub apps: BTreeSet<String>,
    /// The package that `nix build` builds when no name is given.
    pub default: Option<String>,
    /// The names of the scripts that run as checks.
    pub checks: Vec<String>,
    /// Choices for single workspaces, by folder.
    pub workspaces: BTreeMap<RepoPath, WorkspaceConfig>,
    /// Choices for all workspaces whose folder matches a glob, in the order of the file. [`Config::resolve`] moves them to
    /// `workspaces`.
    pub globs: Vec<(String, WorkspaceConfig)>,
    /// Root files to add to the source set of every app.
    pub root_files: Vec<RepoPath>,
    /// Whether the git hook may update the record.
    pub hook_updates: bool,
    /// Packages whose lifecycle scripts run, in addition to those in the package manager's own settings.
    pub scripts: BTreeSet<String>,
    /// The files that lifecycle scripts download, by package. The scripts of these packages run too.
    pub downloads: BTreeMap<String, Vec<Download>>,
    /// The install for apps without an `install` choice of their own.
    pub install: Install,
    /// The flake URL of splitter, if the Nix files come from a flake input instead of the repository.
    pub input: Option<String>,
    /// The largest size of a package's runtime closure in bytes, by package.
    pub size_budgets: SizeBudgets,
    /// The largest size of a container image in bytes, without compression.
    pub image_budget: Option<u64>,
    /// How much worse a branch may be than what was before it.
    pub build_budget: BuildBudget,
    /// Globs of files that may differ between two builds, by package. `*` is every package.
    pub known_differences: BTreeMap<String, Vec<String>>,
    /// Services for development, by name.
    pub services: BTreeMap<String, Service>,
    /// Processes for development, by name.
    pub processes: BTreeMap<String, Process>,
    /// Both as they are written.
    pub development: Given,
    /// The binary caches of the team. No build reads them.
    pub caches: Vec<CacheChoice>,
    /// The choices for `splitter lint`. No build reads them.
    pub lint: LintConfig,
}

/// The user's choices for one workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspaceConfig {
    /// Whether it is an app.
    pub kind: Option<Kind>,
    /// The name of the app's derivation.
    pub app: Option<String>,
    /// How it is built.
    pub build: BuildChoice,
    /// What the build leaves and is kept, relative to its folder; empty means what is found.
    pub output: Vec<String>,
    /// The file or the command that starts it.
    pub start: Option<String>,
    /// What is beside a program when it runs.
    pub runtime: RuntimeConfig,
    /// Whether it is packed to be published.
    pub publish: bool,
    /// Workspaces whose sources it reads although its manifest does not list them.
    pub uses: BTreeSet<RepoPath>,
    /// Globs of such workspaces, and what starts with `!`. [`Config::resolve`] moves what they match to `uses` and `not_uses`.
    pub uses_globs: Vec<String>,
    /// Workspaces that it does not need, although its files were found to name them.
    pub not_uses: BTreeSet<RepoPath>,
    /// The keys that are set.
    pub keys: BTreeSet<String>,
    /// How the build gets installed packages.
    pub node_modules: Option<NodeModules>,
    /// The install that the build uses.
    pub install: Option<Install>,
    /// What a library with a build gives to the workspaces that depend on it.
    pub exposes: Option<Exposes>,
    /// The scripts that run as checks, instead of the common `checks`.
    pub checks: Option<Vec<String>>,
    /// The scripts of an install (`postinstall`, `prepare`) that run before its build.
    pub own_scripts: Vec<String>,
    /// Such scripts of the root, which run at the root before its build.
    pub root_scripts: Vec<String>,
    /// Files, folders and globs outside of its sources that it reads, from the root. They may be in another workspace.
    pub root_files: Vec<RepoPath>,
    /// Globs, relative to the workspace, of files to include although a rule excludes them.
    pub include: Vec<String>,
    /// Globs, relative to the workspace, of files to exclude.
    pub exclude: Vec<String>,
    /// The largest size of the app's runtime closure, in bytes.
    pub size_budget: Option<u64>,
    /// The largest size of the app's container image, in bytes.
    pub image_budget: Option<u64>,
}

/// How a workspace is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BuildChoice {
    /// As its scripts say.
    #[default]
    Detected,
    /// Not at all: it runs from its sources.
    None,
    /// With this command.
    Command(String),
}

/// The user's choices for the programs of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// What is installed beside it; the inner none means nothing.
    pub install: Option<Option<Install>>,
    /// Globs of files that it reads, relative to its folder.
    pub files: Vec<String>,
    /// Whether its programs run in its folder, and not in the caller's.
    pub directory: bool,
}

/// The role of a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A package of the flake.
    App,
    /// Code for other workspaces. If it has a build, it is built before them.
    Library,
}

/// How a build gets installed packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeModules {
    /// As links to the Nix store.
    Link,
    /// As copies, for tools that write into packages or refuse such links.
    Copy,
}

/// The install that a build uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Install {
    /// One install for all builds, with the dependencies of all workspaces.
    #[default]
    Shared,
    /// An own install, with the dependencies of the app, of the workspaces that it depends on, and of the root.
    Own,
    /// An own install without development dependencies.
    Production,
}

impl Install {
    /// Its name in `splitter.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
            Self::Production => "production",
        }
    }
}

/// What a library with a build gives to the workspaces that depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposes {
    /// Its sources and its build output.
    Sources,
    /// Its manifest and its build output.
    Output,
}

/// Reads `splitter.json`. Returns the defaults if there is no such file.
pub fn read(tree: &dyn Tree) -> Result<Config, SplitError> {
    match read_parsed(tree, &RepoPath::root().child(FILE))? {
        Some(text) => Ok(parse(&text)?),
        None => Ok(Config::default()),
    }
}

/// Parses the text of a `splitter.json`.
pub fn parse(text: &str) -> Result<Config, JsonError> {
    let document = Document::parse(FILE, text, Dialect::Jsonc)?;
    let mut config = Config::default();
    for property in &document.object()?.properties {
        match property.name.as_str() {
            "$schema" => {}
            "systems" => config.systems = systems(&document, &property.value)?,
            "apps" => config.apps = texts(&document, &property.value)?,
            "default" => config.default = Some(document.as_str(&property.value)?.to_owned()),
            "checks" => config.checks = script_names(&document, &property.value)?,
            "rootFiles" => config.root_files = paths_or_globs(&document, &property.value)?,
            "scripts" => config.scripts = packages(&document, &property.value)?,
            "downloads" => {
                config.downloads = downloads::read(&document, &property.value, |value| systems(&document, value))?;
            }
            "install" => config.install = install(&document, &property.value)?,
            "input" => config.input = Some(input(&document, &property.value)?),
            "sizeBudget" => config.size_budgets = size_budgets(&document, document.as_object(&property.value)?)?,
            "imageBudget" => config.image_budget = Some(size(&document, &property.value)?),
            "buildBudget" => config.build_budget = build_budget(&document, document.as_object(&property.value)?)?,
            "knownDifferences" => {
                config.known_differences = known_differences(&document, document.as_object(&property.value)?)?;
            }
            "services" => {
                config.services = settings::services(&document, &property.value)?;
                config.development.services = to_serde(&property.value);
            }
            "processes" => {
                config.processes = settings::processes(&document, &property.value)?;
                config.development.processes = to_serde(&property.value);
            }
            "caches" => config.caches = caches(&document, &property.value)?,
            "lint" => config.lint = lint::read(&document, &property.value)?,
            "hook" => config.hook_updates = hook_updates(&document, document.as_object(&property.value)?)?,
            "workspaces" => {
                (config.workspaces, config.globs) = workspaces(&document, document.as_object(&property.value)?)?;
            }
            _ => {
                return Err(unknown_key(
                    &document,
                    property,
                    "`systems`, `apps`, `default`, `checks`, `install`, `input`, `rootFiles`, `scripts`, `downloads`, `sizeBudget`, `imageBudget`, `buildBudget`, `knownDifferences`, `services`, `processes`, `caches`, `lint`, `hook` or `workspaces`",
                ));
            }
        }
    }
    Ok(config)
}

fn unknown_key(document: &Document<'_>, property: &ObjectProp<'_>, expected: &str) -> JsonError {
    document.unexpected_at(property.range.start, expected, &format!("the key \"{}\"", property.name.as_str()))
}

/// Reads `hook`: `{ "update": true }`.
fn hook_updates(document: &Document<'_>, object: &Object<'_>) -> Result<bool, JsonError> {
    let mut updates = false;
    for property in &object.properties {
        match (property.name.as_str(), &property.value) {
            ("update", Value::BooleanLit(choice)) => updates = choice.value,
            ("update", other) => return Err(document.unexpected(other, "true or false")),
            _ => return Err(unknown_key(document, property, "`update`")),
        }
    }
    Ok(updates)
}

fn size_budgets(document: &Document<'_>, object: &Object<'_>) -> Result<SizeBudgets, JsonError> {
    let budget = |property: &ObjectProp<'_>| Ok((property.name.as_str().to_owned(), size(document, &property.value)?));
    object.properties.iter().map(budget).collect()
}

/// Reads `{ "web": [".next/BUILD_ID"], "*": ["**/*.tsbuildinfo"] }`.
fn known_differences(document: &Document<'_>, object: &Object<'_>) -> Result<BTreeMap<String, Vec<String>>, JsonError> {
    let globs = |property: &ObjectProp<'_>| {
        Ok((property.name.as_str().to_owned(), globs_of_outputs(document, &property.value)?))
    };
    object.properties.iter().map(globs).collect()
}

/// The choices for single workspaces, and those for all that match a glob.
type Chosen = (BTreeMap<RepoPath, WorkspaceConfig>, Vec<(String, WorkspaceConfig)>);

fn workspaces(document: &Document<'_>, object: &Object<'_>) -> Result<Chosen, JsonError> {
    let (mut workspaces, mut for_globs) = (BTreeMap::new(), Vec::new());
    for property in &object.properties {
        let (key, offset) = (property.name.as_str(), property.range.start);
        let choice = workspace(document, document.as_object(&property.value)?)?;
        if globs::is_written_glob(key) {
            written_out(document, key, offset)?;
            for_globs.push((key.to_owned(), choice));
        } else {
            let path = path(document, key, offset)?;
            if workspaces.contains_key(&path) {
                let found = format!("the key \"{key}\", a second one for `{path}`");
                return Err(document.unexpected_at(offset, "one key for each workspace", &found));
            }
            workspaces.insert(path, choice);
        }
    }
    Ok((workspaces, for_globs))
}

fn workspace(document: &Document<'_>, object: &Object<'_>) -> Result<WorkspaceConfig, JsonError> {
    let mut config = WorkspaceConfig::default();
    for property in &object.properties {
        let value = &property.value;
        config.keys.insert(property.name.as_str().to_owned());
        match property.name.as_str() {
            "kind" => config.kind = Some(kind(document, value)?),
            "app" => config.app = Some(app_name(document, value)?),
            "build" => config.build = build(document, value)?,
            "output" => config.output = outputs(document, value)?,
            "start" => config.start = Some(command(document, value, "a file or a command, such as `src/server.ts`")?),
            "runtime" => config.runtime = runtime(document, document.as_object(value)?)?,
            "publish" => config.publish = boolean(document, value)?,
            "uses" => (config.uses, config.uses_globs) = uses(document, value)?,
            "nodeModules" => config.node_modules = Some(node_modules(document, value)?),
            "install" => config.install = Some(install(document, value)?),
            "exposes" => config.exposes = Some(exposes(document, value)?),
            "checks" => config.checks = Some(script_names(document, value)?),
            "ownScripts" => config.own_scripts = script_names(document, value)?,
            "rootScripts" => config.root_scripts = script_names(document, value)?,
            "rootFiles" => config.root_files = paths_or_globs(document, value)?,
            "include" => config.include = globs(document, value)?,
            "exclude" => config.exclude = globs(document, value)?,
            "sizeBudget" => config.size_budget = Some(size(document, value)?),
            "imageBudget" => config.image_budget = Some(size(document, value)?),
            _ => {
                let keys = "`kind`, `app`, `build`, `output`, `start`, `runtime`, `publish`, `uses`, `nodeModules`, `install`, `exposes`, \
                            `checks`, `ownScripts`, `rootScripts`, `rootFiles`, `include`, `exclude`, `sizeBudget` or `imageBudget`";
                return Err(unknown_key(document, property, keys));
            }
        }
    }
    Ok(config)
}

/// `{ "install": "production", "files": ["views/**"], "directory": "workspace" }`
fn runtime(document: &Document<'_>, object: &Object<'_>) -> Result<RuntimeConfig, JsonError> {
    let mut config = RuntimeConfig::default();
    for property in &object.properties {
        let value = &property.value;
        match property.name.as_str() {
            "install" => config.install = Some(runtime_install(document, value)?),
            "files" => config.files = globs(document, value)?,
            "directory" => {
                config.directory = match document.as_str(value)? {
                    "workspace" => true,
                    "caller" => false,
                    _ => return Err(document.unexpected(value, "\"workspace\" or \"caller\"")),
                }
            }
            _ => return Err(unknown_key(document, property, "`install`, `files` or `directory`")),
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
