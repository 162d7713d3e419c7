//! How a workspace is built, and what its build leaves: found from its scripts and its tools' configuration.
//!
//! The build script says which tool runs; the tool's configuration says where it writes. Configuration files are
//! programs, so only plain settings are found in them; everything can be said in `splitter.json` instead.

pub(in crate::split) mod copies;
pub(in crate::split) mod entry_points;
mod output;
pub(in crate::split) mod patch_package;
mod script;
pub(in crate::split) mod start;
mod tools;

pub(in crate::split) use self::script::{does_nothing, expanded};
pub use self::tools::Tool;
use crate::repo::{RepoPath, Tree};
use crate::split::{ManagerName, Manifest, SplitError};

/// How a workspace is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The command, run in the workspace's folder.
    pub command: String,
    /// The tool that the command was found to run.
    pub tool: Option<&'static Tool>,
    /// What is kept of it, relative to the workspace's folder; none where an app runs from its sources all the same.
    pub output: Option<String>,
}

/// Finds how a workspace is built; none where it has no build script, or one that does nothing. `outputs` is what a task runner says that it writes.
pub(in crate::split) fn build(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    outputs: &[String],
    manager: ManagerName,
) -> Result<Option<Build>, SplitError> {
    let Some(script) = manifest.scripts.get("build").filter(|_| !script::does_nothing("build", manifest)) else {
        return Ok(None);
    };
    let script = script::expanded(script, manifest);
    let tool = script::tool(&script, manifest);
    let output = output::folder(tree, folder, &script, tool, outputs)?;
    Ok(Some(Build { command: format!("{} run build", manager.command()), tool, output: Some(output) }))
}
