//! A cache in a folder, as `nix copy --to file://…` writes it.

use std::{collections::BTreeMap, io, path::PathBuf};

use fs_err as fs;

use super::{Archive, Cache, Depth, Found, Item, Trouble};
use crate::{caches::narinfo, reading};

/// The file that makes a folder a cache.
pub(super) const CACHE_INFO: &str = "nix-cache-info";

/// A cache in a folder.
pub(super) struct Folder {
    path: PathBuf,
    store: String,
}

impl Folder {
    pub(super) fn new(path: PathBuf, store: &str) -> Self {
        Self { path, store: store.to_owned() }
    }

    /// Checks that the folder is a cache for the store of this machine.
    pub(super) fn open(&self) -> Result<(), Trouble> {
        let info = reading::text(self.path.join(CACHE_INFO));
        let info = info.map_err(|_| Trouble::NoCache(format!("it has no file `{CACHE_INFO}`")))?;
        check_store(&info, &self.store)
    }

    pub(super) fn ask(&self, items: &[Item], depth: Depth, cache: &Cache) -> Result<BTreeMap<Item, Found>, Trouble> {
        self.open()?;
        let mut found = BTreeMap::new();
        for item in items {
            if let Some(answer) = self.one(item, depth, cache) {
                found.insert(item.clone(), answer);
            }
        }
        Ok(found)
    }

    fn one(&self, item: &Item, depth: Depth, cache: &Cache) -> Option<Found> {
        let text = match reading::text(self.path.join(format!("{}.narinfo", item.hash()))) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Found::Unreadable(error.to_string())),
        };
        Some(match narinfo::parse(&text) {
            Ok(info) => {
                let archive = if depth == Depth::Archives { self.archive(&info) } else { Archive::Unasked };
                cache.judged(item, info, archive, &self.store)
            }
            Err(error) => Found::Unreadable(error.to_string()),
        })
    }

    fn archive(&self, info: &narinfo::NarInfo) -> Archive {
        match fs::metadata(self.path.join(&info.url)) {
            Ok(metadata) => compared(info.file_size, Some(metadata.len())),
            Err(_) => Archive::Missing,
        }
    }
}

/// Compares the size of an archive with the size that a narinfo states.
pub(super) fn compared(expected: Option<u64>, found: Option<u64>) -> Archive {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => Archive::Cut { expected, found },
        _ => Archive::There,
    }
}

/// Checks that a cache is for the store of this machine.
pub(super) fn check_store(info: &str, expected: &str) -> Result<(), Trouble> {
    let store = info.lines().find_map(|line| line.strip_prefix("StoreDir:"));
    match store.map(str::trim) {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(Trouble::Store { found: found.to_owned(), expected: expected.to_owned() }),
        None => Err(Trouble::NoCache(format!("its `{CACHE_INFO}` names no store"))),
    }
}
