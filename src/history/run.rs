//! One run in the history.

use serde::{Deserialize, Serialize};

/// Changes when a reader of the earlier form would read something else than what is meant. A new field changes nothing.
pub(super) const VERSION: u8 = 1;

/// The most builds and causes that are kept of a run, and the longest text. A history is for people, and is not to grow without
/// bounds by one repository with strange names.
const MOST_BUILDS: usize = 5000;
const MOST_CAUSES: usize = 20;
const LONGEST: usize = 300;

/// A run of splitter that built something, or tried to. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Run {
    /// [`VERSION`].
    pub version: u8,
    /// When it began, in seconds since 1970.
    pub at: u64,
    /// The command, such as `build` or `cache push`.
    pub command: String,
    /// The version of splitter.
    pub splitter: String,
    /// The system of this machine, such as `x86_64-linux`.
    pub system: String,
    /// The commit of the work tree. Absent without git or without a commit.
    pub commit: Option<String>,
    /// The branch. Absent in the checkout of a commit, as CI makes it.
    pub branch: Option<String>,
    /// Whether files differed from the commit.
    pub changed: bool,
    /// The time of everything: evaluation, downloads and builds.
    pub took: u64,
    /// The time of the evaluation of the packages.
    pub evaluation: u64,
    /// How long builds waited for locks and other machines, together.
    pub waited: u64,
    /// Whether all that was asked for is in the store now.
    pub is_success: bool,
    /// What was asked for.
    pub products: Vec<Product>,
    /// What was built, in the order in which it ended.
    pub builds: Vec<Build>,
    /// What came from caches.
    pub fetched: Vec<Fetched>,
    /// What was downloaded that is from no cache, such as tarballs of packages.
    pub downloaded: u64,
    /// Images whose layers were looked at.
    pub images: Vec<Image>,
    /// What the store holds. Only `splitter stats --store --record` measures it.
    pub store: Option<StoreUse>,
}

/// Something that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Product {
    /// Its name in the flake.
    pub name: String,
    /// Where it came from.
    pub origin: Origin,
    /// The size of its runtime closure. Absent if it is not in the store.
    pub closure: Option<u64>,
}

/// Where something came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// The store had it.
    #[default]
    Unchanged,
    /// It was built.
    Built,
    /// A cache had it.
    Fetched,
    /// Its build failed, or was not tried because another one failed.
    Failed,
    /// A later splitter says something else.
    #[serde(other)]
    Other,
}

/// A build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Build {
    /// The name of splitter's derivation, or that of another derivation in the store.
    pub name: String,
    /// The kind of splitter's derivation, such as `app`. Absent for others.
    pub kind: Option<String>,
    /// The machine that built it. Empty for this one.
    pub machine: String,
    /// Its time.
    pub took: u64,
    /// Whether it failed.
    pub failed: bool,
    /// Why it was built, in words that name files and packages.
    pub causes: Vec<String>,
}

/// What came from one cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fetched {
    /// The address of the cache.
    pub from: String,
    /// The number of store paths.
    pub paths: u64,
    /// What was downloaded. 0 for a folder.
    pub downloaded: u64,
    /// The size of the store paths.
    pub unpacked: u64,
}

/// A container image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its platform, such as `linux/amd64`.
    pub platform: String,
    /// Its layers, the first one at the bottom.
    pub layers: Vec<Layer>,
}

/// A layer of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// The size of its files, without compression.
    pub size: u64,
}

/// What the store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoreUse {
    /// The number of store paths.
    pub paths: u64,
    /// Their size. Files that several paths share on the disk are counted for each.
    pub size: u64,
    /// The number of paths that a garbage collection would delete.
    pub dead_paths: u64,
    /// Their size.
    pub dead_size: u64,
    /// The number of outputs that were built on this machine. Paths that are no output, such as sources, do not count.
    pub built_paths: u64,
    /// The number of outputs that came from elsewhere.
    pub fetched_paths: u64,
}

impl StoreUse {
    /// Returns the share of outputs that came from elsewhere. Nothing if there is none.
    pub fn hit_rate(&self) -> Option<f64> {
        super::summary::hit_rate(self.fetched_paths, self.built_paths)
    }
}

impl Run {
    /// Cuts what is too long.
    pub(super) fn bounded(mut self) -> Self {
        self.builds.truncate(MOST_BUILDS);
        for build in &mut self.builds {
            build.causes.truncate(MOST_CAUSES);
            build.causes.iter_mut().for_each(cut);
            cut(&mut build.name);
        }
        self
    }
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
    }
}
