//! `splitter dev`: services and processes for development.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use super::{
    arguments::{ConfigOptions, DevCommand, Global, UpOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::work_tree,
};
use crate::{
    diagnostic::{Category, Diagnose, Location},
    names::SETTINGS,
    nix::command::Nix,
    repo::{Asks, Snapshot, WorkTree},
    scaffold::{
        files,
        record::{self, Record},
    },
    split::{
        Choices, Split,
        development::{Plan, Suggestion, Suggestions, process_compose::with_ports, suggest},
    },
};

/// The program in the flake that starts the processes.
const PROGRAM: &str = ".#dev";

#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error("splitter.json names neither services nor processes")]
    Nothing,
    #[error("`services` or `processes` changed since {} was written", record::PATH)]
    Stale,
    #[error("with --port-offset {offset}, the port of `{name}` is {port}; ports end at {}", u16::MAX)]
    Port { offset: u16, name: String, port: u32 },
    #[error("could not write `{path}`")]
    Write { path: Utf8PathBuf, source: std::io::Error },
}

impl Diagnose for DevError {
    fn category(&self) -> Category {
        match self {
            Self::Nothing | Self::Stale | Self::Port { .. } => Category::Input,
            Self::Write { .. } => Category::Environment,
        }
    }

    fn location(&self) -> Option<Location> {
        matches!(self, Self::Nothing | Self::Stale).then(|| Location::file(SETTINGS))
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Nothing => vec!["run `splitter dev suggest` for lines to add".to_owned()],
            Self::Stale => vec!["run `splitter update-hash`".to_owned()],
            _ => Vec::new(),
        }
    }
}

pub(super) fn run(global: &Global, command: &DevCommand, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    match command {
        DevCommand::Up(options) => {
            check_plan(&tree)?;
            Err(in_flake(&tree, &up_arguments(options)))
        }
        DevCommand::Down => Err(in_flake(&tree, &["down".to_owned()])),
        DevCommand::Status => Err(in_flake(&tree, &["status".to_owned()])),
        DevCommand::Logs { name } => Err(in_flake(&tree, &["logs".to_owned(), name.clone()])),
        DevCommand::Config(options) => config(&tree, options, printer),
        DevCommand::Suggest => print_suggestions(&tree, printer),
    }
}

/// Checks that the record has the plan of `splitter.json`: Nix starts what the record says.
fn check_plan(tree: &WorkTree) -> Result<(), Failure> {
    let plan = split(tree)?.development.ok_or(DevError::Nothing)?;
    let recorded = Record::read(tree)?.and_then(|record| record.development);
    if recorded == Some(plan) { Ok(()) } else { Err(DevError::Stale.into()) }
}

fn up_arguments(options: &UpOptions) -> Vec<String> {
    let offset = format!("--port-offset={}", options.ports.port_offset);
    ["up".to_owned(), offset].into_iter().chain(options.names.iter().cloned()).collect()
}

/// Runs the flake's program instead of this one. Returns only if that failed.
fn in_flake(tree: &WorkTree, arguments: &[String]) -> Failure {
    match Nix::require() {
        Ok(nix) => nix.in_folder(tree.root()).become_program(PROGRAM, arguments).into(),
        Err(error) => error.into(),
    }
}

fn split(tree: &WorkTree) -> Result<Split, Failure> {
    Ok(Split::read(&Snapshot::new(tree.clone(), Asks::Whole), &Choices::default())?)
}

fn config(tree: &WorkTree, options: &ConfigOptions, printer: Printer) -> Result<Outcome, Failure> {
    let plan = split(tree)?.development.ok_or(DevError::Nothing)?;
    let text = configuration(&plan, options.ports.port_offset)?;
    match options.output.as_deref() {
        None => printer.data(text.trim_end()),
        Some(path) => write(path, &text, printer)?,
    }
    Ok(Outcome::Done)
}

fn write(path: &Utf8Path, text: &str, printer: Printer) -> Result<(), DevError> {
    files::put(path, text.as_bytes()).map_err(|source| DevError::Write { path: path.to_owned(), source })?;
    printer.note(format_args!("wrote {path}; start it with: process-compose --config {path} --disable-dotenv"));
    Ok(())
}

/// The configuration of process-compose, as JSON, which is YAML too.
fn configuration(plan: &Plan, offset: u16) -> Result<String, DevError> {
    let mut ports = plan.ports.clone();
    for (name, port) in &mut ports {
        let far = u32::from(*port) + u32::from(offset);
        *port = u16::try_from(far).map_err(|_| DevError::Port { offset, name: name.clone(), port: far })?;
    }
    let text = serde_json::to_string_pretty(&plan.process_compose).unwrap_or_default();
    Ok(format!("{}\n", with_ports(&text, &ports)))
}

fn print_suggestions(tree: &WorkTree, printer: Printer) -> Result<Outcome, Failure> {
    let snapshot = Snapshot::new(tree.clone(), Asks::Whole);
    let split = Split::read(&snapshot, &Choices::default())?;
    let found = suggest(&snapshot, &split)?;
    for (path, reason) in &found.unread {
        printer.warning(format_args!("{path} was not read: {reason}"));
    }
    for unknown in &found.unknown {
        printer.note(format_args!(
            "not suggested: {unknown}; splitter does not know it, so it needs a `command` in {SETTINGS}"
        ));
    }
    if found.services.is_empty() && found.processes.is_empty() {
        printer.note("nothing to suggest: no compose file or dependency names a service that splitter.json lacks");
        return Ok(Outcome::Done);
    }
    printer.data(serde_json::to_string_pretty(&lines(&found)).unwrap_or_default());
    for (name, Suggestion { reason, .. }) in found.services.iter().chain(&found.processes) {
        printer.note(format_args!("{name}: {reason}"));
    }
    printer.note(format_args!("add these keys to {SETTINGS}, and run `splitter update-hash`"));
    Ok(Outcome::Done)
}

fn lines(found: &Suggestions) -> Value {
    let group = |entries: &std::collections::BTreeMap<String, Suggestion>| -> Map<String, Value> {
        entries.iter().map(|(name, suggestion)| (name.clone(), suggestion.value.clone())).collect()
    };
    let mut lines = Map::new();
    for (key, entries) in [("services", &found.services), ("processes", &found.processes)] {
        if !entries.is_empty() {
            lines.insert(key.to_owned(), json!(group(entries)));
        }
    }
    Value::Object(lines)
}
