//! The pages of rules in `docs/lint/`, made from the rules themselves.

use std::fmt::Write as _;

use super::{
    model::{Check, Example, Rule},
    rules::RULES,
};

/// Returns the page of a rule as Markdown.
pub fn page(rule: &Rule) -> String {
    let taste = if rule.is_taste { ", off without `--pedantic`" } else { "" };
    let mut page = format!(
        "<!-- Made from src/lint/rules. Edit the rule there. -->\n\n# {}\n\nLevel: {}{taste}. Reads {}.\n\n{}\n\n{}\n",
        rule.name,
        rule.level.name(),
        reads(rule),
        rule.why,
        rule.remedy,
    );
    if !rule.about.is_empty() {
        let _ = write!(page, "\n{}\n", rule.about.trim());
    }
    let (bad, good): (Vec<&Example>, Vec<&Example>) = rule.examples.iter().partition(|example| example.findings > 0);
    for (title, examples) in [("## Found", &bad), ("## Not found", &good)] {
        let Some(example) = examples.first() else { continue };
        let _ = write!(page, "\n{title}\n");
        for (path, text) in example.files {
            let language = language(path);
            // A test runs the commands of all pages, and wants to know that these are none.
            let marker = if language == "sh" { "<!-- not run: is a file -->\n" } else { "" };
            let _ = write!(page, "\n`{path}`:\n\n{marker}```{language}\n{}\n```\n", text.trim_end());
        }
    }
    let _ = write!(
        page,
        "\n## Allow it\n\nPut a comment on the line or above it, `# splitter-lint: allow {0} — reason`, or name files in `splitter.json`:\n\n\
         ```json\n{{ \"lint\": {{ \"rules\": {{ \"{0}\": {{ \"allow\": [\"legacy/**\"] }} }} }} }}\n```\n",
        rule.name
    );
    page
}

/// Returns the table of all rules as Markdown.
pub fn overview() -> String {
    let mut table = "| rule | level | reads | why |\n| --- | --- | --- | --- |\n".to_owned();
    for rule in RULES {
        let level = if rule.is_taste { "off" } else { rule.level.name() };
        let _ = writeln!(table, "| [`{0}`](lint/{0}.md) | {level} | {1} | {2} |", rule.name, reads(rule), rule.why);
    }
    table
}

/// Returns the kinds of files that a rule reads.
fn reads(rule: &Rule) -> String {
    let name = |check: &Check| match check {
        Check::Nix(_) => "Nix files",
        Check::Lock(_) => "`flake.lock`",
        Check::Yaml(_) => "workflows",
        Check::Dockerfile(_) => "Dockerfiles",
        Check::Settings(_) => "`nix.conf`",
        Check::Script(_) => "scripts",
        Check::Manifest(_) => "`package.json`",
    };
    let names: Vec<&str> = rule.checks.iter().map(name).collect();
    names.join(", ")
}

fn language(path: &str) -> &'static str {
    match path.rsplit(['.', '/']).next() {
        Some("nix") => "nix",
        Some("yml" | "yaml") => "yaml",
        Some("json" | "lock") => "json",
        Some("Dockerfile") => "dockerfile",
        Some("Makefile") => "make",
        _ => "sh",
    }
}
