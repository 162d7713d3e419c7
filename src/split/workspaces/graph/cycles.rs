//! Where builds do not wait: workspaces that depend on each other in a ring cannot all be built before each other.
//!
//! Rings are common, and mostly of development dependencies: a library is tested with helpers that depend on it. So in a
//! ring a build waits for dependencies and optional ones alone, and for what its scripts name if that is not in the way of these.
//! Where dependencies make a ring by themselves, one workspace
//! has to come first: the one whose folder is first, as its builds could not have had the others' before either.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use super::reach::components;
use crate::repo::RepoPath;

/// How a workspace depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bond {
    /// Its code runs with the other's.
    Runtime,
    /// Its scripts name something that the other's build makes, though perhaps not to read it.
    Named,
    /// For development, or as a peer alone.
    Loose,
}

/// The dependencies of each workspace.
pub(super) type Bonds = BTreeMap<RepoPath, BTreeMap<RepoPath, Bond>>;

/// For each workspace in a ring, those of its dependencies whose builds it does not wait for. Without these edges no ring
/// is left.
pub(super) fn cut(bonds: &Bonds) -> BTreeMap<RepoPath, BTreeSet<RepoPath>> {
    let paths: BTreeSet<&RepoPath> = bonds.iter().flat_map(|(from, to)| iter::once(from).chain(to.keys())).collect();
    let paths: Vec<&RepoPath> = paths.into_iter().collect();
    let numbers: BTreeMap<&RepoPath, usize> = paths.iter().enumerate().map(|(number, path)| (*path, number)).collect();
    let targets = |from: &RepoPath| bonds.get(from).into_iter().flat_map(BTreeMap::keys).map(|to| numbers[to]);
    let mut edges: Edges = paths.iter().map(|from| targets(from).collect()).collect();
    let mut cut: Vec<(usize, usize)> = Vec::new();
    for weak in [Bond::Loose, Bond::Named] {
        let is_weak = |(from, to): &(usize, usize)| bonds[paths[*from]].get(paths[*to]) == Some(&weak);
        let found = rings(&edges, 0..edges.len());
        let closing: Vec<_> = found.iter().flat_map(|ring| inside(&edges, ring)).filter(is_weak).collect();
        remove(&mut edges, &closing);
        cut.extend(closing);
    }
    let mut open = rings(&edges, 0..edges.len());
    while let Some(ring) = open.pop() {
        // All edges into the first workspace close a ring, and still do when one of them is cut: a way from the first
        // workspace to where another starts needs none of them.
        let first = ring[0];
        let closing: Vec<_> = inside(&edges, &ring).into_iter().filter(|(_, to)| *to == first).collect();
        remove(&mut edges, &closing);
        cut.extend(closing);
        open.extend(rings(&edges, ring.into_iter().skip(1)));
    }
    let mut by_workspace: BTreeMap<RepoPath, BTreeSet<RepoPath>> = BTreeMap::new();
    for (from, to) in cut {
        by_workspace.entry(paths[from].clone()).or_default().insert(paths[to].clone());
    }
    by_workspace
}

/// For each workspace the numbers of those that it depends on.
type Edges = Vec<Vec<usize>>;

fn remove(edges: &mut Edges, cut: &[(usize, usize)]) {
    for (from, to) in cut {
        edges[*from].retain(|target| target != to);
    }
}

/// The rings among some workspaces, which are in order: those that lead to each other, each in order too.
fn rings(edges: &Edges, among: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let among: Vec<usize> = among.collect();
    let place = |node: &usize| among.binary_search(node).ok();
    let within: Edges = among.iter().map(|node| edges[*node].iter().filter_map(place).collect()).collect();
    let is_ring = |nodes: &Vec<usize>| nodes.len() > 1 || within[nodes[0]].contains(&nodes[0]);
    let found = components(&within).into_iter().filter(is_ring);
    found.map(|nodes| nodes.into_iter().map(|place| among[place]).collect()).collect()
}

/// The edges between workspaces of a ring.
fn inside(edges: &Edges, ring: &[usize]) -> Vec<(usize, usize)> {
    let targets = |from: &usize| edges[*from].iter().filter(|to| ring.binary_search(to).is_ok());
    ring.iter().flat_map(|from| targets(from).map(|to| (*from, *to))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, said as plainly as can be: one edge after the other, with a walk for each.
    fn cut_one_by_one(bonds: &Bonds) -> BTreeMap<RepoPath, BTreeSet<RepoPath>> {
        let mut cut: BTreeMap<RepoPath, BTreeSet<RepoPath>> = BTreeMap::new();
        let mut edges: Targets<'_> = bonds.iter().map(|(from, to)| (from, to.keys().collect())).collect();
        let mut remove = |edges: &mut Targets<'_>, from: &RepoPath, to: &RepoPath| {
            if let Some(targets) = edges.get_mut(from) {
                targets.retain(|target| *target != to);
            }
            cut.entry(from.clone()).or_default().insert(to.clone());
        };
        for weak in [Bond::Loose, Bond::Named] {
            for (from, to) in inside_rings(&edges) {
                if bonds[from].get(to) == Some(&weak) {
                    remove(&mut edges, from, to);
                }
            }
        }
        while let Some((from, to)) = closing_edge(&edges) {
            remove(&mut edges, from, to);
        }
        cut
    }

    type Targets<'a> = BTreeMap<&'a RepoPath, Vec<&'a RepoPath>>;

    /// The edges whose target leads back to where they come from.
    fn inside_rings<'a>(edges: &Targets<'a>) -> Vec<(&'a RepoPath, &'a RepoPath)> {
        let core = without_ends(edges);
        let all = core.iter().flat_map(|(from, targets)| targets.iter().map(|to| (*from, *to)));
        all.filter(|(from, to)| reaches(&core, to, from)).collect()
    }

    /// What is left when workspaces that depend on nothing that is left are taken away, again and again: rings, and what
    /// depends on them. In most repositories nothing.
    fn without_ends<'a>(edges: &Targets<'a>) -> Targets<'a> {
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

    fn reaches(edges: &Targets<'_>, start: &RepoPath, end: &RepoPath) -> bool {
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
    fn closing_edge<'a>(edges: &Targets<'a>) -> Option<(&'a RepoPath, &'a RepoPath)> {
        inside_rings(edges).into_iter().map(|(from, to)| (to, from)).min().map(|(to, from)| (from, to))
    }

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

    use Bond::{Loose, Named, Runtime};

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
    fn what_a_script_names_gives_way_to_dependencies_alone() {
        assert_eq!(cut_of(&[("logger", "ui", Named), ("ui", "logger", Runtime)]), ["logger ui"]);
        assert_eq!(cut_of(&[("web", "ui", Named), ("ui", "web", Loose)]), ["ui web"]);
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
        fn no_ring_is_left(edges in proptest::collection::vec((0_u8..7, 0_u8..7, 0_usize..3), 0..20)) {
            let names: Vec<(String, String, Bond)> = edges
                .iter()
                .filter(|(from, to, _)| from != to)
                .map(|(from, to, bond)| (format!("w{from}"), format!("w{to}"), [Loose, Named, Runtime][*bond]))
                .collect();
            let named: Vec<_> = names.iter().map(|(from, to, bond)| (from.as_str(), to.as_str(), *bond)).collect();
            let bonds = bonds(&named);
            let cut = cut(&bonds);
            prop_assert_eq!(&cut, &cut_one_by_one(&bonds));
            let left = bonds.iter().map(|(from, to)| {
                (from, to.keys().filter(|to| !cut.get(from).is_some_and(|cut| cut.contains(*to))).collect())
            });
            prop_assert!(without_ends(&left.collect()).is_empty());
            let all: Targets<'_> = bonds.iter().map(|(from, to)| (from, to.keys().collect())).collect();
            for (from, to) in cut.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to))) {
                prop_assert!(reaches(&all, to, from), "only edges of rings are cut");
            }
        }
    }
}
