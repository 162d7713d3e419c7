//! Libraries that the root builds with TypeScript's project references: `tsc --build` at the root compiles all of them, and
//! none has a build script of its own. Their entry points are in their `outDir`, which git lacks.

use crate::{
    repo::{RepoPath, Tree},
    split::{
        Manifest, SplitError,
        workspaces::detect::{self, Build},
    },
};

/// Compilers that build project references.
const COMPILERS: [&str; 3] = ["tsc", "tsgo", "vue-tsc"];

/// Returns the build of such a library: the compiler of the root's script, for its own folder, if its output has the entry
/// point that git lacks.
pub(super) fn build(
    tree: &dyn Tree,
    (path, manifest): (&RepoPath, &Manifest),
    root: &Manifest,
    missing_entry: &str,
) -> Result<Option<Build>, SplitError> {
    let Some(compiler) = compiler(root) else { return Ok(None) };
    if !tree.is_file(&path.child("tsconfig.json"))? {
        return Ok(None);
    }
    let build = detect::chosen_build(tree, path, manifest, &[], &format!("{compiler} --build"))?;
    let entry = missing_entry.trim_start_matches("./");
    let has_entry = build
        .outputs
        .iter()
        .any(|output| entry.strip_prefix(output.as_str()).is_some_and(|rest| rest.starts_with('/')));
    Ok(Some(build).filter(|build| has_entry && !build.is_guess))
}

/// The compiler that a script of the root runs with `--build`.
fn compiler(root: &Manifest) -> Option<&'static str> {
    let commands = root.scripts.values().flat_map(|script| script.split(['&', '|', ';']));
    let mut commands = commands.map(|command| command.split_whitespace().collect::<Vec<_>>());
    commands.find_map(|words| {
        let builds = words.iter().any(|word| ["-b", "--build"].contains(word));
        let cleans = words.contains(&"--clean");
        COMPILERS.into_iter().find(|compiler| builds && !cleans && words.contains(compiler))
    })
}
