//! The plan as each CI system reads it.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::{Item, Job, MatrixError, Plan};
use crate::system::System;

/// The most that GitHub takes from a job: 1 MB, counted in UTF-16.
const MOST_BYTES: usize = 1_000_000;

/// Jobs of a stage as GitHub's matrix.
fn include(jobs: &[Job]) -> Value {
    let entry = |job: &Job| {
        json!({
            "name": job.name,
            "system": job.system,
            "os": job.runner,
            // One a line, because names may hold spaces.
            "names": job.names.join("\n"),
            "installables": job.installables.join("\n"),
        })
    };
    json!({ "include": jobs.iter().map(entry).collect::<Vec<_>>() })
}

/// Returns the lines for the file in `GITHUB_OUTPUT`.
pub fn github_output(plan: &Plan) -> Result<String, MatrixError> {
    let lines = format!(
        "any={}\nany-shared={}\nshared={}\nmatrix={}\n",
        !plan.matrix.is_empty(),
        !plan.shared.is_empty(),
        include(&plan.shared),
        include(&plan.matrix)
    );
    let bytes = lines.encode_utf16().count() * 2;
    if bytes > MOST_BYTES { Err(MatrixError::TooLarge { bytes, most: MOST_BYTES }) } else { Ok(lines) }
}

/// Returns the plan for programs.
pub fn json(items: &[Item], plan: &Plan) -> Value {
    let job = |job: &Job| {
        json!({
            "name": job.name,
            "system": job.system,
            "runner": job.runner,
            "names": job.names,
            "installables": job.installables,
        })
    };
    let stage = |jobs: &[Job]| jobs.iter().map(job).collect::<Vec<_>>();
    let item = |item: &Item| {
        json!({
            "name": item.name,
            "kind": item.kind,
            "system": item.system,
            "installable": item.installable,
            "derivation": item.derivation,
            "cache": item.cache,
        })
    };
    json!({
        "version": 1,
        "any": !plan.matrix.is_empty(),
        "stages": [stage(&plan.shared), stage(&plan.matrix)],
        "items": items.iter().map(item).collect::<Vec<_>>(),
    })
}

/// Returns the pipeline of GitLab, which is JSON and so YAML. `jobs_file` has the common part.
pub fn gitlab(plan: &Plan, jobs_file: &str) -> Value {
    let mut pipeline = Map::new();
    pipeline.insert("include".to_owned(), json!([{ "local": jobs_file }]));
    let shared = |job: &Job| format!("Shared ({})", job.name);
    let needs: Vec<String> = plan.shared.iter().map(shared).collect();
    let first = plan.shared.iter().map(|job| (shared(job), job, Vec::new()));
    let then = plan.matrix.iter().map(|job| (format!("Build ({})", job.name), job, needs.clone()));
    for (name, job, needs) in first.chain(then) {
        let mut entry = json!({
            "extends": ".splitter-build",
            "needs": needs,
            "variables": variables(job),
        });
        if !job.runner.is_empty() {
            entry["tags"] = json!([job.runner]);
        }
        pipeline.insert(name, entry);
    }
    if plan.matrix.is_empty() {
        // GitLab refuses a pipeline without jobs.
        let nothing = json!({ "script": ["echo 'the caches have everything'"], "needs": [] });
        pipeline.insert("Nothing to build".to_owned(), nothing);
    }
    Value::Object(pipeline)
}

/// Returns the steps of Buildkite, which run `script`.
pub fn buildkite(plan: &Plan, script: &str) -> Value {
    let key = |job: &Job| format!("splitter-shared-{}", job.system);
    let needs: Vec<String> = plan.shared.iter().map(key).collect();
    let step = |label: String, job: &Job| {
        json!({
            "label": label,
            "command": format!("bash {script} build"),
            "env": variables(job),
            "agents": { "queue": job.runner },
            "timeout_in_minutes": 180,
        })
    };
    let first = plan.shared.iter().map(|job| {
        let mut step = step(format!("Shared ({})", job.name), job);
        step["key"] = json!(key(job));
        step
    });
    let then = plan.matrix.iter().map(|job| {
        let mut step = step(format!("Build ({})", job.name), job);
        step["depends_on"] = json!(needs);
        step
    });
    json!({ "steps": first.chain(then).collect::<Vec<_>>() })
}

/// Returns the variables of a job. GitLab and Buildkite replace `$NAME` in them.
fn variables(job: &Job) -> Value {
    let lines = |list: &[String]| list.join("\n").replace('$', "$$");
    json!({ "NAMES": lines(&job.names), "INSTALLABLES": lines(&job.installables) })
}

/// Returns a summary in Markdown: what is built and where, and which cache has the rest.
pub fn summary(items: &[Item], plan: &Plan) -> String {
    let mut text = "### What is built\n\n".to_owned();
    let missing = items.iter().filter(|item| item.cache.is_none() && item.is_job).count();
    if plan.matrix.is_empty() {
        text.push_str("Nothing: the caches have everything.\n\n");
    } else {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{missing} of {}, which no cache has:\n\n| job | builds |\n| --- | --- |", items.len());
        for job in plan.shared.iter().chain(&plan.matrix) {
            let names: Vec<String> = job.names.iter().map(|name| cell(name)).collect();
            let _ = writeln!(text, "| {} | {} |", cell(&job.name), names.join(", "));
        }
        text.push('\n');
    }
    let mut cached: BTreeMap<(&str, System), Vec<String>> = BTreeMap::new();
    for item in items {
        if let Some(cache) = &item.cache {
            cached.entry((cache, item.system)).or_default().push(cell(&item.name));
        }
    }
    if !cached.is_empty() {
        text.push_str("| cache | system | has |\n| --- | --- | --- |\n");
        for ((cache, system), names) in cached {
            let _ = writeln!(text, "| {} | {system} | {} |", cell(cache), names.join(", "));
        }
        text.push('\n');
    }
    text
}

/// Returns a text as code in a cell of a table.
fn cell(text: &str) -> String {
    let plain: String = text.chars().filter(|char| !char.is_control() && *char != '`').collect();
    format!("`{}`", plain.replace('|', "\\|"))
}
