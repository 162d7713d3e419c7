//! The warning of `init` when no workspace is an app.

use crate::{
    cli::printer::Printer,
    cli::style::NOTE,
    split::{Split, workspaces::graph::Workspace},
};

/// Number of workspaces named in hints.
const SHOWN: usize = 3;

/// Warns that no package will be built, and says how to make workspaces apps.
pub(super) fn warn_of_none(split: &Split, printer: Printer) {
    if split.graph.apps().next().is_some() {
        return;
    }
    printer.warning("nothing will be built: no workspace is an app");
    let advice = |workspace: &Workspace| {
        let remedy = workspace.remedy.as_ref().filter(|remedy| remedy.is_likely)?;
        Some(format!("`{}` is a library: {}; {}", workspace.path, workspace.reason, remedy.advice(&workspace.path)))
    };
    let likely: Vec<String> = split.graph.workspaces().filter_map(advice).take(SHOWN).collect();
    for line in &likely {
        printer.note(format_args!("{NOTE}hint{NOTE:#}: {line}"));
    }
    if likely.is_empty() {
        printer.note(format_args!(
            "{NOTE}hint{NOTE:#}: in splitter.json, set `start` (a file) or `build` (a command) of a workspace, such as \
             `\"workspaces\": {{ \"apps/api\": {{ \"start\": \"src/server.ts\" }} }}`"
        ));
    }
}
