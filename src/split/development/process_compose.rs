//! The configuration of process-compose, which starts services and processes.
//!
//! Only the part of the format that splitter writes: <https://f1bonacc1.github.io/process-compose/>. In texts, `{port:NAME}` stands
//! for a port, so that two checkouts can run side by side: [`with_ports`] fills them in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The version of the format.
    pub version: String,
    /// Refuses misspelt keys.
    pub is_strict: bool,
    /// Leaves `$NAME` to the shell.
    pub disable_env_expansion: bool,
    /// Ends processes before those that they depend on.
    pub ordered_shutdown: bool,
    /// The shell of commands.
    pub shell: Shell,
    /// The processes, by name.
    pub processes: BTreeMap<String, Process>,
}

/// The shell of commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// Its program.
    pub shell_command: String,
    /// What comes before a command.
    pub shell_argument: String,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// A line for people.
    pub description: String,
    /// The command, for the shell.
    pub command: String,
    /// Commands may have `{{`.
    pub is_template_disabled: bool,
    /// Its folder, from the root of the repository. Absent for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// `NAME=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// What must be reached by other processes before it starts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub depends_on: BTreeMap<String, Dependency>,
    /// Whether it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness_probe: Option<Probe>,
    /// What happens when it ends.
    pub availability: Availability,
    /// How it is ended.
    pub shutdown: Shutdown,
}

/// A dependency on a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// What must be reached.
    pub condition: Condition,
}

/// What a process must have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// It runs.
    #[serde(rename = "process_started")]
    Started,
    /// Its readiness probe succeeded.
    #[serde(rename = "process_healthy")]
    Healthy,
    /// It ended with success.
    #[serde(rename = "process_completed_successfully")]
    Completed,
}

/// Asks again and again whether a process is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// By a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec: Option<Exec>,
    /// By HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_get: Option<HttpGet>,
    /// Seconds between two questions. process-compose's own default of 10 would make every start slow.
    pub period_seconds: u32,
    /// Seconds that one question may take.
    pub timeout_seconds: u32,
    /// The number of failures after which the process is started again.
    pub failure_threshold: u32,
}

/// A probe by a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    /// It is ready when this succeeds.
    pub command: String,
}

/// A probe by HTTP: 200 means ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpGet {
    /// The host.
    pub host: String,
    /// `http`.
    pub scheme: String,
    /// The path.
    pub path: String,
    /// The port. The format has it as a text.
    pub port: String,
}

/// What happens when a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// When it is started again.
    pub restart: Restart,
    /// How often. Absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_restarts: Option<u32>,
}

/// When a process is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Never.
    No,
    /// When it failed.
    OnFailure,
    /// Never, and its failure ends all processes.
    ExitOnFailure,
}

/// How a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// The signal, by number.
    pub signal: i32,
    /// Seconds until it is killed.
    pub timeout_seconds: u32,
}

impl File {
    /// A file with these processes.
    pub fn new(processes: BTreeMap<String, Process>) -> Self {
        Self {
            version: "0.5".to_owned(),
            is_strict: true,
            disable_env_expansion: true,
            ordered_shutdown: true,
            shell: Shell { shell_command: "sh".to_owned(), shell_argument: "-c".to_owned() },
            processes,
        }
    }
}

impl Probe {
    /// Asks every second. A slow start is no failure for two minutes.
    pub(super) fn every_second(exec: Option<Exec>, http_get: Option<HttpGet>) -> Self {
        Self { exec, http_get, period_seconds: 1, timeout_seconds: 2, failure_threshold: 120 }
    }
}

/// Returns the placeholder of a port.
pub fn placeholder(name: &str) -> String {
    format!("{{port:{name}}}")
}

/// Returns the names of ports that a text has placeholders for.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split("{port:").skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Returns a text of JSON with the ports for their placeholders.
pub fn with_ports(text: &str, ports: &BTreeMap<String, u16>) -> String {
    ports.iter().fold(text.to_owned(), |text, (name, port)| text.replace(&placeholder(name), &port.to_string()))
}
