//! The jobs that build what no cache has.
//!
//! What several jobs would build is built first, once for each system, and the others download it. What only one job needs is
//! built in that job.

mod render;

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

pub use self::render::{buildkite, github_output, gitlab, json, summary};
use crate::{
    diagnostic::{Category, Diagnose},
    system::System,
};

/// The most jobs that GitHub makes of a matrix.
pub const MOST_JOBS: usize = 256;

/// Something that CI builds, or downloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name in splitter's commands, such as `web`.
    pub name: String,
    /// What it is, such as `app`.
    pub kind: String,
    /// The system.
    pub system: System,
    /// What `nix build` takes, such as `.#packages.x86_64-linux.web`. Nothing if the flake has no name for it.
    pub installable: Option<String>,
    /// Whether a job builds it for its own sake, and not only for what needs it. Tarballs are worth a job only if something is
    /// installed from them.
    pub is_job: bool,
    /// The derivation.
    pub derivation: String,
    /// Derivations of other items that its build needs.
    pub needs: Vec<String>,
    /// The cache that has it.
    pub cache: Option<String>,
}

/// How jobs are made of items.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The runner of each system.
    pub runners: BTreeMap<System, String>,
    /// Whether each system has a single job: for CI without a cache, where no job gets what another one built.
    pub by_system: bool,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The name, which no other job of its stage has.
    pub name: String,
    /// The system.
    pub system: System,
    /// The runner.
    pub runner: String,
    /// The names of the items that it builds.
    pub names: Vec<String>,
    /// What it passes to `nix build`.
    pub installables: Vec<String>,
}

/// All jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Jobs to end before the others start: at most one for each system.
    pub shared: Vec<Job>,
    /// The other jobs.
    pub matrix: Vec<Job>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// GitHub would refuse the output.
    #[error("the plan has {bytes} bytes; GitHub takes {most} from a job")]
    TooLarge {
        /// The size of the plan, as GitHub counts it.
        bytes: usize,
        /// The most that it takes.
        most: usize,
    },
}

impl Diagnose for MatrixError {
    fn category(&self) -> Category {
        Category::Input
    }

    fn hints(&self) -> Vec<String> {
        vec!["plan one system in each job: run `splitter ci matrix` with one `--system`".to_owned()]
    }
}

/// Makes the plan. The order of the items does not matter.
pub fn plan(items: &[Item], layout: &Layout) -> Plan {
    let missing = Missing::of(items);
    let all = missing.worth_a_job();
    // What has no name is built by each job that needs it.
    let all = all.ones().filter(|item| missing.items[*item].installable.is_some());
    if layout.by_system {
        let matrix = missing.by_system(all, |system, items| missing.job(system.name().to_owned(), items, layout));
        return Plan { shared: Vec::new(), matrix };
    }
    let roots = missing.roots();
    let users = |item: usize| roots.iter().filter(|root| missing.below[**root].contains(item)).count();
    let is_root: BTreeSet<usize> = roots.iter().copied().collect();
    let (shared, own): (Vec<usize>, Vec<usize>) =
        all.filter(|item| !is_root.contains(item)).partition(|item| users(*item) > 1);
    // What a single job needs belongs to that job.
    let with_own = |root: usize| -> Vec<usize> {
        own.iter().copied().filter(|item| missing.below[root].contains(*item)).chain([root]).collect()
    };
    let shared =
        missing.by_system(shared.into_iter(), |system, items| missing.job(system.name().to_owned(), items, layout));
    Plan { shared, matrix: missing.matrix(&roots, with_own, layout) }
}

/// The items that no cache has, each derivation once, sorted by system and name.
struct Missing<'a> {
    items: Vec<&'a Item>,
    /// The items that each one needs, directly or not, by their numbers.
    below: Vec<FixedBitSet>,
}

impl<'a> Missing<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut items: Vec<&Item> = items.iter().filter(|item| item.cache.is_none()).collect();
        items.sort_by(|a, b| (a.system, &a.name, &a.installable).cmp(&(b.system, &b.name, &b.installable)));
        let mut seen = BTreeSet::new();
        items.retain(|item| seen.insert(&item.derivation));
        let numbers: BTreeMap<&str, usize> =
            items.iter().enumerate().map(|(number, item)| (item.derivation.as_str(), number)).collect();
        // An item that a cache has is downloaded, so what it needs is not built for it.
        let direct = |item: &Item| -> Vec<usize> {
            item.needs.iter().filter_map(|needed| numbers.get(needed.as_str()).copied()).collect()
        };
        let direct: Vec<Vec<usize>> = items.iter().map(|item| direct(item)).collect();
        let below: Vec<FixedBitSet> = (0..items.len()).map(|item| reached(item, &direct)).collect();
        Self { items, below }
    }

    /// Returns the items that a job builds for their own sake, and those that they need.
    fn worth_a_job(&self) -> FixedBitSet {
        let mut worth = FixedBitSet::with_capacity(self.items.len());
        for (item, below) in self.below.iter().enumerate().filter(|(item, _)| self.items[*item].is_job) {
            worth.insert(item);
            worth.union_with(below);
        }
        worth
    }

    /// Returns the items that no other one needs.
    fn roots(&self) -> Vec<usize> {
        let mut roots = self.worth_a_job();
        self.below.iter().for_each(|below| roots.difference_with(below));
        roots.ones().filter(|item| self.items[*item].is_job).collect()
    }

    fn by_system(&self, items: impl Iterator<Item = usize>, job: impl Fn(System, Vec<usize>) -> Job) -> Vec<Job> {
        let mut groups: BTreeMap<System, Vec<usize>> = BTreeMap::new();
        items.for_each(|item| groups.entry(self.items[item].system).or_default().push(item));
        groups.into_iter().map(|(system, items)| job(system, items)).collect()
    }

    /// Makes a job of each root, or of several roots of a system where there are too many.
    fn matrix(&self, roots: &[usize], with_own: impl Fn(usize) -> Vec<usize>, layout: &Layout) -> Vec<Job> {
        let mut systems: BTreeMap<System, Vec<usize>> = BTreeMap::new();
        for root in roots {
            systems.entry(self.items[*root].system).or_default().push(*root);
        }
        let jobs = |size: usize| systems.values().map(|roots| roots.len().div_ceil(size)).sum::<usize>();
        // With as many roots as there are, each system has one job.
        let size = (1..=roots.len().max(1)).find(|size| jobs(*size) <= MOST_JOBS).unwrap_or(roots.len());
        let mut matrix = Vec::new();
        for (system, roots) in systems {
            let groups = roots.chunks(size);
            let of = groups.len();
            for (number, group) in groups.enumerate() {
                let name = match group {
                    [root] if size == 1 => format!("{}, {system}", self.items[*root].name),
                    _ => format!("{system}, {} of {of}", number + 1),
                };
                // Items that two roots of a group need are shared ones, so no item comes twice.
                let items = group.iter().flat_map(|root| with_own(*root)).collect();
                matrix.push(self.job(name, items, layout));
            }
        }
        matrix
    }

    /// Makes a job. What others need comes first, for people who read the list: Nix finds the order itself.
    fn job(&self, name: String, mut items: Vec<usize>, layout: &Layout) -> Job {
        items.sort_by_key(|item| (self.below[*item].count_ones(..), *item));
        let system = items.first().map_or(System::X8664Linux, |item| self.items[*item].system);
        Job {
            name,
            system,
            runner: layout.runners.get(&system).cloned().unwrap_or_default(),
            names: items.iter().map(|item| self.items[*item].name.clone()).collect(),
            installables: items.iter().filter_map(|item| self.items[*item].installable.clone()).collect(),
        }
    }
}

/// Returns everything that an item needs.
fn reached(item: usize, direct: &[Vec<usize>]) -> FixedBitSet {
    let mut reached = FixedBitSet::with_capacity(direct.len());
    let mut open = direct[item].clone();
    while let Some(next) = open.pop() {
        // Derivations have no cycles. Input that has one must end too.
        if next != item && !reached.put(next) {
            open.extend(&direct[next]);
        }
    }
    reached
}

#[cfg(test)]
mod tests;
