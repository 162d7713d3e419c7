//! Buildkite: a pipeline, and a script with what its steps run.

use super::{name, pushing, values};
use crate::ci::{actions::Pins, settings::Settings};

/// Returns the paths of the pipeline and of its script.
pub(super) fn paths(folder: &str) -> [String; 2] {
    let name = name(folder);
    [format!(".buildkite/{name}.yml"), format!(".buildkite/{name}.sh")]
}

pub(super) fn bodies(settings: &Settings, pins: &Pins) -> Vec<(String, String)> {
    let [pipeline, script] = paths(&settings.folder);
    let mut values = values(settings, pins, "");
    values.text("THIS_FILE", pipeline.as_str());
    values.text("SCRIPT", script.as_str());
    values.flag("bots", settings.bots);
    let pushes: String =
        settings.caches.iter().map(|target| pushing(&values, target).render("buildkite-push.sh")).collect();
    values.text("PUSHES", pushes);
    vec![(pipeline, values.render("buildkite.yml")), (script, values.render("buildkite.sh"))]
}
