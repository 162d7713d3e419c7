//! Finds files outside a workspace that its build reads although no manifest lists them: files that configurations extend or
//! import, files that scripts run, and files that tools look for in the folders above.
//!
//! Configurations and scripts are programs, so the search takes every quoted text that is a path to an existing file. A file too
//! many causes a rebuild now and then. A file too few breaks the build. Files in other workspaces are ignored, because those
//! are dependencies. The exceptions are TypeScript configurations that are extended by path, or by the name of a workspace that
//! the manifest does not list.

mod chosen;
pub(in crate::split) mod environment;
mod mentions;
mod programs;
mod root_manifest;
mod typescript;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

pub(in crate::split) use chosen::chosen;

use crate::names::{BUN_LOCK, MANIFEST, YARN_LOCK};
use crate::repo::{Entry, EntryKind, RepoPath, Tree, read_text};
use crate::split::{
    SplitError, Workspaces, manifest_path,
    sources::source_filter::{CHECK_FILTER, SOURCE_FILTER},
    workspaces::by_name,
    workspaces::tasks::Task,
};

/// Files that tools look for in a workspace and then in each folder above, by the start of their names.
const SOUGHT_UPWARDS: [&[&str]; 2] = [&["postcss.config.", ".postcssrc"], &[".browserslistrc"]];

/// Settings of `ESLint`, which are looked for upwards too.
const OF_ESLINT: [&str; 2] = [".eslintrc", "eslint.config."];

/// Packages that lint during a build.
const LINTING: [&str; 6] = [
    "next",
    "react-scripts",
    "vite-plugin-eslint",
    "vite-plugin-checker",
    "eslint-webpack-plugin",
    "@nabla/vite-plugin-eslint",
];

/// Settings of tools that no build runs, by the start of their names.
const NOT_FOR_BUILDS: [&str; 12] = [
    ".commitlintrc",
    ".lintstagedrc",
    ".prettierrc",
    ".stylelintrc",
    "commitlint.",
    "cypress.",
    "jest.",
    "knip.",
    "lint-staged.",
    "playwright.",
    "prettier.",
    "vitest.",
];

/// Root files that task runners count as inputs, but that no build reads or that every build has anyway.
const NO_INPUTS: [&str; 11] = [
    MANIFEST,
    BUN_LOCK,
    YARN_LOCK,
    "turbo.json",
    "nx.json",
    ".nvmrc",
    ".node-version",
    ".editorconfig",
    ".gitignore",
    ".prettierrc",
    ".prettierignore",
];

/// The most files to follow from one program.
const FOLLOWED: usize = 100;

/// Settings that checks look for in the workspace and above, by the word that runs their tool.
const OF_CHECKS: [(&str, &[&str]); 9] = [
    ("eslint", &OF_ESLINT),
    ("eslint", &[".eslintignore"]),
    ("biome", &["biome.json"]),
    ("oxlint", &[".oxlintrc"]),
    ("prettier", &[".prettierrc", "prettier.config."]),
    ("prettier", &[".prettierignore"]),
    ("vitest", &["vitest.config.", "vitest.workspace.", "vite.config."]),
    ("jest", &["jest.config."]),
    ("mocha", &[".mocharc"]),
];

/// The programs that are searched for the files outside their workspace that they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramSearch {
    /// All of them.
    Whole,
    /// Those directly in the workspace's folder, which hold its configuration. `check` takes milliseconds, and cannot read
    /// every source.
    Configuration,
}

/// The purpose of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) enum Purpose {
    Build,
    /// A script that tests or lints.
    Check,
}

/// A search for one workspace.
pub(in crate::split) struct Asked<'a> {
    pub(in crate::split) path: &'a RepoPath,
    /// The texts of the scripts that its build or check runs.
    pub(in crate::split) scripts: Vec<&'a str>,
    /// The task in a task runner's configuration.
    pub(in crate::split) task: &'a Task,
    pub(in crate::split) purpose: Purpose,
}

/// Finds the root files of workspaces. Caches what it read for the next workspace.
pub(in crate::split) struct Finder<'a> {
    programs: ProgramSearch,
    tree: &'a dyn Tree,
    workspaces: &'a Workspaces,
    /// The folders of the workspaces, by name.
    by_name: BTreeMap<&'a str, &'a RepoPath>,
    /// The entries of folders outside workspaces.
    listed: BTreeMap<RepoPath, Vec<Entry>>,
    /// The texts of configurations and programs. `None` if the file is missing.
    texts: BTreeMap<RepoPath, Option<Arc<str>>>,
    /// Whether a path is a file.
    files: BTreeMap<RepoPath, bool>,
    /// Whether git ignores a path. Other machines may not have such files.
    ignored: BTreeMap<RepoPath, bool>,
}

impl<'a> Finder<'a> {
    pub(in crate::split) fn new(tree: &'a dyn Tree, workspaces: &'a Workspaces, programs: ProgramSearch) -> Self {
        let (listed, texts, files, ignored) = Default::default();
        Self { tree, workspaces, programs, by_name: by_name(workspaces), listed, texts, files, ignored }
    }

    fn list(&mut self, folder: &RepoPath) -> Result<&[Entry], SplitError> {
        if !self.listed.contains_key(folder) {
            let entries = self.tree.list(folder)?;
            self.listed.insert(folder.clone(), entries);
        }
        Ok(self.listed.get(folder).map_or(&[], Vec::as_slice))
    }

    fn text(&mut self, path: &RepoPath) -> Result<Option<Arc<str>>, SplitError> {
        if let Some(text) = self.texts.get(path) {
            return Ok(text.clone());
        }
        let text: Option<Arc<str>> = read_text(self.tree, path)?.map(Arc::from);
        self.texts.insert(path.clone(), text.clone());
        Ok(text)
    }

    fn is_file(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        if let Some(is_file) = self.files.get(path) {
            return Ok(*is_file);
        }
        let is_file = self.tree.is_file(path)?;
        self.files.insert(path.clone(), is_file);
        Ok(is_file)
    }

    fn is_ignored(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        if let Some(is_ignored) = self.ignored.get(path) {
            return Ok(*is_ignored);
        }
        let is_ignored = self.tree.is_ignored(path)?;
        self.ignored.insert(path.clone(), is_ignored);
        Ok(is_ignored)
    }
}

/// Whether only a search of all programs finds a root file.
pub(crate) fn is_found_in_sources(path: &RepoPath) -> bool {
    *path == manifest_path(&RepoPath::root()) || path.file_name().starts_with(".env")
}

/// Returns the files and folders outside a workspace that it reads.
pub(in crate::split) fn of(finder: &mut Finder<'_>, asked: &Asked<'_>) -> Result<BTreeSet<RepoPath>, SplitError> {
    if asked.path.is_root() {
        return Ok(BTreeSet::new());
    }
    let entries = finder.tree.list(asked.path)?;
    let checks = asked.purpose == Purpose::Check;
    let lints = !checks && !asked.scripts.is_empty() && lints(finder.workspaces, asked.path);
    let mut search = Search { finder, own: asked.path, found: BTreeSet::new() };
    typescript::follow(&mut search, &entries)?;
    for script in &asked.scripts {
        for word in script.split(|c: char| c.is_whitespace() || "\"'=;()`".contains(c)) {
            search.add_mention(asked.path, word)?;
        }
    }
    // A build may test and lint too, if its script says so.
    let is_run = |tool: &str| asked.scripts.iter().any(|script| script.contains(tool));
    let is_read = |name: &str| {
        let is_one = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
        let is_for_build = || {
            let runs = NOT_FOR_BUILDS.iter().any(|start| name.starts_with(start) && is_run(start.trim_matches('.')));
            (runs || !is_one(&NOT_FOR_BUILDS)) && (lints || is_run("eslint") || !is_one(&OF_ESLINT))
        };
        is_configuration(name) && (checks || is_for_build())
    };
    for entry in entries.iter().filter(|entry| entry.kind == EntryKind::File && is_read(&entry.name)) {
        search.follow(&asked.path.child(&entry.name))?;
    }
    let of_checks = OF_CHECKS.iter().filter(|(tool, _)| is_run(tool)).map(|(_, names)| *names);
    for names in SOUGHT_UPWARDS.into_iter().chain(lints.then_some(OF_ESLINT.as_slice())).chain(of_checks) {
        search.seek_upwards(&entries, names)?;
    }
    for input in &asked.task.root_inputs {
        search.add_input(input)?;
    }
    if lints && settings_of_eslint(search.finder.workspaces) {
        search.found.insert(manifest_path(&RepoPath::root()));
    }
    programs::search(&mut search, if checks { &CHECK_FILTER } else { &SOURCE_FILTER })?;
    let outside: Vec<_> = search.found.iter().filter(|path| mentions::is_script(path.as_str())).cloned().collect();
    for path in outside {
        search.follow(&path)?;
    }
    Ok(search.found)
}

/// Returns the files that scripts of the root read: the manifest that holds them, files and folders that they name, and the
/// files that these name.
pub(in crate::split) fn of_root_scripts(
    finder: &mut Finder<'_>,
    scripts: &[String],
) -> Result<BTreeSet<RepoPath>, SplitError> {
    let root = RepoPath::root();
    let mut search = Search { finder, own: &root, found: BTreeSet::from([manifest_path(&root)]) };
    for word in scripts.iter().flat_map(|script| script.split(|c: char| c.is_whitespace() || "\"'=;()`".contains(c))) {
        if !word.contains(['/', '.']) || word.starts_with(['-', '/']) {
            continue;
        }
        let word = if word.starts_with("./") { word.to_owned() } else { format!("./{word}") };
        if let Some(file) = search.add_mention(&root, &word)? {
            search.follow(&file)?;
        }
    }
    Ok(search.found)
}

/// Whether a build lints: its workspace or the root depends on a package that lints during builds.
fn lints(workspaces: &Workspaces, path: &RepoPath) -> bool {
    let manifests = [path, &RepoPath::root()].map(|path| workspaces.get(path));
    manifests.into_iter().flatten().any(|manifest| LINTING.iter().any(|package| manifest.depends_on(package)))
}

/// Whether the root's manifest holds settings of `ESLint`, which reads the manifests above a workspace too.
fn settings_of_eslint(workspaces: &Workspaces) -> bool {
    workspaces.get(&RepoPath::root()).is_some_and(|root| root.json.get("eslintConfig").is_some())
}

/// Whether a file can import others, by its name.
pub(in crate::split) fn is_program(name: &str) -> bool {
    programs::is_program(name)
}

/// Whether a file directly in a workspace holds settings of a tool, by its name.
pub(crate) fn is_configuration(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
    let is_rc = name.starts_with('.') && (name.ends_with("rc") || stem.ends_with("rc"));
    is_rc || (mentions::is_script(name) && stem.contains(".config"))
}

/// The search for one workspace, with its results.
struct Search<'f, 'a> {
    finder: &'f mut Finder<'a>,
    own: &'f RepoPath,
    found: BTreeSet<RepoPath>,
}

impl Search<'_, '_> {
    /// Adds an existing file or folder, unless git ignores it. Returns whether it is new.
    fn insert(&mut self, path: &RepoPath) -> Result<bool, SplitError> {
        Ok(!self.finder.is_ignored(path)? && self.found.insert(path.clone()))
    }

    /// Adds the file or folder that `text` names in a file or script of `folder`, if it belongs to the root workspace. Returns
    /// it if it is a new file.
    fn add_mention(&mut self, folder: &RepoPath, text: &str) -> Result<Option<RepoPath>, SplitError> {
        let may_lead_outside = text.starts_with("../") || (text.starts_with("./") && self.is_outside(folder));
        if !may_lead_outside {
            return Ok(None);
        }
        let Ok(path) = folder.resolve(text.trim_end_matches('/')) else { return Ok(None) };
        let workspaces = self.finder.workspaces;
        let first = |from: &str| {
            workspaces.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next().map(|(path, _)| path)
        };
        if path.is_root() || !self.is_outside(&path) || path.holds_any(first) {
            return Ok(None);
        }
        for candidate in mentions::candidates(&path) {
            if self.finder.is_file(&candidate)? {
                return Ok(self.insert(&candidate)?.then_some(candidate));
            }
        }
        if !self.finder.list(&path)?.is_empty() {
            self.insert(&path)?;
        }
        Ok(None)
    }

    /// Whether a path belongs to no workspace but the root.
    fn is_outside(&self, path: &RepoPath) -> bool {
        !path.upwards().any(|folder| !folder.is_empty() && self.finder.workspaces.contains_key(folder))
    }

    /// Adds the files that a program names, and the files that these name.
    fn follow(&mut self, file: &RepoPath) -> Result<(), SplitError> {
        let mut open = vec![file.clone()];
        for _ in 0..FOLLOWED {
            let Some(file) = open.pop() else { break };
            let Some(text) = self.finder.text(&file)? else { continue };
            for mention in mentions::quoted(&text) {
                let found = self.add_mention(&file.parent(), mention)?;
                open.extend(found.filter(|path| mentions::is_script(path.as_str())));
            }
        }
        Ok(())
    }

    /// Adds the first file above with one of these names, if the workspace has none.
    fn seek_upwards(&mut self, entries: &[Entry], names: &[&str]) -> Result<(), SplitError> {
        let is_one = |entry: &&Entry| names.iter().any(|name| entry.name.starts_with(name));
        if entries.iter().any(|entry| is_one(&entry)) {
            return Ok(());
        }
        for folder in above(self.own) {
            let name = self.finder.list(&folder)?.iter().find(is_one).map(|entry| entry.name.clone());
            if let Some(name) = name {
                let path = folder.child(&name);
                return if self.insert(&path)? { self.follow(&path) } else { Ok(()) };
            }
        }
        Ok(())
    }

    /// Adds an input of a task, if it is a root file or a folder.
    fn add_input(&mut self, input: &str) -> Result<(), SplitError> {
        let plain = input.trim_start_matches("./").trim_end_matches('*').trim_end_matches('/');
        if plain.is_empty() || plain.contains('*') || NO_INPUTS.contains(&plain) {
            return Ok(());
        }
        self.add_mention(self.own, &format!("{}{plain}", "../".repeat(self.own.parts().count())))?;
        Ok(())
    }
}

/// Returns the folders above a path, from the nearest one to the root.
fn above(path: &RepoPath) -> Vec<RepoPath> {
    let mut folders = Vec::new();
    let mut folder = path.clone();
    while !folder.is_root() {
        folder = folder.parent();
        folders.push(folder.clone());
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        repo::MemoryTree,
        split::{workspaces, workspaces::tasks::Tasks},
    };

    fn found(script: &str, files: &[(&str, &str)]) -> Vec<String> {
        let manifests = [
            ("package.json", r#"{"workspaces": ["*/*"]}"#),
            ("apps/web/package.json", r#"{"name": "web"}"#),
            ("packages/ui/package.json", r#"{"name": "ui"}"#),
        ];
        let tree = MemoryTree::new(manifests.iter().chain(files).copied());
        let workspaces = workspaces::read(&tree).unwrap();
        let path = "apps/web".parse().unwrap();
        let task = Tasks::read(&tree, &workspaces).unwrap().task(&path, &workspaces[&path], "build");
        let asked = Asked { path: &path, scripts: vec![script], task: &task, purpose: Purpose::Build };
        of(&mut Finder::new(&tree, &workspaces, ProgramSearch::Whole), &asked)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn configurations_of_typescript_are_followed() {
        let base =
            ("tsconfig.base.json", r#"{"extends": ["./config/strict"], "references": [{"path": "packages/ui"}]}"#);
        let strict = ("config/strict.json", "{}");
        let other = ("tsconfig.eslint.json", "{}");
        let own = (
            "apps/web/tsconfig.build.json",
            r#"{"extends": "../../tsconfig.base.json", "references": [{"path": "../../tools"}]}"#,
        );
        let tools = ("tools/tsconfig.json", "{}");
        let main = ("apps/web/tsconfig.json", "{}");
        let root = ("tsconfig.json", r#"{"extends": "./tsconfig.base"}"#);
        assert_eq!(
            found("", &[base, strict, other, own, tools, main, root]),
            ["config/strict.json", "tools/tsconfig.json", "tsconfig.base.json"]
        );
        // If the workspace has none, tools take the nearest one above.
        assert_eq!(
            found("", &[base, strict, other, root]),
            ["config/strict.json", "tsconfig.base.json", "tsconfig.json"]
        );
        let nearer = ("apps/jsconfig.json", "{}");
        assert_eq!(found("", &[base, strict, other, root, nearer]), ["apps/jsconfig.json"]);
        let of_another = ("packages/ui/tsconfig.json", "{}");
        // Extended by the name of a workspace, which an install links at the root.
        for (named, file) in [("ui", "tsconfig.json"), ("ui/base", "base.json"), ("ui/base.json", "base.json")] {
            let own = format!(r#"{{"extends": "{named}"}}"#);
            let file = format!("packages/ui/{file}");
            let files = [("apps/web/tsconfig.json", own.as_str()), (file.as_str(), "{}")];
            let mut expected = [file.as_str(), "packages/ui/package.json"];
            expected.sort_unstable();
            assert_eq!(found("", &files), expected);
            let declared = ("apps/web/package.json", r#"{"name": "web", "devDependencies": {"ui": "*"}}"#);
            assert_eq!(found("", &[&files[..], &[declared]].concat()), [""; 0]);
        }
        let extending = ("apps/web/tsconfig.json", r#"{"extends": "../../packages/ui/tsconfig.json"}"#);
        assert_eq!(found("", &[of_another, extending, root]), ["packages/ui/tsconfig.json"]);
    }

    #[test]
    fn what_scripts_and_configurations_name_is_followed() {
        let script =
            ("scripts/build.js", "const x = require('./lib/x'); require(\"./gone\"); import '../packages/ui/a.js'");
        let lib = ("scripts/lib/x.js", "");
        assert_eq!(
            found("node ../../scripts/build.js && dotenv -e ../../.env.sample -- vite build", &[script, lib]),
            ["scripts/build.js", "scripts/lib/x.js"]
        );
        let vite = (
            "apps/web/vite.config.mts",
            "export default { publicDir: '../../public', envDir: \"../..\", x: `../../gone` }",
        );
        let public = ("public/a.svg", "");
        let babel = ("apps/web/.babelrc", r#"{"extends": "../../babel.config"}"#);
        let shared = ("babel.config.js", "module.exports = {}");
        let ui = ("packages/ui/a.js", "");
        let tailwind = ("apps/web/tailwind.config.js", "require('../../packages/ui/a.js')");
        assert_eq!(found("vite build", &[vite, public, babel, shared, ui, tailwind]), ["babel.config.js", "public"]);
    }

    #[test]
    fn what_tools_look_for_above_is_found() {
        let files = [
            ("postcss.config.mjs", "import './brand.mjs'"),
            ("brand.mjs", ""),
            (".browserslistrc", ""),
            ("apps/web/.browserslistrc", ""),
        ];
        assert_eq!(found("", &files), ["brand.mjs", "postcss.config.mjs"]);
    }

    #[test]
    fn what_was_installed_or_is_ignored_is_not_found() {
        let installed = ("node_modules/@x/base/tsconfig.json", r#"{"extends": "../../../tsconfig.other.json"}"#);
        let own = ("apps/web/tsconfig.json", r#"{"extends": "../../node_modules/@x/base/tsconfig.json"}"#);
        let styles = ("apps/web/postcss.config.js", "require('../../node_modules/y/plugin')");
        let files = [installed, own, styles, ("node_modules/y/plugin.js", ""), ("tsconfig.other.json", "{}")];
        assert_eq!(found("", &files), [""; 0]);
    }

    #[test]
    fn settings_of_linters_count_where_builds_lint() {
        let own = ("apps/web/.eslintrc.json", r#"{"extends": ["../../eslint.base.json"]}"#);
        let jest = ("apps/web/jest.config.js", "require('../../jest.base.json')");
        let files = [own, jest, ("eslint.base.json", ""), ("jest.base.json", ""), (".eslintrc.js", "")];
        assert_eq!(found("vite build", &files), [""; 0]);
        let next = ("apps/web/package.json", r#"{"name": "web", "dependencies": {"next": "15"}}"#);
        assert_eq!(found("next build", &[&files[..], &[next]].concat()), ["eslint.base.json"]);
        assert_eq!(found("next build", &[next, (".eslintrc.js", "")]), [".eslintrc.js"]);
    }

    #[test]
    fn inputs_of_task_runners_are_found() {
        let turbo = r#"{"globalDependencies": ["**/.env", "yarn.lock", "scripts/**", "brand.json", "gone.json"]}"#;
        let files = [("turbo.json", turbo), ("yarn.lock", ""), ("scripts/a.sh", ""), ("brand.json", "")];
        assert_eq!(found("", &files), ["brand.json", "scripts"]);
    }
}
