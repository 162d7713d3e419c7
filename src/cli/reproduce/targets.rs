//! [`Targets`]: what is built twice, from one evaluation.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde_json::Value;

use super::{ReproduceError, twice::Graph};
use crate::{
    caches::wanted::shown::shown_in,
    cli::{
        arguments::ReproduceOptions,
        build::{Names, Product, ids, products},
        failure::Failure,
    },
    closure::Evaluated,
    nix::command::{Nix, Output, log::name_of},
    proof::State,
    repo::RepoPath,
    split::plan::Id,
};

/// The name in `knownDifferences` for all packages.
const ALL: &str = "*";

/// A derivation that is built twice.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) workspace: Option<RepoPath>,
    pub(super) derivation: String,
    /// Its outputs, by name. The path of one is unknown if its content decides it.
    pub(super) outputs: BTreeMap<String, Option<String>>,
    /// Whether the user named it, or it is built by default.
    pub(super) is_named: bool,
    /// Other targets that it is built from, by name.
    pub(super) needs: BTreeSet<String>,
}

/// Everything that is built twice, and what these builds read.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Those that others need come first.
    pub(super) all: Vec<Target>,
    /// What Nix is asked to build.
    pub(super) products: Vec<(String, Output)>,
    pub(super) inputs: Vec<Output>,
    /// The folder of the store, as store paths name it.
    pub(super) store: String,
}

impl Targets {
    pub(super) fn of(nix: &Nix, state: &State, options: &ReproduceOptions) -> Result<Self, Failure> {
        let mut found = products(nix, state, &options.names)?;
        let images = if options.images { images(nix, state, &found)? } else { Vec::new() };
        let image_derivations: BTreeSet<String> =
            images.iter().map(|image| image.evaluated.output.derivation.clone()).collect();
        found.extend(images);
        let store = found.first().and_then(|product| Utf8Path::new(&product.evaluated.output.derivation).parent());
        let store = store.map(ToString::to_string).unwrap_or_default();
        let graph = graph(nix, &found, &store)?;
        let mut ids = Names::of(&state.split, &state.derivations);
        for product in &found {
            if let Some(id) = &product.id {
                ids.add(&product.evaluated.output.derivation, id.clone());
            }
        }
        let named: BTreeMap<String, String> =
            found.iter().map(|product| (product.evaluated.output.derivation.clone(), product.name.clone())).collect();
        let is_own = |derivation: &String| !matches!(ids.id(derivation), None | Some(Id::Deps(_)));
        let own = graph.derivations.keys().filter(|derivation| !options.only && is_own(derivation));
        let seeds: BTreeSet<String> = named.keys().chain(own).cloned().collect();
        let twice = graph.twice(&seeds);
        let name = |derivation: &str| match (named.get(derivation), ids.id(derivation)) {
            (Some(name), _) => name.clone(),
            (None, Some(id)) => id.to_string(),
            (None, None) => name_of(derivation).to_owned(),
        };
        let target = |derivation: &String| {
            let id = ids.id(derivation);
            let shown = graph.derivations.get(derivation);
            let paths: BTreeMap<&String, String> = shown
                .into_iter()
                .flat_map(|shown| shown.outputs.iter().map(|(item, name)| (name, item.in_store(&store))))
                .collect();
            let outputs = shown.into_iter().flat_map(|shown| &shown.names);
            let is_image = image_derivations.contains(derivation);
            Target {
                name: name(derivation),
                kind: if is_image { "image" } else { id.as_ref().map_or("other", Id::kind) },
                workspace: id.and_then(|id| state.derivations.get(&id)?.workspace.clone()),
                derivation: derivation.clone(),
                outputs: outputs.map(|name| (name.clone(), paths.get(name).cloned())).collect(),
                is_named: named.contains_key(derivation),
                needs: graph.needs(derivation, &twice).iter().map(|derivation| name(derivation)).collect(),
            }
        };
        let mut all: Vec<Target> = twice.iter().map(target).collect();
        all.sort_by(|a, b| (a.needs.len(), &a.name).cmp(&(b.needs.len(), &b.name)));
        let products = found.into_iter().map(|product| (product.name, product.evaluated.output)).collect();
        Ok(Self { all, products, inputs: graph.inputs(&twice), store })
    }

    /// Refuses packages of `knownDifferences` that do not exist.
    pub(super) fn check_known(&self, state: &State) -> Result<(), ReproduceError> {
        let mut known: BTreeSet<String> =
            ids(state).into_iter().filter(|(_, id)| !matches!(id, Id::Deps(_))).map(|(name, _)| name).collect();
        known.extend(self.all.iter().map(|target| target.name.clone()));
        let unknown = state.split.config.known_differences.keys().find(|name| *name != ALL && !known.contains(*name));
        match unknown {
            Some(name) => {
                Err(ReproduceError::UnknownPackage { name: name.clone(), known: known.into_iter().collect() })
            }
            None => Ok(()),
        }
    }
}

/// Returns the globs of `knownDifferences` for a package.
pub(super) fn known_globs<'a>(state: &'a State, name: &str) -> impl Iterator<Item = &'a str> {
    let all = &state.split.config.known_differences;
    [all.get(name), all.get(ALL)].into_iter().flatten().flatten().map(String::as_str)
}

/// Evaluates the plans of the images of these products.
fn images(nix: &Nix, state: &State, products: &[Product]) -> Result<Vec<Product>, Failure> {
    let attribute = format!(".#legacyPackages.{}", state.system().linux());
    let plan = "image: { derivation = image.plan.drvPath; path = image.plan.outPath; }";
    let answer = nix.eval_json_applied(&attribute, &format!("p: builtins.mapAttrs (_: {plan}) (p.images or {{ }})"))?;
    let expected = ReproduceError::Answer { command: "eval", expected: "the plans of images" };
    let all = answer.as_object().ok_or(expected)?;
    let image = |product: &Product| {
        let plan = all.get(&product.name)?;
        let text = |key: &str| plan.get(key).and_then(Value::as_str).map(str::to_owned);
        let output = Output { derivation: text("derivation")?, name: "out".to_owned() };
        let evaluated = Evaluated { output, path: text("path")?.into() };
        Some(Product { name: format!("{} (image)", product.name), id: None, evaluated })
    };
    Ok(products.iter().filter_map(image).collect())
}

fn graph(nix: &Nix, products: &[Product], store: &str) -> Result<Graph, Failure> {
    let derivations: Vec<&str> = products.iter().map(|product| product.evaluated.output.derivation.as_str()).collect();
    let mut graph = Graph::default();
    for answer in nix.derivation_closures(&derivations)? {
        let shown = shown_in(&answer, store);
        let expected = "derivations with inputs and outputs";
        graph.derivations.extend(shown.ok_or(ReproduceError::Answer { command: "derivation show", expected })?);
    }
    Ok(graph)
}
