//! Makes the record of a split, once the hashes are known.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BuildRecord, CheckRecord, DependencyRecord, EdgesRecord, FORMAT_VERSION, FixedOutput, GENERATOR, ManagerRecord,
    PackageRecord, ProgramTarball, Record, SourceRecord, WorkspaceRecord,
};
use crate::{
    lockfile::Integrity,
    repo::RepoPath,
    split::{
        Split,
        checks::Check,
        config::{Exposes, Install, NodeModules, WorkspaceConfig},
        lock::dependencies::{Dependency, Scope},
        lock::origin::{Origin, origin_of, replaced_registries},
        lock::shards::{self, Parts, Shard},
        workspaces::graph::{Role, Workspace},
    },
};

/// Data from the network or an older record that a split does not have.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The integrity of every dependency, by path.
    pub integrities: BTreeMap<String, Integrity>,
    /// The systems that need each dependency, by path, when the lockfile does not say.
    pub scopes: BTreeMap<String, Scope>,
    /// The tarballs of the package manager's program, by system or under `common`.
    pub programs: BTreeMap<String, ProgramTarball>,
    /// The fixed outputs, by part.
    pub outputs: BTreeMap<String, FixedOutput>,
}

/// Makes the record of a split.
pub fn compose(split: &Split, known: Known) -> Record {
    let mut shards = shards::shards_of(&parts(&split.dependencies, &known.scopes));
    Record {
        format_version: FORMAT_VERSION,
        generator: GENERATOR.to_owned(),
        package_manager: ManagerRecord { manager: split.pin.manager.clone(), tarballs: known.programs },
        registry: split.registries.default_registry().clone(),
        replaces: replaced_registries(split).into_iter().collect(),
        systems: split.systems.clone(),
        lock_set: split.lock_set.files.clone(),
        deps: known.outputs,
        dependencies: split
            .dependencies
            .iter()
            .filter_map(|dependency| {
                let integrity = known.integrities.get(&dependency.path)?.clone();
                let scope = scope_of(dependency, &known.scopes)?;
                let shard = shards.remove(dependency.path.as_str()).unwrap_or_default();
                Some(dependency_record(split, dependency, integrity, scope, shard))
            })
            .collect(),
        workspaces: workspace_records(split),
        default: split.default.clone(),
        local: split.lock_set.local.iter().cloned().collect(),
        root_files: split.root_files.iter().cloned().collect(),
        unsatisfied: split.unsatisfied.clone(),
        nodejs: split.nodejs.clone(),
        environment_files: split.environment_files.clone(),
        scripts: split.config.scripts.iter().cloned().collect(),
        downloads: split.config.downloads.keys().cloned().collect(),
        development: split.development.clone(),
        submodules: split.submodules.needed.iter().cloned().collect(),
        source: source_record(split),
    }
}

/// Returns the systems that need a dependency: from the lockfile, else from its tarball.
pub(in crate::scaffold) fn scope_of<'a>(
    dependency: &'a Dependency,
    scopes: &'a BTreeMap<String, Scope>,
) -> Option<&'a Scope> {
    dependency.scope.as_ref().or_else(|| scopes.get(&dependency.path))
}

fn dependency_record(
    split: &Split,
    dependency: &Dependency,
    integrity: Integrity,
    scope: &Scope,
    shard: Shard,
) -> DependencyRecord {
    let Origin { url, unpack, git } = origin_of(split, dependency);
    DependencyRecord {
        path: dependency.path.clone(),
        url,
        unpack,
        git,
        integrity,
        systems: match scope {
            Scope::Common => None,
            Scope::Systems(systems) => Some(systems.iter().copied().collect()),
        },
        shard,
    }
}

/// Returns the records of all workspaces, which are the plan of all builds.
pub(crate) fn workspace_records(split: &Split) -> Vec<WorkspaceRecord> {
    let ranks = split.graph.ranks();
    split.graph.workspaces().zip(ranks).map(|(workspace, rank)| workspace_record(split, workspace, rank)).collect()
}

fn workspace_record(split: &Split, workspace: &Workspace, rank: usize) -> WorkspaceRecord {
    WorkspaceRecord {
        path: workspace.path.clone(),
        name: workspace.name.clone(),
        dependencies: workspace.dependencies.iter().cloned().collect(),
        development: workspace.development.iter().cloned().collect(),
        edges: edges_record(workspace),
        rank,
        links: workspace.links.iter().cloned().collect(),
        real: workspace.real.clone(),
        loose_manifest: split.manifests.get(&workspace.path).is_some_and(|manifest| manifest.is_loose),
        link_targets: link_targets(split, workspace),
        patches: workspace.patches.clone(),
        root_files: workspace.root_files.iter().cloned().collect(),
        imports: workspace.imports.clone(),
        build: build_record(workspace),
        node_modules: split.copies.contains_key(&workspace.path).then_some(NodeModules::Copy),
        library: workspace.library.clone(),
        package: package_record(workspace),
        not_run: workspace.not_run.clone(),
        root_scripts: workspace.root_scripts.clone(),
        checks: split.checks.get(&workspace.path).into_iter().flatten().map(check_record).collect(),
    }
}

/// What symbolic links of a workspace lead to, with the workspaces among them: a check takes them from here.
fn link_targets(split: &Split, workspace: &Workspace) -> Vec<RepoPath> {
    let edges = split.linked_workspaces.get(&workspace.path).into_iter().flatten();
    workspace.link_targets.iter().chain(edges).cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

fn edges_record(workspace: &Workspace) -> EdgesRecord {
    let sorted = |edges: &mut dyn Iterator<Item = &RepoPath>| edges.cloned().collect::<BTreeSet<_>>();
    let unless = |edges: BTreeSet<RepoPath>, same: &BTreeSet<RepoPath>| {
        (edges != *same).then(|| edges.into_iter().collect::<Vec<_>>())
    };
    let sources = sorted(&mut workspace.source_edges());
    EdgesRecord {
        builds: unless(sorted(&mut workspace.build_edges()), &sources),
        production: unless(sorted(&mut workspace.production_edges()), &sources),
        sources: unless(sources, &workspace.dependencies),
    }
}

fn build_record(workspace: &Workspace) -> Option<BuildRecord> {
    let build = workspace.build.as_ref()?;
    Some(BuildRecord {
        command: build.command.clone(),
        outputs: build.outputs.clone(),
        optional: build.optional.clone(),
        targets: build.targets(),
        guessed: build.is_guess,
        awaited: workspace.awaited,
        exposes: (workspace.exposes == Exposes::Output).then_some(Exposes::Output),
    })
}

fn package_record(workspace: &Workspace) -> Option<PackageRecord> {
    let Role::App { name, product } = &workspace.role else { return None };
    let install = (workspace.install != Install::Shared).then_some(workspace.install);
    Some(PackageRecord {
        name: name.clone(),
        install,
        keeps: product.keeps,
        programs: product.programs_of(name),
        runtime: product.runtime,
        files: product.files.clone(),
        without: product.without.clone(),
        layout: product.layout.clone(),
        serves: product.serves(),
    })
}

fn check_record(check: &Check) -> CheckRecord {
    CheckRecord {
        name: check.name.clone(),
        command: check.command.clone(),
        root_files: check.root_files.iter().cloned().collect(),
        imports: check.imports.clone(),
    }
}

/// Returns the globs of `splitter.json`, as they are recorded.
pub(crate) fn source_record(split: &Split) -> SourceRecord {
    let globs = |list: fn(&WorkspaceConfig) -> &Vec<String>| -> BTreeMap<RepoPath, Vec<String>> {
        let chosen = split.config.workspaces.iter().filter(|(_, choice)| !list(choice).is_empty());
        chosen.map(|(path, choice)| (path.clone(), list(choice).clone())).collect()
    };
    let mut include = globs(|choice| &choice.include);
    for workspace in split.graph.workspaces() {
        let mut read = workspace.reads().peekable();
        if read.peek().is_some() {
            include.entry(workspace.path.clone()).or_default().extend(read);
        }
    }
    SourceRecord { include, exclude: globs(|choice| &choice.exclude) }
}

/// Returns the parts of `deps` with their entries. `scopes` holds scopes that are not in the lockfile.
pub fn parts<'a>(dependencies: &'a [Dependency], scopes: &BTreeMap<String, Scope>) -> Parts<'a> {
    shards::cut(dependencies, |dependency| scope_of(dependency, scopes))
}
