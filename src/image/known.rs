//! [`Known`]: what earlier runs made and sent, in the cache folder.
//!
//! An entry says which digests a group of store paths gave, so that a layer that a registry has is not even made. Another
//! says in which repositories of a registry a blob is, so that the registry can mount it. Both only save time: an entry that
//! is missing or damaged is made again, and a registry is always asked whether it has a blob.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{digest::Digest, layer::Remembered};
use crate::{fetch::Cache, reading};

/// The most repositories that an entry names. The latest are kept.
const MOST_REPOSITORIES: usize = 8;

/// The part of the cache that belongs to images.
#[derive(Clone)]
pub struct Known {
    cache: Cache,
}

/// An entry. The check tells a damaged one from a valid one.
#[derive(Serialize, Deserialize)]
struct Entry<T> {
    check: Digest,
    value: T,
}

impl Known {
    /// Uses the folders of this cache.
    pub fn in_cache(cache: &Cache) -> Self {
        Self { cache: cache.clone() }
    }

    /// Returns the cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns what an earlier run made of a layer.
    pub(super) fn layer(&self, key: Digest) -> Option<Remembered> {
        read(&self.layer_path(key), &key.to_string())
    }

    /// Remembers what was made of a layer.
    pub(super) fn remember_layer(&self, key: Digest, made: Remembered) {
        self.write(&self.layer_path(key), &key.to_string(), &made);
    }

    /// Returns the repositories of a registry that have a blob, the latest first.
    pub(super) fn repositories(&self, registry: &str, blob: Digest) -> Vec<String> {
        let key = place_key(registry, blob);
        read(&self.place_path(&key), &key).unwrap_or_default()
    }

    /// Remembers that a repository of a registry has a blob.
    pub(super) fn remember_repository(&self, registry: &str, blob: Digest, repository: &str) {
        let mut all = self.repositories(registry, blob);
        if all.first().is_some_and(|first| first == repository) {
            return;
        }
        all.retain(|other| other != repository);
        all.insert(0, repository.to_owned());
        all.truncate(MOST_REPOSITORIES);
        let key = place_key(registry, blob);
        self.write(&self.place_path(&key), &key, &all);
    }

    fn layer_path(&self, key: Digest) -> Utf8PathBuf {
        self.cache.root().join("images/layers").join(format!("{}.json", key.hex()))
    }

    fn place_path(&self, key: &str) -> Utf8PathBuf {
        let name = Digest::of(key.as_bytes()).hex();
        self.cache.root().join("images/places").join(format!("{name}.json"))
    }

    fn write<T: Serialize>(&self, path: &Utf8PathBuf, key: &str, value: &T) {
        let text = check_of(key, value).and_then(|check| serde_json::to_vec(&Entry { check, value }).ok());
        let Some(text) = text else { return };
        if let Err(error) = self.cache.write(path, &text) {
            tracing::debug!(%error, %path, "could not remember a layer");
        }
    }
}

fn read<T: Serialize + DeserializeOwned>(path: &Utf8PathBuf, key: &str) -> Option<T> {
    let bytes = reading::bytes(path).ok()?;
    let Entry { check, value } = serde_json::from_slice(&bytes).ok()?;
    (check_of(key, &value)? == check).then_some(value)
}

fn place_key(registry: &str, blob: Digest) -> String {
    format!("{registry} {blob}")
}

fn check_of(key: &str, value: &impl Serialize) -> Option<Digest> {
    let value = serde_json::to_string(value).ok()?;
    Some(Digest::of(format!("{key}\n{value}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use fs_err as fs;

    use super::*;
    use crate::image::layer::Described;

    #[test]
    fn entries_are_kept_and_damaged_ones_are_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap();
        let known = Known::in_cache(&cache);
        let (key, other) = (Digest::of(b"key"), Digest::of(b"other"));
        let described = Described { diff_id: Digest::of(b"a"), digest: Digest::of(b"b"), size: 7 };
        let made = Remembered::Made(described);
        assert_eq!(known.layer(key), None);
        known.remember_layer(key, made);
        known.remember_layer(other, Remembered::Empty);
        assert_eq!((known.layer(key), known.layer(other)), (Some(made), Some(Remembered::Empty)));
        let path = known.layer_path(key);
        let text = fs::read_to_string(&path).unwrap();
        // An entry of another layer, another size, a half, nothing, a folder.
        for damaged in [&fs::read_to_string(known.layer_path(other)).unwrap(), &text.replace('7', "8"), &text[..40], ""]
        {
            fs::write(&path, damaged).unwrap();
            assert_eq!(known.layer(key), None, "{damaged}");
        }
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(known.layer(key), None);
        known.remember_layer(key, made);
        assert_eq!(known.layer(key), Some(made));
    }

    #[test]
    fn the_latest_repositories_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let known = Known::in_cache(&Cache::open(Utf8Path::from_path(folder.path()).unwrap()).unwrap());
        let blob = Digest::of(b"blob");
        (0..10).for_each(|number| known.remember_repository("r.example", blob, &format!("a{number}")));
        known.remember_repository("r.example", blob, "a5");
        let found = known.repositories("r.example", blob);
        assert_eq!((found.len(), &found[0], &found[1]), (8, &"a5".to_owned(), &"a9".to_owned()));
        assert!(known.repositories("other.example", blob).is_empty());
    }
}
