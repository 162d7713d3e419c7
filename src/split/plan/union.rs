//! Merges two numberings of the same kind of things into one.

use std::borrow::Cow;

use fixedbitset::FixedBitSet;

/// The keys of two sorted lists, with their numbers in both.
pub(super) struct Union<'a, K> {
    /// The keys of either list, sorted.
    pub(super) keys: Vec<&'a K>,
    before: Vec<usize>,
    after: Vec<usize>,
    /// Whether both lists are equal. Then no set needs to be translated.
    is_same: bool,
}

impl<'a, K: Ord> Union<'a, K> {
    pub(super) fn of(before: Vec<&'a K>, after: Vec<&'a K>) -> Self {
        let mut keys: Vec<&K> = before.iter().chain(&after).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let is_same = before == after;
        let numbers = |list: Vec<&K>| list.iter().filter_map(|key| keys.binary_search(key).ok()).collect();
        let (before, after) = (numbers(before), numbers(after));
        Self { keys, before, after, is_same }
    }

    /// Translates a set of numbers of the first list.
    pub(super) fn of_before<'s>(&self, set: &'s FixedBitSet) -> Cow<'s, FixedBitSet> {
        self.translated(set, &self.before)
    }

    /// Translates a set of numbers of the second list.
    pub(super) fn of_after<'s>(&self, set: &'s FixedBitSet) -> Cow<'s, FixedBitSet> {
        self.translated(set, &self.after)
    }

    /// Returns the numbers of all keys for which `holds` is true.
    pub(super) fn filter(&self, holds: impl Fn(&K) -> bool) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.keys.len());
        set.extend(self.keys.iter().enumerate().filter(|(_, key)| holds(key)).map(|(number, _)| number));
        set
    }

    fn translated<'s>(&self, set: &'s FixedBitSet, numbers: &[usize]) -> Cow<'s, FixedBitSet> {
        if self.is_same && set.len() == self.keys.len() {
            return Cow::Borrowed(set);
        }
        let mut translated = FixedBitSet::with_capacity(self.keys.len());
        translated.extend(set.ones().map(|number| numbers[number]));
        Cow::Owned(translated)
    }
}
