//! Where builds do not wait: workspaces that depend on each other in a ring cannot all be built before each other.
//!
//! Rings are common, and mostly of development dependencies: a library is tested with helpers that depend on it. So in a
//! ring a build waits for dependencies and optional ones alone. Where these make a ring by themselves, one workspace
//! has to come first: the one whose folder is first, as its builds could not have had the others' before either.

use std::collections::{BTreeMap, BTreeSet};

use crate::repo::RepoPath;

/// How a workspace depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bond {
    /// Its code runs with the other's.
    Runtime,
    /// For development, or as a peer alone.
    Loose,
}

/// The dependencies of each workspace.
pub(super) type Bonds = BTreeMap<RepoPath, BTreeMap<RepoPath, Bond>>;

/// For each workspace in a ring, those of its dependencies whose builds it does not wait for. Without these edges no ring
/// is left.
pub(super) fn cut(bonds: &Bonds) -> BTreeMap<RepoPath, BTreeSet<RepoPath>> {
    let mut cut: BTreeMap<RepoPath, BTreeSet<RepoPath>> = BTreeMap::new();
    let mut edges: Edges<'_> = bonds.iter().map(|(from, to)| (from, to.keys().collect())).collect();
    let mut remove = |edges: &mut Edges<'_>, from: &RepoPath, to: &RepoPath| {
        if let Some(targets) = edges.get_mut(from) {
            targets.retain(|target| *target != to);
        }
        cut.entry(from.clone()).or_default().insert(to.clone());
    };
    for (from, to) in inside_rings(&edges) {
        if bonds[from].get(to) == Some(&Bond::Loose) {
            remove(&mut edges, from, to);
        }
    }
    while let Some((from, to)) = closing_edge(&edges) {
        remove(&mut edges, from, to);
    }
    cut
}

type Edges<'a> = BTreeMap<&'a RepoPath, Vec<&'a RepoPath>>;

/// The edges whose target leads back to where they come from.
fn inside_rings<'a>(edges: &Edges<'a>) -> Vec<(&'a RepoPath, &'a RepoPath)> {
    let core = without_ends(edges);
    let all = core.iter().flat_map(|(from, targets)| targets.iter().map(|to| (*from, *to)));
    all.filter(|(from, to)| reaches(&core, to, from)).collect()
}

/// What is left when workspaces that depend on nothing that is left are taken away, again and again: rings, and what
/// depends on them. In most repositories nothing.
fn without_ends<'a>(edges: &Edges<'a>) -> Edges<'a> {
    let mut left = edges.clone();
    loop {
        let known: BTreeSet<&RepoPath> = left.keys().copied().collect();
        for targets in left.values_mut() {
            targets.retain(|target| known.contains(target));
        }
        left.retain(|_, targets| !targets.is_empty());
        if left.len() == known.len() {
            return left;
        }
    }
}

fn reaches(edges: &Edges<'_>, start: &RepoPath, end: &RepoPath) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(path) = open.pop() {
        if path == end {
            return true;
        }
        if seen.insert(path) {
            open.extend(edges.get(path).into_iter().flatten());
        }
    }
    false
}

/// The edge that closes the first ring: into the first workspace of a ring, by folder, from the last one before it.
fn closing_edge<'a>(edges: &Edges<'a>) -> Option<(&'a RepoPath, &'a RepoPath)> {
    inside_rings(edges).into_iter().map(|(from, to)| (to, from)).min().map(|(to, from)| (from, to))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bonds(edges: &[(&str, &str, Bond)]) -> Bonds {
        let mut bonds = Bonds::new();
        for (from, to, bond) in edges {
            bonds.entry(to.parse().unwrap()).or_default();
            bonds.entry(from.parse().unwrap()).or_default().insert(to.parse().unwrap(), *bond);
        }
        bonds
    }

    fn cut_of(edges: &[(&str, &str, Bond)]) -> Vec<String> {
        let cut = cut(&bonds(edges));
        cut.iter().flat_map(|(from, to)| to.iter().map(move |to| format!("{from} {to}"))).collect()
    }

    use Bond::{Loose, Runtime};

    #[test]
    fn without_a_ring_every_build_waits() {
        assert_eq!(cut_of(&[("a", "b", Loose), ("b", "c", Runtime), ("a", "c", Loose)]), [""; 0]);
    }

    #[test]
    fn a_ring_is_cut_at_development_dependencies() {
        assert_eq!(
            cut_of(&[("core", "testing", Loose), ("testing", "core", Runtime), ("web", "core", Loose)]),
            ["core testing"]
        );
    }

    #[test]
    fn a_ring_of_runtime_dependencies_starts_at_the_first_folder() {
        assert_eq!(
            cut_of(&[("a", "b", Runtime), ("b", "c", Runtime), ("c", "a", Runtime), ("x", "b", Runtime)]),
            ["c a"]
        );
    }

    proptest! {
        #[test]
        fn no_ring_is_left(edges in proptest::collection::vec((0_u8..7, 0_u8..7, any::<bool>()), 0..20)) {
            let names: Vec<(String, String, Bond)> = edges
                .iter()
                .filter(|(from, to, _)| from != to)
                .map(|(from, to, loose)| (format!("w{from}"), format!("w{to}"), if *loose { Loose } else { Runtime }))
                .collect();
            let named: Vec<_> = names.iter().map(|(from, to, bond)| (from.as_str(), to.as_str(), *bond)).collect();
            let bonds = bonds(&named);
            let cut = cut(&bonds);
            let left = bonds.iter().map(|(from, to)| {
                (from, to.keys().filter(|to| !cut.get(from).is_some_and(|cut| cut.contains(*to))).collect())
            });
            prop_assert!(without_ends(&left.collect()).is_empty());
            let all: Edges<'_> = bonds.iter().map(|(from, to)| (from, to.keys().collect())).collect();
            for (from, to) in cut.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to))) {
                prop_assert!(reaches(&all, to, from), "only edges of rings are cut");
            }
        }
    }
}
