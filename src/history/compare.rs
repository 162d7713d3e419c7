//! Compares the runs of a branch with those before it, against a budget.

use std::collections::BTreeMap;

use super::{
    Run, Times,
    summary::{ProductRow, Summary},
};
use crate::split::budget::BuildBudget;

/// The ratio that is shown as growth if no budget names another.
const NOTABLE: f64 = 1.2;

/// Builds that take less than this are left out of a comparison of times, in milliseconds: their times are noise.
const SHORTEST: u64 = 500;

/// Something that both sides have.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The name of a derivation or of a product.
    pub name: String,
    /// Milliseconds or bytes before.
    pub before: u64,
    /// Milliseconds or bytes after.
    pub after: u64,
}

/// The comparison.
#[derive(Debug, Default, PartialEq)]
pub struct Comparison {
    /// Derivations that both sides built, with the medians of their times, the largest ratio first.
    pub times: Vec<Change>,
    /// The sum of these, before and after.
    pub time: Option<Change>,
    /// Products whose closure both sides measured.
    pub sizes: Vec<Change>,
    /// The share of store paths that came from caches, before and after.
    pub hit_rate: (Option<f64>, Option<f64>),
    /// The limits that are exceeded.
    pub exceeded: Vec<Exceeded>,
}

/// A limit that is exceeded.
#[derive(Debug, Clone, PartialEq)]
pub enum Exceeded {
    /// All builds that both sides have, together.
    BuildTime {
        /// The ratio.
        found: f64,
        /// The limit.
        limit: f64,
    },
    /// The closure of one product.
    ClosureSize {
        /// The product.
        change: Change,
        /// The limit, as a ratio.
        limit: f64,
    },
    /// The share of store paths from caches.
    HitRate {
        /// The share.
        found: f64,
        /// The limit.
        limit: f64,
    },
}

impl Change {
    /// Returns what is after, divided by what was before.
    #[expect(clippy::cast_precision_loss, reason = "a ratio is shown with two digits")]
    pub fn ratio(&self) -> f64 {
        self.after as f64 / self.before.max(1) as f64
    }

    /// Whether it grew so much that people want to know.
    pub fn is_notable(&self) -> bool {
        self.ratio() >= NOTABLE
    }
}

impl Comparison {
    /// Compares runs.
    pub fn of(before: &[Run], after: &[Run], budget: &BuildBudget) -> Self {
        let (before, after) = (Summary::of(before), Summary::of(after));
        let times = times(&before, &after);
        let sum = |pick: fn(&Change) -> u64| times.iter().map(pick).fold(0_u64, u64::saturating_add);
        let time = (!times.is_empty()).then(|| Change {
            name: String::new(),
            before: sum(|change| change.before),
            after: sum(|change| change.after),
        });
        let mut comparison = Self {
            sizes: sizes(&before, &after),
            times,
            time,
            hit_rate: (before.hit_rate(), after.hit_rate()),
            exceeded: Vec::new(),
        };
        comparison.exceeded = comparison.exceeded_of(budget);
        comparison
    }

    fn exceeded_of(&self, budget: &BuildBudget) -> Vec<Exceeded> {
        let time = || {
            let (limit, found) = (budget.build_time?, self.time.as_ref()?.ratio());
            (found > limit).then_some(Exceeded::BuildTime { found, limit })
        };
        let hit_rate = || {
            let (limit, found) = (budget.hit_rate?, self.hit_rate.1?);
            (found < limit).then_some(Exceeded::HitRate { found, limit })
        };
        let sizes = budget.closure_size.into_iter().flat_map(|limit| {
            let grown = self.sizes.iter().filter(move |change| change.ratio() > limit);
            grown.map(move |change| Exceeded::ClosureSize { change: change.clone(), limit })
        });
        time().into_iter().chain(sizes).chain(hit_rate()).collect()
    }
}

fn times(before: &Summary, after: &Summary) -> Vec<Change> {
    let known: BTreeMap<&str, &Times> = before.builds.iter().map(|row| (row.name.as_str(), &row.times)).collect();
    let change = |name: &str, times: &Times| {
        let (before, after) = (known.get(name)?.median()?, times.median()?);
        (before >= SHORTEST || after >= SHORTEST).then(|| Change { name: name.to_owned(), before, after })
    };
    let mut changes: Vec<Change> = after.builds.iter().filter_map(|row| change(&row.name, &row.times)).collect();
    changes.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
    changes
}

fn sizes(before: &Summary, after: &Summary) -> Vec<Change> {
    let last = |row: &ProductRow| row.closures.last().map(|(_, size)| *size);
    let known: BTreeMap<&str, u64> =
        before.products.iter().filter_map(|row| Some((row.name.as_str(), last(row)?))).collect();
    let change = |row: &ProductRow| {
        Some(Change { name: row.name.clone(), before: *known.get(row.name.as_str())?, after: last(row)? })
    };
    let mut changes: Vec<Change> = after.products.iter().filter_map(change).collect();
    changes.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
    changes
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Build, Fetched, Product},
        *,
    };

    fn run(took: u64, closure: u64, from_cache: u64) -> Run {
        Run {
            products: vec![Product { name: "web".to_owned(), closure: Some(closure), ..Product::default() }],
            builds: [("web", took), ("tiny", 1)]
                .map(|(name, took)| Build { name: name.to_owned(), took, ..Build::default() })
                .to_vec(),
            fetched: vec![Fetched { paths: from_cache, ..Fetched::default() }],
            ..Run::default()
        }
    }

    #[test]
    fn what_grew_past_the_budget_is_named() {
        let budget = BuildBudget { build_time: Some(1.5), closure_size: Some(1.1), hit_rate: Some(0.8) };
        let before = [run(900, 100, 8), run(1000, 100, 8), run(1100, 100, 8)];
        let same = Comparison::of(&before, &[run(1400, 110, 8)], &budget);
        assert_eq!(same.exceeded, []);
        let worse = Comparison::of(&before, &[run(2000, 120, 2)], &budget);
        let change = Change { name: "web".to_owned(), before: 100, after: 120 };
        assert_eq!(
            worse.exceeded,
            [
                Exceeded::BuildTime { found: 2.0, limit: 1.5 },
                Exceeded::ClosureSize { change, limit: 1.1 },
                Exceeded::HitRate { found: 0.5, limit: 0.8 }
            ]
        );
        assert!(worse.times[0].is_notable() && worse.times.len() == 1);
    }

    #[test]
    fn without_runs_before_nothing_is_exceeded() {
        let budget = BuildBudget { build_time: Some(1.0), closure_size: Some(1.0), hit_rate: None };
        assert_eq!(Comparison::of(&[], &[run(9000, 9000, 0)], &budget).exceeded, []);
        assert_eq!(Comparison::of(&[run(1, 1, 1)], &[], &budget).exceeded, []);
    }
}
