//! Nx: `targetDefaults` and `namedInputs` of `nx.json`, and the targets of a workspace, which `project.json` or `nx` of its manifest
//! has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Need, Task, read_json, texts};
use crate::{
    repo::{RepoPath, Tree},
    split::{Manifest, SplitError, Workspaces},
};

/// How deep named inputs that name others are followed.
const DEPTH: usize = 8;

/// The files, read.
#[derive(Debug, Clone, Default)]
pub(in crate::split) struct Config {
    root: Value,
    projects: BTreeMap<RepoPath, Value>,
}

impl Config {
    pub(super) fn read(tree: &dyn Tree, workspaces: &Workspaces) -> Result<Option<Self>, SplitError> {
        let Some(root) = read_json(tree, &RepoPath::root().child("nx.json"))? else { return Ok(None) };
        let mut config = Self { root, projects: BTreeMap::new() };
        for path in workspaces.keys() {
            let project = read_json(tree, &path.child("project.json"))?;
            config.projects.extend(project.map(|value| (path.clone(), value)));
        }
        Ok(Some(config))
    }

    /// The folders of projects by their names in `project.json`.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &RepoPath)> {
        self.projects.iter().filter_map(|(path, project)| Some((project.get("name")?.as_str()?, path)))
    }

    /// The projects that one depends on though none of its files names them.
    pub(super) fn implicit(&self, path: &RepoPath) -> impl Iterator<Item = &str> {
        texts(self.projects.get(path).and_then(|project| project.get("implicitDependencies")))
    }

    pub(super) fn task(&self, path: &RepoPath, manifest: &Manifest, name: &str) -> Task {
        let project = self.projects.get(path);
        let places = [
            self.root.get("targetDefaults").and_then(|targets| targets.get(name)),
            manifest.json.get("nx").and_then(|nx| nx.get("targets")?.get(name)),
            project.and_then(|project| project.get("targets")?.get(name)),
        ];
        let mut fields = Map::new();
        for target in places.into_iter().flatten().filter_map(Value::as_object) {
            fields.extend(target.clone());
        }
        let mut task = Task {
            needs: fields.get("dependsOn").and_then(Value::as_array).into_iter().flatten().flat_map(needs).collect(),
            outputs: texts(fields.get("outputs")).filter_map(|output| output_of(path, &fields, output)).collect(),
            ..Task::default()
        };
        let named = project.and_then(|project| project.get("namedInputs"));
        let inputs = fields.get("inputs").and_then(Value::as_array).into_iter().flatten();
        for input in inputs {
            self.add_input(input, named, &mut task, DEPTH);
        }
        task
    }

    /// Whether `project.json` or the manifest of a workspace defines a target.
    pub(super) fn defines(&self, path: &RepoPath, manifest: &Manifest, name: &str) -> bool {
        let project = self.projects.get(path).and_then(|project| project.get("targets")?.get(name));
        project.or_else(|| manifest.json.get("nx")?.get("targets")?.get(name)).is_some()
    }

    fn add_input(&self, input: &Value, own: Option<&Value>, task: &mut Task, depth: usize) {
        if let Some(variable) = input.get("env").and_then(Value::as_str) {
            task.env.insert(variable.to_owned());
        }
        let Some(text) = input.as_str().or_else(|| input.get("fileset")?.as_str()) else { return };
        if let Some(path) = text.strip_prefix("{workspaceRoot}/") {
            task.root_inputs.insert(path.to_owned());
        }
        // `^name` belongs to dependencies, which are asked themselves.
        let named = own.and_then(|named| named.get(text)).or_else(|| self.root.get("namedInputs")?.get(text));
        if let Some(inputs) = named.and_then(Value::as_array).filter(|_| depth > 0) {
            for input in inputs {
                self.add_input(input, own, task, depth - 1);
            }
        }
    }
}

/// `"^build"`, `"codegen"`, `"project:task"`, or an object with `target` and `projects` or `dependencies`.
fn needs(value: &Value) -> Vec<Need> {
    if let Some(text) = value.as_str() {
        return vec![match (text.strip_prefix('^'), text.split_once(':')) {
            (Some(task), _) => Need::OfDependencies(task.to_owned()),
            // `build:css` may be a task of the same project, which a project's name before it cannot be told from.
            (None, _) => Need::Own(text.to_owned()),
        }];
    }
    let Some(task) = value.get("target").and_then(Value::as_str) else { return Vec::new() };
    let of_dependencies = value.get("dependencies").and_then(Value::as_bool).unwrap_or_default();
    let projects: BTreeSet<&str> =
        texts(value.get("projects")).chain(value.get("projects").and_then(Value::as_str)).collect();
    if of_dependencies || projects.contains("dependencies") {
        return vec![Need::OfDependencies(task.to_owned())];
    }
    let named = projects.iter().filter(|project| **project != "self" && **project != "{self}");
    let named: Vec<_> =
        named.map(|project| Need::Of { package: (*project).to_owned(), task: task.to_owned() }).collect();
    if named.is_empty() { vec![Need::Own(task.to_owned())] } else { named }
}

/// An output inside the workspace's folder, relative to that.
fn output_of(path: &RepoPath, target: &Map<String, Value>, output: &str) -> Option<String> {
    if let Some(inner) = output.strip_prefix("{projectRoot}/") {
        return Some(inner.to_owned());
    }
    let option = output.strip_prefix("{options.").and_then(|name| name.strip_suffix('}'));
    let from_root = match option {
        Some(name) => target.get("options")?.get(name)?.as_str()?,
        None => output.strip_prefix("{workspaceRoot}/")?,
    };
    let from_root = from_root.replace("{projectRoot}", path.as_str());
    Some(RepoPath::root().resolve(&from_root).ok()?.below(path)?.to_owned())
}
