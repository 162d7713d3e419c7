//! `splitter.lock.json`: all data of a split. The format is described in `docs/splitter-lock.md`.
//!
//! It is read by the Nix files beside it and by `check`, reviewed by people, and merged by git: so it is sorted, has
//! one entry a line, and is a function of the lock set alone.

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
        PackageManager, System,
        config::{Exposes, Install, NodeModules},
        lock::dependencies::Scope,
        lock::shards::{Part, Shard},
        plan::Recorded,
        workspaces::detect::program::{Keeps, Part as LayoutPart, Program},
    },
};

/// Where the file lies.
pub const PATH: &str = crate::names::RECORD;

/// [`PATH`] as a path inside the repository.
pub fn path() -> RepoPath {
    PATH.split('/').fold(RepoPath::root(), |folder, part| folder.child(part))
}

/// The format that this program writes and reads.
pub const FORMAT_VERSION: u64 = 3;

/// This program, as a record names what wrote it.
pub const GENERATOR: &str = concat!("splitter ", env!("CARGO_PKG_VERSION"));

/// Everything that the Nix files need to know of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// See [`FORMAT_VERSION`].
    pub format_version: u64,
    /// Which splitter wrote it; never compared.
    pub generator: String,
    /// The package manager, and its program for each system.
    pub package_manager: ManagerRecord,
    /// Where entries without a URL come from.
    pub registry: Url,
    /// Registries that the lockfile names and in whose place [`Self::registry`] is asked, sorted; absent where there
    /// are none.
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
    /// The name of the package that is built without a name. Absent where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Files and folders that an install reads as they are.
    pub local: Vec<RepoPath>,
    /// Root files that all sources hold.
    pub root_files: Vec<RepoPath>,
    /// The packages of which `splitter.json` says that their lifecycle scripts run, sorted; the package manager's own
    /// settings name others. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<String>,
    /// The packages of which `splitter.json` names the files that their lifecycle scripts download, sorted. Absent where
    /// there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub downloads: Vec<String>,
    /// Globs that add to or take from source sets, by workspace.
    pub source: SourceRecord,
}

/// The package manager as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagerRecord {
    /// Which, and its version.
    #[serde(flatten)]
    pub manager: PackageManager,
    /// Its program, by system, or under `common` where one serves all.
    pub tarballs: BTreeMap<String, ProgramTarball>,
}

/// The tarball of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramTarball {
    /// Where it is.
    pub url: Url,
    /// What it must match.
    pub integrity: Integrity,
}

/// A fixed output of tarballs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedOutput {
    /// The system that needs it; absent where all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    /// Which entries it holds: those whose shard begins with this one. Absent where it is all of them.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
    /// The fingerprint of its entries, part of the derivation's name.
    pub fingerprint: String,
    /// The NAR hash, `sha256-<base64>`.
    pub hash: Integrity,
    /// How many tarballs it holds.
    pub packages: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

/// A file of a fixed output as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyRecord {
    /// Where it lies in the fixed output.
    pub path: String,
    /// Where it is downloaded from, if that is not its place at the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// What is at `url` is an archive whose files are packed anew, since its host promises no bytes. Absent otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpack: bool,
    /// The repository of the commit that `path` names, in place of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Url>,
    /// What its bytes match.
    pub integrity: Integrity,
    /// The systems that need it; absent where all do. None at all is said by an empty list: that it is for other ones
    /// is known from its tarball alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systems: Option<Vec<System>>,
    /// The shard of its part; of those of several systems the smallest one. Absent where they are whole.
    #[serde(default, skip_serializing_if = "Shard::is_whole")]
    pub shard: Shard,
}

/// A workspace as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceRecord {
    /// Its folder, `""` for the root.
    pub path: RepoPath,
    /// Its package name.
    pub name: String,
    /// The workspaces that it depends on directly, by their names in its manifest: what evaluation compares with that.
    pub dependencies: Vec<RepoPath>,
    /// Those of them that it names in `devDependencies` alone. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub development: Vec<RepoPath>,
    /// The direct edges of each kind. Absent where all are [`Self::dependencies`].
    #[serde(default, skip_serializing_if = "EdgesRecord::is_empty")]
    pub edges: EdgesRecord,
    /// How many builds come before its own, at most: of two, what the one with the higher rank made lies over the other's.
    pub rank: usize,
    /// The folders that it links to and that are no workspaces. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<RepoPath>,
    /// The folder of the patches that its install has `patch-package` apply. Absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patches: Option<RepoPath>,
    /// Files and folders outside of it that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_files: Vec<RepoPath>,
    /// How it is built. Absent where nothing is, or where nobody needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<BuildRecord>,
    /// How its build gets installed packages, where not as links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_modules: Option<NodeModules>,
    /// Its name among `libraries`: it is built for others alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// What it has to run or to publish. Absent where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageRecord>,
    /// Its scripts that are checks. Absent where there are none.
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
    /// Files outside of the workspace that it reads and that its build does not. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub root_files: Vec<RepoPath>,
}

/// Direct edges of a workspace, by what follows them. Each kind is absent where it is the same as the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgesRecord {
    /// The workspaces whose sources a build has; absent where these are the dependencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<RepoPath>>,
    /// The workspaces whose builds its own waits for; absent where these are those of `sources`, as where no cycle is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builds: Option<Vec<RepoPath>>,
    /// The workspaces whose dependencies an install without development dependencies has; absent where these are those of `sources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<Vec<RepoPath>>,
}

impl EdgesRecord {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a workspace is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildRecord {
    /// The command, run in its folder.
    pub command: String,
    /// The folders and files that must be there after the build and are kept, relative to the workspace's folder.
    pub outputs: Vec<String>,
    /// Those that are kept if they are there. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// Whether `outputs` is a guess. Absent where it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guessed: bool,
    /// Whether the builds of others wait for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaited: bool,
    /// What it shows to others, where not its sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposes: Option<Exposes>,
}

/// What a workspace has to run or to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// Its name among `packages`.
    pub name: String,
    /// What is installed for its build. Absent for the install that all workspaces share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
    /// What the package holds.
    pub keeps: Keeps,
    /// Its programs. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<Program>,
    /// The install beside what runs. Absent where nothing is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Install>,
    /// Globs of files that a server has beside its outputs, relative to the workspace's folder. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Parts of the outputs that are not kept, relative to the workspace's folder. Absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// The parts that it is put together from. Absent where it holds the outputs or the sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<LayoutPart>,
}

/// Globs of `splitter.json`, by workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Files that are sources though a rule leaves them out.
    pub include: BTreeMap<RepoPath, Vec<String>>,
    /// Files that are no sources.
    pub exclude: BTreeMap<RepoPath, Vec<String>>,
}

impl Record {
    /// Reads the record of a repository, or none where it has none yet.
    pub fn read(tree: &dyn Tree) -> Result<Option<Self>, RecordError> {
        read_text(tree, &path())?.map(|text| Self::parse(&text)).transpose()
    }

    /// Reads the text of a record.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        // Conflicts and versions are looked for only where the whole is not what this format has.
        match serde_json::from_str::<Self>(text) {
            Ok(record) if record.format_version == FORMAT_VERSION => Ok(record),
            read => Err(Self::refusal(text, read.err())),
        }
    }

    /// Why a text is no record: a conflict, its format, or else what was wrong with it as this one.
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

    /// What it says beyond the split that it was made of.
    pub fn recorded(&self) -> Recorded {
        recorded(&self.dependencies, &self.package_manager, &self.deps)
    }

    /// The text of the file, with a newline at its end.
    pub fn render(&self) -> String {
        render::render(self)
    }

    /// The name of the derivation of a fixed output.
    pub fn store_name(part: &Part, fingerprint: &str) -> String {
        format!("deps-{part}-{fingerprint}")
    }
}

impl FixedOutput {
    /// The part that it is.
    pub fn part(&self) -> Part {
        Part { system: self.system, shard: self.shard.clone() }
    }
}

impl DependencyRecord {
    /// Who needs it.
    pub fn scope(&self) -> Scope {
        match &self.systems {
            None => Scope::Common,
            Some(systems) => Scope::Systems(systems.iter().copied().collect()),
        }
    }
}

/// What a record says beyond the split that it was made of.
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
