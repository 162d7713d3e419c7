//! Writes the choices on `init`'s command line to `splitter.json`, so that the next `update-hash` knows them.

use serde_json::{Map, Value, json};

use crate::{
    repo::{RepoPath, Tree, TreeError, read_text},
    split::{Choices, Split, config},
};

/// Returns the new text of `splitter.json`, or `None` if nothing was chosen. Existing entries are kept, comments are not.
pub fn recorded(
    tree: &dyn Tree,
    split: &Split,
    choices: &Choices,
    input: Option<&str>,
) -> Result<Option<String>, TreeError> {
    if *choices == Choices::default() && input.is_none() {
        return Ok(None);
    }
    let text = read_text(tree, &RepoPath::root().child(config::FILE))?;
    // The file was parsed before without an error, so it is an object.
    let mut root = text.and_then(|text| parse(&text)).unwrap_or_default();
    if !choices.systems.is_empty() {
        root.insert("systems".to_owned(), json!(split.systems));
    }
    if !choices.apps.is_empty() {
        root.insert("apps".to_owned(), json!(choices.apps));
    }
    if let Some(input) = input {
        root.insert("input".to_owned(), json!(input));
    }
    // Objects of strings and lists always serialise.
    let mut text = serde_json::to_string_pretty(&Value::Object(root)).unwrap_or_default();
    text.push('\n');
    Ok(Some(text))
}

fn parse(text: &str) -> Option<Map<String, Value>> {
    use crate::lockfile::json::{Dialect, Document, to_serde};
    let document = Document::parse(config::FILE, text, Dialect::Jsonc).ok()?;
    let object = document.object().ok()?.clone();
    match to_serde(&jsonc_parser::ast::Value::Object(object)) {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{repo::MemoryTree, split::System};

    #[test]
    fn what_was_chosen_is_chosen_again_without_flags() {
        let files = |config: &str| {
            MemoryTree::new([
                ("package.json", r#"{"workspaces": ["apps/*"]}"#),
                ("apps/a/package.json", r#"{"name": "a", "scripts": {"build": "x"}}"#),
                ("apps/b/package.json", r#"{"name": "b", "scripts": {"build": "x"}}"#),
                ("bun.lock", r#"{"lockfileVersion": 1}"#),
                ("splitter.json", config),
            ])
        };
        let before = "{ // mine\n \"rootFiles\": [] }";
        let choices = Choices { systems: vec![System::X8664Linux], apps: BTreeSet::from(["b".to_owned()]) };
        let split = Split::read(&files(before), &choices).unwrap();
        let text = recorded(&files(before), &split, &choices, None).unwrap().unwrap();
        assert!(text.contains("\"rootFiles\": []"));
        let again = Split::read(&files(&text), &Choices::default()).unwrap();
        assert_eq!(again.systems, [System::X8664Linux]);
        assert_eq!(again.graph.apps().map(|(name, _)| name).collect::<Vec<_>>(), ["b"]);
        let other = Choices { apps: BTreeSet::from(["a".to_owned()]), ..Choices::default() };
        let other = Split::read(&files(&text), &other).unwrap();
        assert_eq!(other.graph.apps().map(|(name, _)| name).collect::<Vec<_>>(), ["a"]);
        assert_eq!(recorded(&files(before), &split, &Choices::default(), None).unwrap(), None);
    }
}
