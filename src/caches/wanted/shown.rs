//! Reads what `nix derivation show` prints. The JSON changed with versions of Nix.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    caches::{item::Item, narinfo::addressed_item, query::content_address},
    nix::command::log::name_of,
};

/// A derivation as `nix derivation show` prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The names of its outputs, by store path.
    pub outputs: BTreeMap<Item, String>,
    /// The names of all its outputs. The path of one is unknown if its content decides it.
    pub names: BTreeSet<String>,
    /// The derivations that it is built from, with the names of their outputs that it needs.
    pub inputs: BTreeMap<String, BTreeSet<String>>,
}

/// Reads the JSON of `nix derivation show`. Earlier versions name the inputs `inputDrvs` and print whole paths.
pub fn shown_in(answer: &Value, store: &str) -> Option<BTreeMap<String, Shown>> {
    let all = answer.get("derivations").unwrap_or(answer).as_object()?;
    let full = |path: &str| if path.starts_with('/') { path.to_owned() } else { format!("{store}/{path}") };
    let one = |(path, value): (&String, &Value)| {
        let inputs = value.get("inputDrvs").or_else(|| value.get("inputs")?.get("drvs"))?.as_object()?;
        let outputs = value.get("outputs")?.as_object()?.iter();
        let output = |(name, output): (&String, &Value)| Some((output_path(path, name, output, store)?, name.clone()));
        let names = outputs.clone().map(|(name, _)| name.clone()).collect();
        let outputs = outputs.filter_map(output).collect();
        let inputs = inputs.iter().map(|(drv, needed)| (full(drv), needed_outputs(needed))).collect();
        Some((full(path), Shown { outputs, names, inputs }))
    };
    all.iter().map(one).collect()
}

/// Returns the names of outputs. Earlier versions of Nix print them alone, later ones beside those of dynamic derivations.
fn needed_outputs(needed: &Value) -> BTreeSet<String> {
    let names = needed.get("outputs").unwrap_or(needed).as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the path of an output. Since its format 4, Nix prints only the hash of a fixed output.
fn output_path(derivation: &str, name: &str, output: &Value, store: &str) -> Option<Item> {
    if let Some(path) = output.get("path").and_then(Value::as_str) {
        return path.parse().ok();
    }
    let own = name_of(derivation);
    let own = if name == "out" { own.to_owned() } else { format!("{own}-{name}") };
    addressed_item(store, &own, &content_address(output)?)
}
