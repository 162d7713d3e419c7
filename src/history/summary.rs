//! Sums of a history: how long things take, what is built again and why, what came from caches.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Build, Origin, Run, StoreUse, Times};

/// What a history says.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// The number of runs that built or wanted to.
    pub runs: usize,
    /// The number of those that did not get all that they wanted.
    pub failed_runs: usize,
    /// When the first and the last run began, in seconds since 1970.
    pub span: Option<(u64, u64)>,
    /// The times of whole runs.
    pub took: Times,
    /// The times of evaluations.
    pub evaluation: Times,
    /// How long builds waited for locks and other machines, by run.
    pub waited: Times,
    /// What was asked for, by name.
    pub products: Vec<ProductRow>,
    /// Layers of images, by image and from the bottom.
    pub layers: Vec<LayerRow>,
    /// What was built, that which took most time first.
    pub builds: Vec<BuildRow>,
    /// Why splitter's derivations were built, that which cost most time first.
    pub causes: Vec<CauseRow>,
    /// What came from each cache, by address.
    pub caches: Vec<CacheRow>,
    /// What was downloaded that is from no cache, in bytes.
    pub downloaded: u64,
    /// The number of store paths that came from caches, and of builds.
    pub substituted: u64,
    /// The number of builds that did not fail.
    pub built: u64,
    /// The use of the store, at each time that it was measured, in seconds since 1970.
    pub store: Vec<(u64, StoreUse)>,
}

/// Something that was asked for.
#[derive(Debug, Default, PartialEq)]
pub struct ProductRow {
    /// Its name.
    pub name: String,
    /// How often it was built.
    pub built: usize,
    /// How often a cache had it.
    pub fetched: usize,
    /// How often the store had it.
    pub unchanged: usize,
    /// How often its build failed.
    pub failed: usize,
    /// The sizes of its runtime closure, each time that it changed, with the commit.
    pub closures: Sizes,
}

/// Sizes in bytes, each time that they changed, with the commit.
pub type Sizes = Vec<(Option<String>, u64)>;

/// A layer of an image.
#[derive(Debug, Default, PartialEq)]
pub struct LayerRow {
    /// The image, with its platform.
    pub image: String,
    /// The layer.
    pub layer: String,
    /// The sizes of its files, without compression.
    pub sizes: Sizes,
}

/// A derivation, by name.
#[derive(Debug, Default, PartialEq)]
pub struct BuildRow {
    /// Its name.
    pub name: String,
    /// The kind of splitter's derivation.
    pub kind: Option<String>,
    /// The times of its builds that did not fail.
    pub times: Times,
    /// How often it failed.
    pub failed: usize,
}

/// A cause of builds.
#[derive(Debug, Default, PartialEq)]
pub struct CauseRow {
    /// The cause, in words that name a file or a package.
    pub cause: String,
    /// The number of builds that it caused.
    pub builds: usize,
    /// The time of these, in milliseconds. A build with several causes counts for each.
    pub took: u64,
    /// What was built, by name.
    pub names: BTreeSet<String>,
}

/// A cache.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CacheRow {
    /// Its address.
    pub from: String,
    /// The number of store paths.
    pub paths: u64,
    /// What was downloaded, in bytes.
    pub downloaded: u64,
    /// The size of the store paths, in bytes.
    pub unpacked: u64,
}

impl Summary {
    /// Sums up runs, which are in the order of their times.
    pub fn of(runs: &[Run]) -> Self {
        let mut summary = Self { builds: build_rows(runs), causes: cause_rows(runs), ..Self::default() };
        summary.products = product_rows(runs);
        summary.layers = layer_rows(runs);
        summary.caches = cache_rows(runs);
        for run in runs {
            summary.add(run);
        }
        summary
    }

    fn add(&mut self, run: &Run) {
        if let Some(store) = run.store {
            self.store.push((run.at, store));
        }
        self.span = Some((self.span.map_or(run.at, |(first, _)| first), run.at));
        if run.products.is_empty() && run.builds.is_empty() {
            return;
        }
        self.runs += 1;
        self.failed_runs += usize::from(!run.is_success);
        self.took.add(run.took);
        if run.evaluation > 0 {
            self.evaluation.add(run.evaluation);
        }
        self.waited.add(run.waited);
        self.downloaded = self.downloaded.saturating_add(run.downloaded);
        self.built += run.builds.iter().filter(|build| !build.failed).count() as u64;
        self.substituted += run.fetched.iter().map(|fetched| fetched.paths).sum::<u64>();
    }

    /// Returns the share of store paths that came from a cache, among all that the store lacked. Nothing if it lacked none.
    pub fn hit_rate(&self) -> Option<f64> {
        hit_rate(self.substituted, self.built)
    }
}

/// Returns the share of store paths that came from caches.
#[expect(clippy::cast_precision_loss, reason = "a share is shown in percent")]
pub(super) fn hit_rate(substituted: u64, built: u64) -> Option<f64> {
    let all = substituted.saturating_add(built);
    (all > 0).then(|| substituted as f64 / all as f64)
}

fn product_rows(runs: &[Run]) -> Vec<ProductRow> {
    let mut rows: BTreeMap<&str, ProductRow> = BTreeMap::new();
    for (run, product) in runs.iter().flat_map(|run| run.products.iter().map(move |product| (run, product))) {
        let row = rows.entry(&product.name).or_default();
        row.name.clone_from(&product.name);
        match product.origin {
            Origin::Unchanged => row.unchanged += 1,
            Origin::Built => row.built += 1,
            Origin::Fetched => row.fetched += 1,
            Origin::Failed => row.failed += 1,
            Origin::Other => {}
        }
        if let Some(size) = product.closure {
            note(&mut row.closures, run, size);
        }
    }
    rows.into_values().collect()
}

/// Adds a size if it differs from the last.
fn note(sizes: &mut Sizes, run: &Run, size: u64) {
    if sizes.last().is_none_or(|(_, last)| *last != size) {
        sizes.push((run.commit.clone(), size));
    }
}

fn layer_rows(runs: &[Run]) -> Vec<LayerRow> {
    let mut rows: BTreeMap<(String, usize, &str), LayerRow> = BTreeMap::new();
    for (run, image) in runs.iter().flat_map(|run| run.images.iter().map(move |image| (run, image))) {
        let title = format!("{} ({})", image.name, image.platform);
        for (at, layer) in image.layers.iter().enumerate() {
            let row = rows.entry((title.clone(), at, &layer.name)).or_default();
            (row.image, row.layer) = (title.clone(), layer.name.clone());
            note(&mut row.sizes, run, layer.size);
        }
    }
    rows.into_values().collect()
}

fn build_rows(runs: &[Run]) -> Vec<BuildRow> {
    let mut rows: BTreeMap<&str, BuildRow> = BTreeMap::new();
    for build in builds(runs) {
        let row = rows.entry(&build.name).or_default();
        row.name.clone_from(&build.name);
        row.kind.clone_from(&build.kind);
        if build.failed {
            row.failed += 1;
        } else {
            row.times.add(build.took);
        }
    }
    let mut rows: Vec<BuildRow> = rows.into_values().collect();
    rows.sort_by_key(|row| Reverse(row.times.sum()));
    rows
}

fn cause_rows(runs: &[Run]) -> Vec<CauseRow> {
    let mut rows: BTreeMap<&str, CauseRow> = BTreeMap::new();
    for build in builds(runs).filter(|build| build.kind.is_some()) {
        for cause in &build.causes {
            let row = rows.entry(cause).or_default();
            row.cause.clone_from(cause);
            row.builds += 1;
            row.took = row.took.saturating_add(build.took);
            row.names.insert(build.name.clone());
        }
    }
    let mut rows: Vec<CauseRow> = rows.into_values().collect();
    rows.sort_by_key(|row| Reverse(row.took));
    rows
}

fn cache_rows(runs: &[Run]) -> Vec<CacheRow> {
    let mut rows: BTreeMap<&str, CacheRow> = BTreeMap::new();
    for fetched in runs.iter().flat_map(|run| &run.fetched) {
        let row = rows.entry(&fetched.from).or_default();
        row.from.clone_from(&fetched.from);
        row.paths = row.paths.saturating_add(fetched.paths);
        row.downloaded = row.downloaded.saturating_add(fetched.downloaded);
        row.unpacked = row.unpacked.saturating_add(fetched.unpacked);
    }
    rows.into_values().collect()
}

fn builds(runs: &[Run]) -> impl Iterator<Item = &Build> {
    runs.iter().flat_map(|run| &run.builds)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fetched, Image, Layer, Product},
        *,
    };

    fn build(name: &str, took: u64, causes: &[&str]) -> Build {
        let causes = causes.iter().map(|cause| (*cause).to_owned()).collect();
        Build { name: name.to_owned(), kind: Some("app".to_owned()), took, causes, ..Build::default() }
    }

    fn product(name: &str, origin: Origin, closure: u64) -> Product {
        Product { name: name.to_owned(), origin, closure: Some(closure) }
    }

    /// Three runs whose sums are easy to check by hand.
    fn runs() -> Vec<Run> {
        let run = |at, took, products: Vec<Product>, builds: Vec<Build>| Run {
            at,
            took,
            products,
            is_success: builds.iter().all(|build| !build.failed),
            builds,
            ..Run::default()
        };
        let image = |size| Image {
            name: "web".to_owned(),
            platform: "linux/amd64".to_owned(),
            layers: vec![Layer { name: "base".to_owned(), size: 5 }, Layer { name: "app".to_owned(), size }],
        };
        let fetched = Fetched { from: "https://cache.example".to_owned(), paths: 6, downloaded: 100, unpacked: 300 };
        vec![
            Run {
                fetched: vec![fetched.clone()],
                downloaded: 7,
                ..run(
                    10,
                    9000,
                    vec![product("web", Origin::Built, 500), product("api", Origin::Fetched, 90)],
                    vec![build("web", 4000, &["first `splitter build` here"])],
                )
            },
            run(
                20,
                3000,
                vec![product("web", Origin::Built, 500)],
                vec![build("web", 2000, &["a.ts", "ui"]), build("ui", 1000, &["a.ts"])],
            ),
            Run {
                fetched: vec![fetched],
                ..run(
                    30,
                    1000,
                    vec![product("web", Origin::Failed, 520)],
                    vec![Build { failed: true, ..build("web", 10, &[]) }],
                )
            },
            Run { at: 35, images: vec![image(70)], ..Run::default() },
            Run { at: 36, images: vec![image(80)], ..Run::default() },
            Run { at: 40, store: Some(StoreUse { paths: 9, ..StoreUse::default() }), ..Run::default() },
        ]
    }

    #[test]
    fn a_history_gives_known_sums() {
        let summary = Summary::of(&runs());
        assert_eq!((summary.runs, summary.failed_runs, summary.span), (3, 1, Some((10, 40))));
        assert_eq!((summary.took.median(), summary.downloaded), (Some(3000), 7));
        assert_eq!((summary.substituted, summary.built, summary.hit_rate()), (12, 3, Some(0.8)));
        let web = &summary.products[1];
        assert_eq!((web.name.as_str(), web.built, web.failed, web.unchanged), ("web", 2, 1, 0));
        assert_eq!(web.closures, [(None, 500), (None, 520)]);
        assert_eq!((summary.products[0].fetched, summary.products[0].name.as_str()), (1, "api"));
        let builds: Vec<_> =
            summary.builds.iter().map(|row| (row.name.as_str(), row.times.sum(), row.failed)).collect();
        assert_eq!(builds, [("web", 6000, 1), ("ui", 1000, 0)]);
        let causes: Vec<_> = summary.causes.iter().map(|row| (row.cause.as_str(), row.builds, row.took)).collect();
        assert_eq!(causes, [("first `splitter build` here", 1, 4000), ("a.ts", 2, 3000), ("ui", 1, 2000)]);
        assert_eq!((summary.caches[0].paths, summary.caches[0].downloaded, summary.caches[0].unpacked), (12, 200, 600));
        assert_eq!(summary.store.len(), 1);
        let layers: Vec<_> = summary.layers.iter().map(|row| (row.layer.as_str(), row.sizes.len())).collect();
        assert_eq!((layers, summary.layers[1].image.as_str()), (vec![("base", 1), ("app", 2)], "web (linux/amd64)"));
    }

    #[test]
    fn an_empty_history_has_no_rate() {
        let summary = Summary::of(&[]);
        assert_eq!((summary.hit_rate(), summary.span, summary.took.median()), (None, None, None));
    }
}
