//! Reads `services` and `processes` of `splitter.json`.

use std::collections::BTreeMap;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;

use super::services::{self, KINDS, Kind};
use crate::{
    lockfile::json::{Document, JsonError},
    repo::RepoPath,
};

/// A service that `splitter.json` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What it runs.
    pub runs: Runs,
    /// Where it listens, if not where its kind does.
    pub port: Option<u16>,
    /// Where its web page is, if not where its kind has it.
    pub web_port: Option<u16>,
    /// Its databases, each with the file that fills it.
    pub databases: BTreeMap<String, Option<RepoPath>>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
}

/// What a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// A service that splitter knows.
    Known(&'static Kind),
    /// A command of the repository.
    Command {
        /// The command, run at the root of the repository.
        command: String,
        /// Attributes of nixpkgs with its programs.
        packages: Vec<String>,
        /// How to find out whether it answers. Without it, it is ready when its port answers, or when it runs.
        ready: Option<Ready>,
    },
}

/// A process of the repository itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// The folder of its workspace, if its name is not that of an app.
    pub workspace: Option<RepoPath>,
    /// What is run: a script of the workspace, by default `dev`.
    pub work: Work,
    /// Where it listens. It gets it as `PORT`.
    pub port: Option<u16>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The services and processes that must be ready before it starts. None means all services.
    pub depends_on: Option<Vec<String>>,
    /// How to find out whether it answers. Without it, it is ready when its port answers, or when it runs.
    pub ready: Option<Ready>,
}

/// What a process runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Work {
    /// The script `dev`.
    #[default]
    Dev,
    /// Another script.
    Script(String),
    /// A command.
    Command(String),
}

/// How to find out whether something answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// A path of HTTP that answers with 200.
    Path(String),
    /// A command that succeeds.
    Command(String),
}

/// Services or processes, by name.
type Named<T> = BTreeMap<String, T>;

/// Reads `services`.
pub fn services(document: &Document<'_>, value: &Value<'_>) -> Result<Named<Service>, JsonError> {
    named(document, value, service)
}

/// Reads `processes`.
pub fn processes(document: &Document<'_>, value: &Value<'_>) -> Result<Named<Process>, JsonError> {
    named(document, value, |document, _property, object| process(document, object))
}

fn named<T>(
    document: &Document<'_>,
    value: &Value<'_>,
    read: impl Fn(&Document<'_>, &ObjectProp<'_>, &Object<'_>) -> Result<T, JsonError>,
) -> Result<Named<T>, JsonError> {
    let mut found = BTreeMap::new();
    for property in &document.as_object(value)?.properties {
        let name = property.name.as_str();
        if !is_name(name) {
            let expected = "a name of small letters, digits and `-` that starts with a letter";
            return Err(document.unexpected_at(property.range.start, expected, &format!("the key \"{name}\"")));
        }
        found.insert(name.to_owned(), read(document, property, document.as_object(&property.value)?)?);
    }
    Ok(found)
}

/// Whether a text can name a process. It becomes part of paths and arguments.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_letter)
}

fn service(document: &Document<'_>, property: &ObjectProp<'_>, object: &Object<'_>) -> Result<Service, JsonError> {
    let (mut kind, mut command, mut packages, mut ready) = (None, None, Vec::new(), None);
    let mut service = Service {
        runs: Runs::Command { command: String::new(), packages: Vec::new(), ready: None },
        port: None,
        web_port: None,
        databases: BTreeMap::new(),
        environment: BTreeMap::new(),
    };
    for property in &object.properties {
        let value = &property.value;
        match property.name.as_str() {
            "kind" => kind = Some(known_kind(document, document.as_str(value)?, value.range().start)?),
            "command" => command = Some(filled(document, value, "a command")?),
            "packages" => packages = attributes(document, value)?,
            "ready" => ready = Some(self::ready(document, value)?),
            "port" => service.port = Some(port(document, value)?),
            "webPort" => service.web_port = Some(port(document, value)?),
            "databases" => service.databases = databases(document, value)?,
            "environment" => service.environment = environment(document, value)?,
            _ => {
                let keys = "`kind`, `port`, `webPort`, `databases`, `environment`, `command`, `packages` or `ready`";
                return Err(unknown_key(document, property, keys));
            }
        }
    }
    service.runs = match command {
        Some(command) => Runs::Command { command, packages, ready },
        None => Runs::Known(match kind {
            Some(kind) => kind,
            None => known_kind(document, property.name.as_str(), property.range.start)?,
        }),
    };
    refuse_misplaced(document, object, &service)?;
    Ok(service)
}

/// Refuses keys that say nothing about such a service.
fn refuse_misplaced(document: &Document<'_>, object: &Object<'_>, service: &Service) -> Result<(), JsonError> {
    for property in &object.properties {
        let key = property.name.as_str();
        let reason = match (&service.runs, key) {
            (Runs::Known(_), "packages" | "ready") => "only beside `command`",
            (Runs::Command { .. }, "kind" | "webPort" | "databases") => "not beside `command`",
            (Runs::Known(kind), "databases") if kind.databases.is_none() => "only for postgres, mysql and mariadb",
            (Runs::Known(kind), "webPort") if kind.web_port.is_none() => "only for services with a web page",
            _ => continue,
        };
        return Err(document.unexpected_at(property.range.start, &format!("`{key}` {reason}"), &format!("`{key}`")));
    }
    Ok(())
}

fn process(document: &Document<'_>, object: &Object<'_>) -> Result<Process, JsonError> {
    let mut process = Process::default();
    for property in &object.properties {
        let value = &property.value;
        match property.name.as_str() {
            "workspace" => process.workspace = Some(folder(document, value)?),
            "script" => process.work = Work::Script(filled(document, value, "the name of a script")?),
            "command" => process.work = Work::Command(filled(document, value, "a command")?),
            "port" => process.port = Some(port(document, value)?),
            "environment" => process.environment = environment(document, value)?,
            "dependsOn" => process.depends_on = Some(names(document, value)?),
            "ready" => process.ready = Some(ready(document, value)?),
            _ => {
                let keys = "`workspace`, `script`, `command`, `port`, `environment`, `dependsOn` or `ready`";
                return Err(unknown_key(document, property, keys));
            }
        }
    }
    Ok(process)
}

fn unknown_key(document: &Document<'_>, property: &ObjectProp<'_>, expected: &str) -> JsonError {
    document.unexpected_at(property.range.start, expected, &format!("the key \"{}\"", property.name.as_str()))
}

fn known_kind(document: &Document<'_>, name: &str, offset: usize) -> Result<&'static Kind, JsonError> {
    services::kind(name).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| format!("`{}`", kind.name)).collect();
        let expected = format!("a service ({}), or a `command`", names.join(", "));
        document.unexpected_at(offset, &expected, &format!("\"{name}\""))
    })
}

fn filled(document: &Document<'_>, value: &Value<'_>, expected: &str) -> Result<String, JsonError> {
    match document.as_str(value)? {
        text if text.trim().is_empty() || text.contains('\0') => Err(document.unexpected(value, expected)),
        text => Ok(text.to_owned()),
    }
}

fn folder(document: &Document<'_>, value: &Value<'_>) -> Result<RepoPath, JsonError> {
    let text = document.as_str(value)?;
    text.parse().map_err(|_| document.unexpected(value, "a folder or file of the repository, from its root"))
}

fn port(document: &Document<'_>, value: &Value<'_>) -> Result<u16, JsonError> {
    let expected = "a port from 1 to 65535";
    let Value::NumberLit(number) = value else { return Err(document.unexpected(value, expected)) };
    match number.value.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(document.unexpected(value, expected)),
    }
}

fn names(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, JsonError> {
    document.as_array(value)?.elements.iter().map(|element| document.as_str(element).map(str::to_owned)).collect()
}

/// Attributes of nixpkgs, such as `nats-server` or `nodePackages.serve`.
fn attributes(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, JsonError> {
    let is_attribute = |text: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && text.bytes().all(is_letter)
    };
    let attribute = |element: &Value<'_>| match document.as_str(element)? {
        text if is_attribute(text) => Ok(text.to_owned()),
        _ => Err(document.unexpected(element, "an attribute of nixpkgs, such as `nats-server`")),
    };
    document.as_array(value)?.elements.iter().map(attribute).collect()
}

/// `{ "NAME": "value" }`
fn environment(document: &Document<'_>, value: &Value<'_>) -> Result<BTreeMap<String, String>, JsonError> {
    let mut variables = BTreeMap::new();
    for property in &document.as_object(value)?.properties {
        let name = property.name.as_str();
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.bytes().all(is_letter) {
            let expected = "the name of an environment variable";
            return Err(document.unexpected_at(property.range.start, expected, &format!("the key \"{name}\"")));
        }
        variables.insert(name.to_owned(), text_of(document, &property.value)?);
    }
    Ok(variables)
}

/// The value of a variable: a text without line breaks.
fn text_of(document: &Document<'_>, value: &Value<'_>) -> Result<String, JsonError> {
    match document.as_str(value)? {
        text if text.contains(['\0', '\n', '\r']) => Err(document.unexpected(value, "a text of one line")),
        text => Ok(text.to_owned()),
    }
}

/// `["app"]`, or `{ "app": "db/seed.sql", "other": null }`
fn databases(document: &Document<'_>, value: &Value<'_>) -> Result<BTreeMap<String, Option<RepoPath>>, JsonError> {
    let check = |name: &str, offset: usize| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if name.is_empty() || name.len() > 63 || !name.bytes().all(is_letter) {
            let expected = "the name of a database: at most 63 letters, digits, `_` and `-`";
            return Err(document.unexpected_at(offset, expected, &format!("\"{name}\"")));
        }
        Ok(name.to_owned())
    };
    if let Value::Array(array) = value {
        let name = |element: &Value<'_>| Ok((check(document.as_str(element)?, element.range().start)?, None));
        return array.elements.iter().map(name).collect();
    }
    let mut databases = BTreeMap::new();
    for property in &document.as_object(value)?.properties {
        let seed = match &property.value {
            Value::NullKeyword(_) => None,
            value => {
                text_of(document, value)?;
                Some(folder(document, value)?)
            }
        };
        databases.insert(check(property.name.as_str(), property.range.start)?, seed);
    }
    Ok(databases)
}

/// `"/health"`, or `{ "command": "…" }`
fn ready(document: &Document<'_>, value: &Value<'_>) -> Result<Ready, JsonError> {
    let expected = "a path that starts with `/`, or { \"command\": \"…\" }";
    if let Value::StringLit(text) = value {
        return match text.value.as_ref() {
            path if path.starts_with('/') => Ok(Ready::Path(path.to_owned())),
            _ => Err(document.unexpected(value, expected)),
        };
    }
    match document.as_object(value)?.properties.as_slice() {
        [property] if property.name.as_str() == "command" => {
            Ok(Ready::Command(filled(document, &property.value, "a command")?))
        }
        _ => Err(document.unexpected(value, expected)),
    }
}
