//! The layers of images in both stores. A registry keeps a layer by its digest, so a layer that differs is sent again.

use camino::Utf8PathBuf;

use super::{
    report::{Outcome, Result},
    stores::Store,
};
use crate::image::{Digest, Plan, Store as ImageStore, layer::diff_id, plan::Layer};

/// The layers of an image.
#[derive(Debug)]
pub(super) struct ImageRow {
    pub(super) name: String,
    pub(super) layers: Vec<LayerRow>,
    /// Why the layers cannot be compared.
    pub(super) trouble: Option<String>,
    /// Whether all that differs in the plan is known.
    is_known: bool,
}

/// A layer.
#[derive(Debug)]
pub(super) struct LayerRow {
    pub(super) name: String,
    pub(super) digests: [Option<Digest>; 2],
}

impl LayerRow {
    pub(super) fn is_same(&self) -> bool {
        self.digests[0].is_some() && self.digests[0] == self.digests[1]
    }
}

impl ImageRow {
    /// Whether nothing differs that `splitter.json` does not allow.
    pub(super) fn is_allowed(&self) -> bool {
        self.trouble.is_none() && (self.is_known || self.layers.iter().all(LayerRow::is_same))
    }
}

/// Compares the layers of the images among these results.
pub(super) fn rows(results: &[Result], stores: &[Store; 2], store: &str) -> Vec<ImageRow> {
    let is_image =
        |result: &&Result| result.target.kind == "image" && matches!(result.outcome, Outcome::Same | Outcome::Differs);
    results.iter().filter(is_image).map(|result| row(result, stores, store)).collect()
}

fn row(result: &Result, stores: &[Store; 2], store: &str) -> ImageRow {
    let read = |number: usize| layers(&stores[number], &result.outputs.first()?.paths[number], store);
    let name = result.target.name.trim_end_matches(" (image)").to_owned();
    let is_known = result.is_reproducible();
    match (read(0), read(1)) {
        (Some(Ok(first)), Some(Ok(second))) => {
            let mut layers: Vec<LayerRow> = Vec::new();
            for (name, digest) in first {
                layers.push(LayerRow { name, digests: [digest, None] });
            }
            for (name, digest) in second {
                match layers.iter_mut().find(|layer| layer.name == name && layer.digests[1].is_none()) {
                    Some(layer) => layer.digests[1] = digest,
                    None => layers.push(LayerRow { name, digests: [None, digest] }),
                }
            }
            // An empty layer is in no image.
            layers.retain(|layer| layer.digests.iter().any(Option::is_some));
            ImageRow { name, layers, trouble: None, is_known }
        }
        (Some(Err(trouble)), _) | (_, Some(Err(trouble))) => {
            ImageRow { name, layers: Vec::new(), trouble: Some(trouble), is_known }
        }
        _ => ImageRow { name, layers: Vec::new(), trouble: Some("it has no plan".to_owned()), is_known },
    }
}

type Layers = Vec<(String, Option<Digest>)>;

/// Makes the layers of a plan from the files of its own store.
fn layers(store: &Store, plan: &str, folder: &str) -> Option<std::result::Result<Layers, String>> {
    let files = ImageStore::at(folder)?.lying_at(store.folder());
    let path: Utf8PathBuf = store.on_disk(plan);
    let plan = match Plan::read(&path, &files) {
        Ok(plan) => plan,
        Err(error) => return Some(Err(error.to_string())),
    };
    let digest = |layer: &Layer| {
        let digest = diff_id(layer, &files).map_err(|error| error.to_string())?;
        Ok((layer.name.clone(), digest.map(|(digest, _)| digest)))
    };
    Some(plan.layers.iter().map(digest).collect())
}
