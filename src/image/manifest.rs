//! The JSON documents of an image: configuration, manifest and index of the OCI image specification.
//!
//! They are written without a library of types: a configuration may hold more keys than OCI defines, such as Docker's
//! `Healthcheck`, and such a library would drop them. Keys are sorted, so that equal images have equal digests.

use serde_json::{Map, Value, json};

use super::{
    compression::Compression,
    digest::Digest,
    layer::Described,
    plan::{Layer, Plan, Platform},
};

/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of a configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A JSON document with its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The media type.
    pub media_type: &'static str,
    /// The text.
    pub bytes: Vec<u8>,
    /// The digest of the text.
    pub digest: Digest,
}

/// The documents of an image for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The platform.
    pub platform: Platform,
    /// The configuration.
    pub config: Document,
    /// The manifest.
    pub manifest: Document,
}

impl Document {
    fn new(media_type: &'static str, value: &Value) -> Self {
        let bytes = value.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        Self { media_type, bytes, digest }
    }

    /// Returns what other documents say of this one.
    pub fn descriptor(&self) -> Map<String, Value> {
        descriptor(self.media_type, self.digest, self.bytes.len() as u64)
    }
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Map<String, Value> {
    let digest = digest.to_string();
    Map::from_iter([
        ("mediaType".to_owned(), media_type.into()),
        ("digest".to_owned(), digest.into()),
        ("size".to_owned(), size.into()),
    ])
}

/// Returns the documents of an image. Each element of `layers` belongs to the layer of the plan in the same place; an empty
/// layer has none.
pub fn documents(plan: &Plan, layers: &[Option<Described>], compression: Compression) -> Documents {
    let present: Vec<(&Layer, Described)> =
        plan.layers.iter().zip(layers).filter_map(|(layer, described)| Some((layer, (*described)?))).collect();
    let history = present.iter().map(|(layer, _)| {
        let changes =
            if layer.changes.is_empty() { String::new() } else { format!(" (changes with: {})", layer.changes) };
        json!({ "created": plan.created, "created_by": format!("splitter: {}{changes}", layer.name) })
    });
    let Platform { os, architecture } = &plan.platform;
    let config = json!({
        "architecture": architecture,
        "os": os,
        "created": plan.created,
        "config": plan.config,
        "rootfs": { "type": "layers", "diff_ids": present.iter().map(|(_, layer)| layer.diff_id).collect::<Vec<_>>() },
        "history": history.collect::<Vec<_>>(),
    });
    let config = Document::new(CONFIG, &config);
    let blobs = present.iter().map(|(_, layer)| descriptor(compression.media_type(), layer.digest, layer.size));
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": blobs.collect::<Vec<_>>(),
    });
    let annotations = plan.annotations();
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
    Documents { platform: plan.platform.clone(), config, manifest: Document::new(MANIFEST, &manifest) }
}

/// Returns the index of an image for several platforms.
pub fn index(images: &[Documents]) -> Document {
    let manifests = images.iter().map(described_with_platform);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests.collect::<Vec<_>>() });
    Document::new(INDEX, &index)
}

/// Returns the descriptor of an image in an index.
pub(super) fn described_with_platform(image: &Documents) -> Map<String, Value> {
    let Platform { os, architecture } = &image.platform;
    let mut descriptor = image.manifest.descriptor();
    descriptor.insert("platform".to_owned(), json!({ "architecture": architecture, "os": os }));
    descriptor
}

/// Returns the tag that the digest gives: it is the same for equal images.
pub fn tag_of(document: &Document) -> String {
    document.digest.hex()[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Store;

    fn plan(architecture: &str) -> Plan {
        let plan = json!({
            "version": 1, "name": "web", "architecture": architecture, "os": "linux", "created": "1970-01-01T00:00:01Z",
            "config": { "User": "1:1", "Cmd": ["x"], "Labels": { "org.opencontainers.image.title": "web", "own": "y" } },
            "layers": [{ "name": "base", "changes": "nixpkgs", "paths": [] }, { "name": "app", "changes": "", "paths": [] }],
        });
        Plan::parse(plan.to_string().as_bytes(), &Store::default()).unwrap()
    }

    fn image(architecture: &str) -> Documents {
        let layer = Described { diff_id: Digest::of(b"a"), digest: Digest::of(b"b"), size: 7 };
        documents(&plan(architecture), &[None, Some(layer)], Compression::Zstd)
    }

    #[test]
    fn documents_hold_only_layers_with_files_and_name_each_other() {
        let Documents { config, manifest, .. } = image("amd64");
        let text = |document: &Document| String::from_utf8(document.bytes.clone()).unwrap();
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        assert_eq!(
            text(&config),
            format!(
                r#"{{"architecture":"amd64","config":{{"Cmd":["x"],"Labels":{{"org.opencontainers.image.title":"web","own":"y"}},"User":"1:1"}},"created":"1970-01-01T00:00:01Z","history":[{{"created":"1970-01-01T00:00:01Z","created_by":"splitter: app"}}],"os":"linux","rootfs":{{"diff_ids":["{a}"],"type":"layers"}}}}"#
            )
        );
        let (size, of_config) = (config.bytes.len(), config.digest);
        assert_eq!(
            text(&manifest),
            format!(
                r#"{{"annotations":{{"org.opencontainers.image.title":"web"}},"config":{{"digest":"{of_config}","mediaType":"{CONFIG}","size":{size}}},"layers":[{{"digest":"{b}","mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","size":7}}],"mediaType":"{MANIFEST}","schemaVersion":2}}"#
            )
        );
        assert_eq!(manifest.digest, Digest::of(&manifest.bytes));
        assert_eq!(tag_of(&manifest), manifest.digest.to_string()[7..19]);
    }

    #[test]
    fn an_index_names_the_platforms() {
        let images = [image("amd64"), image("arm64")];
        let index: Value = serde_json::from_slice(&index(&images).bytes).unwrap();
        let second = &index["manifests"][1];
        assert_eq!(second["digest"], images[1].manifest.digest.to_string());
        assert_eq!(second["platform"], json!({ "architecture": "arm64", "os": "linux" }));
    }
}
