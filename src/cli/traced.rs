//! The memory of traces: which builds were traced, with a digest of what they read. `scan` and `explain` mark those that have
//! not changed since.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::memory::MemoryFile;
use crate::{
    proof::{
        State,
        trace::{Report, digest},
    },
    split::plan::{Derivations, Id},
};

/// The version of the file.
const KEY: &str = "1";

/// The trace of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    /// What it read.
    digest: String,
    /// How many paths it lacked.
    pub(super) missing: usize,
    /// Whether its command failed.
    pub(super) failed: bool,
    /// Whether it was also traced over the whole repository.
    pub(super) full: bool,
}

impl Mark {
    /// Formats it for a report.
    pub(super) fn json(&self) -> Value {
        json!({ "missing": self.missing, "failed": self.failed, "full": self.full })
    }

    /// Says what the trace found.
    pub(super) fn text(&self) -> String {
        match (self.failed, self.missing) {
            (true, _) => "traced: its build failed".to_owned(),
            (false, 0) => "traced: nothing missing".to_owned(),
            (false, 1) => "traced: 1 path missing".to_owned(),
            (false, number) => format!("traced: {number} paths missing"),
        }
    }
}

/// The traces of a repository's builds, by the names of the builds.
type Marks = BTreeMap<String, Mark>;

/// Remembers the traces of a report.
pub(super) fn remember(root: &Utf8Path, state: &State, report: &Report) {
    let file = MemoryFile::of(root, "traced", Some(KEY));
    let mut marks: Marks = file.read().unwrap_or_default();
    for traced in &report.builds {
        let mark = Mark {
            digest: digest(&state.derivations, &traced.id),
            missing: traced.judgement.missing.len(),
            failed: traced.is_failed(),
            full: report.is_full,
        };
        marks.insert(traced.id.package(), mark);
    }
    file.write(&marks);
}

/// Whether anything was ever traced here. If not, the state of the repository need not be read for marks.
pub(super) fn has_any(root: &Utf8Path) -> bool {
    MemoryFile::of(root, "traced", Some(KEY)).read::<Marks>().is_some_and(|marks| !marks.is_empty())
}

/// Returns the traces of builds that have not changed since.
pub(super) fn unchanged(root: &Utf8Path, derivations: &Derivations) -> Marks {
    let mut marks: Marks = MemoryFile::of(root, "traced", Some(KEY)).read().unwrap_or_default();
    let ids: BTreeMap<String, &Id> = derivations.iter().map(|(id, _)| (id.package(), id)).collect();
    marks.retain(|name, mark| ids.get(name).is_some_and(|id| digest(derivations, id) == mark.digest));
    marks
}
