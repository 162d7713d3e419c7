//! Compares a record with the repository, and describes the differences in the user's terms.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Display,
};

use serde::Serialize;
use url::Url;

pub use super::change::{Change, FileChange, PackageChange};
use super::{
    record::{
        self, DependencyRecord, FixedOutput, Kept, PackageRecord, Record, RecordError, WorkspaceRecord, source_record,
        workspace_records,
    },
    templates::{self, Layout},
    wording::{added_removed, changed, changed_list, from_to},
};
use crate::{
    lockfile::Integrity,
    managers::registries::without_secrets,
    repo::{RepoPath, Tree, TreeError, read_text},
    split::{
        Imports, ManagerName, PackageManager, Split, System,
        config::{self, Exposes, Install, NodeModules},
        lock::dependencies::{Dependency, Scope},
        lock::drift::Drift,
        lock::fingerprint,
        lock::origin::{Origin, origin_of, replaced_registries},
        lock::shards::{Shard, shards_of},
        nodejs::Wanted,
        plan::name_and_version,
    },
};

/// All differences between a record and the current repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Packages that differ.
    pub packages: Vec<PackageChange>,
    /// Files of the lock set that differ.
    pub files: Vec<FileChange>,
    /// Everything else, in words: package manager, systems, workspaces.
    pub settings: Vec<String>,
    /// Whether the record was edited: this version of splitter, which wrote it, renders it differently.
    pub edited: bool,
    /// Disagreements between manifests and lockfile.
    pub drift: Vec<Drift>,
    /// Static files beside the record that differ from those of this splitter.
    pub templates: Vec<FileChange>,
    /// The format of the record, if an older splitter wrote it. Then only packages and files are compared.
    #[serde(rename = "olderFormat", skip_serializing_if = "Option::is_none")]
    pub older_format: Option<u64>,
}

impl Differences {
    /// Whether the record matches the repository. Drift, edits and static files are not considered.
    pub fn record_is_fresh(&self) -> bool {
        self.older_format.is_none() && !self.is_stale()
    }

    /// Whether the record differs from the repository.
    pub fn is_stale(&self) -> bool {
        !(self.packages.is_empty() && self.files.is_empty() && self.settings.is_empty())
    }

    /// Whether the only difference is that an older splitter wrote the record.
    pub fn is_only_older(&self) -> bool {
        self.older_format.is_some()
            && !self.is_stale()
            && !self.edited
            && self.drift.is_empty()
            && self.templates.is_empty()
    }

    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.record_is_fresh() && !self.edited && self.drift.is_empty() && self.templates.is_empty()
    }
}

/// The contents of `nix/splitter/`, and checks that need nothing else. They run while the rest of the repository is read.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The record.
    pub record: Record,
    outputs: Vec<String>,
    edited: bool,
    templates: Vec<FileChange>,
}

impl Recorded {
    /// Reads the record. Static files are only compared if `with_templates` is set, because each of them must be read.
    pub fn read(tree: &dyn Tree, with_templates: bool) -> Result<Self, RecordError> {
        Self::read_and(tree, with_templates, |_| ())
    }

    /// Reads the record, and hands out its imports before it compares anything. The split waits for them.
    pub fn read_and(tree: &dyn Tree, with_templates: bool, imports: impl FnOnce(Imports)) -> Result<Self, RecordError> {
        let text = read_text(tree, &record::path())?.ok_or(RecordError::Absent)?;
        let record = Record::parse(&text)?;
        imports((&record).into());
        let edited = is_edited(&record, &text);
        let manager = record.package_manager.manager.name;
        let templates = if with_templates { templates::changed(tree, layout(tree, manager)?)? } else { Vec::new() };
        Ok(Self { edited, templates, ..Self::from(record) })
    }
}

impl From<Record> for Recorded {
    fn from(record: Record) -> Self {
        Self { outputs: outputs(&record), record, edited: false, templates: Vec::new() }
    }
}

/// Returns the expected files beside the record. Errors in `splitter.json` are ignored here; the split reports them.
fn layout(tree: &dyn Tree, manager: ManagerName) -> Result<Layout, TreeError> {
    let text = read_text(tree, &RepoPath::root().child(config::FILE))?.unwrap_or_default();
    let input = config::parse(&text).ok().and_then(|config| config.input);
    Ok(Layout::of(manager, input.as_deref()))
}

/// Whether a record was edited. Only the version that wrote it can tell.
fn is_edited(record: &Record, text: &str) -> bool {
    record.generator == record::GENERATOR && !templates::is_text(text.as_bytes(), &record.render())
}

/// Compares a record with the current repository.
pub fn compare(split: &Split, recorded: &Recorded) -> Differences {
    let record = &recorded.record;
    let packages = packages(split, &record.dependencies);
    let mut outputs = recorded.outputs.clone();
    // If packages changed, the parts may change as well.
    if packages.is_empty() && !has_its_parts(split, record) {
        outputs.push("the recorded parts of deps do not match the packages".to_owned());
    }
    Differences {
        packages,
        files: files(&split.lock_set.files, &record.lock_set),
        settings: settings(split, record, outputs),
        edited: recorded.edited,
        drift: split.drift.clone(),
        templates: recorded.templates.clone(),
        older_format: None,
    }
}

/// Compares an older splitter's record with the current repository. For `with_templates` see [`Recorded::read`].
pub fn compare_older(
    split: &Split,
    kept: &Kept,
    tree: &dyn Tree,
    with_templates: bool,
) -> Result<Differences, RecordError> {
    Ok(Differences {
        packages: packages(split, &kept.dependencies),
        files: files(&split.lock_set.files, &kept.lock_set),
        drift: split.drift.clone(),
        templates: if with_templates {
            templates::changed(tree, layout(tree, split.pin.manager.name)?)?
        } else {
            Vec::new()
        },
        older_format: Some(kept.format_version),
        ..Differences::default()
    })
}

/// Returns the packages that differ between a split and recorded dependencies, sorted by name.
pub fn packages(split: &Split, recorded: &[DependencyRecord]) -> Vec<PackageChange> {
    let now = &split.dependencies;
    let recorded_by_path: HashMap<&str, &DependencyRecord> =
        recorded.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let now_paths: HashSet<&str> = now.iter().map(|entry| entry.path.as_str()).collect();
    let mut changes: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for dependency in now {
        if !recorded_by_path.get(dependency.path.as_str()).is_some_and(|recorded| agree(split, dependency, recorded)) {
            let (name, version) = title(&dependency.path, dependency.url.as_ref());
            changes.entry(name).or_default().1.push(version);
        }
    }
    for entry in recorded {
        let gone = !now_paths.contains(entry.path.as_str());
        if !gone && changes.is_empty() {
            continue;
        }
        let (name, version) = title(&entry.path, entry.url.as_ref());
        let differs = changes.get(&name).is_some_and(|(_, to)| to.contains(&version));
        if gone || differs {
            changes.entry(name).or_default().0.push(version);
        }
    }
    let change = |(name, (from, to)): (String, (Vec<String>, Vec<String>))| {
        let change = match (from.is_empty(), to.is_empty()) {
            (true, _) => Change::Added,
            (_, true) => Change::Removed,
            _ => Change::Changed,
        };
        PackageChange { name, from, to, change }
    };
    changes.into_iter().map(change).collect()
}

/// Returns the name and version of a package, or the URL of a file that is not from a registry.
fn title(path: &str, url: Option<&Url>) -> (String, String) {
    match url.filter(|_| path.starts_with("url/")) {
        Some(url) => (without_secrets(url).to_string(), String::new()),
        None => name_and_version(path),
    }
}

fn agree(split: &Split, now: &Dependency, recorded: &DependencyRecord) -> bool {
    // If the lockfile has no integrity, the one recorded at first sight counts.
    let integrity = now.integrity.as_ref().is_none_or(|integrity: &Integrity| *integrity == recorded.integrity);
    let systems = match (&now.scope, &recorded.systems) {
        // If the lockfile does not name the systems, those recorded from the tarball count.
        (None, _) | (Some(Scope::Common), None) => true,
        (Some(Scope::Systems(now)), Some(recorded)) => now.iter().eq(recorded.iter()),
        _ => false,
    };
    let recorded = Origin { url: recorded.url.clone(), unpack: recorded.unpack, git: recorded.git.clone() };
    integrity && systems && recorded == origin_of(split, now)
}

fn files(now: &BTreeMap<RepoPath, String>, recorded: &BTreeMap<RepoPath, String>) -> Vec<FileChange> {
    let mut changes = Vec::new();
    for (path, digest) in now {
        match recorded.get(path) {
            None => changes.push(FileChange { path: path.clone(), change: Change::Added }),
            Some(known) if known != digest => {
                changes.push(FileChange { path: path.clone(), change: Change::Changed });
            }
            Some(_) => {}
        }
    }
    let gone = recorded.keys().filter(|path| !now.contains_key(*path));
    changes.extend(gone.map(|path| FileChange { path: path.clone(), change: Change::Removed }));
    changes.sort();
    changes
}

fn settings(split: &Split, record: &Record, outputs: Vec<String>) -> Vec<String> {
    let mut settings = Vec::new();
    let (now, recorded) = (&split.pin.manager, &record.package_manager.manager);
    if now != recorded {
        settings.push(changed("the package manager", &manager(recorded), &manager(now)));
    }
    settings.extend(changed_list("the systems", &names(&record.systems), &names(&split.systems)));
    let registry = split.registries.default_registry();
    if *registry != record.registry {
        settings.push(changed("the registry", record.registry.as_str(), registry.as_str()));
    }
    let replaced = replaced_registries(split);
    settings.extend(changed_list("the registries that `replace-registry-host` replaces", &record.replaces, &replaced));
    settings.extend(outputs);
    settings.extend(workspaces(split, &record.workspaces));
    settings.extend(changed_list("the root files of all apps", &record.root_files, &split.root_files));
    settings.extend(changed_list(
        "the files of `injectEnvironmentFiles`",
        &record.environment_files,
        &split.environment_files,
    ));
    if split.default != record.default {
        let values = from_to(record.default.as_deref(), split.default.as_deref());
        settings.push(format!("the default package changed: {values}"));
    }
    let shown = |unsatisfied: &BTreeMap<String, String>| -> Vec<String> {
        unsatisfied.iter().map(|(descriptor, version)| format!("{descriptor} -> {version}")).collect()
    };
    let (now, recorded) = (shown(&split.unsatisfied), shown(&record.unsatisfied));
    settings.extend(changed_list("the incorrect entries of yarn.lock", &recorded, &now));
    if split.nodejs != record.nodejs {
        let shown = |wanted: &Option<Wanted>| {
            wanted.as_ref().map(|Wanted { place, version, .. }| format!("{version} ({place})"))
        };
        let values = from_to(shown(&record.nodejs).as_deref(), shown(&split.nodejs).as_deref());
        settings.push(format!("the Node.js that the repository wants changed: {values}"));
    }
    settings.extend(changed_list("the local packages or patches", &record.local, &split.lock_set.local));
    settings.extend(changed_list("`scripts` in splitter.json", &record.scripts, &split.config.scripts));
    settings.extend(changed_list("`downloads` in splitter.json", &record.downloads, split.config.downloads.keys()));
    if split.development != record.development {
        settings.push("`services` or `processes` in splitter.json changed".to_owned());
    }
    settings.extend(changed_list("the git submodules", &record.submodules, &split.submodules.needed));
    let now = source_record(split);
    for (name, recorded, now) in
        [("include", &record.source.include, &now.include), ("exclude", &record.source.exclude, &now.exclude)]
    {
        if now != recorded {
            let lists = added_removed(&globs(recorded), &globs(now));
            settings.push(format!("`{name}` in splitter.json changed: {lists}"));
        }
    }
    settings
}

/// `apps/web: notes/**`
fn globs(by_workspace: &BTreeMap<RepoPath, Vec<String>>) -> Vec<String> {
    let mut texts = Vec::new();
    for (path, globs) in by_workspace {
        texts.extend(globs.iter().map(|glob| format!("{path}: {glob}")));
    }
    texts
}

/// `yarn 4.9.1 (.yarn/releases/yarn-4.9.1.cjs)`
fn manager(manager: &PackageManager) -> String {
    let file = manager.file.as_ref().map_or(String::new(), |file| format!(" ({file})"));
    format!("{} {}{file}", manager.name.command(), manager.version)
}

/// Returns contradictions between the recorded fixed outputs and the recorded list of packages. A merge can take the list
/// of both sides, but the hash of one.
fn outputs(record: &Record) -> Vec<String> {
    type Pair<'r> = (&'r str, &'r Integrity);
    let mut common: HashMap<&Shard, Vec<Pair<'_>>> = HashMap::new();
    let mut bound: HashMap<System, Vec<(&Shard, Pair<'_>)>> = HashMap::new();
    let mut expected = 0;
    for entry in &record.dependencies {
        let pair = (entry.path.as_str(), &entry.integrity);
        match &entry.systems {
            None => common.entry(&entry.shard).or_default().push(pair),
            Some(systems) => {
                for system in systems {
                    bound.entry(*system).or_default().push((&entry.shard, pair));
                }
            }
        }
        expected += entry.systems.as_ref().map_or(1, Vec::len);
    }
    let entries_of = |output: &FixedOutput| match output.system {
        None => common.get(&output.shard).cloned().unwrap_or_default(),
        Some(system) => {
            let all = bound.get(&system).into_iter().flatten();
            all.filter(|(shard, _)| output.shard.holds(shard)).map(|(_, pair)| *pair).collect()
        }
    };
    let (mut texts, mut held) = (Vec::new(), 0);
    for (name, output) in &record.deps {
        let entries = entries_of(output);
        held += entries.len();
        if *name != output.part().to_string() || output.fingerprint != fingerprint::of(entries.into_iter()) {
            texts.push(format!("the hash of deps-{name} is for a different list of packages"));
        }
    }
    if texts.is_empty() && held != expected {
        texts.push("the recorded parts of deps lack a package, or hold one twice".to_owned());
    }
    texts
}

/// Whether the recorded parts of `deps` are those that the current packages need.
fn has_its_parts(split: &Split, record: &Record) -> bool {
    let recorded = record.dependencies.iter().map(|entry| (entry.path.clone(), entry.scope()));
    let parts = record::parts(&split.dependencies, &recorded.collect());
    let shards = shards_of(&parts);
    let is_right = |entry: &DependencyRecord| match shards.get(entry.path.as_str()) {
        Some(shard) => *shard == entry.shard,
        None => entry.shard.is_whole(),
    };
    parts.len() == record.deps.len()
        && parts.keys().all(|part| record.deps.contains_key(&part.to_string()))
        && record.dependencies.iter().all(is_right)
}

fn names(systems: &[System]) -> Vec<&'static str> {
    systems.iter().map(|system| system.name()).collect()
}

fn workspaces(split: &Split, recorded: &[WorkspaceRecord]) -> Vec<String> {
    let now: BTreeMap<RepoPath, WorkspaceRecord> =
        workspace_records(split).into_iter().map(|workspace| (workspace.path.clone(), workspace)).collect();
    let recorded: BTreeMap<&RepoPath, &WorkspaceRecord> =
        recorded.iter().map(|workspace| (&workspace.path, workspace)).collect();
    let mut texts = Vec::new();
    for (path, workspace) in &now {
        match recorded.get(path) {
            None => texts.push(format!("workspace `{path}` was added")),
            Some(known) if *known != workspace => {
                texts.push(format!("workspace `{path}` changed: {}", changed_fields(known, workspace).join(", ")));
            }
            Some(_) => {}
        }
    }
    let gone = recorded.keys().filter(|path| !now.contains_key(**path));
    texts.extend(gone.map(|path| format!("workspace `{path}` was removed")));
    texts
}

/// The fields of a workspace that differ, with old and new values where users know them.
fn changed_fields(from: &WorkspaceRecord, to: &WorkspaceRecord) -> Vec<String> {
    let mut fields = Vec::new();
    fields.extend(value("name", Some(&from.name), Some(&to.name)));
    let name = |workspace: &WorkspaceRecord| Some(workspace.package.as_ref()?.name.clone());
    fields.extend(value("package name", name(from).as_ref(), name(to).as_ref()));
    fields.extend(value("library name", from.library.as_ref(), to.library.as_ref()));
    fields.extend(list("dependencies", &from.dependencies, &to.dependencies));
    fields.extend(list("development dependencies", &from.development, &to.development));
    let (edges, new_edges) = (&from.edges, &to.edges);
    fields.extend(plain("workspaces whose sources it gets", &edges.sources, &new_edges.sources));
    fields.extend(plain("workspaces whose builds it waits for", &edges.builds, &new_edges.builds));
    fields.extend(plain("workspaces that its programs run with", &edges.production, &new_edges.production));
    fields.extend(plain("rank in the order of builds", &from.rank, &to.rank));
    fields.extend(list("linked folders", &from.links, &to.links));
    fields.extend(list("targets of symbolic links", &from.link_targets, &to.link_targets));
    fields.extend(value("patches folder", from.patches.as_ref(), to.patches.as_ref()));
    fields.extend(list("root files", &from.root_files, &to.root_files));
    fields.extend(list("imports from outside", &from.imports, &to.imports));
    let command = |workspace: &WorkspaceRecord| Some(workspace.build.as_ref()?.command.clone());
    fields.extend(value("build command", command(from).as_ref(), command(to).as_ref()));
    let build = |workspace: &WorkspaceRecord| workspace.build.clone().unwrap_or_default();
    let (old_build, new_build) = (build(from), build(to));
    fields.extend(list("outputs", &old_build.outputs, &new_build.outputs));
    fields.extend(list("targets", &old_build.targets, &new_build.targets));
    fields.extend(list("optional outputs", &old_build.optional, &new_build.optional));
    fields.extend(plain("whether its outputs are a guess", &old_build.guessed, &new_build.guessed));
    let awaited = |workspace: &WorkspaceRecord| Some(workspace.build.as_ref()?.awaited);
    fields.extend(plain("whether other workspaces need its build", &awaited(from), &awaited(to)));
    fields.extend(changed_package(from.package.as_ref(), to.package.as_ref()));
    fields.extend(setting("nodeModules", from.node_modules, to.node_modules, NodeModules::Link));
    let install = |workspace: &WorkspaceRecord| workspace.package.as_ref()?.install;
    fields.extend(setting("install", install(from), install(to), Install::Shared));
    let exposes = |workspace: &WorkspaceRecord| workspace.build.as_ref()?.exposes;
    fields.extend(setting("exposes", exposes(from), exposes(to), Exposes::Sources));
    fields.extend(list("scripts that do not run", &from.not_run, &to.not_run));
    fields.extend(list("scripts of the root", &from.root_scripts, &to.root_scripts));
    fields.extend(plain("checks", &from.checks, &to.checks));
    fields
}

/// What differs in the package of a workspace. One that a workspace gains or loses is named by its name alone.
fn changed_package(from: Option<&PackageRecord>, to: Option<&PackageRecord>) -> Vec<String> {
    let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
    let programs = |package: &PackageRecord| -> Vec<String> {
        package.programs.iter().map(|program| format!("{}: {}", program.name, program.shown())).collect()
    };
    let parts = |package: &PackageRecord| -> Vec<String> {
        package.layout.iter().map(|part| format!("{} as /{}", part.from, part.to)).collect()
    };
    let (old, new) = (programs(from), programs(to));
    // Two programs may differ in a detail that their command does not show.
    let is_hidden = from.programs != to.programs && old == new;
    let fields = [
        value("content of its package", Some(&from.keeps.name()), Some(&to.keeps.name())),
        if is_hidden { Some("how its programs are started".to_owned()) } else { list("programs", &old, &new) },
        value(
            "install beside its programs",
            from.runtime.map(Install::name).as_ref(),
            to.runtime.map(Install::name).as_ref(),
        ),
        list("files beside its outputs", &from.files, &to.files),
        list("parts of its outputs that are not kept", &from.without, &to.without),
        list("parts of its package", &parts(from), &parts(to)),
        value("how it is served", from.serves.as_ref(), to.serves.as_ref()),
    ];
    fields.into_iter().flatten().collect()
}

/// `package name (web -> site)`
fn value<T: PartialEq + ToString>(name: &str, from: Option<&T>, to: Option<&T>) -> Option<String> {
    let text = |value: Option<&T>| value.map(ToString::to_string);
    (from != to).then(|| format!("{name} ({})", from_to(text(from).as_deref(), text(to).as_deref())))
}

/// `outputs (added build, removed dist)`
fn list<T: PartialEq + Display>(name: &str, from: &[T], to: &[T]) -> Option<String> {
    (from != to).then(|| format!("{name} ({})", added_removed(from, to)))
}

fn plain<T: PartialEq>(name: &str, from: &T, to: &T) -> Option<String> {
    (from != to).then(|| name.to_owned())
}

/// A key of `splitter.json`, with its values as they are written there.
fn setting<T: PartialEq + Copy + Serialize>(key: &str, from: Option<T>, to: Option<T>, default: T) -> Option<String> {
    let text = |value: Option<T>| Some(serde_json::to_value(value.unwrap_or(default)).ok()?.as_str()?.to_owned());
    (from != to).then(|| format!("`{key}` ({})", from_to(text(from).as_deref(), text(to).as_deref())))
}
