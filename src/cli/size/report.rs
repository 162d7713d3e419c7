//! What `size` found: one row for each package.

use std::collections::BTreeSet;

use crate::{
    closure::{Closure, ClosureError, Measured, Packages, PartChange, compare},
    proof::Place,
    split::{System, config::Config},
};

/// The sizes of packages, in one state or compared between two.
pub(super) struct Report {
    /// The state to compare with.
    pub(super) from: Option<Place>,
    /// The state that is measured.
    pub(super) to: Place,
    /// The system of the packages.
    pub(super) system: System,
    /// The packages, largest first.
    pub(super) rows: Vec<Row>,
    /// Packages that a state has, but the store does not.
    pub(super) missing: Vec<String>,
}

/// One package.
pub(super) struct Row {
    /// The name.
    pub(super) name: String,
    /// The package in the state to compare with.
    pub(super) before: Option<Measured>,
    /// The package in the state that is measured.
    pub(super) after: Option<Measured>,
    /// The parts that changed.
    pub(super) changes: Vec<PartChange>,
    /// The largest size that `splitter.json` allows.
    pub(super) budget: Option<u64>,
}

impl Row {
    /// Returns the closure that is measured.
    pub(super) fn closure(&self) -> Option<&Closure> {
        self.after.as_ref().map(|measured| &measured.closure)
    }

    /// Returns the size in bytes, or nothing if the package is gone.
    pub(super) fn size(&self) -> Option<u64> {
        self.closure().map(|closure| closure.size)
    }

    /// Returns the number of bytes above the budget.
    pub(super) fn excess(&self) -> Option<u64> {
        self.size()?.checked_sub(self.budget?).filter(|excess| *excess > 0)
    }

    /// Returns how many bytes the package grew by.
    pub(super) fn growth(&self) -> i128 {
        let before = self.before.as_ref().map_or(0, |measured| measured.closure.size);
        i128::from(self.size().unwrap_or(0)) - i128::from(before)
    }
}

impl Report {
    /// Joins the packages of both states. `asked` are the names that the user gave.
    pub(super) fn of(
        (from, before): (Option<Place>, Option<Packages>),
        (to, mut after): (Place, Packages),
        system: System,
        asked: &[String],
        config: &Config,
    ) -> Result<Self, ClosureError> {
        let is_comparison = from.is_some();
        let mut before = before.unwrap_or_default();
        let known: BTreeSet<&str> = before.all.iter().chain(&after.all).map(String::as_str).collect();
        let list = || known.iter().map(|name| (*name).to_owned()).collect();
        if let Some(name) = asked.iter().find(|name| !known.contains(name.as_str())) {
            return Err(ClosureError::UnknownPackage { name: name.clone(), known: list() });
        }
        if let Some(name) = config.unknown_budgets(&known).first() {
            return Err(ClosureError::UnknownBudget { name: (*name).to_owned(), known: list() });
        }
        let missing: BTreeSet<String> = before.missing.iter().chain(&after.missing).cloned().collect();
        let names: BTreeSet<String> = before.measured.keys().chain(after.measured.keys()).cloned().collect();
        // A package that is not built on one side would look new or gone.
        let rows = names.into_iter().filter(|name| !is_comparison || !missing.contains(name)).map(|name| {
            let (before, after) = (before.measured.remove(&name), after.measured.remove(&name));
            row(name, before, after, is_comparison, config)
        });
        let mut rows: Vec<Row> = rows.collect();
        rows.sort_by(|a, b| (b.size(), &a.name).cmp(&(a.size(), &b.name)));
        Ok(Self { from, to, system, rows, missing: missing.into_iter().collect() })
    }

    /// Returns the packages above their budget.
    pub(super) fn over_budget(&self) -> impl Iterator<Item = (&Row, u64)> {
        self.rows.iter().filter_map(|row| Some((row, row.excess()?)))
    }
}

fn row(name: String, before: Option<Measured>, after: Option<Measured>, is_comparison: bool, config: &Config) -> Row {
    let closure = |measured: &'_ Option<Measured>| measured.as_ref().map(|measured| measured.closure.clone());
    let changes = if is_comparison { compare(closure(&before).as_ref(), closure(&after).as_ref()) } else { Vec::new() };
    let workspace = after.as_ref().and_then(|measured| measured.workspace.as_ref());
    let budget = config.budget_of(&name, workspace);
    Row { name, before, after, changes, budget }
}
