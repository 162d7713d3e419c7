//! How a workspace is started, as its scripts say it.
//!
//! A package starts one program and nothing else. So a script must be understood whole: a `start` script that is only half
//! understood is an error for an app that runs from its sources, and no program for one that is built. A `dev` script never is.

use super::{
    command::{self, Command, Runner, has_ending},
    program::{Entry, Program, Runtime},
    script::{DEPTH, base, commands, does_nothing, words},
};
use crate::{
    repo::{RepoPath, Tree},
    split::{ManagerName, Manifest, SplitError},
};

/// How a workspace is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// It has nothing to start.
    Nothing,
    /// By this program. Its name is still empty.
    Program(Program),
    /// By a script that is only partly understood.
    Unclear(Unclear),
}

/// A script that starts a workspace and that is not understood whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// Its name.
    pub script: String,
    /// Its text.
    pub text: String,
    /// The first part of it that is not understood.
    pub part: String,
    /// The file that it probably runs.
    pub file: String,
}

/// Scripts that start what was built, the likeliest first.
const BUILT_STARTS: [&str; 5] = ["start:prod", "start:production", "start", "serve:prod", "serve"];

/// Commands of packages that serve what was built, each with its package.
const SERVERS: [(&str, &str); 9] = [
    ("next", "next"),
    ("react-router-serve", "@react-router/serve"),
    ("remix-serve", "@remix-run/serve"),
    ("fastify", "fastify-cli"),
    ("srvx", "srvx"),
    ("serve", "serve"),
    ("http-server", "http-server"),
    ("sirv", "sirv-cli"),
    ("moleculer-runner", "moleculer"),
];

/// Options whose value is a module that is loaded first.
const MODULES: [&str; 6] = ["--import", "-r", "--require", "--loader", "--experimental-loader", "--preload"];

/// What is the same for all scripts of a workspace.
struct Reader<'a> {
    tree: &'a dyn Tree,
    folder: &'a RepoPath,
    manifest: &'a Manifest,
    manager: ManagerName,
    /// What its build leaves; empty for one that runs from its sources.
    outputs: &'a [String],
}

/// Finds the program that runs a workspace from its sources: the one that its `start` script runs, or else the one that
/// its `dev` script keeps running.
pub(crate) fn find(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    manager: ManagerName,
) -> Result<Start, SplitError> {
    let reader = Reader { tree, folder, manifest, manager, outputs: &[] };
    let start = reader.read("start", DEPTH)?;
    if start != Start::Nothing || names_a_file(manifest.scripts.get("start")) {
        return Ok(reader.with_prestart(start));
    }
    let dev = match manifest.scripts.get("dev") {
        Some(text) if is_watched(text) => reader.read("dev", DEPTH)?,
        _ => Start::Nothing,
    };
    let file = match &dev {
        Start::Program(Program { entry: Entry::File(file), .. }) => file.clone(),
        // A `dev` script never said what a package starts, so it is no error.
        Start::Unclear(_) => return Ok(Start::Nothing),
        _ => return Ok(dev),
    };
    Ok(match manifest.scripts.get("start") {
        // The `dev` script is not what the `start` script would run.
        Some(text) if !does_nothing("start", manifest) => {
            let part = words(text).into_iter().next().unwrap_or_default();
            Start::Unclear(Unclear { script: "start".to_owned(), text: text.clone(), part, file })
        }
        _ => dev,
    })
}

/// Finds the program that starts what a build left in `outputs`.
pub(crate) fn find_built(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    manager: ManagerName,
    outputs: &[String],
) -> Result<Start, SplitError> {
    let reader = Reader { tree, folder, manifest, manager, outputs };
    let mut unclear = Start::Nothing;
    for name in BUILT_STARTS {
        match reader.read(name, DEPTH)? {
            Start::Unclear(found) if unclear == Start::Nothing => unclear = Start::Unclear(found),
            Start::Nothing | Start::Unclear(_) => {}
            program @ Start::Program(_) => return Ok(program),
        }
    }
    Ok(unclear)
}

/// The program that a command of `splitter.json` runs, or the part of it that is not understood.
pub(crate) fn chosen(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    manager: ManagerName,
    text: &str,
) -> Result<Result<Program, String>, SplitError> {
    let reader = Reader { tree, folder, manifest, manager, outputs: &[] };
    let file = text.trim_start_matches("./");
    if !text.contains(' ') && (has_ending(text) || tree.is_file(&folder.child(file))?) {
        let runtime = Some(usual_runtime(manager));
        return Ok(Ok(Program { runtime, ..bare(Entry::File(file.to_owned())) }));
    }
    match command::read(&words(text)) {
        Ok(command) => Ok(Ok(reader.program(command)?)),
        Err(part) => Ok(Err(part)),
    }
}

/// What runs a file that says nothing of it.
fn usual_runtime(manager: ManagerName) -> Runtime {
    if manager.manager().runs_typescript() { Runtime::Bun } else { Runtime::Node }
}

/// A program without a name and without anything around what it runs.
pub(super) fn bare(entry: Entry) -> Program {
    let (name, env) = (String::new(), std::collections::BTreeMap::new());
    Program { name, runtime: None, entry, options: Vec::new(), arguments: Vec::new(), env, directory: None }
}

impl Reader<'_> {
    /// How a script starts the workspace, followed through scripts that run another one and nothing else.
    fn read(&self, name: &str, depth: usize) -> Result<Start, SplitError> {
        let Some(text) = self.manifest.scripts.get(name) else { return Ok(Start::Nothing) };
        let words = words(text);
        if let Some(next) = only_runs(&words).filter(|next| depth > 0 && self.manifest.scripts.contains_key(*next)) {
            return self.read(next, depth - 1);
        }
        let command = match name {
            // What a `dev` script sets is for development.
            "dev" => words.iter().skip_while(|word| sets_variable(word)).cloned().collect(),
            _ => words,
        };
        match command::read(&command) {
            // What a `dev` script passes to the runtime is for development too.
            Ok(command) if name == "dev" && !command.options.is_empty() => {
                let part = command.options.first().cloned().unwrap_or_default();
                self.unclear(name, text, part)
            }
            // Its value is split into options again, and its paths count from the caller's folder.
            Ok(command) if command.env.contains_key("NODE_OPTIONS") => {
                self.unclear(name, text, format!("NODE_OPTIONS={}", command.env["NODE_OPTIONS"]))
            }
            Ok(Command { runner: Runner::Bin(bin), .. }) if !self.serves(&bin) => self.unclear(name, text, bin),
            Ok(command) => self.start(command),
            Err(part) => self.unclear(name, text, part),
        }
    }

    /// What a command that is understood starts: nothing where it runs no file of the workspace.
    fn start(&self, command: Command) -> Result<Start, SplitError> {
        let command = match command.runner {
            Runner::Bin(_) => command,
            Runner::File(runtime, ref file) => match self.resolved(&within(command.folder.as_deref(), file))? {
                Some(file) => Command { runner: Runner::File(runtime, file), ..command },
                None => return Ok(Start::Nothing),
            },
        };
        Ok(Start::Program(self.program(command)?))
    }

    /// Whether a command of a package serves what was built.
    fn serves(&self, bin: &str) -> bool {
        let asked = |package: &str| self.manifest.depends_on(package);
        !self.outputs.is_empty() && SERVERS.iter().any(|(name, package)| *name == bin && asked(package))
    }

    fn unclear(&self, name: &str, text: &str, part: String) -> Result<Start, SplitError> {
        for file in probable_files(text) {
            if self.resolved(&file)?.is_some() {
                return Ok(Start::Unclear(Unclear { script: name.to_owned(), text: text.to_owned(), part, file }));
            }
        }
        Ok(Start::Nothing)
    }

    fn program(&self, command: Command) -> Result<Program, SplitError> {
        let (entry, runtime, directory) = match command.runner {
            // Servers of packages look for what they serve in the folder that they are started from.
            Runner::Bin(name) => (Entry::Bin(name), None, Some(command.folder.unwrap_or_else(|| ".".to_owned()))),
            Runner::File(runtime, file) => {
                // On Bun, what runs TypeScript for Node.js is Bun itself.
                let own = usual_runtime(self.manager);
                (Entry::File(file), Some(runtime.unwrap_or(own)), command.folder)
            }
        };
        let name = String::new();
        if directory.is_some() {
            // It runs where its script runs, so its paths are right as they are.
            let Command { env, options, arguments, .. } = command;
            return Ok(Program { name, runtime, entry, options, arguments, env, directory });
        }
        let mut options = Vec::new();
        for (at, word) in command.options.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| command.options.get(before));
            options.push(self.placed(word, before.map(String::as_str))?);
        }
        let arguments = self.all_placed(&command.arguments)?;
        Ok(Program { name, runtime, entry, options, arguments, env: command.env, directory })
    }

    fn all_placed(&self, words: &[String]) -> Result<Vec<String>, SplitError> {
        words.iter().map(|word| self.placed(word, None)).collect()
    }

    /// A word with the files that it names where they are in the package: the program runs in the caller's folder.
    fn placed(&self, word: &str, before: Option<&str>) -> Result<String, SplitError> {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with('-') => (format!("{option}="), value),
            _ => (String::new(), word),
        };
        let is_module =
            before.is_some_and(|before| MODULES.contains(&before)) || MODULES.contains(&option.trim_end_matches('='));
        let inner = value.trim_start_matches("./");
        if value.starts_with("./") || (!value.starts_with('-') && self.resolved_as(inner, &[""])?.is_some()) {
            return Ok(format!("{option}{{workspace}}/{inner}"));
        }
        // A package is looked for from the folder that the program runs in.
        if is_module && !value.starts_with(['.', '/']) {
            return Ok(format!("{option}{{resolve:{value}}}"));
        }
        Ok(word.to_owned())
    }

    /// The file that a command means, among the outputs or the sources: `dist/main` is `dist/main.js`.
    fn resolved(&self, file: &str) -> Result<Option<String>, SplitError> {
        let is_output = || self.outputs.iter().any(|output| output == file.trim_end_matches('/'));
        let endings: &[&str] = match file {
            file if has_ending(file) => &[""],
            // `node build` runs the index of that folder.
            _ if is_output() => &["/index.js"],
            _ => &[".js", ".mjs", ".cjs", "/index.js"],
        };
        self.resolved_as(file, endings)
    }

    fn resolved_as(&self, file: &str, endings: &[&str]) -> Result<Option<String>, SplitError> {
        let Ok(path) = self.folder.resolve(file) else { return Ok(None) };
        let Some(inner) = path.below(self.folder).map(str::to_owned) else { return Ok(None) };
        let is_output = |output: &String| {
            inner.strip_prefix(output.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.outputs.iter().any(is_output) {
            return Ok(endings.first().map(|ending| format!("{inner}{ending}")));
        }
        for ending in endings {
            let inner = format!("{inner}{ending}");
            let runs = self.manager.manager().runs_typescript()
                || is_javascript(&inner)
                || endings == [""].as_slice() && !has_ending(&inner);
            if runs && self.tree.is_file(&self.folder.child(&inner))? {
                return Ok(Some(inner));
            }
        }
        Ok(None)
    }

    /// Bun and Yarn 1 run a `prestart` script first, later Yarns do not.
    fn with_prestart(&self, start: Start) -> Start {
        let Some(text) = self.manifest.scripts.get("prestart") else { return start };
        match start {
            Start::Program(Program { entry: Entry::File(file), .. })
                if self.manager.manager().runs_pre_scripts() && !does_nothing("prestart", self.manifest) =>
            {
                let (script, part) = ("prestart".to_owned(), text.clone());
                Start::Unclear(Unclear { script, text: text.clone(), part, file })
            }
            start => start,
        }
    }
}

/// The path of a file in a folder of the workspace.
fn within(folder: Option<&str>, file: &str) -> String {
    folder.map_or_else(|| file.to_owned(), |folder| format!("{folder}/{file}"))
}

/// The files that a script may run, the likeliest first: not the values of options.
pub(crate) fn probable_files(text: &str) -> Vec<String> {
    let mut files: Vec<(bool, String)> = Vec::new();
    for words in commands(text) {
        // A file is no command, but says what is meant.
        if let Some(file) = words.first().filter(|word| has_ending(word)) {
            files.push((false, file.trim_start_matches("./").to_owned()));
        }
        let Some(runtime) = words.iter().position(|word| matches!(base(word), "bun" | "node" | "tsx")) else {
            continue;
        };
        let after = &words[runtime..];
        if after[1..].iter().find(|word| !word.starts_with('-')).is_some_and(|verb| verb == "build" || verb == "test") {
            continue;
        }
        for pair in after.windows(2).filter(|pair| has_ending(&pair[1]) && !pair[1].starts_with('-')) {
            files.push((pair[0].starts_with('-'), pair[1].trim_start_matches("./").to_owned()));
        }
    }
    files.sort_by_key(|(is_value, _)| *is_value);
    files.into_iter().map(|(_, file)| file).collect()
}

/// Whether a script says which file it runs, there or not.
fn names_a_file(script: Option<&String>) -> bool {
    script.is_some_and(|text| !probable_files(text).is_empty())
}

/// The script that a script runs, where it does nothing else.
fn only_runs(words: &[String]) -> Option<&str> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["npm" | "pnpm" | "yarn" | "bun", "run", name] | ["yarn" | "pnpm", name] => Some(name),
        _ => None,
    }
}

fn is_watched(script: &str) -> bool {
    words(script).iter().any(|word| word == "--hot" || word == "--watch" || word == "watch")
}

fn sets_variable(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Whether a file needs no translation to run.
fn is_javascript(file: &str) -> bool {
    [".js", ".mjs", ".cjs"].iter().any(|ending| file.ends_with(ending))
}

#[cfg(test)]
mod tests;
