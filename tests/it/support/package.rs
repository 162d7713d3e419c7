//! npm packages that a test makes. A [`Package`] is one version of a package.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use data_encoding::HEXLOWER;
use flate2::{Compression, GzBuilder};
use serde_json::{Map, Value, json};
use splitter::lockfile::Algorithm;

/// One version of a package: its manifest and files, with the metadata and the tarball made from them.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) tags: Vec<String>,
    manifest: Map<String, Value>,
    files: BTreeMap<String, File>,
    packed: Option<Arc<Packed>>,
}

/// A tarball, with digests that are computed once.
#[derive(Debug)]
struct Packed {
    tarball: Arc<[u8]>,
    sha512: OnceLock<String>,
    sha1: OnceLock<String>,
}

impl Packed {
    fn new(tarball: Vec<u8>) -> Self {
        Self { tarball: tarball.into(), sha512: OnceLock::new(), sha1: OnceLock::new() }
    }

    fn sha512(&self) -> &str {
        self.sha512.get_or_init(|| Algorithm::Sha512.digest(&self.tarball).to_string())
    }

    fn sha1(&self) -> &str {
        self.sha1.get_or_init(|| HEXLOWER.encode(Algorithm::Sha1.digest(&self.tarball).bytes()))
    }
}

#[derive(Debug, Clone)]
struct File {
    contents: Vec<u8>,
    mode: u32,
}

impl Package {
    /// Creates a package whose `index.js` exports its name and version.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let mut manifest = Map::new();
        manifest.insert("name".to_owned(), name.into());
        manifest.insert("version".to_owned(), version.into());
        manifest.insert("main".to_owned(), "index.js".into());
        let package = Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tags: Vec::new(),
            manifest,
            files: BTreeMap::new(),
            packed: None,
        };
        package.file("index.js", format!("module.exports = {:?};\n", format!("{name}@{version}")))
    }

    /// Returns a real package, by its tarball.
    pub(crate) fn of_tarball(tarball: Vec<u8>) -> Self {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(tarball.as_slice()));
        let is_manifest = |entry: &tar::Entry<'_, _>| {
            let path = entry.path().unwrap();
            path.components().count() == 2 && path.ends_with("package.json")
        };
        let entry = archive.entries().unwrap().map(Result::unwrap).find(is_manifest).unwrap();
        let manifest: Map<String, Value> = serde_json::from_reader(entry).unwrap();
        let text = |name: &str| manifest[name].as_str().unwrap().to_owned();
        let (name, version) = (text("name"), text("version"));
        let packed = Some(Arc::new(Packed::new(tarball)));
        Self { name, version, tags: Vec::new(), manifest, files: BTreeMap::new(), packed }
    }

    /// Adds a file without the executable bit.
    pub(crate) fn file(mut self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), File { contents: contents.into(), mode: 0o644 });
        self
    }

    /// Adds a file with the executable bit.
    pub(crate) fn executable(mut self, path: &str, contents: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), File { contents: contents.into(), mode: 0o755 });
        self
    }

    /// Adds a command, a Node script that prints `<command> <version>`.
    pub(crate) fn bin(self, command: &str) -> Self {
        let path = format!("bin/{command}.js");
        let script = format!("#!/usr/bin/env node\nconsole.log({:?});\n", format!("{command} {}", self.version));
        self.entry("bin", command, path.as_str()).executable(&path, script)
    }

    /// Binds the package to an operating system, in Node's words.
    pub(crate) fn os(self, os: &str) -> Self {
        self.field("os", json!([os]))
    }

    /// Binds the package to a processor, in Node's words.
    pub(crate) fn cpu(self, cpu: &str) -> Self {
        self.field("cpu", json!([cpu]))
    }

    /// Binds the package to a C library: `glibc` or `musl`.
    pub(crate) fn libc(self, libc: &str) -> Self {
        self.field("libc", json!([libc]))
    }

    /// Adds an entry to `dependencies`.
    pub(crate) fn dependency(self, name: &str, range: &str) -> Self {
        self.entry("dependencies", name, range)
    }

    /// Adds an entry to `optionalDependencies`.
    pub(crate) fn optional(self, name: &str, range: &str) -> Self {
        self.entry("optionalDependencies", name, range)
    }

    /// Adds an entry to `peerDependencies`.
    pub(crate) fn peer(self, name: &str, range: &str) -> Self {
        self.entry("peerDependencies", name, range)
    }

    /// Adds an optional entry to `peerDependencies`.
    pub(crate) fn optional_peer(self, name: &str, range: &str) -> Self {
        self.peer(name, range).entry("peerDependenciesMeta", name, json!({ "optional": true }))
    }

    /// Adds a script, such as `postinstall`.
    pub(crate) fn script(self, name: &str, command: &str) -> Self {
        self.entry("scripts", name, command)
    }

    /// Adds a dist-tag for this version. `latest` is always the highest release.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// Sets any other field of `package.json`.
    pub(crate) fn field(mut self, name: &str, value: Value) -> Self {
        self.manifest.insert(name.to_owned(), value);
        self
    }

    /// Packs the tarball once, which saves time for large packages. Nothing may be added afterwards.
    pub(crate) fn pack(mut self) -> Self {
        self.packed = Some(Arc::new(Packed::new(self.pack_with(Compression::none()))));
        self.files.clear();
        self
    }

    fn entry(mut self, field: &str, key: &str, value: impl Into<Value>) -> Self {
        let object = self.manifest.entry(field).or_insert_with(|| json!({}));
        object[key] = value.into();
        self
    }

    /// Returns its `package.json`.
    pub(crate) fn manifest(&self) -> &Map<String, Value> {
        &self.manifest
    }

    /// Returns the path of its tarball on a registry, with a leading slash.
    pub(crate) fn tarball_path(&self) -> String {
        let base = self.name.rsplit('/').next().unwrap();
        format!("/{}/-/{base}-{}.tgz", self.name, self.version)
    }

    /// Returns its tarball, with the same bytes each time.
    pub(crate) fn tarball(&self) -> Vec<u8> {
        self.packed().tarball.to_vec()
    }

    /// Returns its tarball. It is not copied if the package is packed.
    pub(super) fn shared_tarball(&self) -> Arc<[u8]> {
        Arc::clone(&self.packed().tarball)
    }

    fn packed(&self) -> Arc<Packed> {
        let pack = || Arc::new(Packed::new(self.pack_with(Compression::fast())));
        self.packed.as_ref().map_or_else(pack, Arc::clone)
    }

    fn pack_with(&self, compression: Compression) -> Vec<u8> {
        let manifest = File { contents: serde_json::to_vec_pretty(&self.manifest).unwrap(), mode: 0o644 };
        let gzip = GzBuilder::new().mtime(0).write(Vec::new(), compression);
        let mut archive = tar::Builder::new(gzip);
        let files = self.files.iter().map(|(path, file)| (path.as_str(), file));
        for (path, file) in std::iter::once(("package.json", &manifest)).chain(files) {
            let mut header = tar::Header::new_ustar();
            header.set_size(file.contents.len() as u64);
            header.set_mode(file.mode);
            header.set_mtime(499_162_500); // what npm writes
            archive.append_data(&mut header, format!("package/{path}"), file.contents.as_slice()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    /// Returns the integrity of its tarball.
    pub(crate) fn integrity(&self) -> String {
        self.packed().sha512().to_owned()
    }

    /// Returns a registry's metadata for this version, with its tarball at `url`.
    pub(super) fn metadata(&self, url: &str) -> Value {
        let packed = self.packed();
        let mut metadata = self.manifest.clone();
        let has_install_script = ["preinstall", "install", "postinstall"]
            .iter()
            .any(|script| self.manifest.get("scripts").is_some_and(|scripts| scripts.get(script).is_some()));
        if has_install_script {
            metadata.insert("hasInstallScript".to_owned(), true.into());
        }
        metadata.insert("_id".to_owned(), format!("{}@{}", self.name, self.version).into());
        metadata.insert(
            "dist".to_owned(),
            json!({
                "tarball": url,
                "integrity": packed.sha512(),
                "shasum": packed.sha1(),
            }),
        );
        metadata.into()
    }

    /// Returns the numbers of a release for sorting, or `None` for a prerelease.
    pub(super) fn release(&self) -> Option<Vec<u64>> {
        self.version.split('.').map(|part| part.parse().ok()).collect()
    }
}
