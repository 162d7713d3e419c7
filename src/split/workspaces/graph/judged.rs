//! What a workspace is: its build, what it offers, whether it is an app or a library, and whether its build runs.

use std::{collections::BTreeSet, ops::Bound};

use super::{
    Remedy, advice,
    builder::Builder,
    kind::{Facts, choose_kind},
    references,
};
use crate::{
    repo::{RepoPath, Tree},
    split::{
        ManagerName, Manifest, SplitError,
        config::{BuildChoice, Exposes, Kind, WorkspaceConfig},
        workspaces::{
            detect::{
                self, Build, products,
                program::{self, Keeps, Product},
            },
            tasks::Task,
        },
    },
};

/// What was decided of a workspace.
pub(super) struct Judged {
    pub(super) kind: Kind,
    /// Why it is that kind, in words.
    pub(super) reason: String,
    /// What makes a library an app.
    pub(super) remedy: Option<Remedy>,
    pub(super) product: Option<Product>,
    /// The build that runs, for itself or for others.
    pub(super) build: Option<Build>,
    /// An entry point that git lacks, if others depend on the workspace.
    pub(super) lacks_entry: Option<String>,
    /// Whether others read what it builds.
    pub(super) is_used_built: bool,
    /// Whether it has a build that does not run.
    pub(super) leaves_build: bool,
}

impl Builder<'_, '_> {
    /// Decides what a workspace is. `before` are the scripts that run before its build.
    pub(super) fn judge(
        &mut self,
        path: &RepoPath,
        manifest: &Manifest,
        choice: &WorkspaceConfig,
        task: &Task,
        before: &[String],
    ) -> Result<Judged, SplitError> {
        let found = build(self.tree, path, manifest, choice, task, self.manager)?;
        let found = self.or_by_references(found, path, manifest, choice)?;
        let product = self.product(path, manifest, choice, found.as_ref())?;
        let (kind, reason) = self.kind(path, choice, found.as_ref(), product.as_ref(), before);
        let remedy = self.remedy(path, manifest, kind, product.as_ref())?;
        let is_files = self.is_files_for_others(path, manifest, found.as_ref(), product.as_ref());
        let lacks_entry = self.lacks_entry(path, manifest)?;
        let has_build = found.as_ref().is_some_and(|build| build.foreign.is_none()) && !path.is_root();
        let runs = |build: &Build| match kind {
            Kind::App => true,
            // The root's script often builds all workspaces, and the others wait for their own.
            Kind::Library
                if path.is_root() && choice.build == BuildChoice::Detected && builds_others(&build.script) =>
            {
                false
            }
            Kind::Library => lacks_entry.is_some() || self.is_needed(path, manifest, build, choice),
        };
        let build = found.filter(runs);
        let is_used_built = kind == Kind::Library
            || lacks_entry.is_some()
            || is_files
            || self.is_used_built(path, manifest, build.as_ref(), choice);
        let leaves_build = has_build && build.is_none();
        Ok(Judged { kind, reason, remedy, product, build, lacks_entry, is_used_built, leaves_build })
    }

    /// Whether others wait for the build of a library.
    fn is_needed(&self, path: &RepoPath, manifest: &Manifest, build: &Build, choice: &WorkspaceConfig) -> bool {
        is_awaited(manifest, build, choice)
            || links_lead_into_output(&self.linked, path, build)
            || self.is_needed_by_task(path)
    }

    /// What makes a library an app.
    fn remedy(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        kind: Kind,
        product: Option<&Product>,
    ) -> Result<Option<Remedy>, SplitError> {
        Ok(match (kind, product) {
            (Kind::App, _) => None,
            (Kind::Library, Some(_)) => Some(Remedy::kind()),
            (Kind::Library, None) => Some(advice::remedy(self.tree, self.workspaces, path, manifest, self.manager)?),
        })
    }

    /// The entry point of a workspace with dependants that git lacks.
    fn lacks_entry(&self, path: &RepoPath, manifest: &Manifest) -> Result<Option<String>, SplitError> {
        let has_dependants = self.dependants.get(path).is_some_and(|dependants| !dependants.is_empty());
        if has_dependants && !path.is_root() {
            detect::entry_points::missing(self.tree, path, manifest)
        } else {
            Ok(None)
        }
    }

    /// The build that was found, or that of a script of the root that builds all project references.
    fn or_by_references(
        &self,
        found: Option<Build>,
        path: &RepoPath,
        manifest: &Manifest,
        choice: &WorkspaceConfig,
    ) -> Result<Option<Build>, SplitError> {
        if found.is_some() || path.is_root() || choice.build != BuildChoice::Detected {
            return Ok(found);
        }
        references::build(self.tree, (path, manifest), &self.workspaces[&RepoPath::root()])
    }

    /// Whether others need the build of a workspace that has something of its own to run: many depend on one for its types alone.
    fn is_used_built(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        build: Option<&Build>,
        choice: &WorkspaceConfig,
    ) -> bool {
        let is_named =
            || self.is_needed_by_task(path) || self.config.workspaces.values().any(|choice| choice.uses.contains(path));
        build.is_some_and(|build| {
            choice.exposes == Some(Exposes::Output)
                || detect::entry_points::built(manifest, &build.outputs).is_some()
                || is_named()
        })
    }

    /// Whether the task runner builds a workspace before another one, which it names.
    fn is_needed_by_task(&self, path: &RepoPath) -> bool {
        self.needs.values().any(|needed| needed.contains(path))
    }

    /// Whether others depend on a workspace for the files that it builds: it has nothing that they could import, or their scripts
    /// name its output.
    fn is_files_for_others(
        &self,
        path: &RepoPath,
        manifest: &Manifest,
        build: Option<&Build>,
        product: Option<&Product>,
    ) -> bool {
        let Some(build) = build else { return false };
        let is_site = product.is_some_and(|product| product.purpose == program::Purpose::Site);
        let mut dependants = self.dependants.get(path).into_iter().flatten().peekable();
        let is_alone = dependants.peek().is_none();
        let is_named_by = |from: &RepoPath| {
            let words = self.workspaces[from].scripts.values().flat_map(|script| script.split(is_end_of_word));
            let is_output = |word: &str| {
                let inner = word.strip_prefix(manifest.name.as_str()).and_then(|inner| inner.strip_prefix('/'));
                let inner = inner.map(str::to_owned).or_else(|| Some(from.resolve(word).ok()?.below(path)?.to_owned()));
                inner.is_some_and(|inner| build.kept().any(|output| is_below(&inner, output)))
            };
            words.filter(|word| word.contains('/')).any(is_output)
        };
        !is_alone && ((is_site && !detect::entry_points::has_any(manifest)) || dependants.any(is_named_by))
    }

    /// What a workspace offers. A script that is only half understood is noted for one that runs from its sources.
    fn product(
        &mut self,
        path: &RepoPath,
        manifest: &Manifest,
        choice: &WorkspaceConfig,
        build: Option<&Build>,
    ) -> Result<Option<Product>, SplitError> {
        let &mut Self { tree, manager, .. } = self;
        let asked = products::Asked { tree, folder: path, manifest, manager, choice, build };
        let product = products::find(&asked)?;
        if let Some(Product { unclear: Some(unclear), keeps: Keeps::Sources, .. }) = &product {
            self.unclear.insert(path.clone(), unclear.clone());
        }
        Ok(product)
    }

    /// Whether a workspace has nothing to build, to start or to import, such as one with benchmarks.
    fn offers_nothing(&self, path: &RepoPath) -> bool {
        let manifest = &self.workspaces[path];
        let runs = ["build", "start", "dev"].iter().any(|name| manifest.scripts.contains_key(*name));
        let is_needed = self.dependants.get(path).is_some_and(|dependants| !dependants.is_empty());
        !runs && !is_needed && !detect::entry_points::has_any(manifest)
    }

    fn kind(
        &self,
        path: &RepoPath,
        choice: &WorkspaceConfig,
        build: Option<&Build>,
        product: Option<&Product>,
        before: &[String],
    ) -> (Kind, String) {
        let has_programs = product.is_some_and(|product| !product.programs.is_empty());
        let counts = |from: &&RepoPath| !(has_programs && self.offers_nothing(from));
        let dependants: Vec<RepoPath> =
            self.dependants.get(path).into_iter().flatten().filter(counts).cloned().collect();
        let single = self.workspaces.len() == 1;
        let manifest = &self.workspaces[path];
        let has_entry = detect::entry_points::has_any(manifest);
        let facts = Facts { manifest, build, product, before, single, has_entry, dependants: &dependants };
        choose_kind(path, choice, &facts)
    }
}

fn build(
    tree: &dyn Tree,
    path: &RepoPath,
    manifest: &Manifest,
    choice: &WorkspaceConfig,
    task: &Task,
    manager: ManagerName,
) -> Result<Option<Build>, SplitError> {
    let found = match &choice.build {
        BuildChoice::Detected => detect::build(tree, path, manifest, &task.outputs, manager)?,
        BuildChoice::None => None,
        BuildChoice::Command(command) => Some(detect::chosen_build(tree, path, manifest, &task.outputs, command)?),
    };
    Ok(found.map(|build| if choice.output.is_empty() { build } else { build.keeping(&choice.output) }))
}

/// Whether a script of the root runs scripts of the workspaces.
fn builds_others(script: &str) -> bool {
    let words = ["turbo", "nx", "lerna", "wsrun", "moon", "workspace", "workspaces", "foreach", "-r", "--recursive"];
    let is_one = |word: &str| words.contains(&word) || word.starts_with("--filter") || word.starts_with("--workspaces");
    script.split(|c: char| c.is_whitespace() || "\"';".contains(c)).any(is_one)
}

fn is_end_of_word(character: char) -> bool {
    character.is_whitespace() || "\"'=;()`".contains(character)
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether others wait for a library's build: where `splitter.json` says so, or its entry points are built.
fn is_awaited(manifest: &Manifest, build: &Build, choice: &WorkspaceConfig) -> bool {
    matches!(choice.build, BuildChoice::Command(_))
        || choice.exposes == Some(Exposes::Output)
        || detect::entry_points::built(manifest, &build.outputs).is_some()
}

/// Whether a link leads to what a library's build makes (`link:../core/dist`). `linked` are the folders of all links.
fn links_lead_into_output(linked: &BTreeSet<RepoPath>, path: &RepoPath, build: &Build) -> bool {
    let outputs = build.outputs.iter().chain(&build.optional);
    let outputs = outputs.filter_map(|output| path.resolve(output).ok()).filter(|output| output != path);
    let first = |from: &str| linked.range::<str, _>((Bound::Included(from), Bound::Unbounded)).next();
    outputs.into_iter().any(|output| output.holds_any(first))
}
