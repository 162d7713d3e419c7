//! The fields of a record that an update keeps. This format and all older ones have them.
//!
//! All other fields are derived from the repository again. Two things are recorded nowhere else: the integrity of a
//! package that has none in the lockfile, and the systems of a package if the lockfile does not name them.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::{DependencyRecord, FORMAT_VERSION, FixedOutput, ManagerRecord, Record, RecordError, path, recorded};
use crate::{
    repo::{RepoPath, Tree, read_text},
    split::{System, plan::Recorded},
};

/// The fields that an update reads from a record of this format or an older one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// The format of the record.
    pub format_version: u64,
    /// The splitter that wrote it.
    pub generator: String,
    /// The package manager, and its program for each system.
    pub package_manager: ManagerRecord,
    /// The registry of entries without a URL.
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
    /// Reads the record that this splitter or an older one wrote. Returns `None` if there is none.
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

    /// Returns the recorded data that a split does not have.
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
