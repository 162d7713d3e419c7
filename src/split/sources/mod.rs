//! Source sets: the files that an app or a library is built from, and the excluded files with the reason.

mod ownership;
pub(crate) mod root_files;
pub(super) mod source_filter;
pub(super) mod symlinks;
mod totals;

use std::collections::{BTreeMap, BTreeSet};

pub use self::totals::{Extras, Summary, Totals};
pub(in crate::split) use self::{ownership::Ownership, root_files::is_program};
use crate::repo::{RepoPath, SourceFile};
use crate::split::{
    config::{Config, Exposes},
    manifest_path,
    sources::source_filter::{CHECK_FILTER, Globs, SOURCE_FILTER, SourceFilter, is_glob},
    workspaces::graph::{Graph, Workspace},
};

/// The files that an app or a library is built from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSet {
    /// The files, sorted by path.
    pub files: Vec<RepoPath>,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files excluded from its workspaces, grouped by the rule that excludes them.
    pub left_out: BTreeMap<String, LeftOut>,
}

impl SourceSet {
    fn leave_out(&mut self, rule: &str, more: LeftOut) {
        let total = self.left_out.entry(rule.to_owned()).or_default();
        total.files += more.files;
        total.bytes += more.bytes;
    }
}

/// Files that a rule excludes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of files.
    pub files: usize,
}

/// The files of each workspace, root file and linked folder, computed once for all apps.
#[derive(Debug)]
pub struct Sources<'a> {
    /// For each workspace its source files and its excluded files.
    owned: BTreeMap<&'a RepoPath, Owned<'a>>,
    /// The files of each root file, which can be a file, a folder or a glob.
    root_files: BTreeMap<&'a RepoPath, Vec<&'a SourceFile>>,
    /// The root files that all builds read, and the root files of each workspace.
    shared: BTreeSet<&'a RepoPath>,
    of_workspaces: BTreeMap<&'a RepoPath, &'a BTreeSet<RepoPath>>,
    /// For each linked folder, and each target of a symbolic link, its source files.
    linked: BTreeMap<RepoPath, Vec<&'a SourceFile>>,
    graph: &'a Graph,
}

#[derive(Debug, Default)]
struct Owned<'a> {
    files: Vec<&'a SourceFile>,
    /// The excluded files that a check reads.
    tests: Vec<&'a SourceFile>,
    /// The files that others see instead of the sources, if a library exposes only its output: its manifest.
    shown: Option<Vec<&'a SourceFile>>,
    left_out: BTreeMap<String, LeftOut>,
    /// Excluded files that some build reads as root files, with the rule.
    covered: Vec<(String, &'a SourceFile)>,
}

/// The rules of one workspace.
struct Rules {
    include: Globs,
    exclude: Globs,
    outputs: Vec<String>,
    exposes: Exposes,
}

impl<'a> Sources<'a> {
    /// Assigns each file to the nearest enclosing workspace.
    pub fn sort(files: &'a [SourceFile], graph: &'a Graph, config: &Config, shared: &'a BTreeSet<RepoPath>) -> Self {
        let rules: BTreeMap<&RepoPath, Rules> =
            graph.workspaces().map(|workspace| (&workspace.path, Rules::of(workspace, config))).collect();
        let by_folder: BTreeMap<&RepoPath, &RepoPath> =
            graph.workspaces().map(|workspace| (workspace.folder(), &workspace.path)).collect();
        let of_workspaces: BTreeMap<_, _> =
            graph.workspaces().map(|workspace| (&workspace.path, &workspace.root_files)).collect();
        let all: BTreeSet<&RepoPath> = shared.iter().chain(of_workspaces.values().copied().flatten()).collect();
        let root_files: BTreeMap<&RepoPath, Vec<&SourceFile>> =
            all.into_iter().map(|root| (root, files_of(files, root))).collect();
        let covered: BTreeSet<&RepoPath> = root_files.values().flatten().map(|file| &file.path).collect();
        let mut sorted: BTreeMap<&RepoPath, Owned<'_>> = BTreeMap::new();
        let mut last: Option<(RepoPath, RepoPath)> = None;
        for file in files {
            let folder = file.path.parent();
            let nearest = match last.take() {
                Some((known, nearest)) if known == folder => nearest,
                _ => owner(&folder, |folder| by_folder.contains_key(folder)),
            };
            let known =
                by_folder.get_key_value(&nearest).and_then(|(place, path)| Some((*place, rules.get_key_value(path)?)));
            last = Some((folder, nearest));
            let Some((place, (owner, rules))) = known else { continue };
            let belongings = sorted.entry(owner).or_default();
            if rules.exposes == Exposes::Output {
                let shown = belongings.shown.get_or_insert_default();
                shown.extend((file.path == manifest_path(place)).then_some(file));
            }
            let inner = file.path.below(place).unwrap_or_default();
            match rules.leave_out(inner, &SOURCE_FILTER) {
                None => belongings.files.push(file),
                Some(rule) => {
                    belongings.tests.extend(rules.leave_out(inner, &CHECK_FILTER).is_none().then_some(file));
                    if covered.contains(&file.path) {
                        belongings.covered.push((rule, file));
                        continue;
                    }
                    let left_out = belongings.left_out.entry(rule).or_default();
                    left_out.files += 1;
                    left_out.bytes += file.bytes;
                }
            }
        }
        let linked = graph.folders_beside(&graph.workspaces().map(|workspace| workspace.path.clone()).collect());
        let linked = linked.into_iter().map(|folder| (folder.clone(), linked_files(files, &folder))).collect();
        Self { owned: sorted, root_files, shared: shared.iter().collect(), of_workspaces, linked, graph }
    }

    /// Iterates over the files that builds read, some more than once.
    pub fn read_by_builds(&self) -> impl Iterator<Item = &RepoPath> {
        // The root of a monorepo is no source of any build, unless it is an app.
        let is_read = |path: &RepoPath| !path.is_root() || self.graph.apps().any(|(_, app)| app.path.is_root());
        let owned = self.owned.iter().filter(move |(path, _)| is_read(path)).flat_map(|(_, owned)| &owned.files);
        owned.chain(self.linked.values().flatten()).chain(self.root_files.values().flatten()).map(|file| &file.path)
    }

    /// Iterates over the source files of each workspace and each linked folder.
    pub(super) fn by_folder(&self) -> impl Iterator<Item = (&RepoPath, &[&'a SourceFile])> {
        let owned = self.owned.iter().map(|(path, owned)| (*path, owned.files.as_slice()));
        owned.chain(self.linked.iter().map(|(folder, files)| (folder, files.as_slice())))
    }

    /// Iterates over the files of each root file, folder or glob.
    pub(super) fn root_files(&self) -> impl Iterator<Item = (&RepoPath, &[&'a SourceFile])> {
        self.root_files.iter().map(|(root, files)| (*root, files.as_slice()))
    }

    /// Returns the files of a workspace that its checks read and its build does not.
    pub(super) fn tests(&self, workspace: &RepoPath) -> &[&'a SourceFile] {
        self.owned.get(workspace).map_or(&[], |owned| &owned.tests)
    }

    /// Iterates over the libraries that expose only their output, with the files that others see: their manifests.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&RepoPath, &[&'a SourceFile])> {
        self.owned.iter().filter_map(|(path, owned)| Some((*path, owned.shown.as_deref()?)))
    }

    /// Returns the source set of the app or library in `own`. `closure` holds the workspaces that it is built from.
    pub fn of(&self, own: &RepoPath, closure: &BTreeSet<RepoPath>) -> SourceSet {
        let mut set = SourceSet::default();
        let is_shown =
            |path: &&RepoPath| *path == own || self.owned.get(path).is_none_or(|owned| owned.shown.is_none());
        let shown = closure.iter().filter(is_shown).filter_map(|path| self.of_workspaces.get(path));
        let roots: BTreeSet<&RepoPath> = shown.copied().flatten().chain(self.shared.iter().copied()).collect();
        let mut files: Vec<&SourceFile> =
            roots.iter().filter_map(|root| self.root_files.get(root)).flatten().copied().collect();
        files.extend(self.graph.folders_beside(closure).iter().filter_map(|folder| self.linked.get(folder)).flatten());
        let mut covered = Vec::new();
        for (path, owned) in closure.iter().filter_map(|path| self.owned.get_key_value(path)) {
            if let Some(shown) = owned.shown.as_ref().filter(|_| *path != own) {
                files.extend(shown);
                continue;
            }
            files.extend(&owned.files);
            covered.extend(&owned.covered);
            for (rule, left_out) in &owned.left_out {
                set.leave_out(rule, *left_out);
            }
        }
        // The parts are sorted already, which makes the stable sort fast.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        set.bytes = files.iter().map(|file| file.bytes).sum();
        let is_read = |file: &SourceFile| files.binary_search_by(|other| other.path.cmp(&file.path)).is_ok();
        for (rule, file) in covered.into_iter().filter(|(_, file)| !is_read(file)) {
            set.leave_out(rule, LeftOut { bytes: file.bytes, files: 1 });
        }
        set.files = files.into_iter().map(|file| file.path.clone()).collect();
        set
    }
}

/// Returns the files of a root file: the file itself, the files in the folder, or the matches of the glob. `files` must be
/// sorted.
pub(super) fn files_of<'a>(files: &'a [SourceFile], root: &RepoPath) -> Vec<&'a SourceFile> {
    if is_glob(root.as_str()) {
        let globs = Globs::new(&[root.as_str().to_owned()]);
        return files.iter().filter(|file| globs.find(file.path.as_str()).is_some()).collect();
    }
    below(files, root).collect()
}

/// Returns the source files of a linked folder, by the same rules as in a workspace.
fn linked_files<'a>(files: &'a [SourceFile], folder: &RepoPath) -> Vec<&'a SourceFile> {
    let is_source =
        |file: &&SourceFile| file.path.below(folder).is_some_and(|inner| SOURCE_FILTER.rule(inner).is_none());
    below(files, folder).filter(is_source).collect()
}

/// Iterates over the files at a path and below it.
fn below<'a>(files: &'a [SourceFile], root: &RepoPath) -> impl Iterator<Item = &'a SourceFile> {
    let start = files.partition_point(|file| file.path < *root);
    let near = files[start..].iter().take_while(|file| file.path.as_str().starts_with(root.as_str()));
    near.filter(|file| file.path.below(root).is_some())
}

/// Returns the nearest enclosing folder that is a workspace, or the root.
fn owner(folder: &RepoPath, is_workspace: impl Fn(&RepoPath) -> bool) -> RepoPath {
    let mut folder = folder.clone();
    while !folder.is_root() && !is_workspace(&folder) {
        folder = folder.parent();
    }
    folder
}

impl Rules {
    fn of(workspace: &Workspace, config: &Config) -> Self {
        let choice = config.workspaces.get(&workspace.path);
        let globs = |list: fn(&crate::split::config::WorkspaceConfig) -> &Vec<String>| {
            choice.map_or_else(Globs::default, |choice| Globs::new(list(choice)))
        };
        Self {
            include: Globs::new(
                &choice
                    .map(|choice| &choice.include)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .chain(workspace.reads())
                    .collect::<Vec<_>>(),
            ),
            exclude: globs(|choice| &choice.exclude),
            outputs: workspace.build.as_ref().map(|build| build.kept().cloned().collect()).unwrap_or_default(),
            exposes: workspace.exposes,
        }
    }

    /// Returns the rule that excludes a file. `inner` is the path in the workspace.
    fn leave_out(&self, inner: &str, filter: &SourceFilter) -> Option<String> {
        if let Some(glob) = self.exclude.find(inner) {
            return Some(format!("{glob} (splitter.json)"));
        }
        let is_output = |output: &&String| {
            inner.strip_prefix(output.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let rule = match self.outputs.iter().find(is_output) {
            Some(output) => Some(format!("{output}/ (build output)")),
            None => filter.rule(inner),
        };
        rule.filter(|_| self.include.find(inner).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        repo::MemoryTree,
        split::{
            ManagerName, ProgramSearch, config, workspaces, workspaces::graph::Closures, workspaces::links::Links,
        },
    };

    /// Compares the totals of every workspace with its list of files.
    fn assert_totals_are_those_of_the_lists(sources: &Sources<'_>, graph: &Graph) {
        let (closures, extras) = (Closures::of(graph), Extras::of(sources));
        let summary = Summary::of(sources, &closures, &extras);
        for (number, workspace) in closures.workspaces().iter().enumerate() {
            let set = sources.of(&workspace.path, &graph.closure(&workspace.path));
            let expected = Totals { files: set.files.len(), bytes: set.bytes, left_out: set.left_out };
            assert_eq!(summary.totals(number), expected, "{}", workspace.path);
        }
    }

    #[test]
    fn a_file_that_is_a_source_for_two_reasons_counts_once() {
        let tree = MemoryTree::new([
            ("package.json", r#"{"workspaces": ["a", "b", "c"]}"#),
            (
                "splitter.json",
                r#"{"rootFiles": ["b/shared", "scripts"], "workspaces": {"b": {"exposes": "output"}, "c": {"exclude": ["x"], "uses": [""]}}}"#,
            ),
            (
                "a/package.json",
                r#"{"name": "a", "scripts": {"build": "x"}, "dependencies": {"b": "*", "c": "*", "d": "link:../c/x", "e": "link:../b/lib"}}"#,
            ),
            ("b/package.json", r#"{"name": "b", "scripts": {"build": "y"}, "main": "dist/index.js"}"#),
            ("c/package.json", r#"{"name": "c"}"#),
            ("b/lib/l.ts", ""),
            ("c/x/x.ts", ""),
        ]);
        let (config, workspaces) = (config::read(&tree).unwrap(), workspaces::read(&tree).unwrap());
        let lock = crate::managers::bun::lockfile::parse(r#"{"lockfileVersion": 1, "packages": {}}"#).unwrap();
        let links = crate::split::workspaces::links::find(&tree, &workspaces, &lock).unwrap();
        let graph = Graph::build(&tree, &workspaces, &config, &links, ManagerName::Bun, ProgramSearch::Whole).unwrap();
        let files: Vec<SourceFile> = [
            "a/a.ts",
            "b/b.ts",
            "b/lib/l.ts",
            "b/package.json",
            "b/shared/s.ts",
            "c/c.ts",
            "c/x/x.ts",
            "scripts/s.mjs",
        ]
        .iter()
        .zip(1..)
        .map(|(path, bytes)| SourceFile { path: path.parse().unwrap(), bytes })
        .collect();
        let root_files = config.root_files.iter().cloned().collect();
        let sources = Sources::sort(&files, &graph, &config, &root_files);
        assert_totals_are_those_of_the_lists(&sources, &graph);
        let a: RepoPath = "a".parse().unwrap();
        let set = sources.of(&a, &graph.closure(&a));
        assert!(set.files.iter().any(|path| path.as_str() == "c/x/x.ts"), "{set:?}");
    }

    #[test]
    fn an_app_is_built_from_its_closure_and_the_root_files() {
        let tree = MemoryTree::new([
            ("package.json", r#"{"workspaces": ["apps/*", "packages/*", "packages/ui/plugins/*"]}"#),
            ("splitter.json", r#"{"workspaces": {"apps/web": {"include": ["tests/data"], "exclude": ["notes"]}}}"#),
            (
                "apps/web/package.json",
                r#"{"name": "web", "scripts": {"build": "vite build"}, "dependencies": {"ui": "*"}}"#,
            ),
            ("packages/ui/package.json", r#"{"name": "ui"}"#),
            ("packages/ui/plugins/p/package.json", r#"{"name": "p"}"#),
            ("packages/other/package.json", r#"{"name": "other"}"#),
        ]);
        let config = config::read(&tree).unwrap();
        let graph = Graph::build(
            &tree,
            &workspaces::read(&tree).unwrap(),
            &config,
            &Links::default(),
            ManagerName::Bun,
            ProgramSearch::Whole,
        )
        .unwrap();
        let files: Vec<SourceFile> = [
            "README.md",
            "apps/web/README.md",
            "apps/web/dist/a.js",
            "apps/web/notes/n.txt",
            "apps/web/package.json",
            "apps/web/src/a.test.ts",
            "apps/web/src/a.ts",
            "apps/web/tests/a.ts",
            "apps/web/tests/data/d.json",
            "packages/other/o.ts",
            "packages/ui/plugins/p/p.ts",
            "packages/ui/u.ts",
            "tsconfig.json",
        ]
        .iter()
        .map(|path| SourceFile { path: path.parse().unwrap(), bytes: 10 })
        .collect();
        let root_files = BTreeSet::from(["tsconfig.json".parse().unwrap()]);
        let sources = Sources::sort(&files, &graph, &config, &root_files);
        let web = "apps/web".parse().unwrap();
        let set = sources.of(&web, &graph.closure(&web));
        let paths: Vec<_> = set.files.iter().map(RepoPath::as_str).collect();
        assert_eq!(
            paths,
            [
                "apps/web/package.json",
                "apps/web/src/a.ts",
                "apps/web/tests/data/d.json",
                "packages/ui/u.ts",
                "tsconfig.json"
            ]
        );
        assert_eq!(set.bytes, 50);
        assert_totals_are_those_of_the_lists(&sources, &graph);
        let rules: Vec<_> = set.left_out.keys().map(String::as_str).collect();
        assert_eq!(rules, ["**/*.test.ts", "README.md", "dist/ (build output)", "notes (splitter.json)", "tests/"]);
    }

    /// Case S10.
    #[test]
    fn an_excluded_file_that_is_a_root_file_is_not_left_out() {
        let tree = MemoryTree::new([
            ("package.json", r#"{"workspaces": ["a", "b"]}"#),
            ("splitter.json", r#"{"rootFiles": ["a/README.md"]}"#),
            ("a/package.json", r#"{"name": "a", "scripts": {"build": "cat ../b/README.md"}}"#),
            ("b/package.json", r#"{"name": "b", "scripts": {"build": "x"}}"#),
            ("b/README.md", ""),
        ]);
        let (config, workspaces) = (config::read(&tree).unwrap(), workspaces::read(&tree).unwrap());
        let graph =
            Graph::build(&tree, &workspaces, &config, &Links::default(), ManagerName::Bun, ProgramSearch::Whole)
                .unwrap();
        let paths = ["a/README.md", "a/package.json", "b/README.md", "b/package.json"];
        let files: Vec<SourceFile> =
            paths.iter().map(|path| SourceFile { path: path.parse().unwrap(), bytes: 1 }).collect();
        let shared = BTreeSet::from(["a/README.md".parse().unwrap()]);
        let sources = Sources::sort(&files, &graph, &config, &shared);
        assert_totals_are_those_of_the_lists(&sources, &graph);
        let left_out = |path: &str| {
            let path = path.parse().unwrap();
            let set = sources.of(&path, &graph.closure(&path));
            set.left_out.values().map(|left_out| left_out.files).sum::<usize>()
        };
        assert_eq!((left_out("a"), left_out("b")), (0, 1));
    }
}
