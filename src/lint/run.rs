//! Reads files with all rules.

use super::{
    allow,
    choices::Choices,
    file::{Context, File, Found},
    kind::{self, Kind},
    model::{Check, Edit, Finding, Rule},
    rules::{RULES, Words},
    view::{Dockerfile, JsonFile, NixFile, Script, SettingsFile, YamlFile},
};
use crate::parallel;

/// The largest file that is read, in bytes. Nobody writes a larger one.
const LARGEST: usize = 1 << 20;

/// What reading the files of a repository says.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The findings, sorted by path and place.
    pub findings: Vec<Finding>,
    /// The files that no rule could read, although one is for them.
    pub unread: Vec<Unread>,
}

/// A file that no rule could read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its path.
    pub path: String,
    /// Why, in words that follow its path.
    pub why: &'static str,
}

/// Returns the byte at which a text stops being Nix. Returns nothing if it is Nix, or nests too deeply to be parsed.
pub fn first_nix_error(text: &str) -> Option<usize> {
    parallel::map_deep(&[text], |text| NixFile::first_error(text)).into_iter().flatten().next()
}

/// Reads all files of a context, each of them once.
pub fn lint(context: &Context<'_>, choices: &Choices) -> Report {
    let rules: Vec<&'static Rule> = RULES.iter().copied().filter(|rule| choices.is_on(rule)).collect();
    with_rules(context, choices, &rules)
}

fn with_rules(context: &Context<'_>, choices: &Choices, rules: &[&'static Rule]) -> Report {
    let mut report = Report::default();
    for read in parallel::map_deep(context.files, |file| of_file(context, *file, choices, rules)) {
        match read {
            Ok(findings) => report.findings.extend(findings),
            Err(unread) => report.unread.push(unread),
        }
    }
    let findings = &mut report.findings;
    findings.sort_by(|a, b| (&a.path, a.range.start, a.rule.name).cmp(&(&b.path, b.range.start, b.rule.name)));
    findings.dedup_by(|a, b| (&a.path, &a.range, a.rule.name) == (&b.path, &b.range, b.rule.name));
    report
}

/// Returns what some rules find, whatever their levels are and whether they are on, for other commands that ask the same question.
pub fn of_rules(context: &Context<'_>, names: &[&str]) -> Vec<Finding> {
    let only = |rule: &&&'static Rule| names.contains(&rule.name);
    let choices = Choices { is_pedantic: true, ..Choices::default() };
    with_rules(context, &choices, &RULES.iter().filter(only).copied().collect::<Vec<_>>()).findings
}

fn of_file(
    context: &Context<'_>,
    file: File<'_>,
    choices: &Choices,
    rules: &[&'static Rule],
) -> Result<Vec<Finding>, Unread> {
    if choices.ignore.is_match(file.path) || kind::is_generated(file.text) {
        return Ok(Vec::new());
    }
    let unread = |why| Unread { path: file.path.to_owned(), why };
    if file.text.len() > LARGEST {
        return Err(unread("is larger than 1 MiB"));
    }
    let Some(first) = rules.first() else { return Ok(Vec::new()) };
    let mut found = Found::new(file, choices, first);
    check(context, file, rules, &mut found).map_err(unread)?;
    let mut findings = found.into_findings();
    allow::drop_allowed(file.text, &mut findings);
    Ok(findings)
}

/// Calls the checks for the kind of a file. If it cannot be parsed, the error is why, in words that follow its path. A Nix file without any
/// word that a rule needs is not parsed, which saves most of the time: no rule can find anything in it, whether it is Nix or not.
fn check(
    context: &Context<'_>,
    file: File<'_>,
    rules: &[&'static Rule],
    found: &mut Found<'_>,
) -> Result<(), &'static str> {
    macro_rules! run {
        ($variant:ident, $view:expr) => {
            run!($variant, $view, rules)
        };
        ($variant:ident, $view:expr, $rules:expr) => {{
            let view = $view;
            each($rules, found, |check, found| {
                if let Check::$variant(check) = check {
                    check(&view, found);
                }
            });
        }};
    }
    match file.kind {
        Kind::Nix => {
            let words = Words::of(file.text);
            let is_nix = |rule: &Rule| rule.checks.iter().any(|check| matches!(check, Check::Nix(_)));
            let rules: Vec<&'static Rule> = rules
                .iter()
                .copied()
                .filter(|rule| is_nix(rule) && words.may_find(rule.name, file.name() == "flake.nix"))
                .collect();
            if !rules.is_empty() {
                run!(Nix, NixFile::parse(context, file).ok_or("is not Nix, or nests too deeply")?, &rules);
            }
        }
        Kind::Lock => run!(Lock, JsonFile::parse(context, file).ok_or("is not JSON")?),
        Kind::Manifest => run!(Manifest, JsonFile::parse(context, file).ok_or("is not JSON")?),
        Kind::Workflow | Kind::Action | Kind::Gitlab | Kind::Buildkite => {
            run!(Yaml, YamlFile::parse(context, file).ok_or("is not YAML")?);
        }
        Kind::Dockerfile => run!(Dockerfile, Dockerfile::parse(context, file)),
        Kind::Settings => run!(Settings, SettingsFile::parse(context, file)),
        Kind::Envrc | Kind::Justfile | Kind::Makefile => run!(Script, Script::parse(context, file)),
    }
    Ok(())
}

fn each(rules: &[&'static Rule], found: &mut Found<'_>, mut run: impl FnMut(&Check, &mut Found<'_>)) {
    for rule in rules {
        found.start(rule);
        for check in rule.checks {
            run(check, found);
        }
    }
}

/// Applies the fixes of findings in one file. Returns nothing if there are none. Of overlapping edits the first one counts; the next run
/// finds the rest.
pub fn apply<'a>(text: &str, findings: impl IntoIterator<Item = &'a Finding>) -> Option<String> {
    let mut edits: Vec<&Edit> =
        findings.into_iter().filter_map(|finding| finding.fix.as_ref()).flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let (mut fixed, mut end) = (String::with_capacity(text.len()), 0);
    for edit in &edits {
        let (Some(kept), true) = (text.get(end..edit.range.start), edit.range.start >= end) else { continue };
        fixed.push_str(kept);
        fixed.push_str(&edit.text);
        end = edit.range.end;
    }
    fixed.push_str(text.get(end..)?);
    (!edits.is_empty()).then_some(fixed)
}

#[cfg(test)]
mod tests {
    use super::{super::model::Fix, *};
    use crate::lint::testing;

    #[test]
    fn other_commands_ask_single_rules() {
        let text = "{ a = builtins.getEnv \"HOME\"; hash = lib.fakeHash; }";
        let files = [File { path: "a.nix", kind: Kind::Nix, text }];
        let context = Context { files: &files, ..Context::default() };
        let found = of_rules(&context, &["impure-lookup", "revision-in-name"]);
        assert_eq!(found.iter().map(|finding| finding.rule.name).collect::<Vec<_>>(), ["impure-lookup"]);
    }

    #[test]
    fn overlapping_edits_are_left_for_the_next_run() {
        let mut findings = testing::findings(
            &[("flake.nix", "{ hash = lib.fakeHash; }")],
            &Choices { is_pedantic: true, ..Choices::default() },
        );
        let mut finding = findings.remove(0);
        let edit = |range, text: &str| Edit { range, text: text.to_owned() };
        finding.fix =
            Some(Fix { title: String::new(), edits: vec![edit(4..6, "x"), edit(0..1, "AA"), edit(5..7, "y")] });
        assert_eq!(apply("abcdefgh", [&finding]).as_deref(), Some("AAbcdxgh"));
        assert_eq!(apply("abcdefgh", []), None);
    }
}
