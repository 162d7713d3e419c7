//! Comparison of images with earlier ones: which layers would be sent again.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Layer, Plan};

/// An image compared with its earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChange {
    /// The name of the image.
    pub image: String,
    /// The platform.
    pub platform: String,
    /// Whether the image exists in both states, or in one.
    pub presence: Presence,
    /// The layers: those of the image, then those that are gone.
    pub layers: Vec<LayerChange>,
}

/// In which states an image exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// In both.
    Both,
    /// Only in the later state.
    New,
    /// Only in the earlier state.
    Removed,
}

/// A layer compared with the layer of the same name in the earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerChange {
    /// The name.
    pub layer: String,
    /// What changes it.
    pub changes: String,
    /// The size in the earlier state, in bytes, without compression.
    pub before: Option<u64>,
    /// The size in the later state.
    pub after: Option<u64>,
    /// Whether it would be sent again: no earlier layer of the image has the same content.
    pub is_sent: bool,
}

impl LayerChange {
    /// Returns the number of bytes to send.
    pub fn sent(&self) -> u64 {
        self.after.filter(|_| self.is_sent).unwrap_or(0)
    }

    /// Returns how many bytes the layer grew by.
    pub fn growth(&self) -> i128 {
        i128::from(self.after.unwrap_or(0)) - i128::from(self.before.unwrap_or(0))
    }
}

impl ImageChange {
    /// Returns the number of bytes to send.
    pub fn sent(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.sent()))
    }

    /// Returns the size of the image in the later state.
    pub fn size(&self) -> u64 {
        self.layers.iter().filter_map(|layer| layer.after).fold(0, u64::saturating_add)
    }

    /// Whether the image has this name and platform.
    pub fn is_of(&self, plan: &Plan) -> bool {
        self.image == plan.name && self.platform == plan.platform.to_string()
    }
}

/// Compares images by name and platform, in the order of `after`. Removed images come last.
pub fn compare(before: &[Plan], after: &[Plan]) -> Vec<ImageChange> {
    let is_same = |a: &Plan, b: &Plan| (&a.name, &a.platform) == (&b.name, &b.platform);
    let removed = before.iter().filter(|earlier| !after.iter().any(|plan| is_same(earlier, plan)));
    let changes = after.iter().map(|plan| change(before.iter().find(|earlier| is_same(earlier, plan)), plan));
    changes.chain(removed.map(removal)).collect()
}

/// Returns the bytes that a push of all images sends: a layer of several images is sent once.
pub fn sent_together(before: &[Plan], after: &[Plan]) -> u64 {
    let had: BTreeSet<String> = layers(before).map(Layer::identity).collect();
    let lacking: BTreeMap<String, u64> = layers(after)
        .map(|layer| (layer.identity(), layer.size()))
        .filter(|(identity, _)| !had.contains(identity))
        .collect();
    lacking.values().fold(0, |sum, size| sum.saturating_add(*size))
}

/// The layers that an update of a package changes: the first one that an image has.
const OF_PACKAGES: [&str; 2] = ["packages", "app"];

/// Returns what an update of a package changes, without a build: the packages, or the app that has its packages in it.
pub fn forecast(plans: &[Plan]) -> Vec<ImageChange> {
    let mut changes = compare(plans, plans);
    for change in &mut changes {
        let has = |name: &&&str| change.layers.iter().any(|layer| layer.layer == ***name);
        let Some(name) = OF_PACKAGES.iter().find(has) else { continue };
        for layer in change.layers.iter_mut().filter(|layer| layer.layer == *name) {
            layer.is_sent = true;
        }
    }
    changes
}

fn layers(plans: &[Plan]) -> impl Iterator<Item = &Layer> {
    plans.iter().flat_map(Plan::layers_with_files)
}

fn change(before: Option<&Plan>, plan: &Plan) -> ImageChange {
    let earlier: Vec<&Layer> = before.into_iter().flat_map(Plan::layers_with_files).collect();
    let had: BTreeSet<String> = earlier.iter().map(|layer| layer.identity()).collect();
    let size_before = |name: &str| earlier.iter().find(|layer| layer.name == name).map(|layer| layer.size());
    let kept = plan.layers_with_files().map(|layer| LayerChange {
        layer: layer.name.clone(),
        changes: layer.changes.clone(),
        before: size_before(&layer.name),
        after: Some(layer.size()),
        is_sent: !had.contains(&layer.identity()),
    });
    let is_gone = |layer: &&&Layer| !plan.layers_with_files().any(|later| later.name == layer.name);
    let gone = earlier.iter().filter(is_gone).map(|layer| gone(layer));
    ImageChange {
        image: plan.name.clone(),
        platform: plan.platform.to_string(),
        presence: if before.is_some() { Presence::Both } else { Presence::New },
        layers: kept.chain(gone).collect(),
    }
}

fn removal(plan: &Plan) -> ImageChange {
    ImageChange {
        image: plan.name.clone(),
        platform: plan.platform.to_string(),
        presence: Presence::Removed,
        layers: plan.layers_with_files().map(gone).collect(),
    }
}

fn gone(layer: &Layer) -> LayerChange {
    let (layer, changes, size) = (layer.name.clone(), layer.changes.clone(), layer.size());
    LayerChange { layer, changes, before: Some(size), after: None, is_sent: false }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::image::Store;

    /// Returns an image whose layers are given as name, content and size.
    fn plan(name: &str, layers: &[(&str, u8, u64)]) -> Plan {
        let layer = |(name, content, size): &(&str, u8, u64)| {
            let path = format!("/nix/store/{content:032}-{name}");
            let hash = format!("sha256:{}{content}", "0".repeat(51));
            json!({ "name": name, "changes": "x", "paths": [{ "path": path, "narHash": hash, "narSize": size }] })
        };
        let mut layers: Vec<Value> = layers.iter().map(layer).collect();
        layers.push(json!({ "name": "none", "changes": "", "paths": [] }));
        let plan = json!({
            "version": 1, "name": name, "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:01Z",
            "config": {}, "layers": layers,
        });
        Plan::parse(plan.to_string().as_bytes(), &Store::default()).unwrap()
    }

    #[test]
    fn only_layers_with_other_content_are_sent() {
        let before = plan("web", &[("base", 1, 100), ("packages", 2, 50), ("old", 5, 9), ("app", 3, 10)]);
        let after = plan("web", &[("base", 1, 100), ("packages", 2, 50), ("app", 4, 12)]);
        let changes = compare(std::slice::from_ref(&before), std::slice::from_ref(&after));
        let [web] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!((web.presence, web.sent(), web.size()), (Presence::Both, 12, 162));
        let sent: Vec<_> =
            web.layers.iter().map(|layer| (layer.layer.as_str(), layer.is_sent, layer.growth())).collect();
        assert_eq!(sent, [("base", false, 0), ("packages", false, 0), ("app", true, 2), ("old", false, -9)]);
        assert_eq!(compare(std::slice::from_ref(&before), std::slice::from_ref(&before))[0].sent(), 0);
        assert!(web.is_of(&after));
    }

    #[test]
    fn an_update_of_a_package_changes_the_layer_that_has_it() {
        let web = plan("web", &[("base", 1, 100), ("packages", 2, 50), ("app", 3, 10)]);
        let site = plan("site", &[("base", 1, 100), ("app", 4, 20)]);
        let other = plan("other", &[("base", 1, 100)]);
        let sent: Vec<u64> = forecast(&[web, site, other]).iter().map(ImageChange::sent).collect();
        assert_eq!(sent, [50, 20, 0]);
    }

    #[test]
    fn a_layer_that_another_name_had_is_not_sent() {
        let before = plan("web", &[("base", 1, 100)]);
        let mut after = before.clone();
        after.layers[0].name = "moved".to_owned();
        assert_eq!(compare(&[before], &[after])[0].sent(), 0);
    }

    #[test]
    fn new_and_removed_images_are_told_apart_and_shared_layers_count_once() {
        let web = plan("web", &[("base", 1, 100), ("app", 2, 10)]);
        let api = plan("api", &[("base", 1, 100), ("app", 3, 20)]);
        let changes = compare(std::slice::from_ref(&web), std::slice::from_ref(&api));
        let found: Vec<_> =
            changes.iter().map(|change| (change.image.as_str(), change.presence, change.sent())).collect();
        assert_eq!(found, [("api", Presence::New, 120), ("web", Presence::Removed, 0)]);
        assert_eq!(sent_together(std::slice::from_ref(&web), std::slice::from_ref(&api)), 20);
        assert_eq!(sent_together(&[], &[web, api]), 130);
    }
}
