//! Libraries that the root builds with TypeScript's project references: `tsc --build` at the root compiles all of them, and
//! none has a build script of its own. Their entry points are in their `outDir`, which git lacks.

use crate::{
    repo::{RepoPath, Tree},
    split::{
        Manifest, SplitError,
        workspaces::detect::{self, Build},
    },
};

/// The file that a compiler reads if no other is named.
const USUAL: &str = "tsconfig.json";

/// Compilers that build project references.
const COMPILERS: [&str; 3] = ["tsc", "tsgo", "vue-tsc"];

/// Returns the build of such a workspace: the compiler of the root's script, for its own folder, if its output has the entry point
/// that git lacks.
pub(super) fn build(
    tree: &dyn Tree,
    (path, manifest): (&RepoPath, &Manifest),
    root: &Manifest,
) -> Result<Option<Build>, SplitError> {
    let Some(Compiler { name, project }) = compiler(root) else { return Ok(None) };
    let Some(entry) = detect::entry_points::missing(tree, path, manifest)? else { return Ok(None) };
    for file in [Some(USUAL), project.as_deref()].into_iter().flatten() {
        if !tree.is_file(&path.child(file))? {
            continue;
        }
        let command = if file == USUAL { format!("{name} --build") } else { format!("{name} --build {file}") };
        let build = detect::chosen_build(tree, path, manifest, &[], &command)?;
        if !build.is_guess && has_entry(&build, &entry) {
            return Ok(Some(build));
        }
    }
    Ok(None)
}

/// Whether an entry point lies in an output.
fn has_entry(build: &Build, entry: &str) -> bool {
    let entry = entry.trim_start_matches("./");
    let mut outputs = build.outputs.iter();
    outputs.any(|output| entry.strip_prefix(output.as_str()).is_some_and(|rest| rest.starts_with('/')))
}

/// The compiler that builds the references of a project.
struct Compiler {
    name: &'static str,
    /// The name of the project's file, if the command has one. Workspaces have theirs under the same name by custom.
    project: Option<String>,
}

/// The compiler that a script of the root runs with `--build`.
fn compiler(root: &Manifest) -> Option<Compiler> {
    let commands = root.scripts.values().flat_map(|script| script.split(['&', '|', ';']));
    let mut commands = commands.map(|command| command.split_whitespace().collect::<Vec<_>>());
    commands.find_map(|words| {
        let builds = words.iter().any(|word| ["-b", "--build"].contains(word));
        let cleans = words.contains(&"--clean");
        let name = COMPILERS.into_iter().find(|compiler| builds && !cleans && words.contains(compiler))?;
        let project = words.iter().find(|word| camino::Utf8Path::new(word).extension() == Some("json"));
        let project = project.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned());
        Some(Compiler { name, project })
    })
}
