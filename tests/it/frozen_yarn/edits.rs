//! Random edits.

use camino::Utf8Path;
use fs_err as fs;
use serde_json::{Map, Value, json};

use super::{
    Random,
    base::{write_json, write_text},
};

const MANIFESTS: [&str; 5] = [
    "package.json",
    "packages/a/package.json",
    "packages/b/package.json",
    "packages/c/package.json",
    "packages/d/package.json",
];
const NAMES: [&str; 14] = [
    "leaf",
    "leaf",
    "nested",
    "extra",
    "peer",
    "opt",
    "mid",
    "top",
    "trusted",
    "typescript",
    "b",
    "c",
    "@acme/a",
    "alias",
];
const RANGES: [&str; 16] = [
    "^1.0.0",
    "^1.0.0",
    "^1.0.0",
    "~1.0.0",
    "1.0.0",
    "1.1.0",
    "^2.0.0",
    "*",
    "",
    "latest",
    ">=1",
    "1.x",
    "npm:^1.0.0",
    "npm:leaf@^2.0.0",
    "^3.0.0",
    "1.0",
];
const GROUPS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// Applies a few edits. Returns what they are.
pub(super) fn apply(root: &Utf8Path, version: &str, seed: u64) -> Vec<String> {
    let mut edit = Edit { root, version, random: Random::new(seed ^ 0xA5A5_0000), done: Vec::new() };
    let count = [1, 1, 1, 2, 3][edit.random.below(5)];
    for _ in 0..count {
        edit.any();
    }
    edit.done
}

struct Edit<'a> {
    root: &'a Utf8Path,
    version: &'a str,
    random: Random,
    done: Vec<String>,
}

impl Edit<'_> {
    fn any(&mut self) {
        let is_1 = self.version.starts_with("1.");
        match self.random.below(20) {
            0..=4 => self.dependency(),
            5 | 6 => self.removal(),
            7..=9 => self.resolution(),
            10 => self.identity(),
            11 | 12 if !is_1 => self.meta(),
            13 | 14 if !is_1 => self.setting(),
            15 => self.nothing(),
            16 => self.workspace(),
            17 if !is_1 => self.folder(),
            _ => self.lockfile(),
        }
    }

    fn manifest(&mut self, edit: impl FnOnce(&mut Map<String, Value>, &mut Random) -> Option<String>) {
        let path = MANIFESTS[self.random.below(MANIFESTS.len())];
        self.manifest_at(path, edit);
    }

    fn manifest_at(&mut self, path: &str, edit: impl FnOnce(&mut Map<String, Value>, &mut Random) -> Option<String>) {
        let Ok(text) = fs::read_to_string(self.root.join(path)) else { return };
        let mut manifest: Value = serde_json::from_str(&text).unwrap();
        if let Some(done) = edit(manifest.as_object_mut().unwrap(), &mut self.random) {
            write_json(self.root, path, &manifest);
            self.done.push(format!("{path}: {done}"));
        }
    }

    fn dependency(&mut self) {
        let is_1 = self.version.starts_with("1.");
        let is_4 = self.version.starts_with("4.");
        self.manifest(|manifest, random| {
            let (group, package) = (random.pick(&GROUPS), random.pick(&NAMES));
            let range = match random.below(8) {
                0 if !is_1 => random.pick(&["workspace:^", "workspace:*", "workspace:^1.0.0", "workspace:packages/c"]),
                1 if is_4 => random.pick(&["catalog:", "catalog:old"]),
                _ => random.pick(&RANGES),
            };
            // A change of what is there already is more interesting than a new dependency.
            let there =
                GROUPS.iter().find(|group| manifest.get(**group).is_some_and(|group| group.get(package).is_some()));
            let group = if random.one_in(3) { group } else { there.copied().unwrap_or(group) };
            manifest.entry(group).or_insert_with(|| json!({}))[package] = json!(range);
            Some(format!("{group}.{package} = {range:?}"))
        });
    }

    fn removal(&mut self) {
        self.manifest(|manifest, random| {
            let group = random.pick(&GROUPS);
            let packages = manifest.get_mut(group)?.as_object_mut()?;
            let package = packages.keys().nth(random.below(packages.len().max(1)))?.clone();
            let range = packages.remove(&package)?;
            if random.one_in(3) {
                let other = random.pick(&GROUPS);
                manifest.entry(other).or_insert_with(|| json!({}))[&package] = range;
                return Some(format!("{group}.{package} moved to {other}"));
            }
            Some(format!("{group}.{package} removed"))
        });
    }

    fn resolution(&mut self) {
        let is_1 = self.version.starts_with("1.");
        self.manifest_at("package.json", |manifest, random| {
            if random.one_in(3) {
                let removed = manifest.remove("resolutions")?;
                return Some(format!("resolutions removed: {removed}"));
            }
            let keys: &[&str] = if is_1 {
                &["leaf", "nested", "mid/leaf", "**/mid/nested", "**/leaf", "top/mid", "b/leaf", "@acme/a/mid", "extra"]
            } else {
                &[
                    "leaf",
                    "nested",
                    "mid/leaf",
                    "**/leaf",
                    "top/mid",
                    "leaf@npm:^1.0.0",
                    "leaf@^1.0.0",
                    "mid@npm:1.1.0/leaf",
                    "@acme/a/mid",
                    "b/leaf",
                    "c",
                    "extra",
                    "typescript",
                    "nested@npm:^2.0.0",
                ]
            };
            let (key, range) =
                (random.pick(keys), random.pick(&["1.0.0", "1.1.0", "^2.0.0", "npm:1.1.0", "^1.0.0", "^9.0.0"]));
            manifest.entry("resolutions").or_insert_with(|| json!({}))[key] = json!(range);
            Some(format!("resolutions.{key} = {range}"))
        });
    }

    /// Names and versions of workspaces.
    fn identity(&mut self) {
        let is_1 = self.version.starts_with("1.");
        self.manifest(|manifest, random| {
            let field = random.pick(&["version", "version", "name"]);
            let value = match field {
                "name" => random.pick(&["c2", "@x/y", "b2"]),
                _ => random.pick(&["1.0.0", "1.3.0", "2.0.0", "0.0.1", "1.1.0-rc.1"]),
            };
            if random.one_in(4) && !is_1 {
                manifest.remove(field)?;
                return Some(format!("{field} removed"));
            }
            manifest.insert(field.to_owned(), json!(value));
            Some(format!("{field} = {value}"))
        });
    }

    fn meta(&mut self) {
        self.manifest(|manifest, random| {
            let package = random.pick(&["leaf", "peer", "mid", "trusted", "leaf@1.0.0", "opt"]);
            match random.below(7) {
                0 => {
                    let path = random.pick(&["./a.js", "a.js", "", "./b.js"]);
                    manifest.insert("bin".to_owned(), json!({"a": path, "b": "./b.js"}));
                    Some(format!("bin.a = {path:?}"))
                }
                1 => {
                    manifest.insert("bin".to_owned(), json!("./b.js"));
                    Some("bin = ./b.js".to_owned())
                }
                2 => manifest.remove("bin").map(|_| "bin removed".to_owned()),
                3 => {
                    let meta = json!({package: {"optional": random.one_in(2)}});
                    manifest.insert("peerDependenciesMeta".to_owned(), meta.clone());
                    Some(format!("peerDependenciesMeta = {meta}"))
                }
                4 => manifest.remove("dependenciesMeta").map(|_| "dependenciesMeta removed".to_owned()),
                _ => {
                    let value = [json!(true), json!(false), json!("yes")][random.below(3)].clone();
                    let meta = json!({package: {random.pick(&["built", "optional", "unplugged", "other"]): value}});
                    manifest.insert("dependenciesMeta".to_owned(), meta.clone());
                    Some(format!("dependenciesMeta = {meta}"))
                }
            }
        });
    }

    fn setting(&mut self) {
        let path = ".yarnrc.yml";
        let text = fs::read_to_string(self.root.join(path)).unwrap();
        let random = &mut self.random;
        let lines: &[&str] = &[
            "compressionLevel: 9",
            "compressionLevel: mixed",
            "compressionLevel: 0",
            "enableTransparentWorkspaces: false",
            "enableTransparentWorkspaces: true",
            "defaultProtocol: \"npm:\"",
            "supportedArchitectures:\n  os: [linux, darwin]",
            "enableScripts: false",
            "nmHoistingLimits: workspaces",
            "enableGlobalCache: false",
            "nodeLinker: pnp",
        ];
        let (from, to) = match random.below(6) {
            0 => ("extra: ^1.0.0", random.pick(&["extra: ^2.0.0", "extra: 1.0.0", "leaf: 1.1.0", "nested: ^9.0.0"])),
            1 => ("mid@*:", random.pick(&["mid@^2.0.0:", "mid@^1.0.0:", "top@*:", "b@*:", "c@^2.0.0:"])),
            2 => ("leaf: ^2.0.0", random.pick(&["leaf: ^1.0.0", "leaf: 2.1.0", "other: 1.0.0", "leaf: \"npm:^2.0.0\""])),
            3 => (
                "packageExtensions:\n  mid@*:\n    dependencies:\n      extra: ^1.0.0\n",
                random.pick(&[
                    "",
                    "packageExtensions:\n  leaf@1:\n    dependencies:\n      extra: ^1.0.0\n",
                    "packageExtensions:\n  mid@*:\n    peerDependencies:\n      extra: \"*\"\n    dependencies:\n      extra: ^1.0.0\n",
                ]),
            ),
            _ => ("", random.pick(lines)),
        };
        let edited = match from {
            "" if to.starts_with("nodeLinker") => text.replace("nodeLinker: node-modules", to),
            "" => format!("{text}{to}\n"),
            from => text.replacen(from, to, 1),
        };
        if edited != text && !edited.matches(to.split(':').next().unwrap()).nth(1).is_some_and(|_| from.is_empty()) {
            write_text(self.root, path, &edited);
            self.done.push(format!("{path}: {from:?} -> {to:?}"));
        }
    }

    /// Edits that no install reads.
    fn nothing(&mut self) {
        self.manifest(|manifest, random| {
            let field = random.pick(&["description", "license", "author", "main", "types"]);
            manifest.insert(field.to_owned(), json!("x"));
            Some(format!("{field} = x"))
        });
    }

    fn workspace(&mut self) {
        if self.random.one_in(2) {
            let folder = self.random.pick(&["packages/a", "packages/c", "packages/d"]);
            if fs::remove_dir_all(self.root.join(folder)).is_ok() {
                self.done.push(format!("{folder} removed"));
            }
            return;
        }
        let name = self.random.pick(&["new", "leaf", "extra"]);
        let manifest = json!({"name": name, "version": "1.0.0", "dependencies": {"leaf": "^1.0.0"}});
        write_json(self.root, "packages/new/package.json", &manifest);
        self.done.push(format!("packages/new: {manifest}"));
    }

    /// Patches and linked folders.
    fn folder(&mut self) {
        if self.random.one_in(2) {
            self.manifest_at("vendor/ported/package.json", |manifest, random| {
                let range = random.pick(&["^1.0.0", "^2.0.0", "2.0.0"]);
                manifest["dependencies"]["leaf"] = json!(range);
                Some(format!("leaf = {range}"))
            });
            return;
        }
        let path = "patches/patched.patch";
        let Ok(text) = fs::read_to_string(self.root.join(path)) else { return };
        let (from, to) = match self.random.below(4) {
            0 => ("// patched", "// changed"),
            1 => ("\n", "\r\n"),
            2 => ("0000002", "0000003"),
            _ => ("+// patched\n", "+// patched\n\\ No newline at end of file\n"),
        };
        write_text(self.root, path, &text.replace(from, to));
        self.done.push(format!("{path}: {from:?} -> {to:?}"));
    }

    fn lockfile(&mut self) {
        let path = "yarn.lock";
        let text = fs::read_to_string(self.root.join(path)).unwrap();
        let (head, rest) = text.split_once("\n\n").unwrap();
        let mut blocks: Vec<String> = rest.trim_start().trim_end().split("\n\n").map(str::to_owned).collect();
        let at = self.random.below(blocks.len());
        let block = blocks[at].clone();
        let kind = self.random.below(6);
        let edited = match kind {
            0 => String::new(),
            // One descriptor less.
            1 => match block.split_once(", ") {
                Some((_, rest)) if block.starts_with('"') && !rest.starts_with('"') => format!("\"{rest}"),
                Some((_, rest)) => rest.to_owned(),
                None => block.clone(),
            },
            2 => block.replace("^1.0.0", "^2.0.0"),
            3 => block.replace("1.0.0", "1.1.0"),
            4 => block.replace("^1.0.0", "~1.0.0"),
            _ => block
                .lines()
                .filter(|line| !line.trim_start().starts_with("leaf"))
                .collect::<Vec<_>>()
                .join("\n")
                .trim_end()
                .to_owned(),
        };
        if edited == block {
            return;
        }
        self.done.push(format!("{path} ({kind}):\n{block}\n->\n{edited}"));
        blocks[at] = edited;
        blocks.retain(|block| !block.is_empty());
        write_text(self.root, path, &format!("{head}\n\n{}\n", blocks.join("\n\n")));
    }
}

/// Returns the packages that Yarn 1 asked the registry for, because the lockfile has no entry of the right version. It may do
/// that for packages with resolutions, for which Yarn 1 itself writes such entries.
pub(super) fn asked_for(root: &Utf8Path, output: &str, requests: &[String]) -> Vec<String> {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(root.join("package.json")).unwrap()).unwrap();
    let resolutions = manifest["resolutions"].as_object().cloned().unwrap_or_default();
    let is_resolved = |name: &str| resolutions.keys().any(|key| key == name || key.ends_with(&format!("/{name}")));
    let is_incorrect = |name: &str| output.contains(&format!("Lockfile has incorrect entry for \"{name}@"));
    let names =
        requests.iter().filter_map(|request| request.strip_prefix("GET /")).filter(|path| !path.contains("/-/"));
    names.filter(|name| !(is_resolved(name) && is_incorrect(name))).map(str::to_owned).collect()
}

/// Whether a difference is deliberate: splitter does not read lockfiles that no Yarn writes.
pub(super) fn is_deliberate(found: &Result<(), Vec<String>>) -> bool {
    let unreadable = ["duplicate key", "the lockfile has two integrities"];
    found.as_ref().is_err_and(|texts| texts.iter().any(|text| unreadable.iter().any(|start| text.starts_with(start))))
}
