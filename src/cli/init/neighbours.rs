//! Hints for other tools in the repository: formatters that would edit the generated files, and leftovers of tools that
//! splitter replaces.

use std::collections::BTreeMap;

use crate::{
    cli::{failure::Failure, printer::Printer, style::NOTE},
    names::DOCS,
    repo::Tree,
    scaffold::{
        formatters,
        leftovers::{self, Leftover, Part},
        templates,
    },
};

/// Prints the line that each formatter needs to leave the generated files alone.
pub(super) fn print_formatters(tree: &dyn Tree, printer: Printer) -> Result<(), Failure> {
    let found = formatters::find(tree)?;
    if found.is_empty() {
        return Ok(());
    }
    printer.note(format_args!(
        "{NOTE}hint{NOTE:#}: if a formatter edits {}/, `splitter check` fails. Leave the folder out:",
        templates::FOLDER
    ));
    for formatters::Meddler { name, file, line } in found {
        printer.note(format_args!("    {name}, in {file}: {line}"));
    }
    Ok(())
}

/// Names what other tools left, by tool.
pub(super) fn print_leftovers(tree: &dyn Tree, printer: Printer) -> Result<(), Failure> {
    let mut by_tool: BTreeMap<Option<&str>, Vec<Leftover>> = BTreeMap::new();
    for leftover in leftovers::find(tree)? {
        by_tool.entry(leftover.tool).or_default().push(leftover);
    }
    for (tool, leftovers) in &by_tool {
        let parts: Vec<String> = leftovers.iter().map(words).collect();
        let parts = parts.join(", ");
        match tool {
            Some(tool) => printer.note(format_args!(
                "{NOTE}hint{NOTE:#}: splitter replaces {tool}. When the new packages build, remove {parts} ({DOCS}/migrating.md)"
            )),
            None => printer.note(format_args!(
                "{NOTE}hint{NOTE:#}: splitter keeps all hashes in splitter.lock.json. If nothing else reads it, remove {parts}"
            )),
        }
    }
    Ok(())
}

fn words(leftover: &Leftover) -> String {
    let path = &leftover.path;
    match leftover.part {
        Part::File => path.to_string(),
        Part::Calls => format!("its calls in {path}"),
        Part::Script(script) => format!("it from the script `{script}` in {path}"),
        Part::Dependency => format!("its entry in {path}"),
    }
}
