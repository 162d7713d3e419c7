//! Measures what a registry gets when an image is sent again after an edit.
//!
//! The split image has the layers of its plan. The usual image has a layer for each store path, as `buildLayeredImage` of nixpkgs
//! makes it. Of these, only the app's own can change.

use std::{collections::BTreeMap, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BenchError,
    edits::Edit,
    measure::{Measurer, Unmeasured},
};
use crate::{
    bench::{
        Side,
        log::{Follower, Sample},
    },
    image::{
        Plan, Store,
        compression::Compression,
        layer::make,
        plan::{Item, Layer},
    },
    system::System,
};

/// The layers of all images, with their sizes by digest.
type Layers = BTreeMap<String, u64>;

pub(super) fn measure(own: &mut Measurer<'_>, side: Side, edit: Option<&Edit>) -> Result<Sample, Unmeasured> {
    let system = own.state.system().linux();
    let names = names(own, system)?;
    if names.is_empty() {
        return Err(Unmeasured::Skipped("the flake has no image of these packages".to_owned()));
    }
    let store = own.warm(side)?;
    let before = layers(own, side, &store, system, &names)?;
    let start = Instant::now();
    let after = own.edited(edit, 0, |own| layers(own, side, &store, system, &names))?;
    let bytes = after.iter().filter(|(digest, _)| !before.contains_key(*digest)).map(|(_, size)| size).sum();
    Ok(Sample { seconds: start.elapsed().as_secs_f64(), bytes, ..Sample::default() })
}

/// Returns the packages that have an image.
fn names(own: &Measurer<'_>, system: System) -> Result<Vec<String>, Unmeasured> {
    let place = format!("path:{}#legacyPackages.{system}", own.prepared.copy.root());
    let nix = own.prepared.nix.clone().with_store(&own.prepared.stores.tools());
    let known = nix.eval_json_applied(&place, "p: builtins.attrNames (p.images or { })")?;
    let known: Vec<&str> = known.as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    Ok(own.prepared.names.iter().filter(|name| known.contains(&name.as_str())).cloned().collect())
}

fn layers(
    own: &Measurer<'_>,
    side: Side,
    store: &Utf8Path,
    system: System,
    names: &[String],
) -> Result<Layers, Unmeasured> {
    let root = own.prepared.copy.root();
    let installable = |name: &String| match side {
        Side::Split => format!("path:{root}#legacyPackages.{system}.images.\"{name}\".plan"),
        Side::Unsplit => format!("path:{root}#unsplit.{}.\"{name}\"^*", own.prepared.system),
    };
    let installables: Vec<String> = names.iter().map(installable).collect();
    let installables: Vec<&str> = installables.iter().map(String::as_str).collect();
    let nix = own.prepared.nix.clone().with_store(store);
    let paths = nix.build(&installables).map_err(|source| own.failed(side, &Follower::default(), source))?;
    let folder = paths.first().and_then(|path| path.parent()).ok_or(BenchError::Answer("build"))?;
    let files = Store::at(folder.as_str()).ok_or(BenchError::Answer("build"))?.lying_at(store.join("nix/store"));
    let layers = match side {
        Side::Split => planned(&paths, store, &files)?,
        Side::Unsplit => paths.iter().filter_map(|path| path.file_name()).map(whole).collect(),
    };
    let mut made = Layers::new();
    for layer in layers {
        let layer = make(&layer, &files, Compression::default(), store).map_err(std::io::Error::other);
        if let Some(layer) = layer.map_err(BenchError::from)? {
            made.insert(layer.described.digest.to_string(), layer.described.size);
        }
    }
    Ok(made)
}

/// Returns the layers of plans in a store.
fn planned(paths: &[Utf8PathBuf], store: &Utf8Path, files: &Store) -> Result<Vec<Layer>, Unmeasured> {
    let mut layers = Vec::new();
    for path in paths {
        let file = store.join("nix/store").join(path.file_name().unwrap_or_default());
        let plan = Plan::read(&file, files).map_err(std::io::Error::other).map_err(BenchError::from)?;
        layers.extend(plan.layers);
    }
    Ok(layers)
}

/// Returns the layer with one store path.
fn whole(base_name: &str) -> Layer {
    let item = Item { base_name: base_name.to_owned(), nar_hash: [0; 32], nar_size: 0 };
    Layer { name: base_name.to_owned(), changes: String::new(), root: None, paths: vec![item] }
}
