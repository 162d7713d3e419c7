//! Why each derivation is built: what changed since the last successful build of the packages.

use std::collections::{BTreeMap, BTreeSet};

use super::{evaluate::Product, memory::Memory};
use crate::{
    cli::{
        explain::{Sides, changed},
        text::count,
    },
    proof::State,
    repo::Git,
    scaffold::templates::FOLDER,
    split::plan::{Cause, Comparison, Effect, Id, compare},
};

/// The number of causes in a line.
const SHOWN: usize = 2;

/// The causes of each derivation, in words.
#[derive(Debug, Default)]
pub(super) struct Why {
    causes: BTreeMap<Id, Vec<String>>,
    /// The derivations that are the same as in the last build.
    kept: BTreeSet<Id>,
    /// The reason of all builds, if there is one.
    said: Option<&'static str>,
}

impl Why {
    /// Compares the repository with its state at the last build of each package.
    pub(super) fn of(state: &State, memory: &Memory, git: &Git, products: &[Product]) -> Self {
        let mut why = Self::default();
        let names: BTreeSet<String> = products.iter().map(|product| product.name.clone()).collect();
        for (remembered, packages) in memory.states(&names) {
            let built = products.iter().filter(|product| packages.contains(&product.name));
            let built = built.filter_map(|product| product.id.as_ref());
            let mut seen = BTreeSet::new();
            if Memory::is_same(&remembered, state.derivations.files()) {
                let comparison = Comparison::default();
                let sides = Sides { comparison: &comparison, before: state, after: state };
                built.for_each(|id| why.add(id, &sides, &mut seen));
            } else if let Some(before) = memory.recall(git, &remembered) {
                let comparison = compare(&before.derivations, &state.derivations);
                let sides = Sides { comparison: &comparison, before: &before, after: state };
                built.for_each(|id| why.add(id, &sides, &mut seen));
            }
        }
        why
    }

    /// Gives all builds the same reason.
    pub(super) fn said(reason: &'static str) -> Self {
        Self { said: Some(reason), ..Self::default() }
    }

    /// Adds the causes of a derivation, and of all that it is built from.
    fn add(&mut self, id: &Id, sides: &Sides<'_>, seen: &mut BTreeSet<Id>) {
        if !seen.insert(id.clone()) {
            return;
        }
        if sides.comparison.effect(id) == Effect::Kept {
            self.kept.insert(id.clone());
        } else if let Some(verdict) = sides.comparison.verdicts.get(id) {
            self.causes.entry(id.clone()).or_insert_with(|| words(&verdict.causes, sides));
        }
        for needed in sides.after.derivations.needs(id) {
            self.add(needed, sides, seen);
        }
    }

    /// Returns the causes of a derivation, in words.
    pub(super) fn causes(&self, id: &Id) -> Vec<String> {
        if let Some(reason) = self.said {
            return vec![reason.to_owned()];
        }
        match self.causes.get(id) {
            Some(causes) if causes.is_empty() => vec!["new".to_owned()],
            Some(causes) => causes.clone(),
            None if self.kept.contains(id) => {
                vec![
                    "no file of the repository changed: it is not in the store, or an input of the flake changed"
                        .to_owned(),
                ]
            }
            None => vec!["first `splitter build` here".to_owned()],
        }
    }

    /// Returns the causes of a derivation as one line.
    pub(super) fn line(&self, id: &Id) -> String {
        let causes = self.causes(id);
        let shown = causes.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        match causes.len().checked_sub(SHOWN) {
            None | Some(0) => shown,
            Some(more) => format!("{shown} and {} more", count(more)),
        }
    }
}

/// Returns causes in words, those of the user's files first. The many files of splitter itself are one cause.
fn words(causes: &[Cause], sides: &Sides<'_>) -> Vec<String> {
    let is_own = |cause: &Cause| matches!(cause, Cause::Nix { path, .. } | Cause::File { path, .. } if path.as_str().starts_with(FOLDER));
    let is_derivation = |cause: &&Cause| matches!(cause, Cause::Derivation { .. });
    let (derivations, others): (Vec<&Cause>, Vec<&Cause>) =
        causes.iter().filter(|cause| !is_own(cause)).partition(is_derivation);
    let is_package = |cause: &&Cause| matches!(cause, Cause::Package { .. });
    let (packages, others): (Vec<&Cause>, Vec<&Cause>) = others.into_iter().partition(is_package);
    let mut words: Vec<String> =
        packages.into_iter().chain(others).chain(derivations).map(|cause| changed(cause, sides)).collect();
    if causes.iter().any(is_own) {
        words.push(format!("{FOLDER} changed"));
    }
    words
}
