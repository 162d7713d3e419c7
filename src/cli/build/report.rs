//! The result of a build: what happened to each package.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use camino::Utf8PathBuf;
use fs_err as fs;

use super::{Course, FailedBuild, Product, Run, Why, failure};
use crate::{
    cli::failure::Failure,
    nix::command::NixError,
    proof::State,
    repo::RepoPath,
    split::{System, plan::Id},
};

/// What happened to a package or another derivation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The store had it.
    Unchanged,
    /// It was built, on this machine or on another one.
    Built { took: Duration, machine: String },
    /// A cache had it.
    Fetched { from: String },
    /// Its build failed.
    Failed,
    /// It needs a build that failed.
    NotBuilt,
}

/// A package in the result.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) workspace: Option<RepoPath>,
    pub(super) derivation: String,
    pub(super) path: Utf8PathBuf,
    /// The link to it in the repository.
    pub(super) link: Option<String>,
    pub(super) origin: Origin,
    /// Why it was built.
    pub(super) causes: Vec<String>,
}

/// Another derivation of splitter that was built.
#[derive(Debug, Clone)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) took: Duration,
    pub(super) failed: bool,
    pub(super) causes: Vec<String>,
}

/// The result.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) system: System,
    pub(super) rows: Vec<Row>,
    pub(super) others: Vec<Other>,
    /// The number of store paths from each cache.
    pub(super) fetched: BTreeMap<String, usize>,
    pub(super) failed: Vec<FailedBuild>,
    /// What Nix says, if it failed and no build did.
    pub(super) errors: Vec<String>,
}

impl Report {
    pub(super) fn of(
        run: &Run<'_>,
        state: &State,
        products: &[Product],
        course: &Course,
        error: Option<NixError>,
        why: &Why,
    ) -> Result<Self, Failure> {
        let failed = failure::failed(run, state, course);
        if let Some(error) = error.as_ref().filter(|_| failed.is_empty() && course.errors.is_empty()) {
            tracing::debug!(%error, "nix failed without a message");
        }
        let missing = if error.is_some() {
            let paths: Vec<&str> = products.iter().map(|product| product.evaluated.path.as_str()).collect();
            run.nix.missing(&paths)?
        } else {
            BTreeSet::new()
        };
        let links = if run.options.no_link || error.is_some() { BTreeMap::new() } else { links(run) };
        let row = |product: &Product| Row {
            name: product.name.clone(),
            workspace: product.id.as_ref().and_then(|id| state.derivations.get(id)?.workspace.clone()),
            derivation: product.evaluated.output.derivation.clone(),
            path: product.evaluated.path.clone(),
            link: links.get(&product.evaluated.path).cloned(),
            origin: origin(product, course, &missing),
            causes: product.id.as_ref().map(|id| why.causes(id)).unwrap_or_default(),
        };
        let rows: Vec<Row> = products.iter().map(row).collect();
        let is_other = |derivation: &str| rows.iter().all(|row| row.derivation != derivation);
        let others = course.ended.iter().filter(|build| is_other(&build.derivation)).filter_map(|build| {
            let id: &Id = build.id.as_ref()?;
            let (name, kind, causes) = (build.name.clone(), id.kind(), why.causes(id));
            Some(Other { name, kind, took: build.took.unwrap_or_default(), failed: build.failed, causes })
        });
        let mut errors = Vec::new();
        if let Some(error) = error.filter(|_| failed.is_empty()) {
            errors.clone_from(&course.errors);
            if errors.is_empty() {
                errors.push(error.to_string());
            }
        }
        Ok(Self {
            system: state.system(),
            others: others.collect(),
            fetched: course.fetched.iter().map(|(from, paths)| (from.clone(), paths.len())).collect(),
            rows,
            failed,
            errors,
        })
    }

    /// Whether all packages were built.
    pub(super) fn is_built(&self) -> bool {
        self.failed.is_empty() && self.errors.is_empty() && self.built().count() == self.rows.len()
    }

    /// Iterates over the packages that the store has now.
    pub(super) fn built(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !matches!(row.origin, Origin::Failed | Origin::NotBuilt))
    }
}

fn origin(product: &Product, course: &Course, missing: &BTreeSet<String>) -> Origin {
    let output = &product.evaluated;
    let build = course.build_of(&output.output.derivation);
    if missing.contains(output.path.as_str()) {
        return if build.is_some() { Origin::Failed } else { Origin::NotBuilt };
    }
    if let Some(build) = build {
        return Origin::Built { took: build.took.unwrap_or_default(), machine: build.machine.clone() };
    }
    course.source_of(output.path.as_str()).map_or(Origin::Unchanged, |from| Origin::Fetched { from: from.to_owned() })
}

/// Returns the links to store paths that `nix build` left in the repository: `result`, `result-1`.
fn links(run: &Run<'_>) -> BTreeMap<Utf8PathBuf, String> {
    let mut links = BTreeMap::new();
    let entries = fs::read_dir(run.tree.root()).into_iter().flatten().filter_map(Result::ok);
    for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
        if name != "result" && !name.starts_with("result-") {
            continue;
        }
        let target = fs::read_link(run.tree.root().join(&name)).ok();
        if let Some(target) = target.and_then(|target| Utf8PathBuf::from_path_buf(target).ok()) {
            links.entry(target).or_insert(name);
        }
    }
    links
}
