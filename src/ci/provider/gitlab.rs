//! GitLab CI: a file to include, and one with the jobs' common part, which the pipeline of the plan includes too.

use super::{name, pushing, values};
use crate::ci::{actions::Pins, settings::Settings};

/// Returns the paths of the pipeline and of the common part.
pub(super) fn paths(folder: &str) -> [String; 2] {
    let name = name(folder);
    [format!(".gitlab/{name}.yml"), format!(".gitlab/{name}-jobs.yml")]
}

pub(super) fn bodies(settings: &Settings, pins: &Pins) -> Vec<(String, String)> {
    let [pipeline, jobs] = paths(&settings.folder);
    let mut values = values(settings, pins, "");
    values.text("THIS_FILE", pipeline.as_str());
    values.text("JOBS_FILE", jobs.as_str());
    values.flag("bots", settings.bots);
    let pushes: String =
        settings.caches.iter().map(|target| pushing(&values, target).render("gitlab-push.yml")).collect();
    values.text("PUSHES", pushes);
    vec![(pipeline, values.render("gitlab.yml")), (jobs, values.render("gitlab-jobs.yml"))]
}
