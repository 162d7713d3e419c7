//! `splitter ci check`: compares the written files with what this program would write.

use serde_json::{Value, json};

use super::{
    error::CiError,
    place::{Place, team},
};
use crate::{
    ci::{self, Finding, Provider, Settings, actions::Pins},
    cli::{
        arguments::{CiCheckOptions, Global},
        failure::{Failure, Outcome},
        printer::Printer,
        repository::work_tree,
        style::{BAD, BOLD, GOOD},
    },
};

pub(super) fn run(global: &Global, options: &CiCheckOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    let place = Place::of(&tree)?;
    let team = team(&tree)?;
    let mut findings: Vec<(String, Finding)> = Vec::new();
    let mut is_written = false;
    for provider in Provider::ALL {
        let Some(settings) = place.settings(provider)? else {
            // Nobody knows the choices of these files any more.
            let files = place.files(provider)?.into_iter();
            let edited = files.filter(|file| file.text.as_deref().is_some_and(ci::is_marked));
            findings.extend(edited.map(|file| (file.path.to_string(), Finding::Edited)));
            continue;
        };
        is_written = true;
        let settings = Settings { provider, folder: place.folder.clone(), ..settings };
        let known = Pins::of_the_program();
        for file in place.files(provider)? {
            let text = file.text.as_deref();
            let wanted = ci::wanted(&settings, &team, &known.clone().with_newer_of(text.unwrap_or_default()));
            let wanted = wanted.iter().find(|wanted| wanted.path == file.path.as_str());
            let finding = ci::compare(text, wanted.map(|wanted| wanted.text.as_str()), &known);
            findings.extend(finding.map(|finding| (file.path.to_string(), finding)));
        }
    }
    if !is_written && findings.is_empty() {
        return Err(CiError::NotWritten.into());
    }
    if options.json {
        let rows: Vec<Value> = findings.iter().map(|(path, finding)| row(path, finding)).collect();
        printer.json(&json!({ "version": 1, "agrees": rows.is_empty(), "findings": rows }));
    } else {
        print(&findings, printer);
    }
    Ok(Outcome::verdict(findings.is_empty(), options.json))
}

const fn rule(finding: &Finding) -> &'static str {
    match finding {
        Finding::Missing => "missing",
        Finding::Foreign => "foreign",
        Finding::Edited => "edited",
        Finding::Outdated => "outdated",
        Finding::Dated(_) => "dated",
        Finding::Unwanted => "unwanted",
    }
}

fn message(finding: &Finding) -> String {
    match finding {
        Finding::Missing => "the options in the other files ask for this file".to_owned(),
        Finding::Foreign => "splitter did not write this file".to_owned(),
        Finding::Edited => "the file was edited after splitter wrote it".to_owned(),
        Finding::Outdated => "another version of splitter wrote this file".to_owned(),
        Finding::Dated(dated) => {
            let list: Vec<String> = dated.iter().map(ToString::to_string).collect();
            format!("newer versions of actions are known: {}", list.join(", "))
        }
        Finding::Unwanted => "the options in the other files do not ask for this file".to_owned(),
    }
}

fn row(path: &str, finding: &Finding) -> Value {
    json!({ "path": path, "rule": rule(finding), "message": message(finding) })
}

fn print(findings: &[(String, Finding)], printer: Printer) {
    if findings.is_empty() {
        printer.data(format_args!("{GOOD}up to date{GOOD:#}: the workflow is what this splitter writes"));
        return;
    }
    for (path, finding) in findings {
        printer.data(format_args!("{BAD}{}{BAD:#}: {BOLD}{path}{BOLD:#}: {}", rule(finding), message(finding)));
    }
    let is_edited = findings.iter().any(|(_, finding)| matches!(finding, Finding::Edited | Finding::Foreign));
    printer.data(if is_edited {
        "run `splitter ci init` to see the difference"
    } else {
        "run `splitter ci init` to write it again"
    });
}
