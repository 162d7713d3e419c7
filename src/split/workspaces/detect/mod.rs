//! How a workspace is built, and what its build leaves: found from its scripts and its tools' configuration.
//!
//! The build script says which tool runs; the tool's configuration says where it writes. Configuration files are
//! programs, so only plain settings are found in them; everything can be said in `splitter.json` instead.

mod command;
mod compiled;
pub(in crate::split) mod copies;
pub(in crate::split) mod entry_points;
mod output;
pub(in crate::split) mod own_scripts;
pub(in crate::split) mod patch_package;
pub(in crate::split) mod products;
pub(crate) mod program;
mod script;
pub(in crate::split) mod start;
mod tools;

pub(in crate::split) use self::script::{does_nothing, expanded, words};
pub use self::tools::Tool;
use self::{compiled::Compiled, output::Outputs};
use crate::repo::{RepoPath, Tree};
use crate::split::{ManagerName, Manifest, SplitError, System};

/// How a workspace is built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// The command, run in the workspace's folder.
    pub command: String,
    /// The tool that the command was found to run.
    pub tool: Option<&'static Tool>,
    /// What must be there after the build and is kept, relative to the workspace's folder.
    pub outputs: Vec<String>,
    /// What is kept too, if it is there.
    pub optional: Vec<String>,
    /// Whether the outputs are a guess: nothing says where the build writes.
    pub is_guess: bool,
    /// The first program that it runs, if all of them build something other than JavaScript.
    pub foreign: Option<String>,
    /// Whether it runs tests.
    pub(in crate::split) runs_tests: bool,
    /// The command with the scripts of the manifest that it runs in their place.
    pub(in crate::split) script: String,
    /// The executables that it makes.
    compiled: Vec<Compiled>,
}

impl Build {
    /// The same build with other outputs that are kept.
    pub(in crate::split) fn keeping(self, outputs: &[String]) -> Self {
        Self { outputs: outputs.to_vec(), optional: Vec::new(), is_guess: false, ..self }
    }

    /// The outputs as texts show them: what is optional in brackets, a guess with a `?`.
    pub fn shown_outputs(&self) -> String {
        let optional = self.optional.iter().map(|output| format!("({output})"));
        let guess = if self.is_guess { "?" } else { "" };
        self.outputs.iter().map(|output| format!("{output}{guess}")).chain(optional).collect::<Vec<_>>().join(", ")
    }

    /// The targets for which Bun compiles programs, other than the system that builds.
    pub(crate) fn targets(&self) -> Vec<String> {
        let targets = self.compiled.iter().filter_map(|file| file.target.clone());
        targets.filter(|target| target.starts_with("bun-")).collect()
    }

    /// The targets for which there is no Bun among those of these systems, in this version.
    pub(crate) fn unknown_targets(&self, systems: &[System], version: &str) -> Vec<String> {
        let is_known =
            |target: &String| compiled::system_of(target, version).is_some_and(|system| systems.contains(&system));
        self.targets().into_iter().filter(|target| !is_known(target)).collect()
    }

    /// Everything that is kept, if it is there.
    pub fn kept(&self) -> impl Iterator<Item = &String> {
        self.outputs.iter().chain(&self.optional)
    }
}

/// Finds how a workspace is built; none where it has no build script, or one that does nothing. `outputs` is what a task
/// runner says that it writes.
pub(in crate::split) fn build(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    outputs: &[String],
    manager: ManagerName,
) -> Result<Option<Build>, SplitError> {
    let Some(script) = manifest.scripts.get("build").filter(|_| !script::does_nothing("build", manifest)) else {
        return Ok(None);
    };
    let script = with_hooks(&script::expanded(script, manifest), manifest, manager);
    let command = format!("{} run build", manager.command());
    of_script(tree, folder, manifest, outputs, command, script).map(Some)
}

/// A build by a command of `splitter.json`.
pub(in crate::split) fn chosen_build(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    outputs: &[String],
    command: &str,
) -> Result<Build, SplitError> {
    let script = script::expanded(command, manifest);
    of_script(tree, folder, manifest, outputs, command.to_owned(), script)
}

/// The script with those that the package manager runs before and after it.
fn with_hooks(script: &str, manifest: &Manifest, manager: ManagerName) -> String {
    let hook = |name: &str| {
        let text = manifest.scripts.get(name).filter(|_| manager.manager().runs_pre_scripts());
        text.map(|text| script::expanded(text, manifest))
    };
    let parts = [hook("prebuild"), Some(script.to_owned()), hook("postbuild")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" && ")
}

fn of_script(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
    of_task: &[String],
    command: String,
    script: String,
) -> Result<Build, SplitError> {
    let Outputs { required, optional, is_guess } = output::find(tree, folder, &script, manifest, of_task)?;
    let tool = script::tools(&script, manifest).into_iter().min_by_key(|(place, ..)| *place).map(|(_, tool, _)| tool);
    Ok(Build {
        command,
        tool,
        outputs: required,
        optional,
        is_guess,
        foreign: script::foreign(&script),
        runs_tests: script::runs_tests(&script),
        compiled: script::commands(&script).iter().filter_map(|words| compiled::find(words)).collect(),
        script,
    })
}
