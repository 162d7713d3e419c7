//! The workspace graph: which workspaces there are, what they are for, and which depends on which.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ManagerName, Manifest, SplitError, Workspaces,
    config::{Config, Kind, WorkspaceConfig},
    detect::{self, Build},
    links::Links,
    manifest_path,
};
use crate::repo::{RepoPath, Tree};

/// Folders whose workspaces are apps even where another workspace depends on them (for their types).
const APP_FOLDERS: [&str; 5] = ["apps", "services", "sites", "workers", "functions"];

/// A workspace in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its folder; the root's is the empty path.
    pub path: RepoPath,
    /// Its package name, empty where it has none.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Why it is an app or a library, in words.
    pub reason: String,
    /// The workspaces that it depends on directly.
    pub dependencies: BTreeSet<RepoPath>,
    /// Those that it uses besides: it links to them, or `splitter.json` says so.
    pub uses: BTreeSet<RepoPath>,
    /// The folders that it links to and that are no workspaces.
    pub links: BTreeSet<RepoPath>,
    /// The folder of the patches that its install has `patch-package` apply.
    pub patches: Option<RepoPath>,
    /// How it is built, where it has a build that is needed: an app's is, and a library's where its manifest points
    /// others to what the build makes.
    pub build: Option<Build>,
}

/// What a workspace is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It has a derivation of its own.
    App {
        /// The name of the derivation.
        name: String,
        /// The file that it runs, where it is not built.
        start: Option<String>,
    },
    /// It is built with the apps that depend on it.
    Library,
}

/// All workspaces, by folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    workspaces: BTreeMap<RepoPath, Workspace>,
}

impl Graph {
    /// Builds the graph of `workspaces` with the user's choices.
    pub(super) fn build(
        tree: &dyn Tree,
        workspaces: &Workspaces,
        config: &Config,
        links: &Links,
        manager: ManagerName,
    ) -> Result<Self, SplitError> {
        refuse_unknown(workspaces, config)?;
        let edges = edges(workspaces);
        let single = workspaces.len() == 1;
        let mut graph = BTreeMap::new();
        for (path, manifest) in workspaces {
            let choice = config.workspaces.get(path).cloned().unwrap_or_default();
            let build = build(tree, path, manifest, &choice, manager)?;
            let start = match (&choice.start, &build) {
                (Some(file), _) => Some(file.clone()),
                (None, Some(_)) => None,
                (None, None) => detect::start(tree, path, manifest, manager)?,
            };
            let uses = |from: &RepoPath| {
                config.workspaces.get(from).is_some_and(|choice| choice.uses.contains(path))
                    || links.by_workspace.get(from).is_some_and(|linked| linked.workspaces.contains(path))
            };
            let dependants = edges.iter().filter(|(from, to)| to.contains(path) || uses(from));
            let dependants = dependants.map(|(from, _)| from).collect::<Vec<_>>();
            let facts = Facts { builds: build.is_some(), starts: start.is_some(), single, dependants: &dependants };
            let (kind, reason) = choose_kind(path, &choice, &facts);
            let build = build.filter(|build| kind == Kind::App || is_awaited(manifest, build, &choice));
            let role = match kind {
                Kind::App if build.is_none() && start.is_none() => {
                    let reason = format!(
                        "`{path}` is to be an app, but has nothing to build or start; set its `build` or `start`"
                    );
                    return Err(SplitError::Config { reason });
                }
                Kind::App => Role::App { name: choice.app.clone().unwrap_or_default(), start },
                Kind::Library => Role::Library,
            };
            let dependencies = edges[path].clone();
            let name = manifest.name.clone();
            let linked = links.by_workspace.get(path).cloned().unwrap_or_default();
            let linked_only = linked.workspaces.difference(&dependencies).cloned();
            let uses = choice.uses.into_iter().chain(linked_only).collect();
            let workspace = Workspace {
                path: path.clone(),
                name,
                role,
                reason,
                dependencies,
                uses,
                links: linked.folders,
                patches: patches(tree, path, manifest)?,
                build,
            };
            graph.insert(path.clone(), workspace);
        }
        let mut graph = Self { workspaces: graph };
        graph.name_apps()?;
        Ok(graph)
    }

    /// All workspaces, sorted by folder.
    pub fn workspaces(&self) -> impl Iterator<Item = &Workspace> {
        self.workspaces.values()
    }

    /// The apps: the name of the derivation, and the workspace.
    pub fn apps(&self) -> impl Iterator<Item = (&str, &Workspace)> {
        self.workspaces.values().filter_map(|workspace| match &workspace.role {
            Role::App { name, .. } => Some((name.as_str(), workspace)),
            Role::Library => None,
        })
    }

    /// A workspace and all that it depends on, directly or not.
    pub fn closure(&self, path: &RepoPath) -> BTreeSet<RepoPath> {
        let mut closure = BTreeSet::new();
        let mut open = vec![path.clone()];
        while let Some(path) = open.pop() {
            if let Some(workspace) = self.workspaces.get(&path)
                && closure.insert(path)
            {
                open.extend(workspace.dependencies.iter().chain(&workspace.uses).cloned());
            }
        }
        closure
    }

    /// The folders that these workspaces link to.
    pub fn links(&self, closure: &BTreeSet<RepoPath>) -> BTreeSet<RepoPath> {
        let members = closure.iter().filter_map(|path| self.workspaces.get(path));
        members.flat_map(|workspace| &workspace.links).cloned().collect()
    }

    /// Turns all apps but the named ones into libraries.
    pub fn keep_apps(&mut self, names: &BTreeSet<String>) -> Result<(), SplitError> {
        let apps: Vec<String> = self.apps().map(|(name, _)| name.to_owned()).collect();
        if let Some(name) = names.iter().find(|name| !apps.contains(name)) {
            return Err(SplitError::NoSuchApp { name: name.clone(), apps: apps.join(", ") });
        }
        for workspace in self.workspaces.values_mut() {
            if matches!(&workspace.role, Role::App { name, .. } if !names.contains(name)) {
                workspace.role = Role::Library;
                "not among the chosen apps".clone_into(&mut workspace.reason);
            }
        }
        Ok(())
    }

    /// Gives every app without a chosen name that of its folder, or of its package where folders collide.
    fn name_apps(&mut self) -> Result<(), SplitError> {
        let proposed: BTreeMap<RepoPath, String> = self
            .apps()
            .map(|(chosen, workspace)| {
                let name = if chosen.is_empty() { folder_name(workspace) } else { chosen.to_owned() };
                (workspace.path.clone(), name)
            })
            .collect();
        let is_unique = |name: &str| {
            !RESERVED.contains(&name) && proposed.values().filter(|proposed| *proposed == name).count() == 1
        };
        let mut taken: BTreeMap<String, RepoPath> = BTreeMap::new();
        for workspace in self.workspaces.values_mut() {
            let Role::App { name, .. } = &mut workspace.role else { continue };
            let folder = &proposed[&workspace.path];
            *name = if is_unique(folder) { folder.clone() } else { attribute(&workspace.name) };
            if RESERVED.contains(&name.as_str()) || name.is_empty() {
                return Err(name_error(&workspace.path, &format!("the name `{name}` is taken by splitter")));
            }
            if let Some(other) = taken.insert(name.clone(), workspace.path.clone()) {
                return Err(name_error(&workspace.path, &format!("the name `{name}` is also that of `{other}`")));
            }
        }
        Ok(())
    }
}

/// Names of the flake's packages that are not apps.
const RESERVED: [&str; 3] = ["nodeModules", "deps", "default"];

fn name_error(path: &RepoPath, reason: &str) -> SplitError {
    SplitError::Config { reason: format!("the app in `{path}` needs a name: {reason}; set workspaces.{path}.app") }
}

fn folder_name(workspace: &Workspace) -> String {
    if workspace.path.is_root() { attribute(&workspace.name) } else { attribute(workspace.path.file_name()) }
}

/// A text as an attribute name that needs no quotes: `@acme/web.app` becomes `acme-web-app`.
fn attribute(text: &str) -> String {
    let name: String = text
        .trim_start_matches('@')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) { name } else { format!("app-{name}") }
}

fn refuse_unknown(workspaces: &Workspaces, config: &Config) -> Result<(), SplitError> {
    let used = config.workspaces.values().flat_map(|choice| &choice.uses);
    match config.workspaces.keys().chain(used).find(|path| !workspaces.contains_key(*path)) {
        Some(path) => Err(SplitError::Config { reason: format!("there is no workspace in `{path}`") }),
        None => Ok(()),
    }
}

/// Who depends on whom: a dependency that has a workspace's name is that workspace, whatever its specifier. No
/// dependency means the root, which may share its name with a workspace. `lock-set.nix` has the same rule.
fn edges(workspaces: &Workspaces) -> BTreeMap<RepoPath, BTreeSet<RepoPath>> {
    let by_name: BTreeMap<&str, &RepoPath> = workspaces
        .iter()
        .filter(|(path, manifest)| !path.is_root() && !manifest.name.is_empty())
        .map(|(path, manifest)| (manifest.name.as_str(), path))
        .collect();
    let targets = |path: &RepoPath, manifest: &Manifest| {
        let names = manifest.dependencies.values().flat_map(|specifiers| specifiers.keys());
        let found = names.filter_map(|name| by_name.get(name.as_str()).map(|target| (*target).clone()));
        found.filter(|target| target != path).collect()
    };
    workspaces.iter().map(|(path, manifest)| (path.clone(), targets(path, manifest))).collect()
}

fn build(
    tree: &dyn Tree,
    path: &RepoPath,
    manifest: &Manifest,
    choice: &WorkspaceConfig,
    manager: ManagerName,
) -> Result<Option<Build>, SplitError> {
    let detected = detect::build(tree, path, manifest, manager)?;
    let command = choice.build.clone().or_else(|| detected.as_ref().map(|build| build.command.clone()));
    Ok(command.map(|command| Build {
        command,
        tool: detected.as_ref().and_then(|build| build.tool),
        output: match (&choice.start, &choice.output) {
            (Some(_), _) => None,
            (None, Some(output)) => Some(output.clone()),
            (None, None) => detected.and_then(|build| build.output).or_else(|| Some("dist".to_owned())),
        },
    }))
}

/// The folder of patches for `patch-package`; none that is not there: it has nothing to apply then.
fn patches(tree: &dyn Tree, path: &RepoPath, manifest: &Manifest) -> Result<Option<RepoPath>, SplitError> {
    let Some(folder) = detect::patch_package::folder(path, manifest) else { return Ok(None) };
    let folder = folder.map_err(|wrong| SplitError::PatchFolder {
        folder: wrong.folder,
        file: manifest_path(path),
        reason: wrong.reason,
    })?;
    Ok(if tree.list(&folder)?.is_empty() { None } else { Some(folder) })
}

/// Whether others wait for a library's build: where `splitter.json` names one, or its entry points are built.
fn is_awaited(manifest: &Manifest, build: &Build, choice: &WorkspaceConfig) -> bool {
    choice.build.is_some() || detect::entry_points::built(manifest, build.output.as_deref()).is_some()
}

/// What decides between app and library.
struct Facts<'a> {
    builds: bool,
    starts: bool,
    /// The repository is one package without workspaces.
    single: bool,
    dependants: &'a [&'a RepoPath],
}

fn choose_kind(path: &RepoPath, choice: &WorkspaceConfig, facts: &Facts<'_>) -> (Kind, String) {
    if let Some(kind) = choice.kind {
        return (kind, "chosen in splitter.json".to_owned());
    }
    let what = match (facts.builds, facts.starts) {
        (true, _) => "has a build script",
        (false, true) => "runs a server from source",
        (false, false) => return (Kind::Library, "has nothing to build or start".to_owned()),
    };
    if path.is_root() && !facts.single {
        return (Kind::Library, "is the root of the workspaces".to_owned());
    }
    if let Some(folder) = path.parts().find(|part| APP_FOLDERS.contains(part)) {
        return (Kind::App, format!("{what} and lies in {folder}/"));
    }
    match facts.dependants {
        [] => (Kind::App, format!("{what} and no workspace depends on it")),
        [one] => (Kind::Library, format!("{one} depends on it")),
        [first, rest @ ..] => (Kind::Library, format!("{first} and {} more depend on it", rest.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        repo::MemoryTree,
        split::{config, workspaces},
    };

    fn graph(files: &[(&str, &str)]) -> Result<Graph, SplitError> {
        let tree = MemoryTree::new(files.iter().copied());
        Graph::build(&tree, &workspaces::read(&tree)?, &config::read(&tree)?, &Links::default(), ManagerName::Bun)
    }

    fn summary(graph: &Graph) -> Vec<String> {
        let line = |workspace: &Workspace| match &workspace.role {
            Role::App { name, start } => {
                let how = workspace.build.as_ref().and_then(|build| build.output.clone()).or(start.clone());
                format!("{}: app {name} ({}) {}", workspace.path, how.unwrap_or_default(), workspace.reason)
            }
            Role::Library => format!("{}: library, {}", workspace.path, workspace.reason),
        };
        graph.workspaces().map(line).collect()
    }

    const ROOT: (&str, &str) = (
        "package.json",
        r#"{"name": "acme", "workspaces": ["apps/*", "packages/*"], "scripts": {"build": "turbo build"}}"#,
    );

    #[test]
    fn kinds_are_found_with_their_reasons() {
        let graph = graph(&[
            ROOT,
            ("apps/web/package.json", r#"{"name": "@acme/web", "scripts": {"build": "vite build"}, "dependencies": {"@acme/ui": "workspace:*", "@acme/api": "workspace:*"}}"#),
            ("apps/api/package.json", r#"{"name": "@acme/api", "scripts": {"start": "bun run src/server.ts"}}"#),
            ("apps/api/src/server.ts", ""),
            ("packages/ui/package.json", r#"{"name": "@acme/ui", "scripts": {"build": "tsup"}, "devDependencies": {"@acme/config": "*"}}"#),
            ("packages/config/package.json", r#"{"name": "@acme/config"}"#),
            ("packages/cli/package.json", r#"{"name": "@acme/cli", "scripts": {"build": "bun build src/cli.ts --outdir=out"}}"#),
        ])
        .unwrap();
        assert_eq!(
            summary(&graph),
            [
                ".: library, is the root of the workspaces",
                "apps/api: app api (src/server.ts) runs a server from source and lies in apps/",
                "apps/web: app web (dist) has a build script and lies in apps/",
                "packages/cli: app cli (out) has a build script and no workspace depends on it",
                "packages/config: library, has nothing to build or start",
                "packages/ui: library, apps/web depends on it",
            ]
        );
        let closure: Vec<_> =
            graph.closure(&"apps/web".parse().unwrap()).into_iter().map(|path| path.to_string()).collect();
        assert_eq!(closure, ["apps/api", "apps/web", "packages/config", "packages/ui"]);
    }

    #[test]
    fn a_repository_of_one_package_is_an_app() {
        let graph = graph(&[("package.json", r#"{"name": "@me/site", "scripts": {"build": "astro build"}}"#)]).unwrap();
        assert_eq!(summary(&graph), [".: app me-site (dist) has a build script and no workspace depends on it"]);
    }

    #[test]
    fn colliding_folders_are_named_by_package() {
        let app = |name: &str| format!(r#"{{"name": "{name}", "scripts": {{"build": "x"}}}}"#);
        let (a, b, c) = (app("@acme/shop"), app("@acme/blog-web"), app("deps-app"));
        let graph = graph(&[
            ("package.json", r#"{"workspaces": ["*/*"]}"#),
            ("shop/web/package.json", &a),
            ("blog/web/package.json", &b),
            ("x/deps/package.json", &c),
        ])
        .unwrap();
        let names: Vec<_> = graph.apps().map(|(name, _)| name).collect();
        assert_eq!(names, ["acme-blog-web", "acme-shop", "deps-app"]);
    }

    #[test]
    fn choices_go_before_what_is_found() {
        let files = [
            ROOT,
            (
                "splitter.json",
                r#"{"workspaces": {"packages/ui": {"kind": "app", "app": "storybook", "build": "bun run sb", "output": "sb"}}}"#,
            ),
            ("packages/ui/package.json", r#"{"name": "ui"}"#),
        ];
        assert_eq!(summary(&graph(&files).unwrap())[1], "packages/ui: app storybook (sb) chosen in splitter.json");
        let both = [
            ROOT,
            ("splitter.json", r#"{"workspaces": {"apps/a": {"start": "s.ts"}}}"#),
            ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
        ];
        assert!(summary(&graph(&both).unwrap())[1].starts_with("apps/a: app a (s.ts)"));
        let empty =
            [ROOT, ("splitter.json", r#"{"workspaces": {"apps/a": {"kind": "app"}}}"#), ("apps/a/package.json", "{}")];
        assert!(graph(&empty).unwrap_err().to_string().contains("has nothing to build or start"));
        let used = [
            ROOT,
            ("splitter.json", r#"{"workspaces": {"apps/a": {"uses": ["packages/tool"]}}}"#),
            ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
            ("packages/tool/package.json", r#"{"scripts": {"build": "x"}}"#),
        ];
        let used = graph(&used).unwrap();
        assert_eq!(summary(&used)[2], "packages/tool: library, apps/a depends on it");
        assert_eq!(used.closure(&"apps/a".parse().unwrap()).len(), 2);
        let unknown = [ROOT, ("splitter.json", r#"{"workspaces": {"": {"uses": ["packages/x"]}}}"#)];
        assert_eq!(graph(&unknown).unwrap_err().to_string(), "there is no workspace in `packages/x`");
        let unknown = [ROOT, ("splitter.json", r#"{"workspaces": {"packages/x": {}}}"#)];
        assert_eq!(graph(&unknown).unwrap_err().to_string(), "there is no workspace in `packages/x`");
    }

    #[test]
    fn only_the_chosen_apps_are_kept() {
        let mut graph = graph(&[
            ROOT,
            ("apps/a/package.json", r#"{"scripts": {"build": "x"}}"#),
            ("apps/b/package.json", r#"{"scripts": {"build": "x"}}"#),
        ])
        .unwrap();
        let error = graph.keep_apps(&BTreeSet::from(["c".to_owned()])).unwrap_err();
        assert_eq!(error.to_string(), "there is no app `c`; the apps are a, b");
        graph.keep_apps(&BTreeSet::from(["b".to_owned()])).unwrap();
        assert_eq!(graph.apps().map(|(name, _)| name).collect::<Vec<_>>(), ["b"]);
    }
}
