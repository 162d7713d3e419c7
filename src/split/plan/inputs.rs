//! The inputs of each derivation: the rules of the Nix files, repeated in Rust.

use std::collections::BTreeMap;

use super::{Derivation, Id, Input, PACKAGE_MANAGER, Recorded};
use crate::{
    managers::installer_fields::INSTALLER_FIELDS,
    names::{NIX_FOLDER, RECORD_FILE},
    repo::{
        RepoPath,
        states::{FileKind, FileState, FileStates},
    },
    split::{
        ManagerName, Split, System,
        config::Install,
        lock::dependencies::{Dependency, Form, Scope},
        lock::fingerprint,
        lock::origin::{Origin, origin_of, replaced_registries},
        lock::shards::{self, Part},
        workspaces::graph::Workspace,
    },
};

/// Name of the input that holds the hash of a fixed output.
pub(super) const RECORDED_HASH: &str = "recorded hash";

/// Names of the inputs for two orders: of the libraries whose output a build gets, and of the folders that its workspaces
/// link to.
pub const ORDERS: [&str; 2] = ["order of libraries", "order of linked folders"];

/// Name of the input for the install of an app that does not use the shared one.
pub(super) const INSTALLED: &str = "installed dependencies";

/// Name of the input for the install that the programs of an app run with.
pub(super) const RUNTIME_INSTALL: &str = "run-time install";

/// Files of the Nix folder that are no input of any package. Of the record, single fields are inputs.
const NO_INPUT: [&str; 6] = [RECORD_FILE, "dev-shell.nix", ".gitattributes", "meta.nix", "outputs.nix", "trace.nix"];

/// Files of the Nix folder that only builds read: all builds, only apps, only libraries, only checks.
pub(super) const OF_BUILDS: [&str; 4] = ["build.nix", "hook.nix", "source.nix", "source-filter.json"];
pub(super) const OF_APPS: &str = "package.nix";
pub(super) const OF_LIBRARIES: &str = "library.nix";
pub(super) const OF_CHECKS: &str = "checks.nix";

/// Files of the Nix folder that the fixed outputs read, in addition to all programs.
const OF_DEPS: [&str; 9] = [
    "default.nix",
    "deps.nix",
    "flake-module.nix",
    "module.nix",
    "network.nix",
    "nodejs.nix",
    "options.nix",
    "record.nix",
    "scope.nix",
];

/// The files of the flake at the root.
const FLAKE: [&str; 2] = ["flake.nix", "flake.lock"];

/// The data that all rules read.
pub(super) struct Rules<'a> {
    pub(super) split: &'a Split,
    pub(super) files: &'a FileStates,
    pub(super) recorded: &'a Recorded,
    pub(super) system: System,
}

impl Rules<'_> {
    /// The rules of `deps.nix`.
    pub(super) fn fixed_outputs(&self) -> BTreeMap<Id, Derivation> {
        let parts = shards::cut(&self.split.dependencies, |dependency| self.scope(dependency));
        let derivation = |(part, entries): (Part, Vec<&Dependency>)| {
            let derivation = self.fixed_output(&part, &entries);
            (Id::Deps(part), derivation)
        };
        parts.into_iter().map(derivation).collect()
    }

    fn fixed_output(&self, part: &Part, entries: &[&Dependency]) -> Derivation {
        let mut inputs = self.programs_of_splitter();
        inputs.extend(self.nix_files(|name| OF_DEPS.contains(&name)));
        let mut known = Vec::new();
        for dependency in entries {
            let integrity = dependency.integrity.as_ref().or_else(|| self.recorded.integrities.get(&dependency.path));
            known.extend(integrity.map(|integrity| (dependency.path.as_str(), integrity)));
            let Origin { url, unpack, git } = origin_of(self.split, dependency);
            let integrity = integrity.map(ToString::to_string).unwrap_or_default();
            let scope = self.scope(dependency);
            let text = format!("{integrity} {url:?} {unpack} {git:?} {scope:?}");
            inputs.insert(Input::Package(dependency.path.clone()), text);
        }
        // If the fingerprint differs, the recorded hash belongs to another list and will change.
        let fingerprint = fingerprint::of(known.into_iter());
        if let Some((_, hash)) =
            self.recorded.outputs.get(&part.to_string()).filter(|(recorded, _)| *recorded == fingerprint)
        {
            inputs.insert(Input::Setting(RECORDED_HASH), hash.clone());
        }
        inputs.insert(Input::Setting("registry"), self.registry());
        let replaced = replaced_registries(self.split);
        insert_list(&mut inputs, "replaced registries", replaced.iter().map(url::Url::as_str));
        Derivation { inputs, ..Derivation::default() }
    }

    /// The rules of `node-modules.nix` for the own install of one app. The whole lock set is still an input, because splitter
    /// never prunes a lockfile. From the manifests Nix chooses the workspaces to install for.
    pub(super) fn own_install(&self, workspace: &Workspace, install: Install) -> Derivation {
        let mut derivation = self.node_modules();
        derivation.inputs.insert(Input::Setting(INSTALLED), installed(install).to_owned());
        // Manifests are inputs anyway. What else decides for which workspaces it installs is `uses`.
        let used = self.split.graph.installed_for_uses(&workspace.path, install);
        insert_list(&mut derivation.inputs, "workspaces that it installs for", used.into_iter().map(folder));
        derivation
    }

    /// The rules of `node-modules.nix` and `lock-set.nix`.
    pub(super) fn node_modules(&self) -> Derivation {
        let split = self.split;
        let mut inputs = self.programs_of_splitter();
        inputs.extend(
            self.nix_files(|name| !OF_BUILDS.contains(&name) && ![OF_APPS, OF_CHECKS, OF_LIBRARIES].contains(&name)),
        );
        for (path, manifest) in &split.manifests {
            let normalised =
                if path.is_root() { manifest.normalised_root(&split.manifests) } else { manifest.normalised() };
            inputs.insert(Input::Manifest(path.clone()), normalised.to_string());
        }
        for folder in split.graph.links(&split.manifests.keys().cloned().collect()) {
            let manifest = split.linked_manifests.get(&folder).map(|manifest| manifest.normalised().to_string());
            inputs.insert(Input::Manifest(folder), manifest.unwrap_or_default());
        }
        for (path, text) in &split.lock_set.settings {
            inputs.insert(Input::Settings(path.clone()), text.clone());
        }
        for (path, state) in self.files.iter().filter(|(path, _)| self.is_verbatim(path)) {
            inputs.insert(Input::File(path.clone()), shown(state));
        }
        for dependency in &split.dependencies {
            // The install finds a tarball at its usual URL by name and version, and a commit by its id. All others are listed.
            let (url, is_foreign) = (origin_of(split, dependency).url, self.is_foreign(dependency));
            if url.is_some() || is_foreign {
                inputs.insert(Input::Package(dependency.path.clone()), format!("{url:?} {is_foreign}"));
            }
        }
        inputs.insert(Input::Setting("registry"), self.registry());
        inputs.insert(Input::Setting(PACKAGE_MANAGER), self.package_manager());
        let unsatisfied = split.unsatisfied.iter().map(|(descriptor, version)| format!("{descriptor} -> {version}"));
        let unsatisfied: Vec<String> = unsatisfied.collect();
        insert_list(&mut inputs, "incorrect entries of yarn.lock", unsatisfied.iter().map(String::as_str));
        if let Some(wanted) = &split.nodejs {
            let majors: Vec<_> = wanted
                .majors
                .iter()
                .map(|(first, last)| format!("{first}-{}", last.map(|last| last.to_string()).unwrap_or_default()))
                .collect();
            inputs.insert(Input::Setting("the wanted Node.js"), majors.join(", "));
        }
        self.add_tools(&mut inputs);
        Derivation { inputs, ..Derivation::default() }
    }

    /// Adds the recorded settings that make an install run more programs.
    fn add_tools(&self, inputs: &mut BTreeMap<Input, String>) {
        let split = self.split;
        let has_repositories = split.dependencies.iter().any(|dependency| matches!(dependency.form, Form::Commit(_)));
        insert_list(inputs, "programs for git dependencies", has_repositories.then_some("git").into_iter());
        let (scripts, downloads) = (&split.config.scripts, &split.config.downloads);
        let also = downloads.keys().filter(|name| !scripts.contains(*name));
        insert_list(inputs, "packages whose install scripts run", scripts.iter().chain(also).map(String::as_str));
        insert_list(inputs, "packages whose install scripts download", downloads.keys().map(String::as_str));
        let patched =
            split.graph.workspaces().filter_map(|workspace| Some((&workspace.path, workspace.patches.as_ref()?)));
        let patched: Vec<_> = patched
            .map(|(path, folder)| {
                format!("{folder} applied by {}", if path.is_root() { "the root" } else { path.as_str() })
            })
            .collect();
        insert_list(inputs, "patches of patch-package", patched.iter().map(String::as_str));
    }

    pub(super) fn root_manifest(&self) -> String {
        let Some(root) = self.split.manifests.get(&RepoPath::root()) else { return String::new() };
        let fields = INSTALLER_FIELDS.root_in_apps.iter();
        let kept = fields.filter_map(|field| Some((field.clone(), root.json.get(field)?.clone())));
        let mut kept: serde_json::Map<_, _> = kept.collect();
        if self.split.pin.manager.name == ManagerName::YarnBerry
            && let serde_json::Value::Object(installed) = root.normalised_root(&self.split.manifests)
        {
            kept.extend(installed);
        }
        serde_json::Value::Object(kept).to_string()
    }

    /// Whether a package is only for other systems. Yarn 1 gets an empty package instead.
    fn is_foreign(&self, dependency: &Dependency) -> bool {
        self.split.pin.manager.name == ManagerName::YarnClassic
            && matches!(self.scope(dependency), Some(Scope::Systems(systems)) if !systems.contains(&self.system))
    }

    fn scope<'s>(&'s self, dependency: &'s Dependency) -> Option<&'s Scope> {
        dependency.scope.as_ref().or_else(|| self.recorded.scopes.get(&dependency.path))
    }

    /// Whether an install reads a file unchanged.
    fn is_verbatim(&self, path: &RepoPath) -> bool {
        let split = self.split;
        let is_program = split.pin.manager.file.as_ref() == Some(path);
        let is_local = |local: &RepoPath| path.below(local).is_some_and(|below| !has_folder(below, "node_modules"));
        path.as_str() == split.lockfile.format.file() || (!is_program && split.lock_set.local.iter().any(is_local))
    }

    fn registry(&self) -> String {
        self.split.registries.default_registry().to_string()
    }

    /// Returns the version of the package manager, and its program: the one in the repository or the recorded one.
    fn package_manager(&self) -> String {
        let manager = &self.split.pin.manager;
        let file = manager.file.as_ref().and_then(|file| self.files.get(file)).map(shown);
        let programs = &self.recorded.programs;
        let recorded = || programs.get(self.system.name()).or_else(|| programs.get("common")).cloned();
        let program = file.or_else(recorded).unwrap_or_default();
        format!("{} {} {program}", manager.name.command(), manager.version).trim_end().to_owned()
    }

    /// Returns splitter's own programs that run inside builds.
    fn programs_of_splitter(&self) -> BTreeMap<Input, String> {
        let is_program = |path: &RepoPath| {
            let name = path.file_name();
            ["failures.json", "setup-hook.sh"].contains(&name)
                || name.rsplit_once('.').is_some_and(|(_, end)| end == "mjs")
        };
        let programs = self.below(NIX_FOLDER).filter(|(path, _)| is_program(path));
        programs.map(|(path, state)| (Input::File(path.clone()), shown(state))).collect()
    }

    /// Returns the files of the flake and the files of the Nix folder whose names satisfy `is_read`.
    pub(super) fn nix_files(&self, is_read: impl Fn(&str) -> bool) -> impl Iterator<Item = (Input, String)> {
        let flake = FLAKE.iter().filter_map(|name| self.files.get_key_value(*name));
        let folder: RepoPath = NIX_FOLDER.split('/').fold(RepoPath::root(), |folder, part| folder.child(part));
        let own = self.below(NIX_FOLDER).filter(move |(path, _)| {
            let name = path.file_name();
            path.parent() == folder && !NO_INPUT.contains(&name) && is_read(name)
        });
        flake.chain(own).map(|(path, state)| (Input::Nix(path.clone()), shown(state)))
    }

    /// Iterates over the files below a folder.
    fn below(&self, folder: &'static str) -> impl Iterator<Item = (&RepoPath, &FileState)> {
        let prefix = format!("{folder}/");
        let from = std::ops::Bound::Included(prefix.as_str());
        let after = self.files.range::<str, _>((from, std::ops::Bound::Unbounded));
        after.take_while(move |(path, _)| path.as_str().starts_with(&prefix))
    }
}

/// Describes an install choice, as the value of [`INSTALLED`].
pub(super) const fn installed(install: Install) -> &'static str {
    match install {
        Install::Shared => "of all workspaces",
        Install::Own => "of the app",
        Install::Production => "of the app, without development dependencies",
    }
}

/// Adds a list as an input, unless it is empty.
pub(super) fn insert_list<'t>(
    inputs: &mut BTreeMap<Input, String>,
    name: &'static str,
    list: impl Iterator<Item = &'t str>,
) {
    let text = join(list);
    if !text.is_empty() {
        inputs.insert(Input::Setting(name), text);
    }
}

pub(super) fn join<'t>(list: impl Iterator<Item = &'t str>) -> String {
    list.collect::<Vec<_>>().join(", ")
}

/// The folder of a workspace, for people.
pub(super) fn folder(path: &RepoPath) -> &str {
    if path.is_root() { "." } else { path.as_str() }
}

/// Formats the state of a file as a text.
pub(super) fn shown(state: &FileState) -> String {
    let kind = match state.kind {
        FileKind::Plain => "",
        FileKind::Executable => " executable",
        FileKind::Link => " link",
        FileKind::Submodule => " submodule",
    };
    format!("{}{kind}", state.content)
}

pub(super) fn has_folder(path: &str, name: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folders, _)| folders.split('/').any(|folder| folder == name))
}
