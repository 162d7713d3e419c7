//! Names of derivations: finds splitter's derivations among those that Nix builds.

use std::collections::BTreeMap;

use crate::{
    nix::command::log::name_of,
    split::{
        Split,
        config::Install,
        plan::{Derivations, Id},
    },
};

/// The version of a package without one, as in `build.nix`.
const NO_VERSION: &str = "0";

/// Splitter's derivations, by their paths and by their names.
#[derive(Debug, Default)]
pub(in crate::cli) struct Names {
    by_path: BTreeMap<String, Id>,
    by_name: BTreeMap<String, Id>,
    /// The parts of `deps`, by the start of their names.
    deps: Vec<(String, Id)>,
}

impl Names {
    pub(in crate::cli) fn of(split: &Split, derivations: &Derivations) -> Self {
        let mut names = Self::default();
        for (id, derivation) in derivations.iter() {
            let version = || {
                let workspace = derivation.workspace.as_ref()?;
                let version = split.manifests.get(workspace)?.json.get("version")?.as_str()?;
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte);
                (!version.is_empty() && version.bytes().all(is_plain)).then_some(version)
            };
            let with_version = |name: &str| format!("{name}-{}", version().unwrap_or(NO_VERSION));
            let is_production = |app: &str| {
                let workspace = split.graph.apps().find(|(name, _)| *name == app).map(|(_, workspace)| workspace);
                workspace.is_some_and(|workspace| workspace.install == Install::Production)
            };
            let name = match id {
                Id::Deps(part) => {
                    names.deps.push((format!("deps-{part}-"), id.clone()));
                    continue;
                }
                Id::NodeModules => "node-modules".to_owned(),
                Id::OwnInstall(app) if is_production(app) => format!("node-modules-{app}-production"),
                Id::RuntimeInstall(app, Install::Production) => format!("node-modules-{app}-production"),
                Id::OwnInstall(app) | Id::RuntimeInstall(app, _) => format!("node-modules-{app}"),
                Id::Library(_) => with_version(&id.package()),
                Id::App(name) | Id::Check(name) => with_version(name),
            };
            names.by_name.entry(name).or_insert_with(|| id.clone());
        }
        names
    }

    /// Adds a derivation whose path is known.
    pub(in crate::cli) fn add(&mut self, derivation: &str, id: Id) {
        self.by_path.insert(derivation.to_owned(), id);
    }

    /// Returns the derivation at a path of the store.
    pub(in crate::cli) fn id(&self, derivation: &str) -> Option<Id> {
        let name = name_of(derivation);
        let by_start = || self.deps.iter().find(|(start, _)| name.starts_with(start.as_str())).map(|(_, id)| id);
        self.by_path.get(derivation).or_else(|| self.by_name.get(name)).or_else(by_start).cloned()
    }
}
