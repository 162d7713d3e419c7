//! Is a record right for a split? What differs, in terms a user knows.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

pub use super::change::{Change, FileChange, PackageChange};
use super::{
    record::{
        self, DependencyRecord, FixedOutput, Kept, Record, RecordError, WorkspaceRecord, source_record,
        workspace_records,
    },
    templates::{self, Layout},
};
use crate::{
    lockfile::Integrity,
    repo::{RepoPath, Tree, TreeError, read_text},
    split::{
        ManagerName, PackageManager, Split, System, config,
        lock::dependencies::{Dependency, Scope},
        lock::drift::Drift,
        lock::fingerprint,
        lock::origin::{Origin, origin_of, replaced_registries},
        lock::shards::{Shard, shards_of},
        plan::name_and_version,
    },
};

/// Everything that differs between a record and the repository as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Packages of the dependency list.
    pub packages: Vec<PackageChange>,
    /// Files of the lock set.
    pub files: Vec<FileChange>,
    /// Anything else, in words: the package manager, the systems, the workspaces.
    pub settings: Vec<String>,
    /// Whether the record is not as this very version of splitter writes it: someone edited it.
    pub edited: bool,
    /// Where manifests and lockfile disagree.
    pub drift: Vec<Drift>,
    /// The static files beside the record that are not this splitter's.
    pub templates: Vec<FileChange>,
    /// The format of the record, where an older splitter wrote it. Of such a record only packages and files are compared.
    #[serde(rename = "olderFormat", skip_serializing_if = "Option::is_none")]
    pub older_format: Option<u64>,
}

impl Differences {
    /// Whether the record says what is so, though manifests and lockfile may disagree, and someone may have edited it.
    pub fn record_is_fresh(&self) -> bool {
        self.older_format.is_none() && !self.is_stale()
    }

    /// Whether the record says something that is not so.
    pub fn is_stale(&self) -> bool {
        !(self.packages.is_empty() && self.files.is_empty() && self.settings.is_empty())
    }

    /// Whether nothing is wrong but that an older splitter wrote the record.
    pub fn is_only_older(&self) -> bool {
        self.older_format.is_some()
            && !self.is_stale()
            && !self.edited
            && self.drift.is_empty()
            && self.templates.is_empty()
    }

    /// Whether nothing differs at all.
    pub fn is_empty(&self) -> bool {
        self.record_is_fresh() && !self.edited && self.drift.is_empty() && self.templates.is_empty()
    }
}

/// What stands in `nix/splitter/`, with all that can be said of it without the rest of the repository, and so found while
/// that is read.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The record.
    pub record: Record,
    outputs: Vec<String>,
    edited: bool,
    templates: Vec<FileChange>,
}

impl Recorded {
    /// Reads it. Whether the static files are this splitter's is asked only where it matters, since it takes a read of each.
    pub fn read(tree: &dyn Tree, with_templates: bool) -> Result<Self, RecordError> {
        let text = read_text(tree, &record::path())?.ok_or(RecordError::Absent)?;
        let record = Record::parse(&text)?;
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

/// The files that are to lie beside the record. A `splitter.json` that cannot be read is an error of the split.
fn layout(tree: &dyn Tree, manager: ManagerName) -> Result<Layout, TreeError> {
    let text = read_text(tree, &RepoPath::root().child(config::FILE))?.unwrap_or_default();
    let input = config::parse(&text).ok().and_then(|config| config.input);
    Ok(Layout::of(manager, input.as_deref()))
}

/// Whether a record is not as it was written. Only the version that wrote it knows how.
fn is_edited(record: &Record, text: &str) -> bool {
    record.generator == record::GENERATOR && !templates::is_text(text.as_bytes(), &record.render())
}

/// Compares a record with the repository as it is.
pub fn compare(split: &Split, recorded: &Recorded) -> Differences {
    let record = &recorded.record;
    let packages = packages(split, &record.dependencies);
    let mut outputs = recorded.outputs.clone();
    // Other packages may have other parts.
    if packages.is_empty() && !has_its_parts(split, record) {
        outputs.push("deps is cut into other parts".to_owned());
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

/// Compares a record that an older splitter wrote with the repository as it is. `with_templates` as in [`Recorded::read`].
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

/// The packages that differ between a split and recorded dependencies, sorted by name.
pub fn packages(split: &Split, recorded: &[DependencyRecord]) -> Vec<PackageChange> {
    let now = &split.dependencies;
    let recorded_by_path: HashMap<&str, &DependencyRecord> =
        recorded.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let now_paths: HashSet<&str> = now.iter().map(|entry| entry.path.as_str()).collect();
    let mut changes: BTreeMap<String, (Vec<String>, Vec<String>)> = BTreeMap::new();
    for dependency in now {
        if !recorded_by_path.get(dependency.path.as_str()).is_some_and(|recorded| agree(split, dependency, recorded)) {
            let (name, version) = name_and_version(&dependency.path);
            changes.entry(name).or_default().1.push(version);
        }
    }
    for entry in recorded {
        let gone = !now_paths.contains(entry.path.as_str());
        if !gone && changes.is_empty() {
            continue;
        }
        let (name, version) = name_and_version(&entry.path);
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

fn agree(split: &Split, now: &Dependency, recorded: &DependencyRecord) -> bool {
    // A lockfile without an integrity is satisfied by the one that was recorded at first sight.
    let integrity = now.integrity.as_ref().is_none_or(|integrity: &Integrity| *integrity == recorded.integrity);
    let systems = match (&now.scope, &recorded.systems) {
        // A lockfile that does not say is satisfied by what the tarball said when it was recorded.
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
        settings.push(format!("the package manager is {}, recorded is {}", manager(now), manager(recorded)));
    }
    if split.systems != record.systems {
        let (now, recorded) = (names(&split.systems), names(&record.systems));
        settings.push(format!("the systems are {now}, recorded are {recorded}"));
    }
    if *split.registries.default_registry() != record.registry {
        settings.push("the registry is another".to_owned());
    }
    if !replaced_registries(split).iter().eq(&record.replaces) {
        settings.push("the registries in whose place it is asked are others".to_owned());
    }
    settings.extend(outputs);
    settings.extend(workspaces(split, &record.workspaces));
    if !split.root_files.iter().eq(&record.root_files) {
        settings.push("the root files of the apps are others".to_owned());
    }
    if split.default != record.default {
        let name = |default: &Option<String>| default.clone().unwrap_or_else(|| "none".to_owned());
        settings.push(format!("the default package changed: {} → {}", name(&record.default), name(&split.default)));
    }
    if !split.lock_set.local.iter().eq(&record.local) {
        settings.push("the local packages or patches are others".to_owned());
    }
    if !split.config.scripts.iter().eq(&record.scripts) {
        settings.push("the packages in `scripts` of splitter.json are others".to_owned());
    }
    if !split.config.downloads.keys().eq(&record.downloads) {
        settings.push("the packages in `downloads` of splitter.json are others".to_owned());
    }
    if source_record(split) != record.source {
        settings.push("the source globs of splitter.json are others".to_owned());
    }
    settings
}

/// `yarn 4.9.1 (.yarn/releases/yarn-4.9.1.cjs)`
fn manager(manager: &PackageManager) -> String {
    let file = manager.file.as_ref().map_or(String::new(), |file| format!(" ({file})"));
    format!("{} {}{file}", manager.name.command(), manager.version)
}

/// What is wrong with the recorded fixed outputs by the recorded list alone. A merge can take the list of both sides, but the
/// hash of one.
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
            texts.push(format!("the hash of deps-{name} belongs to another list of packages"));
        }
    }
    if texts.is_empty() && held != expected {
        texts.push("the parts of deps do not hold each package once".to_owned());
    }
    texts
}

/// Whether the record cuts `deps` into the parts that this list of packages has.
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

fn names(systems: &[System]) -> String {
    systems.iter().map(|system| system.name()).collect::<Vec<_>>().join(", ")
}

fn workspaces(split: &Split, recorded: &[WorkspaceRecord]) -> Vec<String> {
    let now: BTreeMap<RepoPath, WorkspaceRecord> =
        workspace_records(split).into_iter().map(|workspace| (workspace.path.clone(), workspace)).collect();
    let recorded: BTreeMap<&RepoPath, &WorkspaceRecord> =
        recorded.iter().map(|workspace| (&workspace.path, workspace)).collect();
    let mut texts = Vec::new();
    for (path, workspace) in &now {
        match recorded.get(path) {
            None => texts.push(format!("workspace `{path}` is new")),
            Some(known) if *known != workspace => {
                texts.push(format!("workspace `{path}`: {} changed", changed_fields(workspace, known).join(", ")));
            }
            Some(_) => {}
        }
    }
    let gone = recorded.keys().filter(|path| !now.contains_key(**path));
    texts.extend(gone.map(|path| format!("workspace `{path}` is gone")));
    texts
}

fn changed_fields(now: &WorkspaceRecord, recorded: &WorkspaceRecord) -> Vec<&'static str> {
    let name_of = |workspace: &WorkspaceRecord| workspace.package.as_ref().map(|package| package.name.clone());
    let kept = |workspace: &WorkspaceRecord| {
        let package = workspace.package.clone();
        package.map(|package| (package.keeps, package.files, package.without, package.layout))
    };
    let programs_of = |workspace: &WorkspaceRecord| workspace.package.clone().map(|package| package.programs);
    let runtime_of = |workspace: &WorkspaceRecord| workspace.package.as_ref().and_then(|package| package.runtime);
    let install_of = |workspace: &WorkspaceRecord| workspace.package.as_ref().and_then(|package| package.install);
    let command_of = |workspace: &WorkspaceRecord| workspace.build.as_ref().map(|build| build.command.clone());
    let outputs_of = |workspace: &WorkspaceRecord| {
        workspace.build.clone().map(|build| (build.outputs, build.optional, build.guessed))
    };
    let awaited = |workspace: &WorkspaceRecord| workspace.build.as_ref().map(|build| build.awaited);
    let exposes_of = |workspace: &WorkspaceRecord| workspace.build.as_ref().and_then(|build| build.exposes);
    let fields = [
        ("its name", now.name != recorded.name),
        ("its name as a package", name_of(now) != name_of(recorded)),
        ("its name as a library", now.library != recorded.library),
        ("the workspaces it depends on", now.dependencies != recorded.dependencies),
        ("the workspaces it needs for development alone", now.development != recorded.development),
        ("the workspaces whose sources it has", now.edges.sources != recorded.edges.sources),
        ("the workspaces whose builds it waits for", now.edges.builds != recorded.edges.builds),
        ("the workspaces in its production install", now.edges.production != recorded.edges.production),
        ("its rank in the order of builds", now.rank != recorded.rank),
        ("the folders it links to", now.links != recorded.links),
        ("the patches of patch-package", now.patches != recorded.patches),
        ("the root files that it reads", now.root_files != recorded.root_files),
        ("its build command", command_of(now) != command_of(recorded)),
        ("its outputs", outputs_of(now) != outputs_of(recorded)),
        ("whether other builds wait for it", awaited(now) != awaited(recorded)),
        ("its programs", programs_of(now) != programs_of(recorded)),
        ("what its package holds", kept(now) != kept(recorded)),
        ("what is installed beside its programs", runtime_of(now) != runtime_of(recorded)),
        ("how it gets installed packages", now.node_modules != recorded.node_modules),
        ("what is installed for it", install_of(now) != install_of(recorded)),
        ("what it exposes", exposes_of(now) != exposes_of(recorded)),
        ("its checks", now.checks != recorded.checks),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
