//! Turborepo: `turbo.json` of the root, and of workspaces, which extend it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Need, Task, read_json, texts};
use crate::{
    repo::{RepoPath, Tree},
    split::{Manifest, SplitError, Workspaces},
};

/// Where an array of a workspace's file adds to the root's.
const EXTENDS: &str = "$TURBO_EXTENDS$";

/// What a path of the root begins with.
const ROOT: &str = "$TURBO_ROOT$/";

/// The files, read.
#[derive(Debug, Clone, Default)]
pub(in crate::split) struct Config {
    root: Value,
    workspaces: BTreeMap<RepoPath, Value>,
}

impl Config {
    pub(super) fn read(tree: &dyn Tree, workspaces: &Workspaces) -> Result<Option<Self>, SplitError> {
        let Some(root) = read(tree, &RepoPath::root())? else { return Ok(None) };
        let mut config = Self { root, workspaces: BTreeMap::new() };
        for path in workspaces.keys().filter(|path| !path.is_root()) {
            config.workspaces.extend(read(tree, path)?.map(|value| (path.clone(), value)));
        }
        Ok(Some(config))
    }

    pub(super) fn task(&self, path: &RepoPath, manifest: &Manifest, name: &str) -> Task {
        let common = tasks(&self.root);
        let of_root = common.and_then(|tasks| {
            let own = format!("{}#{name}", manifest.name);
            tasks.get(&own).or_else(|| tasks.get(name)).and_then(Value::as_object)
        });
        let mut fields = of_root.cloned().unwrap_or_default();
        let own = self.workspaces.get(path).and_then(|file| tasks(file)?.get(name)?.as_object());
        for (field, value) in own.into_iter().flatten() {
            let value = extended(fields.get(field), value);
            fields.insert(field.clone(), value);
        }
        self.task_of(&fields)
    }

    fn task_of(&self, fields: &Map<String, Value>) -> Task {
        let global = |field: &str| texts(self.root.get(field));
        let own = |field: &str| texts(fields.get(field));
        let variables =
            own("env").chain(own("passThroughEnv")).chain(global("globalEnv")).chain(global("globalPassThroughEnv"));
        let of_root = own("inputs").filter_map(|input| input.strip_prefix(ROOT));
        let positive = |text: &&str| !text.starts_with('!');
        Task {
            needs: own("dependsOn").filter_map(need).collect(),
            outputs: own("outputs").filter(positive).map(str::to_owned).collect(),
            env: variables.filter(positive).map(str::to_owned).collect(),
            root_inputs: of_root.chain(global("globalDependencies")).filter(positive).map(str::to_owned).collect(),
        }
    }
}

fn read(tree: &dyn Tree, folder: &RepoPath) -> Result<Option<Value>, SplitError> {
    for name in ["turbo.json", "turbo.jsonc"] {
        if let Some(value) = read_json(tree, &folder.child(name))? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// `pipeline` before Turborepo 2.
fn tasks(file: &Value) -> Option<&Map<String, Value>> {
    file.get("tasks").or_else(|| file.get("pipeline"))?.as_object()
}

fn extended(inherited: Option<&Value>, own: &Value) -> Value {
    let Some(list) = own.as_array().filter(|list| list.iter().any(|item| item == EXTENDS)) else { return own.clone() };
    let inherited = inherited.and_then(Value::as_array).into_iter().flatten();
    Value::Array(inherited.chain(list.iter().filter(|item| *item != EXTENDS)).cloned().collect())
}

/// Before Turborepo 2 `$NAME` names a variable.
fn need(text: &str) -> Option<Need> {
    match (text.strip_prefix('^'), text.split_once('#')) {
        (Some(task), _) => Some(Need::OfDependencies(task.to_owned())),
        (None, Some((package, task))) => Some(Need::Of { package: package.to_owned(), task: task.to_owned() }),
        (None, None) => (!text.starts_with('$')).then(|| Need::Own(text.to_owned())),
    }
}
