//! What a package offers: its programs, and what must lie beside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{script::quoted, start::Unclear};
use crate::split::config::Install;

/// What a package holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeps {
    /// The outputs of the build alone: a site, compiled programs, files to publish.
    Files,
    /// The outputs of the build, with the packages that they need at run time.
    Server,
    /// The sources, with the packages that they need at run time.
    Sources,
    /// The tarball that the package manager packs to publish it.
    Packed,
}

impl Keeps {
    /// Its name, as `check` and `explain` print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "outputs",
            Self::Server => "outputs with packages",
            Self::Sources => "sources with packages",
            Self::Packed => "a tarball to publish",
        }
    }
}

/// What the package is for, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Static files for a web server.
    Site,
    /// A program that serves.
    Server,
    /// Programs for the command line.
    Program,
    /// A tarball to publish.
    Tarball,
    /// Other files.
    Files,
}

impl Purpose {
    /// Its name, as `scan` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Server => "server",
            Self::Program => "program",
            Self::Tarball => "tarball",
            Self::Files => "files",
        }
    }
}

/// What runs a program's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Node.js.
    Node,
    /// Bun.
    Bun,
    /// Nothing: the file is an executable that the build made.
    None,
}

/// What a program is started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// A file, relative to the workspace's folder.
    File(String),
    /// A command of an installed package, by its name in `node_modules/.bin`.
    Bin(String),
}

/// A program of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name in `bin/`.
    pub name: String,
    /// What runs it. Absent: the program that the file's first line names, or else the package manager's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// What is run.
    #[serde(flatten)]
    pub entry: Entry,
    /// What stands before the file. `{workspace}` is the workspace's folder in the package. Absent where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// What stands after the file, before the arguments of the caller. Absent where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The variables that are set. Absent where there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The folder that it runs in, relative to the workspace's folder (`.` is that folder itself). Absent: the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

impl Program {
    /// The command, as a person would write it.
    pub fn shown(&self) -> String {
        let env = self.env.iter().map(|(name, value)| format!("{name}={value}"));
        // An output without a recorded runtime says in its first line what runs it.
        let runtime = match (&self.entry, self.runtime) {
            (Entry::Bin(_), _) | (_, Some(Runtime::None) | None) => None,
            (_, Some(Runtime::Node)) => Some("node"),
            (_, Some(Runtime::Bun)) => Some("bun"),
        };
        let (Entry::File(what) | Entry::Bin(what)) = &self.entry;
        let plain = |text: &String| text.replace("{workspace}/", "./");
        let words = env
            .chain(runtime.map(str::to_owned))
            .chain(self.options.iter().map(plain))
            .chain([what.clone()])
            .chain(self.arguments.iter().map(plain));
        quoted(&words.collect::<Vec<_>>())
    }
}

/// A part of a package that is put together from parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Relative to the workspace's folder.
    pub from: String,
    /// Relative to the root of what is put together; empty for that itself.
    pub to: String,
}

/// How a package is served, as its container image needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Serves {
    /// Its files, by a web server.
    Files(FilesAlone),
    /// Its main program listens.
    Listens(Listens),
}

/// The word `files`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilesAlone {
    /// The only value.
    Files,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listens {
    /// The TCP port. Servers read it from the variable `PORT`.
    pub port: u16,
    /// Variables with which the server listens on all addresses. Absent if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

impl Default for Listens {
    fn default() -> Self {
        Self { port: 3000, env: BTreeMap::new() }
    }
}

impl std::fmt::Display for Serves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files(_) => write!(f, "files"),
            Self::Listens(Listens { port, env }) => {
                env.iter().try_for_each(|(name, value)| write!(f, "{name}={value} "))?;
                write!(f, "port {port}")
            }
        }
    }
}

/// What a package offers, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// What it is for.
    pub purpose: Purpose,
    /// What it holds.
    pub keeps: Keeps,
    /// Its programs; the first one is its main program.
    pub programs: Vec<Program>,
    /// The install beside what runs; none where nothing is installed.
    pub runtime: Option<Install>,
    /// Globs of files that a server has beside its outputs, relative to the workspace's folder.
    pub files: Vec<String>,
    /// The parts that it is put together from; empty where it is the outputs or the sources.
    pub layout: Vec<Part>,
    /// Parts of the outputs that nothing needs, relative to the workspace's folder.
    pub without: Vec<String>,
    /// Where it listens, if it is a server whose tool says so.
    pub listens: Option<Listens>,
    /// Why it is this, in words.
    pub reason: String,
    /// A script that might start it and that is not understood.
    pub unclear: Option<Unclear>,
}

impl Product {
    /// A package of the build's outputs alone.
    pub(super) fn files(purpose: Purpose, reason: impl Into<String>) -> Self {
        Self {
            purpose,
            keeps: Keeps::Files,
            programs: Vec::new(),
            runtime: None,
            files: Vec::new(),
            layout: Vec::new(),
            without: Vec::new(),
            listens: None,
            reason: reason.into(),
            unclear: None,
        }
    }

    /// A package of programs with the packages that they need.
    pub(super) fn running(keeps: Keeps, purpose: Purpose, programs: Vec<Program>, reason: impl Into<String>) -> Self {
        let runtime = Some(Install::Production);
        Self { keeps, programs, runtime, ..Self::files(purpose, reason) }
    }

    /// How it is served. A server whose port is not known gets 3000.
    pub fn serves(&self) -> Option<Serves> {
        match self.purpose {
            Purpose::Site => Some(Serves::Files(FilesAlone::Files)),
            Purpose::Server => Some(Serves::Listens(self.listens.clone().unwrap_or_default())),
            Purpose::Program | Purpose::Tarball | Purpose::Files => None,
        }
    }

    /// Its programs with their names: one without a name has that of the package.
    pub fn programs_of(&self, package: &str) -> Vec<Program> {
        let named = |program: &Program| match program.name.as_str() {
            "" => Program { name: package.to_owned(), ..program.clone() },
            _ => program.clone(),
        };
        self.programs.iter().map(named).collect()
    }

    /// What it keeps, in words.
    pub fn kept(&self) -> String {
        let what = self.keeps.name();
        let list = |name: &str, list: &[String]| match list {
            [] => String::new(),
            list => format!(", {name} {}", list.join(" ")),
        };
        let layout: Vec<String> = self.layout.iter().map(|part| format!("{}:{}", part.from, part.to)).collect();
        format!(
            "{what}{}{}{}",
            list("with", &self.files),
            list("without", &self.without),
            list("put together from", &layout)
        )
    }
}
