//! GitHub Actions and Forgejo Actions, which read the same files.

use super::{Workflow, name, pushes, values};
use crate::{ci::settings::Provider, split::caches::Address};

/// Forgejo finds actions without a URL on its own instance, or where the instance says.
const FORGEJO_ACTIONS: &str = "https://github.com/";

/// Returns the paths of the workflow, and of that for bots.
pub(super) fn paths(provider: Provider, folder: &str) -> [String; 2] {
    let root = if provider == Provider::Forgejo { ".forgejo" } else { ".github" };
    let name = name(folder);
    [format!("{root}/workflows/{name}.yml"), format!("{root}/workflows/{name}-bots.yml")]
}

pub(super) fn bodies(workflow: &Workflow<'_>) -> Vec<(String, String)> {
    let settings = workflow.settings;
    let is_forgejo = settings.provider == Provider::Forgejo;
    let mut values = values(workflow, if is_forgejo { FORGEJO_ACTIONS } else { "" });
    values.text("PUSHES", pushes(workflow, &values, "push.yml"));
    // The action of Cachix pushes all that a job builds, splitter too.
    let by_action = workflow.caches.iter().any(|cache| cache.push && matches!(cache.address, Address::Cachix { .. }));
    let program = if by_action { String::new() } else { pushes(workflow, &values, "push-program.yml") };
    values.text("PUSH_PROGRAM", program);
    let below = |file: &str| match settings.folder.as_str() {
        "" => format!("'{file}'"),
        folder => format!("'{folder}/{file}'"),
    };
    values.text("LOCKS", format!("{}, {}", below("flake.lock"), below("nix/splitter/splitter.lock.json")));
    let mut needs = vec!["check", "plan"];
    needs.extend(workflow.is_shared.then_some("shared"));
    needs.push("build");
    values.text("IMAGES_NEED", needs.join(", "));
    needs.extend(settings.images.as_ref().map(|_| "images"));
    values.text("NEEDS", needs.join(", "));
    let [workflow, bots] = paths(settings.provider, &settings.folder);
    let mut bodies = vec![(workflow, values.render("workflow.yml"))];
    if settings.bots {
        bodies.push((bots, values.render("bots.yml")));
    }
    bodies
}
