//! The inputs of apps, libraries and checks: the rules of `build.nix`, `source.nix`, `package.nix`, `library.nix` and `checks.nix`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Derivation, Id, Input,
    inputs::{INSTALLED, OF_APPS, OF_BUILDS, OF_CHECKS, OF_LIBRARIES, ORDERS, Rules, insert_list, installed, shown},
    parts::Closures,
};
use crate::{
    repo::{RepoPath, states::FileStates},
    split::{
        checks::Check,
        config::{Exposes, Install},
        workspaces::{
            detect::Build,
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
        set("outputs", workspace.build.iter().flat_map(Build::kept).cloned().collect::<Vec<_>>().join(", "));
        if let Role::App { product, .. } = &workspace.role {
            let programs = product.programs_of(name);
            let shown = programs.iter().map(|program| format!("{}: {}", program.name, program.shown("runtime")));
            set("programs", shown.collect::<Vec<_>>().join(", "));
            set("kept", product.kept());
            if let Some(install) = product.runtime {
                set("run-time install", installed(install).to_owned());
            }
        }
        if workspace.install != Install::Shared {
            derivation.needs.remove(&Id::NodeModules);
            derivation.needs.insert(Id::OwnInstall(name.to_owned()));
            derivation.inputs.insert(Input::Setting(INSTALLED), installed(workspace.install).to_owned());
        }
        derivation
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
            insert_list(&mut inputs, NOT_RUN, builds.not_run(own, workspace).iter().map(String::as_str));
        }
        Derivation { inputs, ..derivation }
    }
}

/// Name of the input for the scripts of workspaces that a failed build names.
const NOT_RUN: &str = "scripts that do not run";

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
