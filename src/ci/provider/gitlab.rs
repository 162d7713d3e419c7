//! GitLab CI: a file to include, and one with the jobs' common part, which the pipeline of the plan includes too.

use super::{Workflow, name, pushes, values};

/// Returns the paths of the pipeline and of the common part.
pub(super) fn paths(folder: &str) -> [String; 2] {
    let name = name(folder);
    [format!(".gitlab/{name}.yml"), format!(".gitlab/{name}-jobs.yml")]
}

pub(super) fn bodies(workflow: &Workflow<'_>) -> Vec<(String, String)> {
    let [pipeline, jobs] = paths(&workflow.settings.folder);
    let mut values = values(workflow, "");
    values.text("THIS_FILE", pipeline.as_str());
    values.text("JOBS_FILE", jobs.as_str());
    values.flag("bots", workflow.settings.bots);
    values.text("PUSHES", pushes(workflow, &values, "gitlab-push.yml"));
    vec![(pipeline, values.render("gitlab.yml")), (jobs, values.render("gitlab-jobs.yml"))]
}
