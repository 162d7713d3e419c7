//! Why a workspace is not an app, and the setting that makes it one.

use crate::{
    repo::{RepoPath, Tree, TreeError},
    split::{
        ManagerName, Manifest, Workspaces,
        config::{BuildChoice, WorkspaceConfig},
        workspaces::detect::{does_nothing, start, words},
    },
};

use super::kind::APP_FOLDERS;

/// The setting in `splitter.json` that makes a library an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// The key of the workspace's settings: `start` or `kind`.
    pub key: &'static str,
    /// The value; none if no file was found that the workspace may start.
    pub value: Option<String>,
    /// Whether the workspace looks like an app: its folder or a script of the root says so.
    pub is_likely: bool,
}

impl Remedy {
    /// The setting for a workspace that has something to build or start.
    pub(super) fn kind() -> Self {
        Self { key: "kind", value: Some("app".to_owned()), is_likely: false }
    }

    /// Formats the setting as it is written in `splitter.json`.
    pub fn setting(&self, workspace: &RepoPath) -> String {
        setting(workspace, self.key, self.value.as_deref().unwrap_or("FILE"))
    }

    /// Says how to make the workspace an app.
    pub fn advice(&self, workspace: &RepoPath) -> String {
        let file = if self.value.is_none() { "; FILE is the file that it starts" } else { "" };
        format!("to make it an app, set `{}` in splitter.json{file}", self.setting(workspace))
    }
}

/// Formats a setting of a workspace: `"workspaces": { "apps/api": { "start": "index.ts" } }`.
pub fn setting(workspace: &RepoPath, key: &str, value: &str) -> String {
    let [folder, value] = [workspace.to_string(), value.to_owned()].map(serde_json::Value::String);
    format!("\"workspaces\": {{ {folder}: {{ \"{key}\": {value} }} }}")
}

/// Says what a workspace without a product lacks: the scripts that were looked for, and why the ones that exist do not count.
pub(super) fn lacks(manifest: &Manifest, choice: &WorkspaceConfig) -> String {
    let mut absent = Vec::new();
    let mut others = Vec::new();
    for name in ["build", "start", "dev"] {
        match manifest.scripts.get(name) {
            None => absent.push(name),
            Some(_) if does_nothing(name, manifest) => others.push(format!("`{name}` does nothing")),
            Some(_) if name == "build" && choice.build == BuildChoice::None => {
                others.push("splitter.json excludes its `build`".to_owned());
            }
            Some(text) if name == "dev" && !start::probable_files(text).is_empty() => {
                others.push(format!("`dev` (`{text}`) is for development"));
            }
            Some(text) => others.push(format!("`{name}` (`{text}`) starts no file that splitter found")),
        }
    }
    let absent = match absent.as_slice() {
        [] => None,
        [one] => Some(format!("its package.json has no `{one}` script")),
        [one, two] => Some(format!("its package.json has no `{one}` or `{two}` script")),
        _ => Some("its package.json has no `build`, `start` or `dev` script".to_owned()),
    };
    absent.into_iter().chain(others).collect::<Vec<_>>().join("; ")
}

/// Finds the setting for a workspace that has nothing to build or start.
pub(super) fn remedy(
    tree: &dyn Tree,
    workspaces: &Workspaces,
    path: &RepoPath,
    manifest: &Manifest,
    manager: ManagerName,
) -> Result<Remedy, TreeError> {
    let is_likely = path.parent().parts().any(|part| APP_FOLDERS.contains(&part))
        || workspaces.get(&RepoPath::root()).is_some_and(|root| is_started(root, path, manifest));
    let value = likely_file(tree, path, manifest, manager)?;
    Ok(Remedy { key: "start", is_likely: is_likely && !path.is_root(), value })
}

/// Finds the file that a workspace probably starts.
fn likely_file(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    manager: ManagerName,
) -> Result<Option<String>, TreeError> {
    let scripts = ["start", "dev"].into_iter().filter_map(|name| manifest.scripts.get(name));
    let of_scripts = scripts.flat_map(|text| start::probable_files(text));
    let named = ["module", "main"].into_iter().filter_map(|field| manifest.json.get(field)?.as_str());
    let endings: &[&str] = if manager.manager().runs_typescript() { &["ts", "js", "mjs"] } else { &["js", "mjs"] };
    let usual = ["index", "src/index", "server", "src/server", "src/main", "main"];
    let usual = usual.into_iter().flat_map(|name| endings.iter().map(move |ending| format!("{name}.{ending}")));
    let named = named.map(|file| file.trim_start_matches("./").to_owned());
    for file in of_scripts.chain(named).chain(usual) {
        let Ok(path) = folder.resolve(&file) else { continue };
        let runs = endings.contains(&camino::Utf8Path::new(&file).extension().unwrap_or_default());
        // Outputs of an earlier build are ignored by git and exist on one machine only.
        if runs && path.below(folder).is_some() && tree.is_file(&path)? && !tree.is_ignored(&path)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Returns whether a script of the root starts the workspace, by name (`start:api`) or in its text (`--filter api`).
fn is_started(root: &Manifest, path: &RepoPath, manifest: &Manifest) -> bool {
    let folder = path.file_name();
    root.scripts.iter().any(|(name, text)| {
        let parts: Vec<&str> = name.split([':', '-', '.']).collect();
        let starts = parts.iter().any(|part| matches!(*part, "start" | "dev" | "serve"));
        starts && (parts.contains(&folder) || words(text).iter().any(|word| names(word, path, manifest)))
    })
}

/// Returns whether a word of a script names a workspace: by its folder, a file in it, its name or the end of its name.
fn names(word: &str, path: &RepoPath, manifest: &Manifest) -> bool {
    let word = word.rsplit('=').next().unwrap_or_default().trim_start_matches("./").trim_end_matches('/');
    let is_inside = word.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    is_inside || word == path.file_name() || (!manifest.name.is_empty() && word == manifest.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse("package.json", text).unwrap()
    }

    #[test]
    fn what_is_lacking_names_the_scripts_that_were_read() {
        let said =
            |scripts: &str| lacks(&manifest(&format!(r#"{{"scripts": {scripts}}}"#)), &WorkspaceConfig::default());
        assert_eq!(said("{}"), "its package.json has no `build`, `start` or `dev` script");
        assert_eq!(
            said(r#"{"start": "expo start"}"#),
            "its package.json has no `build` or `dev` script; `start` (`expo start`) starts no file that splitter found"
        );
        assert_eq!(
            said(r#"{"build": "exit 0", "dev": "x"}"#),
            "its package.json has no `start` script; `build` does nothing; `dev` (`x`) starts no file that splitter found"
        );
        assert_eq!(
            said(r#"{"dev": "bun run src/x.ts"}"#),
            "its package.json has no `build` or `start` script; `dev` (`bun run src/x.ts`) is for development"
        );
    }

    #[test]
    fn the_file_of_a_dev_script_is_the_likeliest() {
        let own = manifest(r#"{"main": "index.ts", "scripts": {"dev": "bun run targets/bun.ts"}}"#);
        let tree = MemoryTree::new([("apps/a/index.ts", ""), ("apps/a/targets/bun.ts", "")]);
        let remedy = remedy(&tree, &Workspaces::new(), &"apps/a".parse().unwrap(), &own, ManagerName::Bun).unwrap();
        assert_eq!(remedy.value.as_deref(), Some("targets/bun.ts"));
    }

    #[test]
    fn a_library_that_looks_like_an_app_has_a_likely_remedy() {
        let own = manifest(r#"{"name": "@acme/backend", "module": "./dist/x.ts", "main": "index.ts"}"#);
        let tree = MemoryTree::new([("apps/backend/index.ts", ""), ("packages/backend/src/index.ts", "")]);
        let found = |folder: &str, scripts: &str| {
            let root = manifest(&format!(r#"{{"scripts": {scripts}}}"#));
            let workspaces = Workspaces::from([(RepoPath::root(), root)]);
            let folder: RepoPath = folder.parse().unwrap();
            let remedy = remedy(&tree, &workspaces, &folder, &own, ManagerName::Bun).unwrap();
            (remedy.is_likely, remedy.setting(&folder))
        };
        let setting = r#""workspaces": { "apps/backend": { "start": "index.ts" } }"#.to_owned();
        assert_eq!(found("apps/backend", "{}"), (true, setting));
        let inner = r#""workspaces": { "packages/backend": { "start": "src/index.ts" } }"#.to_owned();
        for likely in [
            r#"{"start:backend": "x"}"#,
            r#"{"dev": "bun run packages/backend/index.ts"}"#,
            r#"{"start": "bun run --filter backend start"}"#,
            r#"{"start": "bun run --filter=@acme/backend start"}"#,
        ] {
            assert_eq!(found("packages/backend", likely), (true, inner.clone()), "{likely}");
        }
        assert_eq!(found("packages/backend", r#"{"lint": "eslint packages/backend"}"#), (false, inner));
    }
}
