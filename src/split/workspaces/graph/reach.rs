//! Which nodes of a graph lead to which, by number.
//!
//! A repository has thousands of workspaces, and each is built from up to all of them. A set of numbers takes a bit for
//! each workspace, and is made from the sets of the direct dependencies. Workspaces in one ring share a set.

use fixedbitset::FixedBitSet;

/// The nodes that each node leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The component of each node.
    component: Vec<usize>,
    components: Vec<Vec<usize>>,
    /// What each component leads to, its own nodes included.
    sets: Vec<FixedBitSet>,
}

impl Reach {
    /// Follows the edges from each node to `next`.
    pub(crate) fn of(next: &[Vec<usize>]) -> Self {
        let components = components(next);
        let mut component = vec![0; next.len()];
        for (number, nodes) in components.iter().enumerate() {
            for node in nodes {
                component[*node] = number;
            }
        }
        let mut reach = Self { component, components, sets: Vec::new() };
        reach.sets = reach.fold(next, next.len(), |node, set| set.insert(node));
        reach
    }

    /// The nodes that a node leads to, itself included.
    pub(crate) fn from(&self, node: usize) -> &FixedBitSet {
        &self.sets[self.component[node]]
    }

    /// What the nodes that a node leads to have together, from sets made by [`Self::fold`].
    pub(crate) fn folded<'s>(&self, sets: &'s [FixedBitSet], node: usize) -> &'s FixedBitSet {
        &sets[self.component[node]]
    }

    /// For each component, the union of `add` over all nodes that it leads to. `size` is the size of the sets.
    pub(crate) fn fold(
        &self,
        next: &[Vec<usize>],
        size: usize,
        add: impl Fn(usize, &mut FixedBitSet),
    ) -> Vec<FixedBitSet> {
        let mut sets: Vec<FixedBitSet> = Vec::with_capacity(self.components.len());
        for (number, nodes) in self.components.iter().enumerate() {
            let mut set = FixedBitSet::with_capacity(size);
            for node in nodes {
                add(*node, &mut set);
                for after in next[*node].iter().map(|after| self.component[*after]).filter(|after| *after != number) {
                    set.union_with(&sets[after]);
                }
            }
            sets.push(set);
        }
        sets
    }

    /// The longest way from each node, in edges. Edges inside a ring count once.
    pub(crate) fn ranks(&self, next: &[Vec<usize>]) -> Vec<usize> {
        let mut ranks = vec![0; next.len()];
        for node in self.components.iter().flatten() {
            ranks[*node] = next[*node].iter().map(|after| 1 + ranks[*after]).max().unwrap_or(0);
        }
        ranks
    }
}

/// The strongly connected components: nodes that lead to each other. A component comes after those that it leads to.
///
/// This is Tarjan's algorithm with a stack of its own, so that a long chain does not overflow the thread's.
pub(crate) fn components(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let mut found = Vec::new();
    // When each node was seen, and the earliest open node that it leads to.
    let (mut seen, mut low) = (vec![UNSEEN; next.len()], vec![0; next.len()]);
    let mut is_open = vec![false; next.len()];
    let (mut open, mut clock) = (Vec::new(), 0);
    for start in 0..next.len() {
        let mut way = if seen[start] == UNSEEN { vec![(start, 0)] } else { Vec::new() };
        while let Some((node, edge)) = way.last_mut() {
            let node = *node;
            if seen[node] == UNSEEN {
                (seen[node], low[node], is_open[node]) = (clock, clock, true);
                clock += 1;
                open.push(node);
            }
            if let Some(after) = next[node].get(*edge).copied() {
                *edge += 1;
                if seen[after] == UNSEEN {
                    way.push((after, 0));
                } else if is_open[after] {
                    low[node] = low[node].min(seen[after]);
                }
                continue;
            }
            way.pop();
            if let Some((before, _)) = way.last() {
                low[*before] = low[*before].min(low[node]);
            }
            if low[node] == seen[node] {
                let at = open.iter().rposition(|other| *other == node).unwrap_or_default();
                let mut component = open.split_off(at);
                for node in &component {
                    is_open[*node] = false;
                }
                component.sort_unstable();
                found.push(component);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a node leads to, by walking.
    fn walked(next: &[Vec<usize>], start: usize) -> Vec<usize> {
        let (mut seen, mut open) = (std::collections::BTreeSet::new(), vec![start]);
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(&next[node]);
            }
        }
        seen.into_iter().collect()
    }

    /// The longest way from a node, by following every way.
    fn longest(next: &[Vec<usize>], node: usize) -> usize {
        next[node].iter().map(|after| 1 + longest(next, *after)).max().unwrap_or(0)
    }

    /// Graphs of up to `most` nodes, with rings and with nodes that lead to themselves.
    fn graphs(most: usize) -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1..=most).prop_flat_map(|nodes| proptest::collection::vec(proptest::collection::vec(0..nodes, 0..4), nodes))
    }

    proptest! {
        #[test]
        fn sets_are_what_a_walk_finds(next in graphs(20)) {
            let reach = Reach::of(&next);
            for node in 0..next.len() {
                prop_assert_eq!(reach.from(node).ones().collect::<Vec<_>>(), walked(&next, node));
            }
        }

        #[test]
        fn a_fold_is_the_union_over_what_a_walk_finds(next in graphs(20), facts in proptest::collection::vec(0..9_usize, 20)) {
            let reach = Reach::of(&next);
            let sets = reach.fold(&next, 9, |node, set| set.insert(facts[node]));
            for node in 0..next.len() {
                let mut expected: Vec<usize> = walked(&next, node).into_iter().map(|node| facts[node]).collect();
                expected.sort_unstable();
                expected.dedup();
                prop_assert_eq!(reach.folded(&sets, node).ones().collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn a_rank_is_the_longest_way(mut next in graphs(9)) {
            for (node, after) in next.iter_mut().enumerate() {
                after.retain(|after| *after < node);
            }
            let expected: Vec<_> = (0..next.len()).map(|node| longest(&next, node)).collect();
            prop_assert_eq!(Reach::of(&next).ranks(&next), expected);
        }
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let next: Vec<Vec<usize>> = (0..100_000_usize).map(|node| node.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(components(&next).len(), 100_000);
    }
}
