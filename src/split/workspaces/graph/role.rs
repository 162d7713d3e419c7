//! What a workspace is, and choices in `splitter.json` that mean nothing for it.

use super::Role;
use crate::{
    repo::RepoPath,
    split::{
        SplitError,
        config::{BuildChoice, Exposes, Install, Kind, RuntimeConfig, WorkspaceConfig},
        workspaces::detect::program::{Keeps, Product},
    },
};

pub(super) fn role(
    path: &RepoPath,
    kind: Kind,
    choice: &WorkspaceConfig,
    product: Option<Product>,
) -> Result<Role, SplitError> {
    match (kind, product) {
        (Kind::App, Some(product)) => {
            Ok(Role::App { name: choice.app.clone().unwrap_or_default(), product: Box::new(product) })
        }
        (Kind::App, None) => {
            let reason =
                format!("`{path}` is to be an app, but has nothing to build or start; set its `build` or `start`");
            Err(SplitError::Config { reason })
        }
        (Kind::Library, _) => Ok(Role::Library),
    }
}

/// Choices that mean nothing for a workspace of this role.
pub(super) fn refuse_odd(
    path: &RepoPath,
    choice: &WorkspaceConfig,
    role: &Role,
    builds: bool,
) -> Result<(), SplitError> {
    let is_library = *role == Role::Library;
    if choice.exposes == Some(Exposes::Output) && !(is_library && builds) {
        let reason = format!("`{path}` is to expose its output, but is no library with a build");
        return Err(SplitError::Config { reason });
    }
    if is_library && choice.install.is_some_and(|install| install != Install::Shared) {
        let reason = format!("`{path}` is to have an install of its own, but is no app");
        return Err(SplitError::Config { reason });
    }
    if choice.build == BuildChoice::None && !choice.output.is_empty() {
        let reason = format!("`{path}` has an `output`, but is not to be built (`\"build\": null`)");
        return Err(SplitError::Config { reason });
    }
    refuse_unused_runtime(path, &choice.runtime, role)
}

/// Refuses choices for the run time that nothing would read.
fn refuse_unused_runtime(path: &RepoPath, runtime: &RuntimeConfig, role: &Role) -> Result<(), SplitError> {
    let refuse = |why: &str| Err(SplitError::Config { reason: format!("`{path}` has {why}") });
    let adds = runtime.install.is_some() || !runtime.files.is_empty();
    match role {
        _ if *runtime == RuntimeConfig::default() => Ok(()),
        Role::App { product, .. } if product.programs.is_empty() => {
            refuse("a `runtime`, but its package has no program; set `start` too")
        }
        Role::App { product, .. } if adds && product.keeps == Keeps::Files => {
            refuse("`runtime.install` or `runtime.files`, but its programs are compiled and need neither")
        }
        Role::App { product, .. } if runtime.install.is_some() && !product.layout.is_empty() => {
            refuse("a `runtime.install`, but its build puts the packages that it needs into its output")
        }
        Role::App { .. } => Ok(()),
        Role::Library => refuse("a `runtime`, but is no app"),
    }
}
