//! Buildkite: a pipeline, and a script with what its steps run.

use super::{Workflow, name, pushes, values};

/// Returns the paths of the pipeline and of its script.
pub(super) fn paths(folder: &str) -> [String; 2] {
    let name = name(folder);
    [format!(".buildkite/{name}.yml"), format!(".buildkite/{name}.sh")]
}

pub(super) fn bodies(workflow: &Workflow<'_>) -> Vec<(String, String)> {
    let [pipeline, script] = paths(&workflow.settings.folder);
    let mut values = values(workflow, "");
    values.text("THIS_FILE", pipeline.as_str());
    values.text("SCRIPT", script.as_str());
    values.flag("bots", workflow.settings.bots);
    values.text("PUSHES", pushes(workflow, &values, "buildkite-push.sh"));
    vec![(pipeline, values.render("buildkite.yml")), (script, values.render("buildkite.sh"))]
}
