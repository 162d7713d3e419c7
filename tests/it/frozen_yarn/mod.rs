//! Drift, compared with the frozen install of the real Yarns.
//!
//! Each case is a repository that Yarn locked, with random edits of manifests, settings and the lockfile.
//! `SPLITTER_FROZEN_SEED` sets the first seed and `SPLITTER_FROZEN_CASES` the number of cases; a failure prints the seed of
//! its case.

mod base;
mod edits;

use std::{
    collections::BTreeMap,
    env,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use splitter::{
    repo::WorkTree,
    split::{Choices, Split},
};

use crate::support::{Random, Registry, TestContext, YARN_VERSIONS, copy_folder, yarn};

/// The number of cases with the same repository before the edits.
const CASES_OF_BASE: u64 = 20;

/// A version of Yarn, with the repositories that it locked.
struct Manager {
    version: &'static str,
    script: Utf8PathBuf,
    context: TestContext,
    registry: Registry,
    bases: Mutex<BTreeMap<u64, Utf8PathBuf>>,
}

impl Manager {
    fn new(version: &'static str) -> Option<Self> {
        let script = yarn(version)?;
        let registry = Registry::start(base::packages());
        let mut context = TestContext::new();
        context.use_registry(&registry);
        Some(Self { version, script, context, registry, bases: Mutex::default() })
    }

    fn is_classic(&self) -> bool {
        self.version.starts_with("1.")
    }

    /// Runs Yarn. Returns its output, as an error if it failed.
    fn run(&self, root: &Utf8Path, args: &[&str]) -> Result<String, String> {
        let output = self.context.yarn(&self.script, args).current_dir(root).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(text) } else { Err(text) }
    }

    /// Returns the repository that the cases around a seed edit.
    fn base(&self, seed: u64) -> Utf8PathBuf {
        let number = seed / CASES_OF_BASE;
        let mut bases = self.bases.lock().unwrap();
        let base = bases.entry(number).or_insert_with(|| {
            let root = self.context.folder(&format!("{}-base-{number}", self.version));
            base::write(&root, self.version, &mut Random::new(number));
            let args: &[&str] = if self.is_classic() {
                &["install", "--ignore-scripts", "--non-interactive"]
            } else {
                &["install", "--mode=update-lockfile"]
            };
            let made = self.run(&root, args);
            assert!(made.is_ok(), "base {number} of Yarn {}: {made:?}", self.version);
            let _ = fs::remove_dir_all(root.join("node_modules"));
            root
        });
        base.clone()
    }

    /// Compares one case. Returns what differs.
    fn compare(&self, seed: u64) -> Option<String> {
        let base = self.base(seed);
        let root = self.context.folder(&format!("{}-{seed}", self.version));
        copy_folder(&base, &root);
        let edits = edits::apply(&root, self.version, seed);
        let found = found(&root);
        let args: &[&str] = if self.is_classic() {
            &["install", "--frozen-lockfile", "--ignore-scripts", "--non-interactive"]
        } else {
            &["install", "--immutable", "--mode=skip-build"]
        };
        self.registry.take_requests();
        let mut expected = self.run(&root, args);
        if self.is_classic()
            && let Ok(output) = &expected
        {
            let asked = edits::asked_for(&root, output, &self.registry.take_requests());
            if !asked.is_empty() {
                expected = Err(format!("asked the registry for {}: {output}", asked.join(", ")));
            }
        }
        fs::remove_dir_all(&root).unwrap();
        if expected.is_ok() == found.is_ok() || edits::is_deliberate(&found) {
            return None;
        }
        Some(format!("seed {seed}, Yarn {}: {edits:#?}\nYarn {expected:#?}\nsplitter {found:#?}", self.version))
    }
}

/// Returns the drift, or the error, that splitter finds.
fn found(root: &Utf8Path) -> Result<(), Vec<String>> {
    let split = Split::read(&WorkTree::at(root), &Choices::default()).map_err(|error| vec![error.to_string()])?;
    let drifts: Vec<String> = split.drift.iter().map(ToString::to_string).collect();
    if drifts.is_empty() { Ok(()) } else { Err(drifts) }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Compares the cases from a seed on, on two threads.
fn compare(version: &'static str, cases: u64) {
    let Some(manager) = Manager::new(version) else { return };
    let (first, cases) = (number("SPLITTER_FROZEN_SEED", 1), number("SPLITTER_FROZEN_CASES", cases));
    let next = AtomicU64::new(first);
    let differing: Vec<String> = thread::scope(|scope| {
        let work = || {
            let mut differing = Vec::new();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + cases {
                    return differing;
                }
                differing.extend(manager.compare(seed));
            }
        };
        // The requests of two installs of Yarn 1 could not be told apart.
        let threads: Vec<_> = (0..if manager.is_classic() { 1 } else { 2 }).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let count = differing.len();
    let shown: Vec<String> = differing.into_iter().take(40).collect();
    assert!(shown.is_empty(), "{count} of {cases} cases differ from seed {first} on:\n{}", shown.join("\n\n"));
}

#[test]
fn drift_is_what_yarn_1_refuses() {
    compare(YARN_VERSIONS[0], 4);
}

#[test]
fn drift_is_what_yarn_3_refuses() {
    compare(YARN_VERSIONS[1], 4);
}

#[test]
fn drift_is_what_yarn_4_refuses() {
    compare(YARN_VERSIONS[2], 4);
}
