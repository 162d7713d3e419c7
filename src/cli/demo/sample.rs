//! The bundled sample monorepo: two apps, two libraries, real dependencies, lockfiles of the real package managers.
//!
//! It consists of layers, so that shared files exist once: `common` for all, `node` for both Yarns (the server as Node runs
//! it), and one layer for each package manager.

use crate::{
    cli::arguments::DemoManager,
    managers::registries::{RegistryError, npm_default},
    repo::RepoPath,
    scaffold::files::Files,
};

/// Files of one folder of the fixtures, by path.
type Layer = &'static [(&'static str, &'static str)];

macro_rules! layer {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../fixtures/demo/", $folder, "/", $path)))),*]
    };
}

const COMMON: Layer = layer!["common":
    ".gitignore",
    "README.md",
    "apps/api/src/server.ts",
    "apps/web/index.html",
    "apps/web/package.json",
    "apps/web/src/main.tsx",
    "apps/web/tsconfig.json",
    "apps/web/vite.config.ts",
    "packages/clock/package.json",
    "packages/clock/src/index.ts",
    "packages/greeting/package.json",
    "packages/greeting/src/index.ts",
    "tsconfig.json",
];

const NODE: Layer = layer!["node": "apps/api/package.json", "apps/api/src/main.ts"];
const BUMPED_NODE: Layer = layer!["bumped/node": "apps/api/package.json"];

const BUN: Layer = layer!["bun": "apps/api/package.json", "apps/api/src/server.test.ts", "bun.lock", "package.json"];
const BUMPED_BUN: Layer = layer!["bumped/bun": "apps/api/package.json", "bun.lock"];

const YARN: Layer = layer!["yarn": "package.json", "yarn.lock"];
const BUMPED_YARN: Layer = layer!["bumped/yarn": "yarn.lock"];

const YARN_BERRY: Layer = layer!["yarn-berry": ".yarnrc.yml", "package.json", "yarn.lock"];
const BUMPED_YARN_BERRY: Layer = layer!["bumped/yarn-berry": "yarn.lock"];

/// The placeholder for npm's registry in the lockfiles of the fixtures that contain URLs (Yarn 1).
const REGISTRY_IN_FIXTURES: &str = "https://registry.example/";

/// The source file that the demo edits. It belongs to [`APP`].
pub(super) const SOURCE: &str = "apps/api/src/server.ts";
pub(super) const APP: &str = "api";

/// The text that the demo appends.
pub(super) const EDIT: &str = "\napp.get(\"/health\", (context) => context.text(\"ok\"));\n";

impl DemoManager {
    /// Returns the name for a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bun => "Bun",
            Self::Yarn => "Yarn 1",
            Self::YarnBerry => "Yarn 4",
        }
    }

    /// Returns the command that updates a dependency as [`Self::bumped`] does.
    pub(super) fn bump(self) -> &'static str {
        match self {
            Self::Bun => "bun add hono@4.9.1",
            Self::Yarn | Self::YarnBerry => "yarn add hono@4.9.1",
        }
    }

    /// Returns the files of the monorepo.
    pub(super) fn at_first(self) -> Result<Files, RegistryError> {
        files(match self {
            Self::Bun => &[COMMON, BUN],
            Self::Yarn => &[COMMON, NODE, YARN],
            Self::YarnBerry => &[COMMON, NODE, YARN_BERRY],
        })
    }

    /// Returns the files that change with an update of one dependency of [`APP`].
    pub(super) fn bumped(self) -> Result<Files, RegistryError> {
        files(match self {
            Self::Bun => &[BUMPED_BUN],
            Self::Yarn => &[BUMPED_NODE, BUMPED_YARN],
            Self::YarnBerry => &[BUMPED_NODE, BUMPED_YARN_BERRY],
        })
    }
}

fn files(layers: &[Layer]) -> Result<Files, RegistryError> {
    let registry = npm_default()?;
    let mut files = Files::default();
    for (path, content) in layers.iter().copied().flatten() {
        let path = path.split('/').fold(RepoPath::root(), |folder, part| folder.child(part));
        files.put(path, content.replace(REGISTRY_IN_FIXTURES, registry.as_str()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use fs_err as fs;

    use super::*;

    fn below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                below(&entry.path(), &format!("{path}/"), found);
            } else {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_file_of_the_sample_is_bundled() {
        let layers = [
            ("bumped/bun", BUMPED_BUN),
            ("bumped/node", BUMPED_NODE),
            ("bumped/yarn", BUMPED_YARN),
            ("bumped/yarn-berry", BUMPED_YARN_BERRY),
            ("bun", BUN),
            ("common", COMMON),
            ("node", NODE),
            ("yarn", YARN),
            ("yarn-berry", YARN_BERRY),
        ];
        let bundled =
            layers.iter().flat_map(|(folder, layer)| layer.iter().map(move |(path, _)| format!("{folder}/{path}")));
        let mut found = Vec::new();
        below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo"), "", &mut found);
        found.sort();
        let mut bundled: Vec<_> = bundled.collect();
        bundled.sort();
        assert_eq!(bundled, found);
    }
}
