//! Settings of Nix in the files of CI systems: inputs of installers, `NIX_CONFIG`, options of commands.

use std::ops::Range;

use crate::lint::{
    Kind,
    view::{
        Broken, Command, NixCall, Setting, YamlFile, broken_in,
        jobs::{self, Job},
        settings_in,
        yaml::Node,
    },
};

/// The keys of YAML whose values are lines of `nix.conf`.
const KEYS: [&str; 6] =
    ["extra_nix_config", "extra-nix-config", "extra-conf", "extra_nix_conf", "nix_conf", "NIX_CONFIG"];

/// Returns the settings in a value and below it, with their bytes in the file.
pub(in crate::lint::rules) fn below(file: &YamlFile<'_>, node: &Node) -> Vec<Setting> {
    let mut settings = Vec::new();
    each_text(node, |value, text| {
        let placed = |setting: Setting| Setting { range: file.place(value, &setting.range), ..setting };
        settings.extend(settings_in(text).into_iter().map(placed));
    });
    settings
}

/// Returns the lines for Nix at which it stops, with their bytes in the file.
pub(in crate::lint::rules) fn broken(file: &YamlFile<'_>) -> Vec<Broken> {
    let mut broken = Vec::new();
    for node in &file.documents {
        each_text(node, |value, text| {
            let placed = |line: Broken| Broken { range: file.place(value, &line.range), ..line };
            broken.extend(broken_in(text).into_iter().map(placed));
        });
    }
    broken
}

/// Calls a function with each value below a node that has lines of `nix.conf`.
fn each_text<'n>(node: &'n Node, mut visit: impl FnMut(&'n Node, &'n str)) {
    node.each(&mut |node| {
        for (_, value) in node.entries().iter().filter(|(key, _)| KEYS.contains(&key.text.as_str())) {
            if let Some(text) = value.text() {
                visit(value, text);
            }
        }
    });
}

/// Returns the settings in all of a file, without those of commands.
pub(in crate::lint::rules) fn all(file: &YamlFile<'_>) -> Vec<Setting> {
    file.documents.iter().flat_map(|node| below(file, node)).collect()
}

/// Returns the settings that a command has as options, and in `NIX_CONFIG` before it.
pub(in crate::lint::rules) fn of_command(command: &Command<'_>) -> Vec<(String, String)> {
    let options = NixCall::of(command).map(|call| call.settings()).unwrap_or_default();
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let written = command.assignments.iter().filter_map(|word| word.strip_prefix("NIX_CONFIG="));
    let written = written.flat_map(|text| settings_in(text.trim_matches(['"', '\''])));
    options.chain(written.map(|setting| (setting.name, setting.value))).collect()
}

/// Calls a function with each setting of a workflow, its bytes, and the jobs that it is for.
pub(in crate::lint::rules) fn each(file: &YamlFile<'_>, mut visit: impl FnMut(&str, &str, Range<usize>, &[Job<'_>])) {
    let all_jobs = jobs::jobs(file);
    let is_within =
        |range: &Range<usize>, job: &Job<'_>| job.node.range.start <= range.start && range.end <= job.node.range.end;
    for setting in all(file) {
        let own = all_jobs.iter().position(|job| is_within(&setting.range, job));
        let jobs = own.map_or(&all_jobs[..], |at| &all_jobs[at..=at]);
        visit(&setting.name, &setting.value, setting.range.clone(), jobs);
    }
    for (at, job) in all_jobs.iter().enumerate() {
        for command in job.commands() {
            for (name, value) in of_command(command) {
                visit(&name, &value, command.range.clone(), &all_jobs[at..=at]);
            }
        }
    }
}

/// Whether all machines of the jobs run macOS, as far as the file tells.
pub(in crate::lint::rules) fn only_macos(file: &YamlFile<'_>, jobs: &[Job<'_>]) -> bool {
    let labels: Vec<&str> = jobs.iter().flat_map(Job::labels).collect();
    file.file.kind == Kind::Workflow && !labels.is_empty() && labels.iter().all(|label| label.starts_with("macos"))
}
