//! From services and processes to the processes that process-compose starts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    error::DevelopmentError,
    process_compose::{
        Availability, Condition, Dependency, Exec, File, HttpGet, Probe, Process as Started, Restart, Shutdown,
        placeholder, placeholders,
    },
    services::{Kind, Ready as KindReady},
    settings::{Process, Ready, Runs, Service, Work},
};
use crate::{
    repo::{RepoPath, Tree},
    shell,
    split::{ManagerName, SplitError, Workspaces, workspaces::graph::Graph},
};

/// The folder of all data, from the root. A `.gitignore` in it keeps git away.
pub const STATE: &str = ".splitter/dev";

/// Names that `nix run .#dev -- NAME` takes for commands.
const COMMANDS: [&str; 6] = ["config", "down", "help", "logs", "status", "up"];

/// The script of processes that name none.
const SCRIPT: &str = "dev";

/// What `nix run .#dev` starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The attributes of nixpkgs with the programs of services, sorted.
    pub packages: Vec<String>,
    /// The ports, by the name in placeholders.
    pub ports: BTreeMap<String, u16>,
    /// The services that refuse to run as root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_as_root: Vec<String>,
    /// `services` and `processes` as they are written, to notice that they changed.
    pub given: Given,
    /// The processes of the repository itself, which need its packages.
    pub own: Vec<String>,
    /// The configuration of process-compose, with placeholders for ports.
    pub process_compose: File,
}

/// The two keys of `splitter.json`, without comments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// `services`.
    pub services: serde_json::Value,
    /// `processes`.
    pub processes: serde_json::Value,
}

/// What a plan is made of.
pub(super) struct Inputs<'a> {
    pub(super) tree: &'a dyn Tree,
    pub(super) graph: &'a Graph,
    pub(super) manifests: &'a Workspaces,
    pub(super) manager: ManagerName,
    pub(super) services: &'a BTreeMap<String, Service>,
    pub(super) processes: &'a BTreeMap<String, Process>,
    pub(super) given: &'a Given,
}

/// Makes the plan.
pub(super) fn make(inputs: &Inputs<'_>) -> Result<Plan, SplitError> {
    let found;
    let processes = if inputs.processes.is_empty() {
        found = apps_with_script(inputs);
        &found
    } else {
        inputs.processes
    };
    refuse_names(inputs.services, processes)?;
    let ports = ports(inputs.services, processes)?;
    let mut plan = Plan {
        packages: packages(inputs.services),
        ports,
        not_as_root: not_as_root(inputs.services),
        own: processes.keys().cloned().collect(),
        given: inputs.given.clone(),
        process_compose: File::new(BTreeMap::new()),
    };
    for (name, service) in inputs.services {
        refuse_missing_seeds(inputs.tree, name, service)?;
        add_service(&mut plan, inputs.manager, name, service);
    }
    for (name, process) in processes {
        add_process(&mut plan, inputs, processes, name, process)?;
    }
    refuse_cycles(&plan.process_compose.processes)?;
    refuse_unknown_ports(&plan)?;
    Ok(plan)
}

/// The apps with a script `dev`, for a repository that names services alone.
fn apps_with_script(inputs: &Inputs<'_>) -> BTreeMap<String, Process> {
    let has_script =
        |path: &RepoPath| inputs.manifests.get(path).is_some_and(|manifest| manifest.scripts.contains_key(SCRIPT));
    let apps = inputs.graph.apps().filter(|(_, workspace)| has_script(&workspace.path));
    apps.map(|(name, _)| (name.to_owned(), Process::default())).collect()
}

fn refuse_names(
    services: &BTreeMap<String, Service>,
    processes: &BTreeMap<String, Process>,
) -> Result<(), DevelopmentError> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (name, service) in services {
        refuse_reserved("services", name)?;
        let helpers = matches!(service.runs, Runs::Known(_));
        let names = [name.clone(), prepare_of(name), databases_of(name)];
        taken.extend(names.into_iter().take(if helpers { 3 } else { 1 }));
    }
    for name in processes.keys() {
        refuse_reserved("processes", name)?;
        if !taken.insert(name.clone()) {
            return Err(DevelopmentError::TwiceNamed(name.clone()));
        }
    }
    Ok(())
}

fn refuse_reserved(place: &str, name: &str) -> Result<(), DevelopmentError> {
    if COMMANDS.contains(&name) {
        return Err(DevelopmentError::Reserved { place: place.to_owned(), name: name.to_owned() });
    }
    Ok(())
}

fn prepare_of(name: &str) -> String {
    format!("{name}-prepare")
}

fn databases_of(name: &str) -> String {
    format!("{name}-databases")
}

fn web_of(name: &str) -> String {
    format!("{name}-web")
}

fn ports(
    services: &BTreeMap<String, Service>,
    processes: &BTreeMap<String, Process>,
) -> Result<BTreeMap<String, u16>, DevelopmentError> {
    let mut ports = Vec::new();
    for (name, service) in services {
        let kind = match &service.runs {
            Runs::Known(kind) => Some(kind),
            Runs::Command { .. } => None,
        };
        ports.extend(service.port.or(kind.map(|kind| kind.port)).map(|port| (name.clone(), port)));
        ports.extend(service.web_port.or(kind.and_then(|kind| kind.web_port)).map(|port| (web_of(name), port)));
    }
    ports.extend(processes.iter().filter_map(|(name, process)| Some((name.clone(), process.port?))));
    let mut owners: BTreeMap<u16, &str> = BTreeMap::new();
    for (name, port) in &ports {
        if let Some(first) = owners.insert(*port, name) {
            return Err(DevelopmentError::TwicePort { first: first.to_owned(), second: name.clone(), port: *port });
        }
    }
    Ok(ports.into_iter().collect())
}

fn packages(services: &BTreeMap<String, Service>) -> Vec<String> {
    let of = |service: &Service| match &service.runs {
        Runs::Known(kind) => vec![kind.package.to_owned()],
        Runs::Command { packages, .. } => packages.clone(),
    };
    services.values().flat_map(of).collect::<BTreeSet<_>>().into_iter().collect()
}

fn not_as_root(services: &BTreeMap<String, Service>) -> Vec<String> {
    let refuses = |service: &Service| matches!(service.runs, Runs::Known(kind) if kind.refuses_root);
    services.iter().filter(|(_, service)| refuses(service)).map(|(name, _)| name.clone()).collect()
}

fn refuse_missing_seeds(tree: &dyn Tree, name: &str, service: &Service) -> Result<(), SplitError> {
    for (database, seed) in &service.databases {
        let Some(seed) = seed else { continue };
        if !tree.is_file(seed)? {
            let (service, database) = (name.to_owned(), database.clone());
            return Err(DevelopmentError::NoSuchSeed { service, database, path: seed.clone() }.into());
        }
    }
    Ok(())
}

/// Adds a service: what prepares its data, the service, and what makes its databases.
fn add_service(plan: &mut Plan, manager: ManagerName, name: &str, service: &Service) {
    match &service.runs {
        Runs::Known(kind) => add_known(plan, name, kind, service),
        Runs::Command { command, ready, .. } => {
            let port = plan.ports.contains_key(name);
            let mut environment = service.environment.clone();
            if port {
                environment.entry("PORT".to_owned()).or_insert_with(|| placeholder(name));
            }
            let process = Started {
                readiness_probe: probe(name, ready.as_ref(), port, manager),
                environment: variables(&environment),
                availability: Availability { restart: Restart::OnFailure, max_restarts: Some(MOST_RESTARTS) },
                ..process(format!("the service {name}"), command)
            };
            plan.process_compose.processes.insert(name.to_owned(), process);
        }
    }
}

/// How often a service that crashes is started again.
const MOST_RESTARTS: u32 = 3;

fn add_known(plan: &mut Plan, name: &str, kind: &Kind, service: &Service) {
    let processes = &mut plan.process_compose.processes;
    let mut environment = service.environment.clone();
    environment.insert("DATA".to_owned(), format!("{STATE}/{name}"));
    environment.insert("PORT".to_owned(), placeholder(name));
    if kind.web_port.is_some() {
        environment.insert("WEB_PORT".to_owned(), placeholder(&web_of(name)));
    }
    let once = |description: String, script: &str, variables: Vec<String>| Started {
        environment: variables,
        availability: Availability { restart: Restart::ExitOnFailure, max_restarts: None },
        ..process(description, script)
    };
    let mut depends_on = BTreeMap::new();
    if let Some(script) = kind.prepare {
        let prepare = once(format!("makes the data folder of {name}"), script, variables(&environment));
        processes.insert(prepare_of(name), prepare);
        depends_on.insert(prepare_of(name), Dependency { condition: Condition::Completed });
    }
    let run = Started {
        environment: variables(&environment),
        depends_on,
        readiness_probe: Some(kind_probe(name, kind)),
        availability: Availability { restart: Restart::OnFailure, max_restarts: Some(MOST_RESTARTS) },
        shutdown: Shutdown { signal: kind.signal, timeout_seconds: SERVICE_SECONDS },
        ..process(format!("the service {name}"), kind.run)
    };
    processes.insert(name.to_owned(), run);
    if let (Some(script), false) = (kind.databases, service.databases.is_empty()) {
        let lines: Vec<_> = service
            .databases
            .iter()
            .map(|(name, seed)| match seed {
                Some(seed) => format!("{name}={seed}"),
                None => format!("{name}="),
            })
            .collect();
        environment.insert("DATABASES".to_owned(), lines.join("\n"));
        let healthy = BTreeMap::from([(name.to_owned(), Dependency { condition: Condition::Healthy })]);
        let databases = Started {
            depends_on: healthy,
            ..once(format!("makes the databases of {name}"), script, variables(&environment))
        };
        processes.insert(databases_of(name), databases);
    }
}

/// Seconds that a service may take to write its data, and that an app may take to end.
const SERVICE_SECONDS: u32 = 20;
const APP_SECONDS: u32 = 5;

fn process(description: String, command: &str) -> Started {
    Started {
        description,
        command: without_comments(command),
        is_template_disabled: true,
        working_dir: None,
        environment: Vec::new(),
        depends_on: BTreeMap::new(),
        readiness_probe: None,
        availability: Availability { restart: Restart::No, max_restarts: None },
        shutdown: Shutdown { signal: 15, timeout_seconds: APP_SECONDS },
    }
}

/// The comments of scripts are for those who read splitter.
fn without_comments(script: &str) -> String {
    let lines: Vec<_> = script.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    lines.join("\n")
}

fn variables(environment: &BTreeMap<String, String>) -> Vec<String> {
    environment.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn kind_probe(name: &str, kind: &Kind) -> Probe {
    match kind.ready {
        KindReady::Command(command) => {
            let command = command.replace("{port}", &placeholder(name));
            Probe::every_second(Some(Exec { command }), None)
        }
        KindReady::Http(path) => Probe::every_second(None, Some(http(path, name))),
        KindReady::WebPage(path) => Probe::every_second(None, Some(http(path, &web_of(name)))),
    }
}

fn http(path: &str, port: &str) -> HttpGet {
    HttpGet { host: "127.0.0.1".to_owned(), scheme: "http".to_owned(), path: path.to_owned(), port: placeholder(port) }
}

/// The probe of a command of the repository: what it says, else whether its port answers.
fn probe(name: &str, ready: Option<&Ready>, has_port: bool, manager: ManagerName) -> Option<Probe> {
    match ready {
        Some(Ready::Command(command)) => Some(Probe::every_second(Some(Exec { command: command.clone() }), None)),
        Some(Ready::Path(path)) if has_port => {
            let get = HttpGet { host: "localhost".to_owned(), ..http(path, name) };
            Some(Probe::every_second(None, Some(get)))
        }
        _ if has_port => Some(Probe::every_second(Some(Exec { command: answers(name, manager) }), None)),
        _ => None,
    }
}

/// A command that succeeds if something listens at the port. Node.js and Bun try IPv4 and IPv6.
fn answers(name: &str, manager: ManagerName) -> String {
    format!(
        "{} -e \"require('node:net').connect({}, 'localhost').on('connect', () => process.exit(0)).on('error', () => process.exit(1))\"",
        manager.runtime(),
        placeholder(name)
    )
}

fn add_process(
    plan: &mut Plan,
    inputs: &Inputs<'_>,
    processes: &BTreeMap<String, Process>,
    name: &str,
    process: &Process,
) -> Result<(), SplitError> {
    let (folder, command) = work(inputs, name, process)?;
    let mut environment = process.environment.clone();
    let has_port = process.port.is_some();
    if has_port {
        environment.entry("PORT".to_owned()).or_insert_with(|| placeholder(name));
    }
    let started = Started {
        working_dir: folder.filter(|folder| !folder.is_root()).map(|folder| folder.as_str().to_owned()),
        environment: variables(&environment),
        depends_on: dependencies(inputs, processes, name, process)?,
        readiness_probe: probe(name, process.ready.as_ref(), has_port, inputs.manager),
        ..self::process(description(name, process), &command)
    };
    plan.process_compose.processes.insert(name.to_owned(), started);
    Ok(())
}

fn description(name: &str, process: &Process) -> String {
    match &process.work {
        Work::Dev => format!("the script {SCRIPT} of {name}"),
        Work::Script(script) => format!("the script {script} of {name}"),
        Work::Command(_) => format!("the process {name}"),
    }
}

/// The folder and the command of a process.
fn work(inputs: &Inputs<'_>, name: &str, process: &Process) -> Result<(Option<RepoPath>, String), DevelopmentError> {
    let folder = folder(inputs, name, process)?;
    let script = match (&process.work, &folder) {
        (Work::Command(command), _) => return Ok((folder, command.clone())),
        (Work::Dev, _) => SCRIPT,
        (Work::Script(script), _) => script,
    };
    let Some(path) = folder else {
        let apps = inputs.graph.apps().map(|(name, _)| name.to_owned()).collect();
        return Err(DevelopmentError::NoSuchApp { name: name.to_owned(), apps });
    };
    let scripts = inputs.manifests.get(&path).map(|manifest| &manifest.scripts);
    if !scripts.is_some_and(|scripts| scripts.contains_key(script)) {
        let scripts = scripts.into_iter().flat_map(BTreeMap::keys).cloned().collect();
        let (name, path, script) = (name.to_owned(), path.child("package.json"), script.to_owned());
        return Err(DevelopmentError::NoSuchScript { name, path, script, scripts });
    }
    let command = format!("exec {} run {}", inputs.manager.command(), shell::word(script));
    Ok((Some(path), command))
}

/// The folder of the workspace that a process names, or whose app has its name.
fn folder(inputs: &Inputs<'_>, name: &str, process: &Process) -> Result<Option<RepoPath>, DevelopmentError> {
    match &process.workspace {
        Some(path) if inputs.manifests.contains_key(path) => Ok(Some(path.clone())),
        Some(path) => Err(DevelopmentError::NoSuchWorkspace { name: name.to_owned(), path: path.clone() }),
        None => Ok(inputs.graph.apps().find(|(app, _)| *app == name).map(|(_, workspace)| workspace.path.clone())),
    }
}

fn dependencies(
    inputs: &Inputs<'_>,
    processes: &BTreeMap<String, Process>,
    name: &str,
    process: &Process,
) -> Result<BTreeMap<String, Dependency>, DevelopmentError> {
    let all = || inputs.services.keys().cloned().collect();
    let wanted = process.depends_on.clone().unwrap_or_else(all);
    let one = |wanted: &String| {
        if let Some(service) = inputs.services.get(wanted) {
            return Ok(reached(wanted, service));
        }
        let Some(other) = processes.get(wanted) else {
            let place = format!("processes.{name}.dependsOn");
            let known =
                inputs.services.keys().chain(processes.keys()).filter(|known| *known != name).cloned().collect();
            return Err(DevelopmentError::NoSuchDependency { place, wanted: wanted.clone(), known });
        };
        let condition =
            if other.ready.is_some() || other.port.is_some() { Condition::Healthy } else { Condition::Started };
        Ok((wanted.clone(), Dependency { condition }))
    };
    wanted.iter().map(one).collect()
}

/// The process that must be reached before a service can be used, and what it must reach.
fn reached(name: &str, service: &Service) -> (String, Dependency) {
    let (name, condition) = match &service.runs {
        Runs::Known(_) if !service.databases.is_empty() => (databases_of(name), Condition::Completed),
        Runs::Command { ready: None, .. } if service.port.is_none() => (name.to_owned(), Condition::Started),
        Runs::Known(_) | Runs::Command { .. } => (name.to_owned(), Condition::Healthy),
    };
    (name, Dependency { condition })
}

fn refuse_cycles(processes: &BTreeMap<String, Started>) -> Result<(), DevelopmentError> {
    let mut done = BTreeSet::new();
    for name in processes.keys() {
        visit(processes, name, &mut Vec::new(), &mut done)?;
    }
    Ok(())
}

fn visit<'a>(
    processes: &'a BTreeMap<String, Started>,
    name: &'a str,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Result<(), DevelopmentError> {
    if done.contains(name) {
        return Ok(());
    }
    if let Some(start) = way.iter().position(|known| *known == name) {
        let cycle = way[start..].iter().chain([&name]).map(|name| (*name).to_owned()).collect();
        return Err(DevelopmentError::Cycle { cycle });
    }
    way.push(name);
    for next in processes.get(name).into_iter().flat_map(|process| process.depends_on.keys()) {
        visit(processes, next, way, done)?;
    }
    way.pop();
    done.insert(name);
    Ok(())
}

fn refuse_unknown_ports(plan: &Plan) -> Result<(), DevelopmentError> {
    for (process, started) in &plan.process_compose.processes {
        let texts = started.environment.iter().chain([&started.command]);
        for name in texts.flat_map(|text| placeholders(text)) {
            if !plan.ports.contains_key(name) {
                let known = plan.ports.keys().cloned().collect();
                return Err(DevelopmentError::NoSuchPort { place: process.clone(), name: name.to_owned(), known });
            }
        }
    }
    Ok(())
}
