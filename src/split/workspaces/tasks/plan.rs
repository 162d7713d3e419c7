//! Which scripts run before builds, as the task runner would run them: those that make something.
//!
//! `"build": { "dependsOn": ["^build", "^db:generate"] }` says that an app's build reads what a script of a library generates, be
//! there a build in that library or not. Tasks that check (`lint`, `test`) may stand in `dependsOn` too: no build reads what
//! they leave, and the files that they read are not among the sources.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Need, Task, Tasks};
use crate::{
    repo::RepoPath,
    split::{Manifest, Workspaces, workspaces::by_name},
};

/// The task from which all is asked; its script is the build itself.
const BUILD: &str = "build";

/// How Turborepo names the root.
const ROOT: &str = "//";

/// A task whose name holds one of these words makes something.
const MAKES: [&str; 7] = ["build", "codegen", "compile", "gen", "generate", "generated", "prebuild"];

/// One whose name holds one of these makes nothing that a build reads, whatever else it is called.
const DOES_NOT: [&str; 21] = [
    "check",
    "clean",
    "deploy",
    "dev",
    "e2e",
    "format",
    "knip",
    "lint",
    "migrate",
    "preview",
    "publish",
    "push",
    "seed",
    "serve",
    "start",
    "storybook",
    "studio",
    "test",
    "tests",
    "typecheck",
    "watch",
];

impl Tasks {
    /// Finds what runs in each workspace before its build, or for those that depend on it. `edges` says which workspaces one
    /// depends on directly.
    pub(in crate::split) fn scripts(
        &self,
        workspaces: &Workspaces,
        edges: &BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    ) -> BTreeMap<RepoPath, Before> {
        if matches!(self, Self::None) {
            return BTreeMap::new();
        }
        let (seen, found) = Default::default();
        let mut walk = Walk { tasks: self, workspaces, by_name: self.names(workspaces), edges, seen, found };
        for path in workspaces.keys().filter(|path| !path.is_root()) {
            walk.visit(path, BUILD);
        }
        walk.found
    }
}

impl Tasks {
    /// The workspaces whose builds or scripts each build needs by name, though its manifest may not name them.
    pub(in crate::split) fn needs(&self, workspaces: &Workspaces) -> BTreeMap<RepoPath, BTreeSet<RepoPath>> {
        if matches!(self, Self::None) {
            return BTreeMap::new();
        }
        let by_name = self.names(workspaces);
        let needed = |path: &RepoPath| {
            let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![BUILD.to_owned()]);
            while let Some(name) = open.pop().filter(|_| workspaces.contains_key(path)) {
                if !seen.insert(name.clone()) {
                    continue;
                }
                for need in self.task(path, &workspaces[path], &name).needs {
                    match need {
                        Need::Own(own) => open.push(own),
                        Need::OfDependencies(_) => {}
                        Need::Of { package, task } => {
                            let target = by_name.get(package.as_str()).filter(|target| !target.is_root());
                            let runs = |target: &&&RepoPath| {
                                task == BUILD
                                    || makes(&task, &self.task(target, &workspaces[**target], &task)) == Some(true)
                            };
                            found.extend(target.filter(runs).map(|target| (*target).clone()));
                        }
                    }
                }
            }
            found.extend(self.implicit(path).filter_map(|name| by_name.get(name)).map(|target| (*target).clone()));
            found.remove(path);
            found
        };
        let all = workspaces.keys().filter(|path| !path.is_root()).map(|path| (path.clone(), needed(path)));
        all.filter(|(_, needed)| !needed.is_empty()).collect()
    }

    /// The folders of workspaces by the names that tasks call them: Nx has names of its own.
    fn names<'w>(&'w self, workspaces: &'w Workspaces) -> BTreeMap<&'w str, &'w RepoPath> {
        let mut names = by_name(workspaces);
        if let Self::Nx(config) = self {
            names.extend(config.names());
        }
        names
    }

    /// The projects that one of Nx depends on in every task.
    fn implicit(&self, path: &RepoPath) -> impl Iterator<Item = &str> {
        let config = if let Self::Nx(config) = self { Some(config) } else { None };
        config.into_iter().flat_map(|config| config.implicit(path))
    }
}

/// What a task runner would run before the build of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::split) struct Before {
    /// The scripts that run, in their order.
    pub(in crate::split) scripts: Vec<String>,
    /// The tasks that do not run, though they may make something.
    pub(in crate::split) not_run: Vec<NotRun>,
}

/// A task that a build needs and that does not run before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotRun {
    /// The name of the task.
    pub task: String,
    /// Why it does not run.
    pub reason: &'static str,
}

/// The reason if nothing says that a script writes files.
const NO_OUTPUTS: &str = "no `outputs`";
/// The reason if only Nx can run a task.
const NO_SCRIPT: &str = "no script of package.json";
/// The reason if a task belongs to the root, whose scripts no build runs.
const OF_ROOT: &str = "a task of the root";
/// The reason if the workspace of a task is not found.
const ELSEWHERE: &str = "not a task of a workspace";

struct Walk<'a> {
    tasks: &'a Tasks,
    workspaces: &'a Workspaces,
    by_name: BTreeMap<&'a str, &'a RepoPath>,
    edges: &'a BTreeMap<RepoPath, BTreeSet<RepoPath>>,
    seen: BTreeSet<(RepoPath, String)>,
    found: BTreeMap<RepoPath, Before>,
}

impl Walk<'_> {
    /// What a task needs comes before it; a ring of tasks ends where it closes.
    fn visit(&mut self, path: &RepoPath, name: &str) {
        let Some(manifest) = self.workspaces.get(path) else { return };
        if !self.seen.insert((path.clone(), name.to_owned())) {
            return;
        }
        let task = self.tasks.task(path, manifest, name);
        for need in &task.needs {
            match need {
                Need::Own(own) => self.visit(path, own),
                Need::OfDependencies(task) => {
                    for dependency in self.edges.get(path).into_iter().flatten() {
                        self.visit(dependency, task);
                    }
                }
                Need::Of { package, task } => match self.by_name.get(package.as_str()) {
                    Some(path) if !path.is_root() => self.visit(path, task),
                    _ if !manifest.scripts.contains_key(name) || makes(task, &Task::default()) == Some(false) => {}
                    Some(_) => self.skip(path, &format!("{package}#{task}"), OF_ROOT),
                    None if package == ROOT => self.skip(path, &format!("{package}#{task}"), OF_ROOT),
                    None => self.skip(path, &format!("{package}#{task}"), ELSEWHERE),
                },
            }
        }
        if path.is_root() {
            return;
        }
        match (manifest.scripts.contains_key(name), makes(name, &task)) {
            (true, _) if name == BUILD => {}
            (_, Some(false)) => {}
            (true, Some(true)) => self.found.entry(path.clone()).or_default().scripts.push(name.to_owned()),
            (true, None) => self.skip(path, name, NO_OUTPUTS),
            (false, _) if self.tasks.defines(path, manifest, name) => self.skip(path, name, NO_SCRIPT),
            (false, _) => {}
        }
    }

    fn skip(&mut self, path: &RepoPath, task: &str, reason: &'static str) {
        self.found.entry(path.clone()).or_default().not_run.push(NotRun { task: task.to_owned(), reason });
    }
}

/// Whether a task makes something that builds read: by its name, or else where it is said to write anything. `None` if nothing
/// says so.
fn makes(name: &str, task: &Task) -> Option<bool> {
    let words: Vec<String> = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if has(&DOES_NOT) {
        return Some(false);
    }
    (has(&MAKES) || !task.outputs.is_empty()).then_some(true)
}

/// The scripts that a build script runs by itself need not run before it.
pub(in crate::split) fn without_those_that_build_runs(scripts: &[String], manifest: &Manifest) -> Vec<String> {
    let build = manifest.scripts.get(BUILD).map_or("", String::as_str);
    let runs = |name: &String| build.split_whitespace().any(|word| word == name);
    scripts.iter().filter(|name| !runs(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{repo::MemoryTree, split::workspaces};

    const WORKSPACES: [(&str, &str); 3] = [
        ("package.json", r#"{"workspaces": ["*"]}"#),
        (
            "db/package.json",
            r#"{"name": "@acme/db", "scripts": {"db:generate": "prisma generate", "db:push": "x", "types": "x"}}"#,
        ),
        (
            "web/package.json",
            r#"{"name": "web", "scripts": {"build": "next build", "codegen": "x", "lint": "x", "i18n": "x"}, "dependencies": {"@acme/db": "*"}}"#,
        ),
    ];

    fn scripts(files: &[(&str, &str)]) -> Vec<String> {
        let tree = MemoryTree::new(WORKSPACES.iter().chain(files).copied());
        let workspaces = workspaces::read(&tree).unwrap();
        let (db, web): (RepoPath, RepoPath) = ("db".parse().unwrap(), "web".parse().unwrap());
        let edges = BTreeMap::from([(web, BTreeSet::from([db]))]);
        let scripts = Tasks::read(&tree, &workspaces).unwrap().scripts(&workspaces, &edges);
        let shown = |(path, before): (&RepoPath, &Before)| {
            let not_run = before.not_run.iter().map(|task| format!("not {} ({})", task.task, task.reason));
            let all: Vec<String> = before.scripts.iter().cloned().chain(not_run).collect();
            format!("{path}: {}", all.join(", "))
        };
        scripts.iter().map(shown).collect()
    }

    #[test]
    fn tasks_that_may_make_something_and_do_not_run_are_named() {
        let web = r#"{"name": "web", "scripts": {"build": "x", "copy-editor": "x", "lint": "x"}}"#;
        let turbo = r#"{"tasks": {"build": {"dependsOn": ["copy-editor", "lint", "missing", "//#icons", "//#lint", "other#x"]}}}"#;
        assert_eq!(
            scripts(&[("web/package.json", web), ("turbo.json", turbo)]),
            [
                "web: not copy-editor (no `outputs`), not //#icons (a task of the root), not other#x (not a task of a workspace)"
            ]
        );
        let defaults = r#"{"targetDefaults": {"build": {"dependsOn": ["^build", "copy-editor", "bundle", "lint"]}}}"#;
        let project = r#"{"targets": {"bundle": {"executor": "x"}, "lint": {"executor": "x"}}}"#;
        assert_eq!(
            scripts(&[("web/package.json", web), ("nx.json", defaults), ("web/project.json", project)]),
            ["web: not copy-editor (no `outputs`), not bundle (no script of package.json)"]
        );
    }

    #[test]
    fn scripts_that_generate_run_before_builds_and_those_that_check_do_not() {
        let turbo = r#"{"tasks": { // comments are fine
            "build": {"dependsOn": ["^build", "^db:generate", "^db:push", "codegen", "lint"], "outputs": ["dist/**"]},
            "codegen": {"dependsOn": ["i18n", "build"]}, "i18n": {"outputs": ["src/locales/**"]}, "db:push": {"outputs": ["x"]},
        }}"#;
        assert_eq!(scripts(&[("turbo.json", turbo)]), ["db: db:generate", "web: i18n, codegen"]);
        assert_eq!(scripts(&[("turbo.json", &turbo.replacen("tasks", "pipeline", 1))]).len(), 2);
        assert_eq!(scripts(&[]), [""; 0]);
    }

    #[test]
    fn what_a_library_needs_for_its_build_runs_though_it_has_none() {
        let root =
            ("turbo.json", r#"{"tasks": {"build": {"dependsOn": ["^build"]}, "types": {"outputs": ["types.ts"]}}}"#);
        let own = (
            "db/turbo.json",
            r#"{"extends": ["//"], "tasks": {"build": {"dependsOn": ["$TURBO_EXTENDS$", "types"]}}}"#,
        );
        assert_eq!(scripts(&[root, own]), ["db: types"]);
        let named = (
            "turbo.json",
            r#"{"tasks": {"build": {"dependsOn": ["//#x"]}, "web#build": {"dependsOn": ["@acme/db#db:generate"]}}}"#,
        );
        assert_eq!(scripts(&[named]), ["db: db:generate"]);
    }

    #[test]
    fn nx_says_the_same_in_its_own_files() {
        let defaults = r#"{"targetDefaults": {"build": {"dependsOn": ["^build", "codegen"]}}}"#;
        assert_eq!(scripts(&[("nx.json", defaults)]), ["web: codegen"]);
        let project =
            r#"{"targets": {"build": {"dependsOn": [{"target": "db:generate", "projects": "dependencies"}]}}}"#;
        assert_eq!(scripts(&[("nx.json", defaults), ("web/project.json", project)]), ["db: db:generate"]);
    }

    fn needs(files: &[(&str, &str)]) -> Vec<String> {
        let tree = MemoryTree::new(WORKSPACES.iter().chain(files).copied());
        let workspaces = workspaces::read(&tree).unwrap();
        let needs = Tasks::read(&tree, &workspaces).unwrap().needs(&workspaces);
        needs
            .iter()
            .map(|(path, of)| format!("{path}: {}", of.iter().map(RepoPath::as_str).collect::<Vec<_>>().join(" ")))
            .collect()
    }

    #[test]
    fn builds_of_other_workspaces_are_needed_by_name() {
        let turbo =
            |needs: &str| [("turbo.json", format!(r#"{{"tasks": {{"web#build": {{"dependsOn": [{needs}]}}}}}}"#))];
        let found =
            |text: &str| needs(&turbo(text).iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>());
        assert_eq!(found(r#""@acme/db#build""#), ["web: db"]);
        assert_eq!(found(r#""@acme/db#db:generate""#), ["web: db"]);
        assert_eq!(found(r#""@acme/db#db:push", "^build", "//\u0023x", "web#lint""#), [""; 0]);
        let nx = ("nx.json", "{}");
        let project = r#"{"targets": {"build": {"dependsOn": [{"target": "build", "projects": ["database"]}]}}}"#;
        let named = ("db/project.json", r#"{"name": "database"}"#);
        assert_eq!(needs(&[nx, named, ("web/project.json", project)]), ["web: db"]);
        let implicit = r#"{"implicitDependencies": ["@acme/db", "!x"]}"#;
        assert_eq!(needs(&[nx, ("web/project.json", implicit)]), ["web: db"]);
        assert_eq!(needs(&[]), [""; 0]);
    }
}
