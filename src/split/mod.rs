//! Splits a repository into what depends only on the lockfile and what depends on sources. Pure: values in, values out.
//!
//! [`Split::read`] returns everything that is known of a tree. The rest of the program shows it, records it or compares it.
//!
//! - [`workspaces`]: manifests, the graph, what is built and how.
//! - [`sources`]: the files that a build reads.
//! - [`lock`]: everything that depends on the lockfile.
//! - [`plan`]: the derivations, and what changes them.
//! - [`development`]: services and processes for development.
//! - [`nodejs`]: the Node.js that the repository wants.
//! - [`mending`]: the setting that adds a file to a source set that lacks it.

pub mod askers;
pub mod budget;
pub mod caches;
pub mod checks;
pub mod config;
pub mod development;
mod error;
pub mod helpers;
pub mod lock;
mod lookup;
pub mod mending;
pub mod nodejs;
pub mod plan;
pub mod sources;
pub mod submodules;
pub mod workspaces;

use std::collections::{BTreeMap, BTreeSet};

pub use error::SplitError;
pub use lock::lock_set::LockSet;
pub(crate) use sources::root_files::is_configuration;
pub use sources::root_files::{Imports, ProgramSearch};
use sources::source_filter::Globs;
pub use sources::symlinks::LinkTargets;
use sources::symlinks::{Follower, LinkSearch, Symlinks};
use submodules::Submodules;
pub use workspaces::manifest::Manifest;
pub(crate) use workspaces::tasks::FILES as TASK_RUNNERS;

pub use crate::{
    managers::{ManagerName, PackageManager, Pin, ProgramPackage},
    system::{OtherMachine, System, SystemError},
};
pub use workspaces::{Workspaces, manifest_path};

use crate::split::{
    checks::Checks,
    config::Config,
    lock::dependencies::{Dependency, Sources},
    lock::drift::Drift,
    workspaces::{
        graph::{self, Graph},
        links::Links,
        patterns::Dialect,
    },
};
use crate::{
    lockfile::{Format, Lockfile},
    managers::{ManagerError, OwnFiles, Pinned, ProjectRegistries, bun, yarn_lock},
    names::{BUN_LOCK, BUN_LOCK_BINARY, BUNFIG, FOREIGN_LOCKFILES, YARN_LOCK},
    parallel::both,
    repo::{RepoPath, SourceFile, Tree, read_parsed, read_text},
    secrets,
};

/// Choices on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices {
    /// The systems. Empty means those of `splitter.json`, or else all supported systems.
    pub systems: Vec<System>,
    /// The names of the apps. Empty means those of `splitter.json`, or else all apps that are found.
    pub apps: BTreeSet<String>,
}

/// Everything that is known of a repository.
#[derive(Debug, Clone)]
pub struct Split {
    /// The package manager.
    pub pin: Pin,
    /// The lockfile.
    pub lockfile: Lockfile,
    /// The registries that the repository names.
    pub registries: ProjectRegistries,
    /// The systems to record hashes for, sorted.
    pub systems: Vec<System>,
    /// The files that an install reads.
    pub lock_set: LockSet,
    /// The tarballs that an install needs, sorted by path.
    pub dependencies: Vec<Dependency>,
    /// The workspaces.
    pub graph: Graph,
    /// The manifests of the workspaces, by folder.
    pub manifests: Workspaces,
    /// The manifests of folders that workspaces link to, by folder.
    pub linked_manifests: Workspaces,
    /// Apps and libraries whose builds get copies of packages instead of links to the store: by folder, with the reason.
    pub copies: BTreeMap<RepoPath, String>,
    /// The package that `nix build` builds when no name is given.
    pub default: Option<String>,
    /// The checks, by workspace.
    pub checks: Checks,
    /// What is started for development. `None` if `splitter.json` names neither services nor processes.
    pub development: Option<development::Plan>,
    /// The choices in `splitter.json`.
    pub config: Config,
    /// The files that `injectEnvironmentFiles` of Yarn names, in their order. Empty if the setting is absent.
    pub environment_files: Vec<RepoPath>,
    /// Root files that `splitter.json` adds to every source set. Root files of single workspaces are in the graph.
    pub root_files: BTreeSet<RepoPath>,
    /// Descriptors of `yarn.lock` that their entries do not satisfy, with the versions to take (Yarn 1).
    pub unsatisfied: BTreeMap<String, String>,
    /// What names a version of Node.js at the root.
    pub node_pins: Vec<nodejs::Pin>,
    /// The Node.js that the repository wants.
    pub nodejs: Option<nodejs::Wanted>,
    /// The git submodules that builds need, and those that are missing.
    pub submodules: Submodules,
    /// For targets of symbolic links the first link that leads there. Empty if the links were not looked for.
    pub links_to: BTreeMap<RepoPath, RepoPath>,
    /// The workspaces to whose whole folders symbolic links of a workspace lead.
    pub linked_workspaces: LinkTargets,
    /// Differences between the manifests and the lockfile.
    pub drift: Vec<Drift>,
    /// Warnings to print.
    pub warnings: Vec<String>,
}

impl Split {
    /// Splits the repository in `tree`.
    pub fn read(tree: &dyn Tree, choices: &Choices) -> Result<Self, SplitError> {
        Self::read_or_say(tree, choices, None::<fn() -> Imports>)
    }

    /// Splits the repository in `tree` without reading its sources, for a check that takes milliseconds. `recorded` returns what
    /// the sources import and what links among them lead to. It is called when that is needed.
    pub fn read_quickly(tree: &dyn Tree, recorded: impl FnOnce() -> Imports) -> Result<Self, SplitError> {
        Self::read_or_say(tree, &Choices::default(), Some(recorded))
    }

    /// Reads a repository, and names the submodule that a missing file is in.
    fn read_or_say(
        tree: &dyn Tree,
        choices: &Choices,
        recorded: Option<impl FnOnce() -> Imports>,
    ) -> Result<Self, SplitError> {
        match Self::read_with(tree, choices, recorded) {
            Err(SplitError::Missing { path, by }) => match submodules::absent_around(tree, &path)? {
                Some(submodule) => Err(SplitError::NotCheckedOut { path, by, submodule }),
                None => Err(SplitError::Missing { path, by }),
            },
            read => read,
        }
    }

    fn read_with(
        tree: &dyn Tree,
        choices: &Choices,
        recorded: Option<impl FnOnce() -> Imports>,
    ) -> Result<Self, SplitError> {
        let stated = Stated::read(tree)?;
        let systems = systems(choices, &stated.config);
        // What a record knows is asked for only now: a repository that cannot be read has an error of its own.
        let links = workspaces::links::find(tree, &stated.workspaces, &stated.lockfile)?;
        let imports = recorded.map(|recorded| recorded());
        let shape = Shape::find(tree, &stated, links, choices, imports.as_ref())?;
        let install = Installed::find(tree, &stated, &shape, &systems)?;
        Self::of(tree, stated, shape, install, systems)
    }

    /// Puts together what is known.
    fn of(
        tree: &dyn Tree,
        stated: Stated,
        shape: Shape,
        install: Installed,
        systems: Vec<System>,
    ) -> Result<Self, SplitError> {
        let Stated { workspaces, lockfile, config, warnings: of_workspaces } = stated;
        let Shape { graph, links, symlinks, linked_workspaces, checks, default } = shape;
        let environment = sources::root_files::environment::of_yarn(tree, lockfile.format.into())?;
        let node_pins = nodejs::pins(tree, &RepoPath::root())?;
        let warnings = [
            of_workspaces,
            lockfile.warnings.clone(),
            links.warnings,
            symlinks.warnings(|link, end| graph.makes(link, end)),
            scripts_of_none(&config, &lockfile),
            graph.warnings.clone(),
        ];
        let split = Self {
            unsatisfied: lock::unsatisfied::find(&lockfile, &workspaces),
            development: development::find(tree, &graph, &workspaces, &config, install.pin.manager.name)?,
            nodejs: nodejs::wanted(&node_pins),
            node_pins,
            checks,
            lock_set: install.lock_set,
            dependencies: install.dependencies,
            registries: install.registries,
            drift: install.drift,
            pin: install.pin,
            copies: workspaces::copies::find(tree, &graph, &workspaces, &config, &lockfile)?,
            environment_files: if environment.is_set { environment.files } else { Vec::new() },
            root_files: sources::root_files::chosen(tree, &config.root_files, "`rootFiles`")?,
            warnings: warnings.concat(),
            submodules: Submodules::read(tree)?,
            links_to: symlinks.links,
            linked_workspaces,
            default,
            systems,
            graph,
            manifests: workspaces,
            linked_manifests: links.manifests,
            config,
            lockfile,
        };
        Ok(split.completed())
    }

    /// Whether a glob of `splitter.json` matches any file of a workspace, or a root file if it is for the root. `files` must be
    /// sorted.
    pub fn matches_any(&self, workspace: &RepoPath, glob: &str, files: &[SourceFile]) -> bool {
        let globs = Globs::new(&[glob.to_owned()]);
        files.iter().any(|file| file.path.below(workspace).is_some_and(|inner| globs.find(inner).is_some()))
    }

    /// Adds what follows from everything else.
    fn completed(mut self) -> Self {
        self.warnings.extend(checks::unknown(&self));
        let mut submodules = std::mem::take(&mut self.submodules);
        submodules.keep_needed(&self);
        self.warnings.extend(submodules.warning(&self));
        self.submodules = submodules;
        self
    }
}

/// What the files of a repository state: the lockfile, the manifests, and the settings of splitter.
struct Stated {
    workspaces: Workspaces,
    lockfile: Lockfile,
    config: Config,
    warnings: Vec<String>,
}

impl Stated {
    fn read(tree: &dyn Tree) -> Result<Self, SplitError> {
        let text = LockfileText::find(tree)?;
        let manager = text.manager();
        let root = workspaces::root(tree, manager)?;
        let dialect = dialect(tree, &root, &text);
        let (found, lockfile) = both(|| workspaces::read_as(tree, root, manager, dialect), || text.parse());
        let lockfile = lockfile?;
        let workspaces::Found { workspaces, warnings } = found?;
        let mut config = config::read(tree)?;
        config.resolve(&workspaces)?;
        Ok(Self { workspaces, lockfile, config, warnings })
    }
}

/// How the workspaces depend on each other and on other files, and what is built of them.
struct Shape {
    graph: Graph,
    links: Links,
    symlinks: Symlinks,
    linked_workspaces: LinkTargets,
    checks: Checks,
    default: Option<String>,
}

impl Shape {
    /// Finds it. `imports` is what a record knows of the sources. Else they are searched.
    fn find(
        tree: &dyn Tree,
        stated: &Stated,
        mut links: Links,
        choices: &Choices,
        imports: Option<&Imports>,
    ) -> Result<Self, SplitError> {
        let Stated { workspaces, lockfile, config, .. } = stated;
        let manager = lockfile.format.into();
        let programs = imports.map_or(ProgramSearch::Whole, ProgramSearch::Recorded);
        let search = imports.map_or(LinkSearch::Whole, |imports| LinkSearch::Recorded(&imports.links));
        let mut follower = Follower::of(tree, workspaces, config, &links, &search)?;
        links.add_edges(follower.edges());
        let mut linked_workspaces = LinkTargets::new();
        for (from, to) in follower.edges() {
            linked_workspaces.entry(from.clone()).or_default().insert(to.clone());
        }
        let through = graph::through_packages(lockfile, workspaces);
        let given = graph::Given { links: &links, through: &through };
        let mut graph = Graph::of(tree, workspaces, config, &given, &mut follower, manager, programs)?;
        let apps = if choices.apps.is_empty() { &config.apps } else { &choices.apps };
        if !apps.is_empty() {
            graph.keep_apps(apps)?;
        }
        let default = default_package(&graph, config)?;
        graph.refuse_unclear()?;
        let checks = checks::find(tree, &graph, workspaces, config, manager, programs)?;
        let symlinks = follower.found;
        Ok(Self { graph, links, symlinks, linked_workspaces, checks, default })
    }
}

/// What an install takes, and whether it would be accepted.
struct Installed {
    pin: Pin,
    registries: ProjectRegistries,
    lock_set: LockSet,
    dependencies: Vec<Dependency>,
    drift: Vec<Drift>,
}

impl Installed {
    fn find(tree: &dyn Tree, stated: &Stated, shape: &Shape, systems: &[System]) -> Result<Self, SplitError> {
        let Stated { workspaces, lockfile, config, .. } = stated;
        let registries = ProjectRegistries::of_tree(tree, lockfile.format)?.of_lockfile(lockfile);
        let manager = ManagerName::from(lockfile.format).manager();
        let own = manager.own_files(tree)?;
        let sources = Sources { registries: &registries, cache: own.cache.as_ref() };
        let mut dependencies = lock::dependencies::list(lockfile, workspaces, sources, systems)?;
        lock::downloads::add(&mut dependencies, &config.downloads, systems)?;
        let pin = manager.pin(&pinned(tree, workspaces, lockfile, &own))?;
        let patches = shape.graph.workspaces().filter_map(|workspace| workspace.patches.clone()).collect();
        let lock_set = LockSet::collect(tree, lockfile, workspaces, &shape.links, &patches, &own)?;
        let drift = lock::drift::find(tree, workspaces, &shape.links.manifests, lockfile, &pin.manager.version)?;
        Ok(Self { pin, registries, lock_set, dependencies, drift })
    }
}

/// Returns the package that `nix build` builds when no name is given: the chosen app, or the only one.
fn default_package(graph: &Graph, config: &Config) -> Result<Option<String>, SplitError> {
    let names: Vec<&str> = graph.apps().map(|(name, _)| name).collect();
    match (&config.default, names.as_slice()) {
        (Some(name), names) if !names.contains(&name.as_str()) => Err(graph.no_such_app(name)),
        (Some(name), _) => Ok(Some(name.clone())),
        (None, [only]) => Ok(Some((*only).to_owned())),
        (None, _) => Ok(None),
    }
}

/// Collects what can pin a version of the package manager.
fn pinned<'a>(tree: &'a dyn Tree, workspaces: &'a Workspaces, lockfile: &Lockfile, own: &OwnFiles) -> Pinned<'a> {
    let root = &workspaces[&RepoPath::root()];
    Pinned {
        tree,
        package_manager: root.package_manager.as_deref(),
        manifest: &root.json,
        format: lockfile.format,
        program: own.program.clone(),
    }
}

/// The text of the one lockfile at the root.
enum LockfileText {
    Bun(String),
    Yarn(String),
}

impl LockfileText {
    fn find(tree: &dyn Tree) -> Result<Self, SplitError> {
        let file = |name: &str| RepoPath::root().child(name);
        match (read_parsed(tree, &file(BUN_LOCK))?, read_parsed(tree, &file(YARN_LOCK))?) {
            (Some(_), Some(yarn)) if !is_printed_by_bun(tree, &yarn)? => {
                Err(SplitError::TwoLockfiles { pin: root_pin(tree)? })
            }
            (Some(text), _) => {
                secrets::refuse(BUN_LOCK, &text)?;
                Ok(Self::Bun(text))
            }
            (None, Some(text)) => {
                secrets::refuse(YARN_LOCK, &text)?;
                Ok(Self::Yarn(text))
            }
            (None, None) if tree.is_file(&file(BUN_LOCK_BINARY))? => Err(SplitError::BinaryLockfile),
            (None, None) => {
                for name in FOREIGN_LOCKFILES {
                    if tree.is_file(&file(name))? {
                        return Err(SplitError::UnsupportedLockfile(name));
                    }
                }
                Err(SplitError::NoLockfile)
            }
        }
    }

    /// The package manager that wrote it.
    fn manager(&self) -> ManagerName {
        self.format().into()
    }

    /// The format, from the first lines alone. For Bun it is the oldest version.
    fn format(&self) -> Format {
        match self {
            Self::Bun(_) => Format::Bun(0),
            Self::Yarn(text) => yarn_lock::format(text),
        }
    }

    fn parse(&self) -> Result<Lockfile, SplitError> {
        match self {
            Self::Bun(text) => Ok(bun::lockfile::parse(text).map_err(ManagerError::from)?),
            Self::Yarn(text) => Ok(yarn_lock::parse(text).map_err(ManagerError::from)?),
        }
    }
}

/// Whether Bun wrote the `yarn.lock` beside its own lockfile. It is an output then: no install reads it.
fn is_printed_by_bun(tree: &dyn Tree, yarn: &str) -> Result<bool, SplitError> {
    let settings = read_text(tree, &RepoPath::root().child(BUNFIG))?;
    Ok(bun::printed::has_mark(yarn) || settings.is_some_and(|text| bun::printed::is_asked_for(&text)))
}

/// How workspace patterns are read. Errors of the pin are reported later, when the pin itself is read.
fn dialect(tree: &dyn Tree, root: &Manifest, text: &LockfileText) -> Dialect {
    let manager = text.manager();
    let own = manager.manager().own_files(tree).unwrap_or_default();
    let pinned = Pinned {
        tree,
        package_manager: root.package_manager.as_deref(),
        manifest: &root.json,
        format: text.format(),
        program: own.program,
    };
    let version = manager.manager().pin(&pinned).map(|pin| pin.manager.version);
    // Without a pin that can be read, the newest.
    Dialect::of(manager, version.as_deref().unwrap_or("99.0.0"))
}

/// Returns `packageManager` of the root manifest.
fn root_pin(tree: &dyn Tree) -> Result<Option<String>, SplitError> {
    let path = manifest_path(&RepoPath::root());
    let Some(text) = read_text(tree, &path)? else { return Ok(None) };
    Ok(Manifest::parse_as(path.as_str(), &text, ManagerName::Bun)?.package_manager)
}

fn systems(choices: &Choices, config: &Config) -> Vec<System> {
    let chosen = if choices.systems.is_empty() { &config.systems } else { &choices.systems };
    let mut systems = if chosen.is_empty() { System::ALL.to_vec() } else { chosen.clone() };
    systems.sort_unstable();
    systems.dedup();
    systems
}

/// Warns of packages in `scripts` and `downloads` that are not in the lockfile. Without the warning a misspelt name would
/// silently do nothing.
fn scripts_of_none(config: &Config, lockfile: &Lockfile) -> Vec<String> {
    let is_locked =
        |name: &String| lockfile.packages.iter().any(|package| package.name == *name || package.label() == *name);
    let named = config.scripts.iter().map(|name| ("scripts", name));
    let unknown =
        named.chain(config.downloads.keys().map(|name| ("downloads", name))).filter(|(_, name)| !is_locked(name));
    let file = lockfile.format.file();
    unknown.map(|(key, name)| format!("splitter.json: `{key}` names `{name}`, which is not in {file}")).collect()
}
