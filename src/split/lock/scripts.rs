//! Install scripts of locked packages that builds probably need and that do not run.
//!
//! No lockfile says for certain which packages have scripts. The table of well-known packages is `known-scripts.json`, which
//! builds read too.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use nodejs_semver::Version;
use serde::Deserialize;

use crate::{
    lockfile::{LockedPackage, Resolution},
    repo::RepoPath,
    split::{ManagerName, Manifest, Split},
};

const TEXT: &str = include_str!("../../../nix-templates/known-scripts.json");

/// The table.
#[derive(Debug, Default, Deserialize)]
struct Table {
    packages: BTreeMap<String, Known>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    script: String,
    /// The version from which the script is not needed.
    idle_from: Option<String>,
}

/// The file is part of the program and a test reads it, so the fallback is never used.
static TABLE: LazyLock<Table> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// Returns the names of locked packages that have a well-known script which they need, and which the repository does not name
/// to run it.
pub fn not_run(split: &Split) -> BTreeSet<&str> {
    let decided = decided(split);
    let is_missed = |package: &&LockedPackage| {
        needs_script(package) && !decided.contains(&package.name) && !decided.contains(&package.label())
    };
    split.lockfile.packages.iter().filter(is_missed).map(|package| package.name.as_str()).collect()
}

fn needs_script(package: &LockedPackage) -> bool {
    let Some(known) = TABLE.packages.get(&package.name).filter(|known| known.script != "idle") else { return false };
    let Resolution::Registry { version, .. } = &package.resolution else { return false };
    let is_idle = |from: &String| match (Version::parse(version), Version::parse(from)) {
        (Ok(version), Ok(from)) => version >= from,
        _ => false,
    };
    !known.idle_from.as_ref().is_some_and(is_idle)
}

/// Returns the packages that the repository names, either to run their scripts or not to.
fn decided(split: &Split) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = split.config.scripts.iter().cloned().collect();
    names.extend(split.config.downloads.keys().cloned());
    if let Some(root) = split.manifests.get(&RepoPath::root()) {
        names.extend(named_in(root, split.pin.manager.name));
    }
    names
}

fn named_in(root: &Manifest, manager: ManagerName) -> Vec<String> {
    let trusted = root.json.get("trustedDependencies").and_then(|names| names.as_array());
    let trusted = trusted.filter(|_| manager == ManagerName::Bun);
    let trusted = trusted.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned()));
    let meta = root.json.get("dependenciesMeta").and_then(|meta| meta.as_object());
    let built = meta.into_iter().flatten().filter(|(_, about)| about.get("built").is_some());
    // Only Yarn 2 and later run scripts for `built: true`; builds of all package managers obey `built: false`.
    let counts = |about: &serde_json::Value| manager == ManagerName::YarnBerry || about["built"] == false;
    trusted.chain(built.filter(|(_, about)| counts(about)).map(|(name, _)| name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        repo::MemoryTree,
        split::{Choices, config},
    };

    fn found(manifest: &str, settings: &str) -> Vec<String> {
        let package = |name: &str, version: &str| {
            let integrity = crate::lockfile::Algorithm::Sha512.digest(b"");
            format!(r#""{name}": ["{name}@{version}", "", {{}}, "{integrity}"]"#)
        };
        let packages = [
            package("@prisma/engines", "6.0.0"),
            package("better-sqlite3", "12.0.0"),
            package("esbuild", "0.25.0"),
            package("react", "19.0.0"),
            package("sharp", "0.33.1"),
        ];
        let lock = format!(
            r#"{{"lockfileVersion": 1, "workspaces": {{"": {{"name": "a"}}}}, "packages": {{{}}}}}"#,
            packages.join(", ")
        );
        let tree = MemoryTree::new([("package.json", manifest), ("bun.lock", &lock), (config::FILE, settings)]);
        let split = Split::read(&tree, &Choices::default()).unwrap();
        not_run(&split).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn the_table_is_read() {
        assert!(TABLE.packages.len() > 30);
    }

    #[test]
    fn scripts_that_are_needed_and_not_named_are_found() {
        let plain = r#"{"name": "a", "packageManager": "bun@1.4.4"}"#;
        assert_eq!(found(plain, "{}"), ["@prisma/engines", "better-sqlite3"]);
        assert_eq!(found(plain, r#"{"scripts": ["better-sqlite3@12.0.0"]}"#), ["@prisma/engines"]);
        let downloads = r#"{"downloads": {"@prisma/engines": ["https://files.example/engine.gz"]}}"#;
        assert_eq!(found(plain, downloads), ["better-sqlite3"]);
        let trusting = r#"{"packageManager": "bun@1.4.4", "trustedDependencies": ["@prisma/engines"],
            "dependenciesMeta": {"better-sqlite3": {"built": false}}}"#;
        assert!(found(trusting, "{}").is_empty());
    }
}
