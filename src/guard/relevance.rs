//! Relevant files: those whose change can make a record stale.
//!
//! Most commits change none of them, so this check comes first: by name, then by the files that the record lists. A name that
//! may matter counts as relevant, because the whole check takes only milliseconds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use crate::{
    names::{BUN_LOCK_BINARY, BUN_VERSION, FOREIGN_LOCKFILES, LOCKFILES, MANIFEST, RC_FILES, SETTINGS, YARN_FOLDER},
    repo::RepoPath,
    scaffold::{record, templates},
    split::{TASK_RUNNERS, is_configuration, nodejs},
};

/// Files and folders of the root that the record depends on, besides lockfiles and settings of package managers.
const AT_ROOT: [&str; 4] = [SETTINGS, BUN_LOCK_BINARY, BUN_VERSION, YARN_FOLDER];

/// Returns whether a path is relevant by its name: manifests, lockfiles, rc files, configurations of build tools, files of
/// splitter.
pub fn matters_by_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let first = path.split('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".json").unwrap_or_default();
    AT_ROOT.contains(&first)
        || nodejs::AT_ROOT.contains(&first)
        || LOCKFILES.contains(&first)
        || FOREIGN_LOCKFILES.contains(&first)
        || RC_FILES.contains(&first)
        || name == MANIFEST
        || ["tsconfig", "jsconfig"].iter().any(|start| stem.starts_with(start))
        || name.contains(".config.")
        || is_configuration(name)
        || TASK_RUNNERS.contains(&name)
        || name.rsplit_once('.').is_some_and(|(_, extension)| extension == "prisma")
        || is_splitters(path)
}

/// Returns whether a path is a file that `init` generates, other than the record.
pub fn is_template(path: &str) -> bool {
    is_splitters(path) && path != record::PATH
}

fn is_splitters(path: &str) -> bool {
    path.strip_prefix(templates::FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

/// Files that a record lists.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    #[serde(deserialize_with = "keys")]
    lock_set: BTreeSet<String>,
    local: Vec<RepoPath>,
    root_files: Vec<RepoPath>,
    workspaces: Vec<NamedWorkspace>,
    #[serde(default)]
    submodules: Vec<RepoPath>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NamedWorkspace {
    path: RepoPath,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    root_files: Vec<RepoPath>,
}

/// Reads the keys of an object.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    Ok(BTreeMap::<String, String>::deserialize(deserializer)?.into_keys().collect())
}

impl Named {
    /// Reads a record. Returns `None` if it cannot be read; the check itself reports that.
    pub fn of_record(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Returns whether a path is one of the files, is in one of the folders, or is a submodule with any of them.
    pub fn has(&self, path: &str) -> bool {
        self.names(path) || self.holds(path)
    }

    /// Returns whether anything that the record lists is at a path or below it. Git lists a submodule as one path.
    fn holds(&self, path: &str) -> bool {
        let is_below =
            |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let listed = self.lock_set.iter().map(String::as_str);
        let workspaces = self.workspaces.iter().flat_map(|found| std::iter::once(&found.path).chain(&found.root_files));
        let paths = self.local.iter().chain(&self.root_files).chain(workspaces).chain(&self.submodules);
        listed.chain(paths.map(RepoPath::as_str)).any(is_below)
    }

    fn names(&self, path: &str) -> bool {
        let is_within = |folder: &RepoPath| path.parse().is_ok_and(|path: RepoPath| path.is_within(folder));
        self.lock_set.contains(path)
            || self.local.iter().chain(&self.root_files).any(is_within)
            || self.workspaces.iter().flat_map(|workspace| &workspace.root_files).any(is_within)
            || self.workspaces.iter().any(|workspace| {
                let start = workspace.start.as_deref().and_then(|start| workspace.path.resolve(start).ok());
                start.is_some_and(|start| start.as_str() == path)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_matter_do() {
        let matter = [
            "bun.lock",
            "apps/web/package.json",
            "nix/splitter/package.nix",
            ".yarn/patches/a.patch",
            ".npmrc",
            ".nvmrc",
        ];
        let more = ["tsconfig.base.json", "apps/web/vite.config.ts", "apps/web/prisma/schema.prisma", "splitter.json"];
        let builds = ["turbo.json", "apps/web/project.json", "apps/web/.babelrc.json", ".browserslistrc"];
        assert!(matter.iter().chain(&more).chain(&builds).all(|path| matters_by_name(path)));
        let others = ["README.md", "apps/web/src/index.ts", "apps/web/yarn.lock", "nix/splitter.nix", "package.json5"];
        assert!(!others.iter().any(|path| matters_by_name(path)));
        assert!(is_template("nix/splitter/tools/keep.mjs") && !is_template(record::PATH));
    }

    #[test]
    fn a_record_names_patches_folders_root_files_and_start_files() {
        let text = r#"{"lockSet": {"patches/a.patch": "x"}, "local": ["lib/f"], "rootFiles": [], "other": 1,
            "workspaces": [{"path": "apps/api", "start": "src/server.ts", "rootFiles": ["scripts"]}, {"path": ""}]}"#;
        let named = Named::of_record(text).unwrap();
        let files = ["patches/a.patch", "lib/f/new.js", "apps/api/src/server.ts", "scripts/a.sh"];
        assert!(files.iter().all(|path| named.has(path)));
        assert!(!["lib/fresh.js", "apps/api/src/other.ts"].iter().any(|path| named.has(path)));
        assert!(Named::of_record("<<<<<<<").is_none());
    }
}
