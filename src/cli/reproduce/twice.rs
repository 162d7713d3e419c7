//! Which derivations are built twice: those that are named, those of splitter that they need, and what lies between.

use std::collections::{BTreeMap, BTreeSet};

use crate::{caches::wanted::shown::Shown, nix::command::Output};

/// The derivations of a run.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) derivations: BTreeMap<String, Shown>,
}

impl Graph {
    /// Returns the seeds and everything that is built from one of them.
    pub(super) fn twice(&self, seeds: &BTreeSet<String>) -> BTreeSet<String> {
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (user, shown) in &self.derivations {
            for input in shown.inputs.keys() {
                users.entry(input).or_default().push(user);
            }
        }
        let mut found = seeds.clone();
        let mut left: Vec<&str> = seeds.iter().map(String::as_str).collect();
        while let Some(one) = left.pop() {
            for user in users.get(one).into_iter().flatten() {
                if found.insert((*user).to_owned()) {
                    left.push(user);
                }
            }
        }
        found
    }

    /// Returns what these derivations read and do not build themselves.
    pub(super) fn inputs(&self, twice: &BTreeSet<String>) -> Vec<Output> {
        let shown = twice.iter().filter_map(|derivation| self.derivations.get(derivation));
        let inputs = shown.flat_map(|shown| &shown.inputs).filter(|(derivation, _)| !twice.contains(*derivation));
        let outputs = inputs.flat_map(|(derivation, names)| {
            names.iter().map(move |name| Output { derivation: derivation.clone(), name: name.clone() })
        });
        outputs.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns all derivations among `twice` that one of them is built from.
    pub(super) fn needs(&self, derivation: &str, twice: &BTreeSet<String>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut left = vec![derivation];
        while let Some(one) = left.pop() {
            let inputs = self.derivations.get(one).into_iter().flat_map(|shown| shown.inputs.keys());
            for input in inputs.filter(|input| twice.contains(*input)) {
                if found.insert(input.clone()) {
                    left.push(input);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let shown = |inputs: &[&str]| Shown {
            names: ["out".to_owned()].into(),
            inputs: inputs.iter().map(|input| ((*input).to_owned(), ["out".to_owned()].into())).collect(),
            ..Shown::default()
        };
        Graph { derivations: edges.iter().map(|(name, inputs)| ((*name).to_owned(), shown(inputs))).collect() }
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_depends_on_a_seed_is_built_twice_and_the_rest_is_an_input() {
        let graph = graph(&[
            ("plan", &["info", "node"]),
            ("info", &["web"]),
            ("web", &["ui", "modules", "node"]),
            ("ui", &["modules", "node"]),
            ("modules", &["deps", "node"]),
            ("deps", &["node"]),
            ("node", &[]),
        ]);
        let twice = graph.twice(&set(&["plan", "web", "ui", "modules"]));
        assert_eq!(twice, set(&["info", "modules", "plan", "ui", "web"]));
        let inputs: Vec<String> = graph.inputs(&twice).into_iter().map(|output| output.derivation).collect();
        assert_eq!(inputs, ["deps", "node"]);
        assert_eq!(graph.needs("web", &twice), set(&["modules", "ui"]));
        // Only what is named.
        let only = graph.twice(&set(&["web"]));
        assert_eq!(only, set(&["info", "plan", "web"]));
        assert!(graph.inputs(&only).iter().any(|output| output.derivation == "modules"));
    }
}
