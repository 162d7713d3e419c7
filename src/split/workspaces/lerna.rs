//! `lerna.json`: what it says of workspaces, which no package manager reads.

use crate::{
    lockfile::json::{Dialect, Document},
    managers::ManagerName,
    repo::{RepoPath, Tree, read_parsed},
    split::{Manifest, SplitError},
};

const FILE: &str = "lerna.json";

/// What to say of it. A file that is no JSON says nothing: no build reads it.
pub(super) fn warnings(tree: &dyn Tree, root: &Manifest, manager: ManagerName) -> Result<Vec<String>, SplitError> {
    let Some(text) = read_parsed(tree, &RepoPath::root().child(FILE))? else { return Ok(Vec::new()) };
    let Ok(document) = Document::parse(FILE, &text, Dialect::Jsonc) else { return Ok(Vec::new()) };
    let Ok(lerna) = document.object() else { return Ok(Vec::new()) };
    let mut warnings = Vec::new();
    if root.workspaces.is_none() {
        let elements = lerna.get_array("packages").map(|packages| packages.elements.as_slice()).unwrap_or_default();
        let packages: Vec<&str> = elements.iter().filter_map(|element| document.as_str(element).ok()).collect();
        let uses_workspaces = lerna.get_boolean("useWorkspaces").is_some_and(|choice| choice.value);
        let advice = |patterns: &[&str]| {
            format!(
                "{} does not read {FILE}, so no package is a workspace; add `\"workspaces\": {}` to package.json and install again",
                manager.title(),
                serde_json::json!(patterns)
            )
        };
        if uses_workspaces {
            let named = if packages.is_empty() { &["packages/*"] } else { packages.as_slice() };
            warnings
                .push(format!("{FILE} sets `useWorkspaces`, but package.json has no `workspaces`: {}", advice(named)));
        } else if !packages.is_empty() {
            warnings
                .push(format!("{FILE} lists `packages`, but package.json has no `workspaces`: {}", advice(&packages)));
        }
    }
    if let Some(client) = lerna.get_string("npmClient").filter(|client| client.value != manager.command()) {
        warnings.push(format!(
            "{FILE} sets `npmClient` to `{}`, but the lockfile is of {}: splitter builds with {}",
            client.value.escape_debug(),
            manager.title(),
            manager.title()
        ));
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn of(manifest: &str, lerna: &str) -> Vec<String> {
        let root = Manifest::parse("package.json", manifest).unwrap();
        warnings(&MemoryTree::new([(FILE, lerna)]), &root, ManagerName::YarnClassic).unwrap()
    }

    #[test]
    fn packages_that_no_package_manager_sees_are_named() {
        assert_eq!(
            of("{}", r#"{"packages": ["packages/*", "tools/*"], "version": "1.0.0"}"#),
            [
                "lerna.json lists `packages`, but package.json has no `workspaces`: Yarn does not read lerna.json, so no package is \
              a workspace; add `\"workspaces\": [\"packages/*\",\"tools/*\"]` to package.json and install again"
            ]
        );
        let [warning] = of("{}", r#"{"useWorkspaces": true}"#).try_into().unwrap();
        assert!(
            warning.starts_with("lerna.json sets `useWorkspaces`, but package.json has no `workspaces`: "),
            "{warning}"
        );
        assert!(warning.contains(r#"`"workspaces": ["packages/*"]`"#), "{warning}");
        assert!(of(r#"{"workspaces": ["a/*"]}"#, r#"{"packages": ["packages/*"]}"#).is_empty());
        assert!(of("{}", "{").is_empty() && of("{}", "[]").is_empty() && of("{}", "{}").is_empty());
    }

    #[test]
    fn another_client_is_named() {
        let workspaces = r#"{"workspaces": ["a/*"]}"#;
        assert!(of(workspaces, r#"{"npmClient": "yarn"}"#).is_empty());
        assert_eq!(
            of(workspaces, r#"{"npmClient": "npm"}"#),
            ["lerna.json sets `npmClient` to `npm`, but the lockfile is of Yarn: splitter builds with Yarn"]
        );
    }
}
