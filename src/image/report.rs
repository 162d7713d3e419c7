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

/// Returns the layers with files. Others are left out of an image.
fn layers(plan: &Plan) -> impl Iterator<Item = &Layer> {
    plan.layers.iter().filter(|layer| !layer.is_empty())
}

/// Returns the layers of all images, in the order of the plans.
pub fn rows(plans: &[Plan]) -> Vec<Row> {
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let several = plans.iter().any(|plan| plan.platform != plans[0].platform);
    let title = |plan: &Plan| if several { format!("{} ({})", plan.name, plan.platform) } else { plan.name.clone() };
    for plan in plans {
        for layer in layers(plan) {
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
    let rows_of = |plan| layers(plan).map(|layer| row(plan, layer)).collect::<Vec<_>>();
    plans.iter().flat_map(rows_of).collect()
}
