//! What an update keeps of a record: the fields that this format and every older one have.
//!
//! The rest follows from the repository and is made anew. But what was seen first is recorded nowhere else: the integrity of
//! a package for which the lockfile has none, and the systems of one for which it names none.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::{DependencyRecord, FORMAT_VERSION, FixedOutput, ManagerRecord, Record, RecordError, path, recorded};
use crate::{
    repo::{RepoPath, Tree, read_text},
    split::{System, plan::Recorded},
};

/// A record of this format or an older one, as far as an update reads it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The format that it was written in.
    pub format_version: u64,
    /// Which splitter wrote it.
    pub generator: String,
    /// The package manager, and its program for each system.
    pub package_manager: ManagerRecord,
    /// Where entries without a URL come from.
    pub registry: Url,
    /// The systems, sorted.
    pub systems: Vec<System>,
    /// The files of the lock set with their digests.
    pub lock_set: BTreeMap<RepoPath, String>,
    /// The fixed outputs, by part.
    pub deps: BTreeMap<String, FixedOutput>,
    /// The tarballs, sorted by path.
    pub dependencies: Vec<DependencyRecord>,
}

impl Kept {
    /// Reads what a repository has recorded, by this splitter or an older one; none where nothing is recorded.
    pub fn read(tree: &dyn Tree) -> Result<Option<Self>, RecordError> {
        read_text(tree, &path())?.map(|text| Self::parse(&text)).transpose()
    }

    /// Reads the text of a record.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        match serde_json::from_str::<Self>(text) {
            Ok(kept) if kept.format_version <= FORMAT_VERSION => Ok(kept),
            read => Err(Record::refusal(text, read.err())),
        }
    }

    /// Whether an older splitter wrote it.
    pub fn is_older(&self) -> bool {
        self.format_version < FORMAT_VERSION
    }

    /// What it says beyond the split that it was made of.
    pub fn recorded(&self) -> Recorded {
        recorded(&self.dependencies, &self.package_manager, &self.deps)
    }
}

impl From<Record> for Kept {
    fn from(record: Record) -> Self {
        Self {
            format_version: record.format_version,
            generator: record.generator,
            package_manager: record.package_manager,
            registry: record.registry,
            systems: record.systems,
            lock_set: record.lock_set,
            deps: record.deps,
            dependencies: record.dependencies,
        }
    }
}
