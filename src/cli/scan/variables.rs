//! Environment variables that a task runner lists for builds. Nix sets none of them by itself.

use std::collections::BTreeSet;

use crate::{
    cli::text::count,
    split::workspaces::graph::{Role, Workspace},
};

/// Number of variables shown for each build.
pub(super) const SHOWN: usize = 6;

/// Variables that every build has.
const SET: [&str; 1] = ["CI"];

/// The variables of all builds of a repository.
pub(super) struct Variables<'a> {
    /// Those that are listed for every build, if there are several builds.
    shared: BTreeSet<&'a str>,
}

impl<'a> Variables<'a> {
    pub(super) fn of(workspaces: &[&'a Workspace]) -> Self {
        let builds: Vec<BTreeSet<&str>> = workspaces
            .iter()
            .filter(|workspace| flake_name(workspace).is_some())
            .map(|workspace| unset(workspace))
            .collect();
        let shared = match builds.as_slice() {
            [] | [_] => BTreeSet::new(),
            [first, rest @ ..] => {
                first.iter().copied().filter(|name| rest.iter().all(|others| others.contains(name))).collect()
            }
        };
        Self { shared }
    }

    /// Describes the variables that are listed for one build alone.
    pub(super) fn of_build(&self, workspace: &Workspace, limit: usize) -> Option<String> {
        let place = flake_name(workspace)?;
        let names = listed(unset(workspace).difference(&self.shared).copied(), limit)?;
        Some(format!(
            "its task runner lists variables that are unset unless `{place}.env` in flake.nix sets them: {names}"
        ))
    }

    /// Describes the variables that are listed for all builds.
    pub(super) fn of_all(&self, limit: usize) -> Option<String> {
        let names = listed(self.shared.iter().copied(), limit)?;
        Some(format!(
            "the task runner lists variables for all builds, which are unset unless `apps.<name>.env` or `libraries.<name>.env` \
             in flake.nix sets them: {names}"
        ))
    }
}

/// Returns the place of a build's settings in flake.nix.
fn flake_name(workspace: &Workspace) -> Option<String> {
    workspace.build.as_ref()?;
    match (&workspace.role, &workspace.library) {
        (Role::App { name, .. }, _) => Some(format!("apps.{name}")),
        (Role::Library, Some(name)) => Some(format!("libraries.{name}")),
        (Role::Library, None) => None,
    }
}

fn unset(workspace: &Workspace) -> BTreeSet<&str> {
    workspace.env.iter().map(String::as_str).filter(|name| !SET.contains(name)).collect()
}

/// Joins the first names, and adds the number of the others.
fn listed<'n>(names: impl Iterator<Item = &'n str>, limit: usize) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(limit).copied().collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(limit) {
        0 => String::new(),
        more => format!(" and {} more", count(more)),
    };
    (!names.is_empty()).then_some(shown + &more)
}
