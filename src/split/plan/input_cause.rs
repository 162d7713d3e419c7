//! Turns a changed input into a [`Cause`].

use std::collections::BTreeSet;

use super::{Cause, Change, Input};
use crate::{repo::RepoPath, split::manifest_path};

pub(super) fn cause(input: &Input, old: Option<&String>, new: Option<&String>) -> Cause {
    let change = match (old, new) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        (Some(old), Some(new)) if id(old) == id(new) => Change::Mode,
        _ => Change::Changed,
    };
    match input {
        Input::Package(path) => Cause::Setting { name: path.clone(), from: old.cloned(), to: new.cloned() },
        Input::File(path) => Cause::File { path: path.clone(), change },
        Input::Nix(path) => Cause::Nix { path: path.clone(), change },
        Input::Manifest(path) => Cause::Manifest { path: manifest_path(path), fields: fields(old, new) },
        Input::RootManifest => Cause::Manifest { path: manifest_path(&RepoPath::root()), fields: fields(old, new) },
        Input::Settings(path) => Cause::Settings { path: path.clone() },
        Input::Setting(name) => Cause::Setting { name: (*name).to_owned(), from: old.cloned(), to: new.cloned() },
    }
}

/// Returns the object id at the start of a file state.
fn id(state: &str) -> &str {
    state.split(' ').next().unwrap_or(state)
}

/// Describes the differences between two manifests, such as `dependencies: react ^18.0.0 -> ^19.0.0`.
fn fields(old: Option<&String>, new: Option<&String>) -> Vec<String> {
    type Object = serde_json::Map<String, serde_json::Value>;
    let read =
        |text: Option<&String>| -> Object { text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default() };
    let (old, new) = (read(old), read(new));
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut texts = Vec::new();
    for key in keys {
        match (old.get(key), new.get(key)) {
            (before, after) if before == after => {}
            (before, after) => {
                let object = |value: Option<&serde_json::Value>| value.and_then(|value| value.as_object().cloned());
                match (object(before), object(after)) {
                    (None, None) => texts.push(key.clone()),
                    (before, after) => {
                        let lines = entries(&before.unwrap_or_default(), &after.unwrap_or_default());
                        texts.extend(lines.into_iter().map(|line| format!("{key}: {line}")));
                    }
                }
            }
        }
    }
    texts
}

fn entries(
    old: &serde_json::Map<String, serde_json::Value>,
    new: &serde_json::Map<String, serde_json::Value>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let line = |key: &String| match (old.get(key), new.get(key)) {
        (before, after) if before == after => None,
        (None, Some(after)) => Some(format!("+ {key} {}", text(after))),
        (Some(before), None) => Some(format!("- {key} {}", text(before))),
        (Some(before), Some(after)) => Some(format!("{key} {} -> {}", text(before), text(after))),
        (None, None) => None,
    };
    keys.into_iter().filter_map(line).collect()
}
