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
            set("programs", Self::programs(name, product));
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

    fn programs(name: &str, product: &Product) -> String {
        let shown = |program: &Program| {
            let place = program
                .directory
                .as_ref()
                .map(|folder| if folder == "." { " (in its folder)".to_owned() } else { format!(" (in {folder})") })
                .unwrap_or_default();
            format!("{}: {}{place}", program.name, program.shown())
        };
        product.programs_of(name).iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    /// Returns the workspaces that a program runs with because of `uses` alone. All others follow from manifests, and the
    /// manifests of a package's workspaces are among its sources.
    fn used_at_run_time(&self, workspace: &Workspace, install: Install) -> String {
        if install != Install::Production {
            return String::new();
        }
        join(self.split.graph.installed_for_uses(&workspace.path, install).into_iter().map(folder))
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
            let targets = build.targets();
            if !targets.is_empty() {
                set("targets", targets.join(", "));
            }
        }
        let is_copied = self.split.copies.contains_key(&workspace.path);
        set("node_modules", if is_copied { "copied" } else { "linked" }.to_owned());
        let mut derivation = Derivation {
            needs: BTreeSet::from([Id::NodeModules]),
            workspace: Some(workspace.path.clone()),
            ..Derivation::default()
        };
        insert_list(&mut inputs, "environment files", self.split.environment_files.iter().map(RepoPath::as_str));
        let closures = &builds.closures;
        if let Some(own) = closures.parts.number(&workspace.path) {
            insert_list(&mut inputs, ORDERS[1], closures.links_of(own).map(RepoPath::as_str));
            derivation.libraries = closures.libraries_of(own, workspace);
            derivation.parts.clone_from(closures.parts_of(own));
            derivation.root_files = closures.root_files_of(own);
            insert_list(&mut inputs, NOT_RUN, builds.not_run(own, workspace).iter().map(String::as_str));
        }
        Derivation { inputs, ..derivation }
    }
}

/// Name of the input for the scripts of workspaces that a failed build names.
const NOT_RUN: &str = "scripts that do not run";

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
    /// The workspaces with scripts that do not run, by number.
    not_run: Vec<(usize, &'a Workspace)>,
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
        let with_scripts = rules.split.graph.workspaces().filter(|workspace| !workspace.not_run.is_empty());
        let not_run = with_scripts.filter_map(|found| Some((closures.parts.number(&found.path)?, found))).collect();
        Self {
            not_run,
            closures,
            of_apps: shared(OF_APPS),
            of_libraries: shared(OF_LIBRARIES),
            of_checks: shared(OF_CHECKS),
        }
    }

    /// The scripts of the workspaces of a build, and of the root, that do not run.
    fn not_run(&self, own: usize, workspace: &Workspace) -> Vec<String> {
        let members = self.closures.parts_of(own);
        let found = self.not_run.iter().filter(|(number, found)| found.path.is_root() || members.contains(*number));
        let names = found.flat_map(|(_, found)| {
            let is_chosen = |name: &&String| !(found.path.is_root() && workspace.root_scripts.contains(*name));
            found.not_run.iter().filter(is_chosen).map(|name| format!("{name} of {}", found.path))
        });
        names.collect()
    }
}
