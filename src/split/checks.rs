//! Finds the scripts that run as checks.
//!
//! `"checks": ["test", "lint"]` in `splitter.json` turns each `test` and `lint` script of a workspace into a derivation. So an
//! edit reruns only the checks that read the edited file.

use std::collections::{BTreeMap, BTreeSet};

use crate::repo::{RepoPath, Tree};
use crate::split::{
    ManagerName, Manifest, Split, SplitError, Workspaces,
    config::Config,
    sources::root_files::{self, Asked, Finder, ProgramSearch, Purpose},
    workspaces::detect,
    workspaces::graph::{Graph, Role, Workspace, attribute, is_reserved},
    workspaces::tasks::Tasks,
};

/// A script of a workspace that runs as a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name of the derivation, `<workspace>-<script>`.
    pub name: String,
    /// The name of the script.
    pub script: String,
    /// The command that runs it in the folder of the workspace.
    pub command: String,
    /// Files outside the workspace that the check reads and the build does not.
    pub root_files: BTreeSet<RepoPath>,
    /// What its programs import and read outside of the workspace, as far as a record needs it.
    pub imports: Vec<String>,
}

/// The checks of each workspace that has any.
pub type Checks = BTreeMap<RepoPath, Vec<Check>>;

/// Part of the `test` script that `npm init` writes. Such a script always fails.
const NO_TEST: &str = "no test specified";

/// Finds the scripts that run as checks.
pub(super) fn find(
    tree: &dyn Tree,
    graph: &Graph,
    manifests: &Workspaces,
    config: &Config,
    manager: ManagerName,
    programs: ProgramSearch<'_>,
) -> Result<Checks, SplitError> {
    let wanted = wanted(manifests, config);
    if wanted.is_empty() {
        return Ok(Checks::new());
    }
    let tasks = Tasks::read(tree, manifests)?;
    let mut finder = Finder::new(tree, manifests, programs);
    let mut names = Names::of(graph);
    let mut checks = Checks::new();
    for workspace in graph.workspaces() {
        let manifest = &manifests[&workspace.path];
        for script in wanted.get(&workspace.path).into_iter().flatten() {
            let text = detect::expanded(&manifest.scripts[*script], manifest);
            let task = tasks.task(&workspace.path, manifest, script);
            let command = format!("{} run {script}", manager.command());
            let asked = Asked {
                path: &workspace.path,
                owner: &workspace.path,
                scripts: vec![&text],
                task: &task,
                purpose: Purpose::Check,
                check: &command,
            };
            let found = root_files::of(&mut finder, &asked)?;
            let mut files = found.files;
            // The check has the sources of its build. What it alone imports comes as a folder.
            let closure = graph.closure(&workspace.path);
            let choice = config.workspaces.get(&workspace.path);
            let is_off = |path: &RepoPath| choice.is_some_and(|choice| choice.not_uses.contains(path));
            files.extend(found.edges.into_keys().filter(|path| !closure.contains(path) && !is_off(path)));
            checks.entry(workspace.path.clone()).or_default().push(Check {
                name: names.take(workspace, script),
                script: (*script).to_owned(),
                command,
                root_files: files.difference(&workspace.root_files).cloned().collect(),
                imports: found.imports,
            });
        }
    }
    Ok(checks)
}

/// Returns the scripts to check, by workspace. Scripts of the root often run all others, so they count only if `splitter.json`
/// lists them for the root.
fn wanted<'a>(manifests: &'a Workspaces, config: &'a Config) -> BTreeMap<RepoPath, Vec<&'a str>> {
    let single = manifests.len() == 1;
    let of = |path: &RepoPath, manifest: &'a Manifest| -> Vec<&'a str> {
        let own = config.workspaces.get(path).and_then(|choice| choice.checks.as_ref());
        let common = Some(&config.checks).filter(|_| !path.is_root() || single);
        let names = own.or(common).into_iter().flatten();
        names.map(String::as_str).filter(|name| is_check(name, manifest)).collect()
    };
    let all = manifests.iter().map(|(path, manifest)| (path.clone(), of(path, manifest)));
    all.filter(|(_, scripts)| !scripts.is_empty()).collect()
}

fn is_check(name: &str, manifest: &Manifest) -> bool {
    let script = manifest.scripts.get(name);
    script.is_some_and(|script| !script.contains(NO_TEST)) && !detect::does_nothing(name, manifest)
}

/// Warns of names that no workspace has as a script. Without the warning a misspelt name would silently check nothing.
pub(super) fn unknown(split: &Split) -> Vec<String> {
    let lists =
        split.config.workspaces.values().filter_map(|choice| choice.checks.as_ref()).chain([&split.config.checks]);
    let names: BTreeSet<&String> = lists.flatten().collect();
    let is_known = |name: &&String| split.manifests.values().any(|manifest| manifest.scripts.contains_key(*name));
    let unknown = names.into_iter().filter(|name| !is_known(name));
    unknown.map(|name| format!("splitter.json: `checks` names `{name}`, but no workspace has such a script")).collect()
}

/// The names that are taken among the checks of a flake.
struct Names(BTreeSet<String>);

impl Names {
    fn of(graph: &Graph) -> Self {
        let libraries = graph.libraries().map(|(name, _)| format!("library-{name}"));
        Self(graph.apps().map(|(name, _)| name.to_owned()).chain(libraries).collect())
    }

    fn take(&mut self, workspace: &Workspace, script: &str) -> String {
        let folder = attribute(workspace.path.as_str());
        let short = match (&workspace.role, &workspace.library) {
            (Role::App { name, .. }, _) | (Role::Library, Some(name)) => name.clone(),
            (Role::Library, None) if workspace.path.is_root() => attribute(&workspace.name),
            (Role::Library, None) => attribute(workspace.path.file_name()),
        };
        let script = attribute_end(script);
        let numbered = (2..).map(|number| format!("{folder}-{script}-{number}"));
        let candidates = [format!("{short}-{script}"), format!("{folder}-{script}")].into_iter().chain(numbered);
        let mut free = candidates.filter(|name| !is_reserved(name) && self.0.insert(name.clone()));
        free.next().unwrap_or_default()
    }
}

/// Turns the name of a script into the end of an attribute name.
fn attribute_end(script: &str) -> String {
    script.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::Choices};

    fn split(config: &str) -> Split {
        let lock = r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "acme"}, "apps/web": {"name": "web"}, "packages/ui": {"name": "@acme/ui"}}, "packages": {}}"#;
        let tree = MemoryTree::new([
            ("bun.lock", lock),
            ("splitter.json", config),
            ("vitest.config.ts", "import './vitest.base.ts'"),
            ("vitest.base.ts", ""),
            (".eslintrc.json", "{}"),
            (
                "package.json",
                r#"{"name": "acme", "packageManager": "bun@1.4.4", "workspaces": ["apps/*", "packages/*"], "scripts": {"test": "turbo test"}}"#,
            ),
            (
                "apps/web/package.json",
                r#"{"name": "web", "scripts": {"build": "vite build", "test": "bun run test:unit", "test:unit": "vitest run", "lint": "eslint ."}}"#,
            ),
            (
                "packages/ui/package.json",
                r#"{"name": "@acme/ui", "scripts": {"test": "echo \"Error: no test specified\" && exit 1", "lint": "eslint ."}}"#,
            ),
        ]);
        Split::read(&tree, &Choices::default()).unwrap()
    }

    fn shown(split: &Split) -> Vec<String> {
        let checks = split.checks.values().flatten();
        checks
            .map(|check| {
                let files: Vec<_> = check.root_files.iter().map(ToString::to_string).collect();
                format!("{}: {} [{}]", check.name, check.command, files.join(" "))
            })
            .collect()
    }

    #[test]
    fn each_script_of_a_workspace_is_a_check_with_the_settings_of_its_tools() {
        let split = split(r#"{"checks": ["test", "lint"]}"#);
        assert_eq!(
            shown(&split),
            [
                "web-test: bun run test [vitest.base.ts vitest.config.ts]",
                "web-lint: bun run lint [.eslintrc.json]",
                "ui-lint: bun run lint [.eslintrc.json]",
            ]
        );
        assert_eq!(split.warnings, [""; 0]);
    }

    #[test]
    fn a_workspace_says_its_own_and_the_root_must() {
        let split =
            split(r#"{"checks": ["test"], "workspaces": {".": {"checks": ["test"]}, "apps/web": {"checks": []}}}"#);
        assert_eq!(shown(&split), ["acme-test: bun run test []"]);
    }

    #[test]
    fn a_name_that_is_no_script_is_told() {
        assert_eq!(
            split(r#"{"checks": ["tset"]}"#).warnings,
            ["splitter.json: `checks` names `tset`, but no workspace has such a script"]
        );
    }
}
