//! What task runners know of a repository: Turborepo's `turbo.json`, Nx' `nx.json` and `project.json`.
//!
//! They are asked for what manifests do not say: scripts that a build needs to have run before it (code that is generated),
//! where a build writes, which environment variables and which files of the root it reads. The order of builds is that of the
//! workspace graph, which is what `"dependsOn": ["^build"]` means. What is wrong with such a file is its tool's to report.
//!
//! Formats: <https://turborepo.com/docs/reference/configuration>, <https://nx.dev/reference/project-configuration>.

mod nx;
mod plan;
mod turbo;

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) use self::plan::NotRun;
pub(in crate::split) use self::plan::{Before, without_those_that_build_runs};

use crate::split::{Manifest, SplitError, Workspaces};
use crate::{
    lockfile::json::{Dialect, Document, to_serde},
    repo::{RepoPath, Tree, read_parsed},
};

/// The names of the files that are read.
pub(crate) const FILES: [&str; 4] = ["turbo.json", "turbo.jsonc", "nx.json", "project.json"];

/// A task of a workspace, as the runner has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::split) struct Task {
    /// What runs before it.
    needs: Vec<Need>,
    /// What it writes: paths and globs relative to the workspace's folder.
    pub(in crate::split) outputs: Vec<String>,
    /// Environment variables that it reads, as names that may end in `*`.
    pub(in crate::split) env: BTreeSet<String>,
    /// What it reads besides the workspace: paths and globs relative to the root.
    pub(in crate::split) root_inputs: BTreeSet<String>,
}

/// A task that another one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Need {
    /// Of the same workspace.
    Own(String),
    /// Of each workspace that it depends on directly.
    OfDependencies(String),
    /// Of the workspace of this name.
    Of { package: String, task: String },
}

/// The task runner of a repository, if it has one.
#[derive(Debug, Clone, Default)]
pub(in crate::split) enum Tasks {
    #[default]
    None,
    Turbo(turbo::Config),
    Nx(nx::Config),
}

impl Tasks {
    /// Reads the files of the task runner; Turborepo's where there are those of both.
    pub(in crate::split) fn read(tree: &dyn Tree, workspaces: &Workspaces) -> Result<Self, SplitError> {
        if let Some(config) = turbo::Config::read(tree, workspaces)? {
            return Ok(Self::Turbo(config));
        }
        Ok(nx::Config::read(tree, workspaces)?.map_or(Self::None, Self::Nx))
    }

    /// Whether a workspace has a task of its own that needs no script of its manifest.
    fn defines(&self, path: &RepoPath, manifest: &Manifest, name: &str) -> bool {
        match self {
            // Turborepo runs scripts of manifests alone.
            Self::None | Self::Turbo(_) => false,
            Self::Nx(config) => config.defines(path, manifest, name),
        }
    }

    /// A task of a workspace. One that nothing is known of needs nothing.
    pub(in crate::split) fn task(&self, path: &RepoPath, manifest: &Manifest, name: &str) -> Task {
        match self {
            Self::None => Task::default(),
            Self::Turbo(config) => config.task(path, manifest, name),
            Self::Nx(config) => config.task(path, manifest, name),
        }
    }
}

/// A file of JSON with comments; none where there is none, or where it is not that.
fn read_json(tree: &dyn Tree, path: &RepoPath) -> Result<Option<Value>, SplitError> {
    let Some(text) = read_parsed(tree, path)? else { return Ok(None) };
    let Ok(document) = Document::parse(path.as_str(), &text, Dialect::Jsonc) else { return Ok(None) };
    Ok(document.object().ok().map(|root| to_serde(&jsonc_parser::ast::Value::Object(root.clone()))))
}

/// The texts of a list.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::workspaces};

    fn build_of(path: &str, files: &[(&str, &str)]) -> Task {
        let manifests =
            [("package.json", r#"{"workspaces": ["*/*"]}"#), ("packages/ui/package.json", r#"{"name": "ui"}"#)];
        let tree = MemoryTree::new(manifests.iter().chain(files).copied());
        let workspaces = workspaces::read(&tree).unwrap();
        let path = path.parse().unwrap();
        Tasks::read(&tree, &workspaces).unwrap().task(&path, &workspaces[&path], "build")
    }

    #[test]
    fn turborepo_says_what_a_build_reads_and_writes() {
        let turbo = r#"{"globalEnv": ["CI"], "globalDependencies": ["scripts/**", "!x"], "tasks": {"build": {
            "inputs": ["$TURBO_DEFAULT$", "$TURBO_ROOT$/brand.json"], "outputs": ["lib/**", "!lib/cache/**"], "env": ["API_*", "!X"]}}}"#;
        let task = build_of("packages/ui", &[("turbo.json", turbo)]);
        assert_eq!(task.outputs, ["lib/**"]);
        assert!(task.env.iter().eq(["API_*", "CI"]));
        assert!(task.root_inputs.iter().eq(["brand.json", "scripts/**"]));
        let own = ("packages/ui/turbo.json", r#"{"tasks": {"build": {"outputs": ["es/**"]}}}"#);
        assert_eq!(build_of("packages/ui", &[("turbo.json", turbo), own]).outputs, ["es/**"]);
    }

    #[test]
    fn nx_says_what_a_build_reads_and_writes() {
        let nx = r#"{"namedInputs": {"default": ["{projectRoot}/**/*", "shared"], "shared": ["{workspaceRoot}/a.json"]},
            "targetDefaults": {"build": {"inputs": ["default", "^default", {"env": "API_URL"}], "outputs": ["{projectRoot}/es"]}}}"#;
        let task = build_of("packages/ui", &[("nx.json", nx)]);
        assert_eq!(task.outputs, ["es"]);
        assert!(task.env.iter().eq(["API_URL"]) && task.root_inputs.iter().eq(["a.json"]));
        let project = r#"{"targets": {"build": {"options": {"outputPath": "packages/ui/out"}, "outputs": ["{options.outputPath}",
            "{workspaceRoot}/dist/ui", "{workspaceRoot}/{projectRoot}/es"]}}}"#;
        let task = build_of("packages/ui", &[("nx.json", nx), ("packages/ui/project.json", project)]);
        assert_eq!(task.outputs, ["out", "es"]);
    }

    #[test]
    fn a_file_that_its_tool_cannot_read_says_nothing() {
        assert_eq!(build_of("packages/ui", &[("turbo.json", "{")]), Task::default());
        assert_eq!(build_of("packages/ui", &[("nx.json", "[]")]), Task::default());
    }
}
