//! The inputs of apps, libraries and checks: the rules of `build.nix`, `source.nix`, `package.nix`, `library.nix` and `checks.nix`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Derivation, Id, Input,
    inputs::{
        INSTALLED, OF_APPS, OF_BUILDS, OF_CHECKS, OF_LIBRARIES, ORDERS, RUNTIME_INSTALL, Rules, folder, insert_list,
        installed, join, shown,
    },
    parts::Closures,
};
use crate::{
    repo::{RepoPath, states::FileStates},
    split::{
        checks::Check,
        config::{Exposes, Install},
        workspaces::{
            detect::{
                Build,
                program::{Product, Program},
            },
            graph::{Role, Workspace},
        },
    },
};

impl Rules<'_> {
    /// The rules of `package.nix`.
    pub(super) fn app(&self, name: &str, workspace: &Workspace, builds: &Builds<'_>) -> Derivation {
        let mut derivation = self.build(workspace, builds);
        derivation.shared = Arc::clone(&builds.of_apps);
        let mut set = |name, text: String| {
            if !text.is_empty() {
                derivation.inputs.insert(Input::Setting(name), text);
            }
        };
        set("name", name.to_owned());
        set("outputs", workspace.build.as_ref().map(Build::shown_outputs).unwrap_or_default());
        if let Role::App { product, .. } = &workspace.role {
            set("programs", self.programs(name, product));
            set("kept", product.kept());
            if let Some(install) = product.runtime {
                set(RUNTIME_INSTALL, installed(install).to_owned());
                set("workspaces that it runs with", self.used_at_run_time(workspace, install));
            }
        }
        if workspace.install != Install::Shared {
            derivation.needs.remove(&Id::NodeModules);
            derivation.needs.insert(Id::OwnInstall(name.to_owned()));
            derivation.inputs.insert(Input::Setting(INSTALLED), installed(workspace.install).to_owned());
        }
        derivation.needs.extend(runtime_install(name, workspace).map(|(id, _)| id));
        derivation
    }

    fn programs(&self, name: &str, product: &Product) -> String {
        let runtime = self.split.pin.manager.name.runtime();
        let shown = |program: &Program| {
            let place = if program.directory { " (in its folder)" } else { "" };
            format!("{}: {}{place}", program.name, program.shown(runtime))
        };
        product.programs_of(name).iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    /// Returns the workspaces that a program runs with because of `uses` alone. All others follow from manifests, and the
    /// manifests of a package's workspaces are among its sources.
    fn used_at_run_time(&self, workspace: &Workspace, install: Install) -> String {
        let graph = &self.split.graph;
        let is_chosen = |workspace: &Workspace| !workspace.uses.is_disjoint(&workspace.development);
        if install != Install::Production || !graph.workspaces().any(is_chosen) {
            return String::new();
        }
        join(graph.installed_with(&workspace.path, install).into_iter().map(folder))
    }

    /// The rules of `library.nix`.
    pub(super) fn library(&self, name: &str, workspace: &Workspace, builds: &Builds<'_>) -> Derivation {
        let mut derivation = self.build(workspace, builds);
        derivation.shared = Arc::clone(&builds.of_libraries);
        derivation.inputs.insert(Input::Setting("name"), name.to_owned());
        let exposes = match workspace.exposes {
            Exposes::Sources => "sources",
            Exposes::Output => "output",
        };
        derivation.inputs.insert(Input::Setting("what it exposes"), exposes.to_owned());
        derivation
    }

    /// The rules of `checks.nix`. A check reads what the build of its workspace reads, and `read`: tests and root files.
    pub(super) fn check(
        &self,
        check: &Check,
        workspace: &Workspace,
        builds: &Builds<'_>,
        read: FileStates,
    ) -> Derivation {
        let mut derivation = self.build(workspace, builds);
        derivation.shared = Arc::clone(&builds.of_checks);
        derivation.inputs.remove(&Input::Setting("build command"));
        derivation.inputs.insert(Input::Setting("check command"), check.command.clone());
        derivation.inputs.extend(read.into_iter().map(|(path, state)| (Input::File(path), shown(&state))));
        derivation
    }

    /// The rules of `build.nix`. The lock set and the package manager are inputs of a build too, but they are omitted here. They
    /// are inputs of `nodeModules`, which changes the build.
    fn build(&self, workspace: &Workspace, builds: &Builds<'_>) -> Derivation {
        let mut inputs: BTreeMap<Input, String> = BTreeMap::new();
        let mut set = |name, text: String| inputs.insert(Input::Setting(name), text);
        set("folder", workspace.path.to_string());
        if let Some(build) = &workspace.build {
            set("build command", build.command.clone());
        }
        let is_copied = self.split.copies.contains_key(&workspace.path);
        set("node_modules", if is_copied { "copied" } else { "linked" }.to_owned());
        let mut derivation = Derivation {
            needs: BTreeSet::from([Id::NodeModules]),
            workspace: Some(workspace.path.clone()),
            ..Derivation::default()
        };
        let closures = &builds.closures;
        if let Some(own) = closures.parts.number(&workspace.path) {
            insert_list(&mut inputs, ORDERS[1], closures.links_of(own).map(RepoPath::as_str));
            derivation.libraries = closures.libraries_of(own, workspace);
            derivation.parts.clone_from(closures.parts_of(own));
            derivation.root_files = closures.root_files_of(own);
        }
        Derivation { inputs, ..derivation }
    }
}

/// Returns the install that the programs of an app run with, if there is one.
pub(super) fn runtime_install(name: &str, workspace: &Workspace) -> Option<(Id, Install)> {
    let Role::App { product, .. } = &workspace.role else { return None };
    let install = product.runtime?;
    let id = match install {
        Install::Shared => Id::NodeModules,
        _ if install == workspace.install => Id::OwnInstall(name.to_owned()),
        _ => Id::RuntimeInstall(name.to_owned(), install),
    };
    Some((id, install))
}

/// The data that all builds share.
pub(super) struct Builds<'a> {
    pub(super) closures: Closures<'a>,
    of_apps: Arc<BTreeMap<Input, String>>,
    of_libraries: Arc<BTreeMap<Input, String>>,
    of_checks: Arc<BTreeMap<Input, String>>,
}

impl<'a> Builds<'a> {
    pub(super) fn of(rules: &Rules<'a>) -> Self {
        let shared = |file: &str| {
            let mut inputs: BTreeMap<Input, String> =
                rules.nix_files(|name| name == file || OF_BUILDS.contains(&name)).collect();
            inputs.insert(Input::RootManifest, rules.root_manifest());
            Arc::new(inputs)
        };
        let closures = Closures::of(rules.split);
        Self { closures, of_apps: shared(OF_APPS), of_libraries: shared(OF_LIBRARIES), of_checks: shared(OF_CHECKS) }
    }
}
