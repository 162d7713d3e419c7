//! The summary in Prometheus' text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! A collector reads it from a file (`textfile` of `node_exporter`). Values are those of the time that is shown, so they are gauges.

use std::fmt::{Display, Write as _};

use crate::history::summary::Summary;

pub(super) fn render(summary: &Summary) -> String {
    let mut page = Page::default();
    page.metric("splitter_runs", "Runs that built or wanted to.");
    page.value(&[("result", "success")], summary.runs - summary.failed_runs);
    page.value(&[("result", "failure")], summary.failed_runs);
    page.metric("splitter_run_seconds", "The time of a run: its median, and that of the last one.");
    page.time(&[("value", "median")], summary.took.median());
    page.time(&[("value", "last")], summary.took.latest());
    page.metric("splitter_evaluation_seconds", "The median time of the evaluation of a run.");
    page.time(&[], summary.evaluation.median());
    page.metric("splitter_cache_hit_ratio", "Store paths that came from caches, among those that the store lacked.");
    if let Some(rate) = summary.hit_rate() {
        page.value(&[], rate);
    }
    page.metric("splitter_build_seconds", "The time of a build: its median, and that of the last one.");
    for row in &summary.builds {
        page.time(&[("name", &row.name), ("value", "median")], row.times.median());
        page.time(&[("name", &row.name), ("value", "last")], row.times.latest());
    }
    page.metric("splitter_builds", "Builds.");
    for row in &summary.builds {
        page.value(&[("name", &row.name), ("result", "success")], row.times.len());
        page.value(&[("name", &row.name), ("result", "failure")], row.failed);
    }
    page.metric("splitter_closure_bytes", "The size of a package with everything that it needs to run.");
    for row in &summary.products {
        if let Some((_, size)) = row.closures.last() {
            page.value(&[("name", &row.name)], size);
        }
    }
    page.metric("splitter_cache_paths", "Store paths from a cache.");
    for row in &summary.caches {
        page.value(&[("cache", &row.from)], row.paths);
    }
    page.metric("splitter_cache_downloaded_bytes", "What was downloaded from a cache.");
    for row in &summary.caches {
        page.value(&[("cache", &row.from)], row.downloaded);
    }
    if let Some((_, store)) = summary.store.last() {
        page.metric("splitter_store_bytes", "The size of the store, and of what a garbage collection would delete.");
        page.value(&[("part", "all")], store.size);
        page.value(&[("part", "dead")], store.dead_size);
        page.metric(
            "splitter_store_paths",
            "The paths of the store, those that a garbage collection would delete, and where outputs came from.",
        );
        page.value(&[("part", "all")], store.paths);
        page.value(&[("part", "dead")], store.dead_paths);
        page.value(&[("part", "built")], store.built_paths);
        page.value(&[("part", "fetched")], store.fetched_paths);
    }
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn metric(&mut self, name: &'static str, help: &str) {
        self.name = name;
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }

    #[expect(clippy::cast_precision_loss, reason = "a time in seconds")]
    fn time(&mut self, labels: &[(&str, &str)], milliseconds: Option<u64>) {
        if let Some(milliseconds) = milliseconds {
            self.value(labels, milliseconds as f64 / 1000.0);
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Build, Run};

    #[test]
    fn names_are_escaped_and_times_are_in_seconds() {
        let build = Build { name: "a\"\n\\".to_owned(), took: 1500, ..Build::default() };
        let summary = Summary::of(&[Run { took: 2000, is_success: true, builds: vec![build], ..Run::default() }]);
        let text = render(&summary);
        assert!(text.contains("splitter_build_seconds{name=\"a\\\"\\n\\\\\",value=\"median\"} 1.5\n"), "{text}");
        assert!(
            text.contains("splitter_runs{result=\"success\"} 1\n") && text.contains("splitter_cache_hit_ratio 0\n")
        );
        let is_metric = |line: &str| {
            line.starts_with('#') || line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok())
        };
        assert!(text.lines().all(is_metric), "{text}");
    }
}
