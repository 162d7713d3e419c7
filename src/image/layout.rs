//! Writing an image to a folder: an OCI image layout, as `skopeo`, `podman` and others read it with `oci:DIR`.
//!
//! The folder is made beside its place and renamed, so that a killed run leaves no half of it. The next run removes what a killed
//! one left beside it.

use std::{io, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Value, json};

use super::{
    compression::Compression,
    layer::{Described, make},
    manifest::{Document, Documents, INDEX, documents, index, tag_of},
    plan::Plan,
    store::Store,
    tar::TarError,
};
use crate::{
    diagnostic::{Category, Diagnose, Location},
    ending::Folder,
};

/// The file that marks a layout, and its content.
const MARK: (&str, &str) = ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
/// The annotation with the tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Why a layout could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A layer could not be made.
    #[error("cannot make the layer `{layer}` of `{image}`")]
    Layer {
        /// The name of the image.
        image: String,
        /// The name of the layer.
        layer: String,
        /// The reason.
        source: Box<TarError>,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something else is at the place of the folder.
    #[error("`{0}` exists, and is no OCI layout")]
    Occupied(Utf8PathBuf),
}

impl Diagnose for LayoutError {
    fn category(&self) -> Category {
        match self {
            Self::Layer { source, .. } => source.category(),
            Self::Io(_) => Category::Environment,
            Self::Occupied(_) => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Occupied(path) => Some(Location::file(path.clone())),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Layer { source, .. } => source.hints(),
            Self::Occupied(_) => vec!["name a new folder, or an OCI layout to replace".to_owned()],
            Self::Io(_) => Vec::new(),
        }
    }
}

/// Writes one image for one or more platforms to `folder`. Replaces a layout that is there.
pub fn write(
    folder: &Utf8Path,
    plans: &[Plan],
    store: &Store,
    compression: Compression,
    tag: Option<&str>,
) -> Result<Document, LayoutError> {
    let is_free = !folder.exists() || folder.join(MARK.0).is_file() || is_empty(folder);
    if !is_free || folder.is_symlink() {
        return Err(LayoutError::Occupied(folder.to_owned()));
    }
    let folder = camino::absolute_utf8(folder)?;
    let parent = folder.parent().unwrap_or(&folder);
    fs::create_dir_all(parent)?;
    let scratch = Folder::without_leftovers(".splitter-layout-", parent.as_std_path())?;
    let new = Utf8PathBuf::from_path_buf(scratch.path().join("new"))
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let blobs = new.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let images = plans.iter().map(|plan| image(plan, store, compression, &blobs)).collect::<Result<Vec<_>, _>>()?;
    let whole = match images.as_slice() {
        [image] => image.manifest.clone(),
        images => write_blob(&blobs, index(images))?,
    };
    let tag = tag.map_or_else(|| tag_of(&whole), str::to_owned);
    let mut entry = Value::from(whole.descriptor());
    entry["annotations"] = json!({ REF_NAME: tag });
    if let [image] = images.as_slice() {
        entry["platform"] = json!({ "architecture": image.platform.architecture, "os": image.platform.os });
    }
    let top = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    fs::write(new.join("index.json"), top.to_string())?;
    fs::write(new.join(MARK.0), MARK.1)?;
    replace(&new, &folder, scratch.path())?;
    Ok(whole)
}

fn image(plan: &Plan, store: &Store, compression: Compression, blobs: &Utf8Path) -> Result<Documents, LayoutError> {
    let mut layers: Vec<Option<Described>> = Vec::new();
    for layer in &plan.layers {
        let made = make(layer, store, compression, blobs);
        let failed = |source| LayoutError::Layer {
            image: plan.name.clone(),
            layer: layer.name.clone(),
            source: Box::new(source),
        };
        let made = made.map_err(failed)?;
        layers.push(made.as_ref().map(|made| made.described));
        if let Some(made) = made {
            let place = blobs.join(made.described.digest.hex());
            let file = made.file.persist(place).map_err(|error| error.error)?;
            set_readable(&file)?;
        }
    }
    let documents = documents(plan, &layers, compression);
    write_blob(blobs, documents.config.clone())?;
    write_blob(blobs, documents.manifest.clone())?;
    Ok(documents)
}

/// Temporary files belong to their user alone. A layout is for others too.
fn set_readable(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

fn write_blob(blobs: &Utf8Path, document: Document) -> Result<Document, LayoutError> {
    fs::write(blobs.join(document.digest.hex()), &document.bytes)?;
    Ok(document)
}

fn is_empty(folder: &Utf8Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// Moves the new folder to its place. The old one comes back if that fails.
fn replace(new: &Utf8Path, place: &Utf8Path, scratch: &Path) -> io::Result<()> {
    let old = scratch.join("old");
    let had_old = match fs::rename(place, &old) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    let moved = fs::rename(new, place);
    if moved.is_err() && had_old {
        let _ = fs::rename(&old, place);
    }
    moved
}
