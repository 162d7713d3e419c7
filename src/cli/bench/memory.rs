//! The runs that an interrupted bench has measured. The same bench goes on with the others.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::{
    bench::{Scenario, Side, log::Sample, plan::Run},
    cli::memory::MemoryFile,
    proof::State,
};

/// The file, and what it holds.
pub(super) struct Memory {
    file: MemoryFile,
    pub(super) samples: BTreeMap<Run, Sample>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    round: usize,
    scenario: Scenario,
    side: Side,
    sample: Sample,
}

impl Memory {
    /// Reads what an interrupted bench of the same files, packages and versions measured. `is_fresh` ignores it.
    pub(super) fn of(root: &Utf8Path, state: &State, what: &[&str], is_fresh: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in what {
            hasher.update(text.as_bytes()).update(b"\0");
        }
        for (path, file) in state.derivations.files() {
            hasher.update(path.as_str().as_bytes()).update(b"\0").update(file.content.as_bytes()).update(b"\0");
        }
        let key = hasher.finalize().to_hex();
        let file = MemoryFile::of(root, "benches", Some(key.as_str()));
        let kept: Vec<Kept> = if is_fresh { Vec::new() } else { file.read().unwrap_or_default() };
        let sample = |kept: Kept| (Run { round: kept.round, scenario: kept.scenario, side: kept.side }, kept.sample);
        Self { file, samples: kept.into_iter().map(sample).collect() }
    }

    /// Remembers a run.
    pub(super) fn keep(&mut self, run: Run, sample: Sample) {
        self.samples.insert(run, sample);
        let kept = |(run, sample): (&Run, &Sample)| Kept {
            round: run.round,
            scenario: run.scenario,
            side: run.side,
            sample: sample.clone(),
        };
        self.file.write(&self.samples.iter().map(kept).collect::<Vec<_>>());
    }

    /// Forgets everything, because the bench is complete.
    pub(super) fn forget(&self) {
        self.file.write(&Vec::<Kept>::new());
    }
}
