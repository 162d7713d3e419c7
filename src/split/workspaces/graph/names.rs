//! The names of derivations: of apps, and of libraries that are built.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Role, Workspace};
use crate::{repo::RepoPath, split::SplitError};

/// Names of the flake's packages that are not apps.
const RESERVED: [&str; 3] = ["nodeModules", "deps", "default"];

/// What the package of an app's own install is called: this and the app's name. No app may be called so.
const INSTALL_PREFIX: &str = "nodeModules-";

/// What the check of a library is called: this and its name. No app may be called the same.
const LIBRARY_PREFIX: &str = "library-";

impl Graph {
    /// Gives every app without a chosen name that of its folder, or of its package where folders collide.
    pub(super) fn name_apps(&mut self) -> Result<(), SplitError> {
        let proposed: BTreeMap<RepoPath, String> = self
            .apps()
            .map(|(chosen, workspace)| {
                let name = if chosen.is_empty() { folder_name(workspace) } else { chosen.to_owned() };
                (workspace.path.clone(), name)
            })
            .collect();
        let times = times(proposed.values().cloned());
        let is_unique = |name: &str| !is_reserved(name) && times[name] == 1;
        let mut taken: BTreeMap<String, RepoPath> = BTreeMap::new();
        for workspace in self.workspaces.values_mut() {
            let Role::App { name, .. } = &mut workspace.role else { continue };
            let folder = &proposed[&workspace.path];
            // One that is chosen and reserved is not replaced, but refused.
            let is_kept = is_unique(folder) || is_reserved(name);
            *name = if is_kept { folder.clone() } else { attribute(&workspace.name) };
            if is_reserved(name) || name.is_empty() {
                return Err(name_error(&workspace.path, &format!("the name `{name}` is taken by splitter")));
            }
            if let Some(other) = taken.insert(name.clone(), workspace.path.clone()) {
                return Err(name_error(&workspace.path, &format!("the name `{name}` is also that of `{other}`")));
            }
        }
        Ok(())
    }

    /// Marks the builds that others wait for: of workspaces that others depend on. Those of libraries get a name: that of their folder,
    /// where folders collide of their package, and where that has no name of its own of all folders on the way to them.
    pub(super) fn name_awaited(&mut self) {
        let needed: BTreeSet<RepoPath> = self.workspaces.values().flat_map(Workspace::source_edges).cloned().collect();
        let mut taken: BTreeSet<String> =
            self.apps().filter_map(|(name, _)| name.strip_prefix(LIBRARY_PREFIX)).map(str::to_owned).collect();
        for workspace in self.workspaces.values_mut() {
            workspace.awaited =
                workspace.build.is_some() && workspace.is_used_built && needed.contains(&workspace.path);
        }
        let is_named = |workspace: &Workspace| workspace.role == Role::Library && workspace.awaited;
        let named: Vec<&Workspace> = self.workspaces.values().filter(|workspace| is_named(workspace)).collect();
        let times = times(named.iter().map(|workspace| folder_name(workspace)));
        let mut chosen = BTreeMap::new();
        for workspace in &named {
            let folder = folder_name(workspace);
            let alone = times[&folder] == 1;
            let candidates = alone
                .then_some(folder)
                .into_iter()
                .chain([attribute(&workspace.name), attribute(workspace.path.as_str())]);
            let numbered = (2..).map(|number| format!("{}-{number}", attribute(workspace.path.as_str())));
            if let Some(name) = candidates.chain(numbered).find(|name| taken.insert(name.clone())) {
                chosen.insert(workspace.path.clone(), name);
            }
        }
        for workspace in self.workspaces.values_mut() {
            workspace.library = chosen.remove(&workspace.path);
        }
    }
}

/// How often there is each name.
fn times(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for name in names {
        *times.entry(name).or_default() += 1;
    }
    times
}

pub(in crate::split) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with(INSTALL_PREFIX)
}

fn name_error(path: &RepoPath, reason: &str) -> SplitError {
    SplitError::Config { reason: format!("the app in `{path}` needs a name: {reason}; set workspaces.{path}.app") }
}

fn folder_name(workspace: &Workspace) -> String {
    if workspace.path.is_root() { attribute(&workspace.name) } else { attribute(workspace.path.file_name()) }
}

/// A text as an attribute name that needs no quotes: `@acme/web.app` becomes `acme-web-app`.
pub(in crate::split) fn attribute(text: &str) -> String {
    let name: String = text
        .trim_start_matches('@')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) { name } else { format!("app-{name}") }
}
