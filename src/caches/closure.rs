//! Following references through several caches: [`Survey`].
//!
//! A cached path is worth nothing to Nix if one of the paths that it refers to is missing: Nix then builds both. But another
//! cache may have that path. So all caches are asked for each path, in rounds, until no reference is left. The caches of Nix's
//! own settings, such as the one of nixpkgs, are asked last and only for what another cache lacks.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::{
    Trouble,
    item::Item,
    narinfo::{Hash, NarInfo, Trust},
    query::{Archive, Cache, Depth, Found},
};

/// The most paths that are followed. A server that invents references must not keep this machine busy.
const MOST_PATHS: usize = 200_000;

/// What caches say of many paths and of everything that these refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The caches, by their addresses, first those that were named and then those of Nix's settings.
    pub caches: Vec<Asked>,
    /// The paths.
    pub paths: BTreeMap<Item, Known>,
}

/// A cache that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The address.
    pub address: String,
    /// Whether only Nix's settings name it.
    pub is_upstream: bool,
    /// Why it does not answer.
    pub away: Option<Trouble>,
}

/// What caches say of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What each cache has, by its number. A cache that is away or was not asked is left out.
    pub answers: BTreeMap<usize, Option<Found>>,
    /// The hash that this machine has, if it has the path.
    pub local: Option<Hash>,
}

/// Why Nix would not get a path from a cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The cache does not have it.
    Missing,
    /// Nix does not trust it.
    Untrusted(Trust),
    /// The archive is not there.
    NoArchive,
    /// The archive is cut.
    Cut {
        /// The size that the cache states.
        expected: u64,
        /// The size.
        found: u64,
    },
    /// The file about it cannot be read.
    Unreadable(String),
}

impl Known {
    /// Returns why Nix would not get the path from a cache. Nothing if it would.
    pub fn lack(&self, cache: usize) -> Option<Lack> {
        match self.answers.get(&cache).and_then(Option::as_ref) {
            None => Some(Lack::Missing),
            Some(Found::Unreadable(why)) => Some(Lack::Unreadable(why.clone())),
            Some(Found::Info { trust, .. }) if !trust.is_enough() => Some(Lack::Untrusted(trust.clone())),
            Some(Found::Info { archive: Archive::Missing, .. }) => Some(Lack::NoArchive),
            Some(Found::Info { archive: Archive::Cut { expected, found }, .. }) => {
                Some(Lack::Cut { expected: *expected, found: *found })
            }
            Some(Found::Info { .. }) => None,
        }
    }

    /// Returns what a cache says, if it says something.
    pub fn info(&self, cache: usize) -> Option<&NarInfo> {
        match self.answers.get(&cache)?.as_ref()? {
            Found::Info { info, .. } => Some(info),
            Found::Unreadable(_) => None,
        }
    }

    /// Whether a cache built the path with another result than this machine has.
    pub fn differs(&self, cache: usize) -> bool {
        matches!((self.local, self.info(cache)), (Some(local), Some(info)) if info.nar_hash != local)
    }

    fn infos(&self) -> impl Iterator<Item = &NarInfo> {
        self.answers.keys().filter_map(|cache| self.info(*cache))
    }
}

impl Survey {
    /// Returns the numbers of the caches that were named.
    pub fn named(&self) -> impl Iterator<Item = usize> {
        (0..self.caches.len()).filter(|cache| !self.caches[*cache].is_upstream)
    }

    /// Returns the numbers of the caches of Nix's settings.
    pub fn upstream(&self) -> impl Iterator<Item = usize> {
        (0..self.caches.len()).filter(|cache| self.caches[*cache].is_upstream)
    }

    /// Returns why Nix would get a path from none of these caches. Nothing if it would from one of them.
    pub fn lack(&self, item: &Item, caches: &[usize]) -> Option<Lack> {
        let Some(known) = self.paths.get(item) else { return Some(Lack::Missing) };
        let mut worst = None;
        for cache in caches {
            match known.lack(*cache) {
                None => return None,
                // "Missing" says the least.
                Some(Lack::Missing) => {}
                Some(lack) => worst = worst.or(Some(lack)),
            }
        }
        Some(worst.unwrap_or(Lack::Missing))
    }

    /// Returns a path and everything that it refers to, as far as caches say.
    pub fn closure<'a>(&'a self, roots: impl IntoIterator<Item = &'a Item>) -> BTreeSet<&'a Item> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Item> = roots.into_iter().collect();
        while let Some(item) = open.pop() {
            if seen.insert(item) {
                let infos = self.paths.get(item).into_iter().flat_map(Known::infos);
                open.extend(infos.flat_map(|info| &info.references));
            }
        }
        seen
    }

    /// Returns the paths of a closure that Nix would get from none of these caches, with the reasons.
    pub fn holes(&self, roots: &BTreeSet<Item>, caches: &[usize]) -> BTreeMap<Item, Lack> {
        let lacking = |item: &Item| Some((item.clone(), self.lack(item, caches)?));
        self.closure(roots).into_iter().filter_map(lacking).collect()
    }

    /// Whether Nix would get everything of a closure from these caches together.
    pub fn is_complete(&self, roots: &BTreeSet<Item>, caches: &[usize]) -> bool {
        self.closure(roots).into_iter().all(|item| self.lack(item, caches).is_none())
    }

    /// Returns the bytes that Nix would fetch for a closure, as far as caches say.
    pub fn bytes_to_fetch(&self, roots: &BTreeSet<Item>, caches: &[usize]) -> u64 {
        let size = |item: &&Item| {
            let known = self.paths.get(*item)?;
            let cache = caches.iter().find(|cache| known.lack(**cache).is_none())?;
            known.info(*cache).map(|info| info.file_size.unwrap_or(info.nar_size))
        };
        self.closure(roots).iter().filter_map(size).sum()
    }
}

/// Asks caches for paths and for everything that these refer to. Of the caches of Nix's settings, the archives are not checked.
pub async fn survey(named: &[Cache], upstream: &[Cache], roots: &BTreeSet<Item>, depth: Depth) -> Survey {
    let mut paths: BTreeMap<Item, Known> = BTreeMap::new();
    let mut open: Vec<Item> = roots.iter().cloned().collect();
    while !open.is_empty() && paths.len() < MOST_PATHS {
        let mut round: BTreeMap<Item, Known> = open.iter().map(|item| (item.clone(), Known::default())).collect();
        ask(named, 0, &open, depth, &mut round).await;
        let all: Vec<usize> = (0..named.len()).collect();
        let is_lacking = |item: &&Item| all.iter().any(|cache| round[*item].lack(*cache).is_some()) || all.is_empty();
        let lacking: Vec<Item> = open.iter().filter(is_lacking).cloned().collect();
        ask(upstream, named.len(), &lacking, Depth::Infos, &mut round).await;
        let references: BTreeSet<&Item> =
            round.values().flat_map(Known::infos).flat_map(|info| &info.references).collect();
        let is_new = |item: &&&Item| !paths.contains_key(**item) && !round.contains_key(**item);
        open = references.iter().filter(is_new).map(|item| (*item).clone()).collect();
        paths.append(&mut round);
    }
    let asked =
        |cache: &Cache, is_upstream| Asked { address: cache.address.to_string(), is_upstream, away: cache.away() };
    let caches = named.iter().map(|cache| asked(cache, false)).chain(upstream.iter().map(|cache| asked(cache, true)));
    Survey { caches: caches.collect(), paths }
}

/// Asks caches for paths, all caches at once. `first` is the number of the first.
async fn ask(caches: &[Cache], first: usize, items: &[Item], depth: Depth, round: &mut BTreeMap<Item, Known>) {
    let answers = join_all(caches.iter().map(|cache| cache.ask(items, depth))).await;
    for (number, answer) in answers.into_iter().enumerate() {
        // Why it does not answer, the cache remembers.
        let Ok(mut found) = answer else { continue };
        for item in items {
            if let Some(known) = round.get_mut(item) {
                known.answers.insert(first + number, found.remove(item));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caches::narinfo::parse;

    const A: &str = "8z3wjas3v8r3l97274kb79bz2v91mya3-a";
    const B: &str = "wsqbfqcawmmdnl972wa6rbsay10h5avm-b";
    const C: &str = "a101ry64prhq70jyl77q503pidv67jw7-c";

    fn item(text: &str) -> Item {
        text.parse().unwrap()
    }

    fn found(name: &str, references: &[&str], trust: Trust, archive: Archive) -> Found {
        let text = format!(
            "StorePath: /nix/store/{name}\nURL: nar/{name}.nar\nFileSize: 10\nNarSize: 100\nReferences: {}\n\
             NarHash: sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73\n",
            references.join(" ")
        );
        Found::Info { info: Box::new(parse(&text).unwrap()), trust, archive }
    }

    fn good(name: &str, references: &[&str]) -> Found {
        found(name, references, Trust::Signed("k".to_owned()), Archive::There)
    }

    fn survey_of(caches: usize, answers: Vec<(&str, usize, Found)>) -> Survey {
        let asked = |number| Asked { address: format!("c{number}"), is_upstream: number == caches - 1, away: None };
        let mut survey = Survey { caches: (0..caches).map(asked).collect(), paths: BTreeMap::new() };
        for (name, cache, found) in answers {
            survey.paths.entry(item(name)).or_default().answers.insert(cache, Some(found));
        }
        survey
    }

    fn holes(survey: &Survey, caches: &[usize]) -> Vec<(String, Lack)> {
        let holes = survey.holes(&[item(A)].into(), caches);
        holes.into_iter().map(|(item, lack)| (item.name().to_owned(), lack)).collect()
    }

    #[test]
    fn a_missing_reference_is_a_hole_unless_another_cache_has_it() {
        let survey = survey_of(2, vec![(A, 0, good(A, &[A, B])), (B, 0, good(B, &[C])), (C, 1, good(C, &[]))]);
        assert_eq!(holes(&survey, &[0]), [("c".to_owned(), Lack::Missing)]);
        assert_eq!(holes(&survey, &[0, 1]), []);
        assert_eq!((survey.named().collect::<Vec<_>>(), survey.upstream().collect::<Vec<_>>()), (vec![0], vec![1]));
        assert!(survey.is_complete(&[item(A)].into(), &[0, 1]) && !survey.is_complete(&[item(A)].into(), &[1]));
        assert_eq!(survey.bytes_to_fetch(&[item(A)].into(), &[0, 1]), 30);
        assert_eq!(survey.bytes_to_fetch(&[item(A)].into(), &[0]), 20);
    }

    #[test]
    fn what_nix_refuses_is_lacking_with_the_reason() {
        let foreign = Trust::Foreign(vec!["x".to_owned()]);
        let cut = Archive::Cut { expected: 10, found: 5 };
        for (answer, lack) in [
            (found(B, &[], Trust::Unsigned, Archive::There), Lack::Untrusted(Trust::Unsigned)),
            (found(B, &[], foreign.clone(), Archive::There), Lack::Untrusted(foreign)),
            (found(B, &[], Trust::ContentAddressed, Archive::Missing), Lack::NoArchive),
            (found(B, &[], Trust::Unchecked, cut), Lack::Cut { expected: 10, found: 5 }),
            (Found::Unreadable("html".to_owned()), Lack::Unreadable("html".to_owned())),
        ] {
            let survey = survey_of(1, vec![(A, 0, good(A, &[B])), (B, 0, answer)]);
            assert_eq!(holes(&survey, &[0]), [("b".to_owned(), lack)]);
        }
    }

    #[test]
    fn another_result_than_that_of_this_machine_is_seen() {
        let mut survey = survey_of(1, vec![(A, 0, good(A, &[]))]);
        let known = survey.paths.get_mut(&item(A)).unwrap();
        assert!(!known.differs(0));
        known.local = Hash::parse("sha256:0000000000000000000000000000000000000000000000000001");
        assert!(known.differs(0));
    }
}
