//! The pin of a repository that uses Yarn.
//!
//! `yarn-path` (Yarn 1) and `yarnPath` (later) name a program in the repository. They win, because every Yarn hands
//! over to that program. Next comes `packageManager`, then an exact `engines.yarn`.

pub(in crate::managers) use crate::managers::pin::FROM_NOTHING;
use crate::{
    managers::{ManagerError, Pinned, pin::exact},
    names::MANIFEST,
    repo::RepoPath,
};

pub(in crate::managers) const FROM_MANIFEST: &str = "packageManager in package.json";
pub(in crate::managers) const FROM_ENGINES: &str = "engines.yarn in package.json";

/// Returns the version that the manifest pins.
pub(in crate::managers) fn from_manifest(
    pinned: &Pinned<'_>,
    example: &'static str,
) -> Result<Option<String>, ManagerError> {
    let Some((pin, version)) = pinned.in_manifest("yarn")? else { return Ok(None) };
    let inexact = || ManagerError::InexactPin { name: "Yarn", pin: pin.to_owned(), file: MANIFEST, example };
    exact(version).map(Some).ok_or_else(inexact)
}

/// Returns the version in a file name such as `yarn-3.6.4.cjs`.
pub(in crate::managers) fn version_in_name(file: &RepoPath) -> Option<String> {
    let stem = file.file_name().strip_prefix("yarn-")?;
    let version = [".cjs", ".js", ".mjs"].iter().find_map(|extension| stem.strip_suffix(extension))?;
    exact(version)
}

#[cfg(test)]
pub(in crate::managers) mod tests {
    use crate::{
        lockfile::Format,
        managers::{ManagerName, Pinned},
        repo::MemoryTree,
    };

    /// Returns the pinned version and its source for a manifest and a program in the repository, or the error's
    /// message.
    pub(in crate::managers) fn pin_of(manifest: &str, format: Format, program: Option<&str>) -> Result<String, String> {
        let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
        let package_manager = manifest["packageManager"].as_str().and_then(|pin| pin.split('+').next());
        let program = program.map(|file| file.parse().unwrap());
        let tree = MemoryTree::new([]);
        let pinned = Pinned { tree: &tree, package_manager, manifest: &manifest, format, program };
        let pin = ManagerName::from(format).manager().pin(&pinned).map_err(|error| error.to_string())?;
        Ok(format!("{} ({})", pin.manager.version, pin.source))
    }
}
