//! A layer as a compressed file, with both of its digests.

use std::io::{self, BufWriter, Write as _};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{
    compression::{Compression, Compressor},
    digest::{Digest, Hashing},
    plan::Layer,
    store::Store,
    tar::{FORMAT, TarError, write_layer},
};

/// What a registry and the configuration of an image say of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    /// The digest of the tar.
    pub diff_id: Digest,
    /// The digest of the compressed file.
    pub digest: Digest,
    /// The size of the compressed file.
    pub size: u64,
}

/// What was made of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Remembered {
    /// Nothing, since it has no files.
    Empty,
    /// A file.
    Made(Described),
}

impl Remembered {
    pub(super) fn described(self) -> Option<Described> {
        match self {
            Self::Empty => None,
            Self::Made(described) => Some(described),
        }
    }
}

/// A compressed layer. The file is removed when this is dropped.
#[derive(Debug)]
pub struct Made {
    /// Its digests and its size.
    pub described: Described,
    /// The file.
    pub file: NamedTempFile,
}

/// Returns the key of a layer in the cache: everything that its bytes depend on.
pub(super) fn key(layer: &Layer, store: &Store, compression: Compression) -> Digest {
    let version = compression.version();
    Digest::of(format!("tar {FORMAT}\n{version}\nstore {}\n{}", store.folder(), layer.identity()).as_bytes())
}

/// Returns the digest of a layer's tar and the number of its bytes, or nothing if the layer is empty. It writes nothing.
pub fn diff_id(layer: &Layer, store: &Store) -> Result<Option<(Digest, u64)>, TarError> {
    let (tar, entries) = write_layer(layer, store, BufWriter::with_capacity(1 << 18, Hashing::new(io::sink())))?;
    let (_, digest, size) = tar.into_inner().map_err(io::IntoInnerError::into_error)?.finish();
    Ok((entries > 0).then_some((digest, size)))
}

/// Writes a layer to a file in `folder`, or returns nothing if the layer is empty. Both digests are computed on the way.
pub fn make(
    layer: &Layer,
    store: &Store,
    compression: Compression,
    folder: &Utf8Path,
) -> Result<Option<Made>, TarError> {
    let file = tempfile::Builder::new().prefix("layer-").tempfile_in(folder)?;
    let out = Hashing::new(BufWriter::with_capacity(1 << 20, file));
    let tar = Hashing::new(Compressor::new(out, compression)?);
    let (tar, entries) = write_layer(layer, store, BufWriter::with_capacity(1 << 18, tar))?;
    let (compressor, diff_id, _) = tar.into_inner().map_err(io::IntoInnerError::into_error)?.finish();
    let (mut out, digest, size) = compressor.finish()?.finish();
    out.flush()?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((entries > 0).then_some(Made { described: Described { diff_id, digest, size }, file }))
}
