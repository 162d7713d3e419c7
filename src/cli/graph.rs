//! `splitter graph`: draws the derivations, and what an edit rebuilds.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    arguments::{Global, GraphOptions},
    failure::{Failure, Outcome},
    printer::Printer,
    repository::{path_in, state, work_tree},
    text::{bytes, count, things},
};
use crate::{
    diagnostic::{Category, Diagnose},
    parallel::both,
    picture::{Picture, Sizes, mermaid, picture, svg},
    proof::{State, after_edit},
    repo::{RepoPath, WorkTree},
    scaffold::files,
    split::{
        lock::shards::Part,
        plan::{Comparison, compare},
    },
};

/// Why the graph could not be drawn.
#[derive(Debug, thiserror::Error)]
enum GraphError {
    #[error("`--edit {0}` is outside the repository; expected a path from the root of the repository")]
    Outside(Utf8PathBuf),
    #[error("could not write `{path}`")]
    Write { path: Utf8PathBuf, source: std::io::Error },
}

impl Diagnose for GraphError {
    fn category(&self) -> Category {
        match self {
            Self::Outside(_) => Category::Input,
            Self::Write { .. } => Category::Environment,
        }
    }
}

pub(super) fn run(global: &Global, options: &GraphOptions, printer: Printer) -> Result<Outcome, Failure> {
    let tree = work_tree(global)?;
    let (state, sources) = both(|| state(&tree), || tree.source_files());
    let (state, sources) = (state?, sources?);
    let sizes: BTreeMap<RepoPath, u64> = sources.into_iter().map(|file| (file.path, file.bytes)).collect();
    let edit = options.edit.as_deref().map(|path| edit(&state, &tree, path)).transpose()?;
    let picture = drawn(&state, &sizes, edit.as_ref());
    let text = if is_svg(options) { svg::render(&picture) } else { mermaid::render(&picture) };
    match &options.output {
        None => printer.data(text.trim_end()),
        Some(path) => {
            files::put(path, text.as_bytes()).map_err(|source| GraphError::Write { path: path.clone(), source })?;
            printer.note(format_args!("wrote {path}"));
        }
    }
    Ok(Outcome::Done)
}

/// Returns whether to draw SVG: if asked for, or if the output file ends in `.svg`.
fn is_svg(options: &GraphOptions) -> bool {
    let by_name = options.output.as_deref().and_then(Utf8Path::extension) == Some("svg");
    options.svg || (by_name && !options.mermaid)
}

/// Compares the derivations before and after an edit of a file. A missing file counts as new.
fn edit(state: &State, tree: &WorkTree, path: &Utf8Path) -> Result<(RepoPath, Comparison), Failure> {
    let path = path_in(tree, path).ok_or_else(|| GraphError::Outside(path.to_owned()))?;
    let edited = after_edit(state, tree, &path)?;
    Ok((path, compare(&state.derivations, &edited.derivations)))
}

fn drawn(state: &State, sizes: &BTreeMap<RepoPath, u64>, edit: Option<&(RepoPath, Comparison)>) -> Picture {
    let sources = |workspace: &RepoPath| {
        let files: Vec<_> = state.derivations.source_files(workspace).collect();
        let total: u64 = files.iter().filter_map(|path| sizes.get(*path)).sum();
        format!("{}, {}", things(files.len(), "file"), bytes(total))
    };
    let recorded = state.record.as_ref().map(|record| &record.deps);
    let parts = |parts: &[&Part]| {
        let recorded = |part: &&Part| recorded.and_then(|deps| deps.get(&part.to_string()));
        let outputs: Option<Vec<_>> = parts.iter().map(recorded).collect();
        let Some(outputs) = outputs else { return "downloaded packages".to_owned() };
        let packages: usize = outputs.iter().map(|output| output.packages).sum();
        let size = bytes(outputs.iter().map(|output| output.bytes).sum());
        let cut = if parts.len() > 1 { format!(" in {} parts", count(parts.len())) } else { String::new() };
        format!("{}{cut}, {size}", things(packages, "package"))
    };
    let manager = &state.split.pin.manager;
    let install = format!("installed by {} {}", manager.name.command(), manager.version);
    let sizes = Sizes { sources: &sources, parts: &parts, install };
    let edit = edit.map(|(path, comparison)| (path, comparison));
    picture(&state.split, &state.derivations, state.system(), &sizes, edit)
}
