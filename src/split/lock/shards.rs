//! Cuts `deps` into parts. Each part is a fixed output, so a version bump downloads one part again instead of everything.
//!
//! The method is extendible hashing. A part starts whole. If it holds more entries than its limit, it is cut in two by the
//! next bit of the hash of the package name, and each half is cut again if needed. Three things follow:
//!
//! - The parts depend only on the dependency list.
//! - A new package cuts at most the part that it belongs to.
//! - A new version never moves a package to another part.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize};

use crate::split::{
    System,
    lock::dependencies::{Dependency, Scope},
};

/// The most entries in a part that all systems share. `docs/decisions/002-deps-is-cut-into-shards.md` explains the number.
const COMMON_LIMIT: usize = 64;

/// The most entries in a part for one system. Packages for one system hold programs: in the measured repositories they are
/// about ten times as large as others.
const SYSTEM_LIMIT: usize = 4;

/// A prefix of the bits of a hash, written as digits such as `0110`. It selects all names whose hash starts with it. The empty
/// prefix selects all names.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Shard(String);

/// A fixed output of tarballs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// The system that needs it, or `None` if every system does.
    pub system: Option<System>,
    /// The packages in it.
    pub shard: Shard,
}

/// The entries of each part, sorted by path.
pub type Parts<'a> = BTreeMap<Part, Vec<&'a Dependency>>;

impl Shard {
    /// Whether it selects all names.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it selects everything that `other` selects.
    pub fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    fn half(&self, bit: char) -> Self {
        let mut bits = self.0.clone();
        bits.push(bit);
        Self(bits)
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = String::deserialize(deserializer)?;
        if bits.len() <= u32::BITS as usize && bits.bytes().all(|bit| matches!(bit, b'0' | b'1')) {
            return Ok(Self(bits));
        }
        Err(serde::de::Error::custom(format!("expected a shard of up to {} binary digits, found `{bits}`", u32::BITS)))
    }
}

impl Part {
    /// Returns `common` or the name of the system. This is the name of the part if it is not cut.
    pub fn scope_name(&self) -> &'static str {
        self.system.map_or("common", System::name)
    }

    /// Whether builds for `system` read it.
    pub fn serves(&self, system: System) -> bool {
        self.system.is_none_or(|own| own == system)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scope_name())?;
        if self.shard.is_whole() { Ok(()) } else { write!(f, "-{}", self.shard.0) }
    }
}

/// Cuts dependencies, sorted by path, into parts. `scope_of` returns the systems that need a dependency. If that is unknown,
/// the dependency is in no part. The common part always exists, so the Nix files need no special case.
pub fn cut<'a, 's>(
    dependencies: &'a [Dependency],
    scope_of: impl Fn(&'a Dependency) -> Option<&'s Scope>,
) -> Parts<'a> {
    let mut whole: BTreeMap<Option<System>, Vec<Hashed<'a>>> = BTreeMap::from([(None, Vec::new())]);
    for dependency in dependencies {
        let hashed = Hashed { hash: hash(&dependency.name), dependency };
        match scope_of(dependency) {
            None => {}
            Some(Scope::Common) => whole.entry(None).or_default().push(hashed),
            Some(Scope::Systems(systems)) => {
                for system in systems {
                    whole.entry(Some(*system)).or_default().push(hashed);
                }
            }
        }
    }
    let mut parts = Parts::new();
    for (system, mut entries) in whole {
        let limit = if system.is_some() { SYSTEM_LIMIT } else { COMMON_LIMIT };
        entries.sort_by_key(|entry| entry.hash);
        halve(&entries, Part { system, shard: Shard::default() }, limit, &mut parts);
    }
    parts
}

/// Returns the shard to record for each path: the shard of its part. If several systems have the path, it is the smallest
/// of their shards, which lies in all the others.
pub fn shards_of<'a>(parts: &Parts<'a>) -> BTreeMap<&'a str, Shard> {
    let mut shards: BTreeMap<&str, Shard> = BTreeMap::new();
    for (part, entries) in parts.iter().filter(|(part, _)| !part.shard.is_whole()) {
        for entry in entries {
            let shard = shards.entry(&entry.path).or_default();
            if shard.holds(&part.shard) {
                shard.clone_from(&part.shard);
            }
        }
    }
    shards
}

#[derive(Clone, Copy)]
struct Hashed<'a> {
    hash: u32,
    dependency: &'a Dependency,
}

/// Returns the first 32 bits of the hash of a name.
fn hash(name: &str) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(name.as_bytes()).as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// Adds a part, or its halves if it is too large. The entries are sorted by hash. Entries with the same hash stay together,
/// so a part with many versions of one package may exceed the limit.
fn halve<'a>(entries: &[Hashed<'a>], part: Part, limit: usize, parts: &mut Parts<'a>) {
    let is_one_hash = || entries.first().map(|entry| entry.hash) == entries.last().map(|entry| entry.hash);
    if entries.len() <= limit || is_one_hash() {
        let mut list: Vec<&Dependency> = entries.iter().map(|entry| entry.dependency).collect();
        list.sort_by(|a, b| a.path.cmp(&b.path));
        parts.insert(part, list);
        return;
    }
    let bit = 1 << (u32::BITS as usize - 1 - part.shard.0.len());
    let (zeros, ones) = entries.split_at(entries.partition_point(|entry| entry.hash & bit == 0));
    for (digit, half) in [('0', zeros), ('1', ones)] {
        if !half.is_empty() {
            halve(half, Part { system: part.system, shard: part.shard.half(digit) }, limit, parts);
        }
    }
}

#[cfg(test)]
mod tests;
