//! Checks a comparison by the model against the derivations that Nix evaluates for both states.

use std::collections::BTreeMap;

use super::{
    ProofError, State,
    evaluation::{Derived, Evaluator, Packages},
    scratch::{Copy, Scratch},
};
use crate::{
    nix::command::Nix,
    split::{
        System,
        plan::{Comparison, Derivations, Effect, INSTALLS, Id},
    },
};

/// The answers of the model and of Nix for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The effect that the model predicts.
    pub model: Effect,
    /// The derivation in the old state.
    pub before: Derived,
    /// The derivation in the new state.
    pub after: Derived,
}

impl Confirmation {
    /// Whether Nix and the model agree. If the model is unsure, any answer of Nix agrees.
    pub fn agrees(&self) -> bool {
        match self.model {
            Effect::Unsure => true,
            Effect::Kept => !self.is_changed(),
            Effect::Rebuilt | Effect::Added | Effect::Removed => self.is_changed(),
        }
    }

    /// Whether the derivation changed in Nix.
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }
}

/// Returns the packages of a flake that the model knows, each with its derivations for one system.
pub(super) fn packages<'a>(
    derivations: impl IntoIterator<Item = &'a Derivations>,
    system: System,
) -> BTreeMap<String, Vec<Id>> {
    let mut packages: BTreeMap<String, Vec<Id>> = BTreeMap::new();
    for (id, _) in derivations.into_iter().flat_map(Derivations::iter) {
        let is_here = !matches!(id, Id::Deps(part) if !part.serves(system));
        let ids = packages.entry(id.package()).or_default();
        if is_here && !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    packages
}

/// Returns the effect on a package: the strongest effect on its derivations.
pub(super) fn effect(comparison: &Comparison, ids: &[Id]) -> Effect {
    let effects: Vec<Effect> = ids.iter().map(|id| comparison.effect(id)).collect();
    let has = |effect: Effect| effects.contains(&effect);
    match effects.as_slice() {
        [one] => *one,
        _ if has(Effect::Rebuilt) || has(Effect::Added) || has(Effect::Removed) => Effect::Rebuilt,
        _ if has(Effect::Unsure) => Effect::Unsure,
        _ => Effect::Kept,
    }
}

/// Returns the names to evaluate in a state. The flake offers installs of every kind for each app. One that no program of this
/// state runs with counts as absent.
fn names_in(state: &State, packages: &BTreeMap<String, Vec<Id>>) -> Vec<String> {
    let is_used = |ids: &[Id]| ids.iter().any(|id| state.derivations.get(id).is_some());
    let is_asked = |(name, ids): &(&String, &Vec<Id>)| !name.starts_with(INSTALLS) || is_used(ids);
    packages.iter().filter(is_asked).map(|(name, _)| name.clone()).collect()
}

/// Evaluates both states with Nix, in scratch copies. `options` are passed to `nix eval`.
pub fn confirm(
    before: &State,
    after: &State,
    comparison: &Comparison,
    nix: &Nix,
    options: &[String],
) -> Result<BTreeMap<String, Confirmation>, ProofError> {
    let scratch = Scratch::new()?;
    let system = after.system();
    let packages = packages([&before.derivations, &after.derivations], system);
    let mut found = Vec::new();
    // The second copy links to the files that both states share.
    let mut first: Option<(Copy, &State)> = None;
    for (name, state) in [("after", after), ("before", before)] {
        let same = first.as_ref().map(|(copy, state)| (copy.root(), state.derivations.files()));
        let known = same.or_else(|| state.folder.as_deref().map(|folder| (folder, state.derivations.files())));
        let copy = scratch.copy(name, state.tree.as_ref(), state.derivations.files(), known)?;
        let evaluator = Evaluator::new(&scratch, &format!("{name}-flake"), copy.root(), nix, options)?;
        let mut evaluated = evaluator.packages(&[copy.root()], &names_in(state, &packages), system)?;
        found.push(evaluated.pop().unwrap_or_default());
        first = first.or(Some((copy, state)));
    }
    let of = |packages: &Packages, name: &str| packages.get(name).cloned().unwrap_or(Derived::Absent);
    let confirmation = |(name, ids): (&String, &Vec<Id>)| {
        let (before, after) = (of(&found[1], name), of(&found[0], name));
        (name.clone(), Confirmation { model: effect(comparison, ids), before, after })
    };
    Ok(packages.iter().map(confirmation).collect())
}
