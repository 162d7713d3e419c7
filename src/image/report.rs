//! The layers of images for people: sizes, what changes them, and which images share them.

use std::collections::BTreeMap;

use super::plan::{Layer, Plan};

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The name of the image.
    pub image: String,
    /// The platform of the image.
    pub platform: String,
    /// The name of the layer.
    pub layer: String,
    /// What changes it.
    pub changes: String,
    /// The size of its files, in bytes, without compression.
    pub size: u64,
    /// The number of store paths, its root included.
    pub paths: usize,
    /// The other images with the same layer.
    pub shared_with: Vec<String>,
}

/// Returns the layers of all images, in the order of the plans.
pub fn rows(plans: &[Plan]) -> Vec<Row> {
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let several = plans.iter().any(|plan| plan.platform != plans[0].platform);
    let title = |plan: &Plan| if several { format!("{} ({})", plan.name, plan.platform) } else { plan.name.clone() };
    for plan in plans {
        for layer in plan.layers_with_files() {
            owners.entry(layer.identity()).or_default().push(title(plan));
        }
    }
    let row = |plan: &Plan, layer: &Layer| {
        let shared = owners.get(&layer.identity()).into_iter().flatten().filter(|name| **name != title(plan));
        Row {
            image: plan.name.clone(),
            platform: plan.platform.to_string(),
            layer: layer.name.clone(),
            changes: layer.changes.clone(),
            size: layer.size(),
            paths: layer.paths.len() + usize::from(layer.root.is_some()),
            shared_with: shared.cloned().collect(),
        }
    };
    let rows_of = |plan: &Plan| plan.layers_with_files().map(|layer| row(plan, layer)).collect::<Vec<_>>();
    plans.iter().flat_map(rows_of).collect()
}

/// The smallest size of a compiled program that is worth a note, in bytes. Bun's runtime alone has more.
const COMPILED: u64 = 50_000_000;

/// Returns what a user could do to make an image cheaper to send.
pub fn notes(plan: &Plan) -> Vec<String> {
    let has_runtime = plan.layers_with_files().any(|layer| layer.name == "runtime");
    let is_compiled = |layer: &Layer| layer.name == "app" && layer.size() > COMPILED;
    if has_runtime || !plan.layers_with_files().any(is_compiled) {
        return Vec::new();
    }
    vec![
        "the runtime is in the layer `app`, so each edit sends all of it; build without `--compile` to send only the app's files"
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::image::Store;

    #[test]
    fn a_compiled_program_is_noted_if_its_runtime_is_sent_with_each_edit() {
        let plan = |layers: &[(&str, u64)]| {
            let layer = |(number, (name, size)): (usize, &(&str, u64))| {
                let path = format!("/nix/store/{number:032}-x");
                let hash = format!("sha256:{}", "0".repeat(52));
                json!({ "name": name, "changes": "x", "paths": [{ "path": path, "narHash": hash, "narSize": size }] })
            };
            let plan = json!({
                "version": 1, "name": "web", "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:01Z",
                "config": {}, "layers": layers.iter().enumerate().map(layer).collect::<Vec<_>>(),
            });
            Plan::parse(plan.to_string().as_bytes(), &Store::default()).unwrap()
        };
        let large = COMPILED + 1;
        assert!(notes(&plan(&[("base", 1), ("app", large)]))[0].contains("`--compile`"));
        assert_eq!(notes(&plan(&[("base", 1), ("app", COMPILED)])), [""; 0]);
        assert_eq!(notes(&plan(&[("base", large), ("runtime", 1), ("app", large)])), [""; 0]);
    }
}
