//! `splitter.lock.json`, the record: all data of a split. `docs/splitter-lock.md` describes the format.
//!
//! The Nix files beside it and `check` read it, people review it, and git merges it. So it is sorted, has one entry a
//! line, and depends on the repository alone.

mod compose;
mod error;
mod kept;
mod render;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

pub use compose::{Known, compose, parts};
pub(super) use compose::{source_record, workspace_records};
pub use error::RecordError;
pub use kept::Kept;

use crate::{
    lockfile::Integrity,
    repo::{RepoPath, Tree, read_text},
    split::{
        Imports, PackageManager, System,
        config::{Exposes, Install, NodeModules},
        development,
        lock::dependencies::Scope,
        lock::shards::{Part, Shard},
        nodejs::Wanted,
        plan::Recorded,
        workspaces::detect::program::{Keeps, Part as LayoutPart, Program, Serves},
    },
};

/// The path of the file, from the root of the repository.
pub const PATH: &str = crate::names::RECORD;

/// Returns [`PATH`] as a [`RepoPath`].
pub fn path() -> RepoPath {
    PATH.split('/').fold(RepoPath::root(), |folder, part| folder.child(part))
}

/// The format that this program writes and reads.
pub const FORMAT_VERSION: u64 = 3;

/// The name and version of this program, as records name their writer.
pub const GENERATOR: &str = concat!("splitter ", env!("CARGO_PKG_VERSION"));

/// All data that the Nix files need about a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// See [`FORMAT_VERSION`].
    pub format_version: u64,
    /// The splitter that wrote the record. It is never compared.
    pub generator: String,
    /// The package manager, and its program for each system.
    pub package_manager: ManagerRecord,
    /// The registry of entries without a URL.
    pub registry: Url,
    /// Registries in the lockfile that [`Self::registry`] replaces (`replace-registry-host`), sorted. Absent if there are
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<Url>,
    /// The systems, sorted.
    pub systems: Vec<System>,
    /// The files of the lock set with their digests.
    pub lock_set: BTreeMap<RepoPath, String>,
    /// The fixed outputs, by the name of the part of [`crate::split::lock::shards`].
    pub deps: BTreeMap<String, FixedOutput>,
    /// The tarballs, sorted by path.
    pub dependencies: Vec<DependencyRecord>,
    /// The workspaces, sorted by folder.
    pub workspaces: Vec<WorkspaceRecord>,
    /// The package that `nix build` builds without a name. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Files and folders that an install reads, such as patches and local packages.
    pub local: Vec<RepoPath>,
    /// Root files in every source set.
    pub root_files: Vec<RepoPath>,
    /// Descriptors of `yarn.lock` that their entries do not satisfy, with the versions to take (Yarn 1). Absent if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsatisfied: BTreeMap<String, String>,
    /// The Node.js that the repository wants. Absent if nothing names a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodejs: Option<Wanted>,
    /// Files whose variables Yarn gives to every script, in their order (`injectEnvironmentFiles`). Absent if the setting is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment_files: Vec<RepoPath>,
    /// Packages whose lifecycle scripts run because of `scripts` in `splitter.json`, sorted. The package manager's own
    /// settings may name more. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<String>,
    /// Packages with an entry in `downloads` of `splitter.json`, sorted. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub downloads: Vec<String>,
    /// What is started for development. Absent if `splitter.json` names neither services nor processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub development: Option<development::Plan>,
    /// The git submodules that hold something of the above, sorted. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub submodules: Vec<RepoPath>,
    /// Globs that include or exclude source files, by workspace.
    pub source: SourceRecord,
}

/// The recorded package manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerRecord {
    /// Its name and version.
    #[serde(flatten)]
    pub manager: PackageManager,
    /// Its program, by system, or under `common` if one program serves all systems.
    pub tarballs: BTreeMap<String, ProgramTarball>,
}

/// The tarball of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramTarball {
    /// The URL.
    pub url: Url,
    /// The expected integrity.
    pub integrity: Integrity,
}

/// A fixed output of tarballs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedOutput {
    /// The system that needs it. Absent if all systems do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    /// The output holds the entries whose shard begins with this one. Absent if it holds all of them.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
    /// The fingerprint of its entries, part of the derivation's name.
    pub fingerprint: String,
    /// The NAR hash, `sha256-<base64>`.
    pub hash: Integrity,
    /// The number of tarballs.
    pub packages: usize,
    /// The total size of the tarballs in bytes.
    pub bytes: u64,
}

/// A recorded file of a fixed output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyRecord {
    /// Its path in the fixed output.
    pub path: String,
    /// The URL, if it differs from the package's place at the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Whether the archive at `url` is unpacked and its files packed again, because the host does not promise stable bytes.
    /// Absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpack: bool,
    /// The git repository of the commit in `path`. Replaces `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Url>,
    /// The integrity of its bytes.
    pub integrity: Integrity,
    /// The systems that need it. Absent if all do, empty if none does: only the tarball says that it is for other systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systems: Option<Vec<System>>,
    /// The shard of its part. If the parts of several systems hold it, the smallest shard. Absent if the parts are whole.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
}

/// A recorded workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceRecord {
    /// Its folder, `""` for the root.
    pub path: RepoPath,
    /// Its package name.
    pub name: String,
    /// The workspaces that its manifest depends on by name. Evaluation compares them with the manifest.
    pub dependencies: Vec<RepoPath>,
    /// Those that are in `devDependencies` alone. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub development: Vec<RepoPath>,
    /// The direct edges of each kind. Absent if all equal [`Self::dependencies`].
    #[serde(default, skip_serializing_if = "EdgesRecord::is_empty")]
    pub edges: EdgesRecord,
    /// The length of the longest chain of builds before its own. If two workspaces write the same file, the one with the
    /// higher rank wins.
    pub rank: usize,
    /// The folders that it links to and that are not workspaces. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<RepoPath>,
    /// The folder that holds its files, if its path leads through links. Absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<RepoPath>,
    /// Whether Bun reads its manifest otherwise than Nix does: it has comments, trailing commas, single quotes or duplicate
    /// keys. Absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loose_manifest: bool,
    /// What symbolic links among its sources and root files lead to: files, folders and other links. Absent if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub link_targets: Vec<RepoPath>,
    /// The folder of patches that `patch-package` applies in its install. Absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patches: Option<RepoPath>,
    /// Files and folders outside of the workspace that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_files: Vec<RepoPath>,
    /// What its programs import and read outside of it, as far as it matters: names, and paths from the root that start with
    /// `./`. `check` reads no sources, and takes this instead. Absent if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
    /// Its build. Absent if it has none, or if nothing needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildRecord>,
    /// How its build gets the installed packages. Absent for links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_modules: Option<NodeModules>,
    /// Its name in `libraries`, if it is built only for other workspaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// Its package, if it is an app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageRecord>,
    /// Its scripts that an install would run in a checkout, and that do not run. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_run: Vec<String>,
    /// Such scripts of the root that run before its build. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_scripts: Vec<String>,
    /// Its scripts that are checks. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckRecord>,
}

/// A script of a workspace that is a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRecord {
    /// The name of its derivation.
    pub name: String,
    /// The command, run in the workspace's folder.
    pub command: String,
    /// Files outside of the workspace that the check reads and the build does not. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_files: Vec<RepoPath>,
    /// What its programs import and read outside of it, as far as it matters: names, and paths from the root that start with
    /// `./`. `check` reads no sources, and takes this instead. Absent if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<String>,
}

/// Direct edges of a workspace, by their use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgesRecord {
    /// The workspaces whose sources its build gets. Absent if these are its dependencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<RepoPath>>,
    /// The workspaces whose builds its own build waits for. Absent if these are those of `sources`; they differ where a cycle
    /// was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<Vec<RepoPath>>,
    /// The workspaces whose dependencies are in its production install. Absent if these are those of `sources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<Vec<RepoPath>>,
}

impl EdgesRecord {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The build of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildRecord {
    /// The command, run in its folder.
    pub command: String,
    /// The folders and files that must exist after the build and are kept, relative to the workspace.
    pub outputs: Vec<String>,
    /// The outputs that are kept if they exist. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// Whether `outputs` is a guess. Absent if it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guessed: bool,
    /// The targets for which Bun compiles programs, other than the system that builds. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Whether other builds wait for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaited: bool,
    /// What other workspaces see of it. Absent for sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposes: Option<Exposes>,
}

/// The package of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// Its name in `packages`.
    pub name: String,
    /// What is installed for its build. Absent for the shared install.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
    /// What its package contains.
    pub keeps: Keeps,
    /// Its programs. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<Program>,
    /// What is installed beside its programs. Absent for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Install>,
    /// Globs of source files to keep beside the outputs of a server, relative to the workspace. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Parts of the outputs that are not kept, relative to the workspace. Absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The parts that the package is assembled from. Absent if it contains the outputs or the sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<LayoutPart>,
    /// How it is served. Absent for programs of the command line and for plain files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves: Option<Serves>,
}

/// Globs in `splitter.json`, by workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Source files that a rule would exclude.
    pub include: BTreeMap<RepoPath, Vec<String>>,
    /// Files that are not sources.
    pub exclude: BTreeMap<RepoPath, Vec<String>>,
}

impl From<&Record> for Imports {
    fn from(record: &Record) -> Self {
        let mut imports = Self::default();
        for workspace in &record.workspaces {
            let mut add = |check: Option<&CheckRecord>, texts: &Vec<String>| {
                let (path, texts) = (workspace.path.clone(), texts.clone());
                match check {
                    None => imports.builds.insert(path, texts),
                    Some(check) => imports.checks.insert((path, check.command.clone()), texts),
                };
            };
            add(None, &workspace.imports);
            if !workspace.link_targets.is_empty() {
                imports.links.insert(workspace.path.clone(), workspace.link_targets.iter().cloned().collect());
            }
            for check in &workspace.checks {
                add(Some(check), &check.imports);
            }
        }
        imports
    }
}

impl Record {
    /// Reads the record of a repository. Returns `None` if there is none yet.
    pub fn read(tree: &dyn Tree) -> Result<Option<Self>, RecordError> {
        read_text(tree, &path())?.map(|text| Self::parse(&text)).transpose()
    }

    /// Reads the text of a record.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        // Conflicts and other versions are looked for only if the text does not parse, because the record is large.
        match serde_json::from_str::<Self>(text) {
            Ok(record) if record.format_version == FORMAT_VERSION => Ok(record),
            read => Err(Self::refusal(text, read.err())),
        }
    }

    /// Returns why a text is not a record: a conflict, another format, or the parser's error.
    fn refusal(text: &str, error: Option<serde_json::Error>) -> RecordError {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Versioned {
            format_version: Option<u64>,
        }
        if let Some(line) = text.lines().position(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")) {
            return RecordError::Conflict { line: line + 1 };
        }
        match (serde_json::from_str::<Versioned>(text).map(|found| found.format_version), error) {
            (Ok(Some(found)), _) if found > FORMAT_VERSION => RecordError::TooNew { found },
            (Ok(Some(found)), _) if found < FORMAT_VERSION => RecordError::TooOld { found },
            (Ok(Some(_)), Some(error)) | (Err(error), _) => RecordError::Json(error),
            (Ok(_), _) => RecordError::NoVersion,
        }
    }

    /// Returns the recorded data that a split does not have.
    pub fn recorded(&self) -> Recorded {
        recorded(&self.dependencies, &self.package_manager, &self.deps)
    }

    /// Returns the text of the file, with a final newline.
    pub fn render(&self) -> String {
        render::render(self)
    }

    /// Returns the name of a fixed output's derivation.
    pub fn store_name(part: &Part, fingerprint: &str) -> String {
        format!("deps-{part}-{fingerprint}")
    }
}

impl FixedOutput {
    /// Returns its part.
    pub fn part(&self) -> Part {
        Part { system: self.system, shard: self.shard.clone() }
    }
}

impl DependencyRecord {
    /// Returns the systems that need it.
    pub fn scope(&self) -> Scope {
        match &self.systems {
            None => Scope::Common,
            Some(systems) => Scope::Systems(systems.iter().copied().collect()),
        }
    }
}

/// Returns the recorded data that a split does not have.
fn recorded(
    dependencies: &[DependencyRecord],
    manager: &ManagerRecord,
    deps: &BTreeMap<String, FixedOutput>,
) -> Recorded {
    let entries = || dependencies.iter();
    let programs = manager.tarballs.iter();
    Recorded {
        integrities: entries().map(|entry| (entry.path.clone(), entry.integrity.clone())).collect(),
        scopes: entries().map(|entry| (entry.path.clone(), entry.scope())).collect(),
        programs: programs.map(|(part, file)| (part.clone(), format!("{} {}", file.url, file.integrity))).collect(),
        outputs: deps
            .iter()
            .map(|(part, output)| (part.clone(), (output.fingerprint.clone(), output.hash.to_string())))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
