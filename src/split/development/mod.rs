//! Services and processes for development: `nix run .#dev` starts a database, a mail server and the apps' `dev` scripts.
//!
//! `splitter.json` names them (`services`, `processes`). [`plan`] turns them into one configuration of process-compose, which the
//! record has. Nix adds the programs; `splitter dev config` prints the same for people without Nix.

mod error;
mod plan;
pub mod process_compose;
pub mod services;
pub mod settings;
mod suggest;

pub use error::DevelopmentError;
pub use plan::{Given, Plan, STATE};
pub use suggest::{Suggestion, Suggestions, suggest};

use crate::{
    repo::Tree,
    split::{ManagerName, SplitError, Workspaces, config::Config, workspaces::graph::Graph},
};

/// Makes the plan of a repository. Returns `None` if `splitter.json` names neither services nor processes.
pub(super) fn find(
    tree: &dyn Tree,
    graph: &Graph,
    manifests: &Workspaces,
    config: &Config,
    manager: ManagerName,
) -> Result<Option<Plan>, SplitError> {
    let (services, processes) = (&config.services, &config.processes);
    if services.is_empty() && processes.is_empty() {
        return Ok(None);
    }
    let inputs = plan::Inputs { tree, graph, manifests, manager, services, processes, given: &config.development };
    plan::make(&inputs).map(Some)
}

#[cfg(test)]
mod tests;
