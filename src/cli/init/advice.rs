//! Advice after `init`: lines for an existing flake, files that git does not track, the next commands.

use std::collections::BTreeSet;

use super::{git, neighbours};
use crate::{
    cli::{
        failure::Failure,
        printer::Printer,
        style::{BOLD, NOTE},
    },
    repo::{RepoPath, Tree as _, TreeError, WorkTree, read_text},
    scaffold::{
        flake::{self, Insertion, Kept, Uses, Wanted, diff, uses},
        templates,
    },
    split::{Split, plan::Id},
};

/// The line that replaces a direct read of the record in flakes of older versions. `systems.nix` drops the systems that nixpkgs
/// does not have.
const SYSTEMS: &str = "systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;";

/// Names of Nix expressions without a flake.
const EXPRESSIONS: [&str; 2] = ["default.nix", "shell.nix"];

/// Finds a Nix expression at the root of a repository. `init` then writes no flake.
pub(super) fn expression(tree: &WorkTree) -> Result<Option<&'static str>, TreeError> {
    for name in EXPRESSIONS {
        if tree.is_file(&RepoPath::root().child(name))? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The inputs of the advice.
pub(super) struct Advice<'a> {
    pub(super) tree: &'a WorkTree,
    pub(super) split: &'a Split,
    pub(super) apps: &'a BTreeSet<&'a str>,
    /// The URL of splitter, if it is an input of the flake.
    pub(super) input: Option<&'a str>,
    /// Whether the repository had no record before.
    pub(super) is_first: bool,
    /// The repository's Nix expression, if there is no flake.
    pub(super) expression: Option<&'static str>,
}

impl Advice<'_> {
    pub(super) fn print(&self, printer: Printer) -> Result<(), Failure> {
        let example = self.apps.first().copied().unwrap_or("nodeModules");
        let (first, next) = match self.expression {
            None => (self.print_flake(printer)?, format!("nix build .#{example}")),
            Some(name) => (None, self.print_expression(name, example, printer)?),
        };
        git::print(self.tree.root(), self.expression.is_none(), printer);
        let first = first.map_or(String::new(), |first| format!("{first}, then "));
        printer.note(format_args!(
            "next: {first}run `{BOLD}{next}{BOLD:#}`; after each change to the lockfile, run `{BOLD}splitter update-hash{BOLD:#}`"
        ));
        neighbours::print_formatters(self.tree, printer)?;
        if self.is_first {
            neighbours::print_leftovers(self.tree, printer)?;
            git::print_result(self.tree.root(), printer);
        }
        Ok(())
    }

    /// Prints the lines for an existing flake, unless it has them. Returns what to do with the lines.
    fn print_flake(&self, printer: Printer) -> Result<Option<&'static str>, Failure> {
        let path = RepoPath::root().child("flake.nix");
        let Some(text) = read_text(self.tree, &path)? else { return Ok(None) };
        let mut first = None;
        let Uses { folder, input, record } = uses(self.tree, &path)?;
        let (wanted, other) = if self.input.is_some() { (&input, &folder) } else { (&folder, &input) };
        if let (None, Some(file)) = (wanted, other) {
            printer.note(format_args!("{NOTE}{file}{NOTE:#}: {}", self.replacement()));
            first = Some("change that");
        } else if wanted.is_none() {
            let (packages, checks) = (self.packages(), self.checks());
            match flake::advice(&text, Wanted { input: self.input, packages: &packages, checks: &checks }) {
                flake::Advice::Insert { style, insertions, kept } => {
                    print_insertions(style, &text, &insertions, printer);
                    print_kept(&kept, printer);
                    first = Some("apply the diff");
                }
                flake::Advice::Unknown { reason } => {
                    self.print_plain(reason, printer);
                    first = Some("add splitter's outputs to flake.nix");
                }
            }
        }
        if let (Some(file), None) = (record, self.input) {
            printer.note(format_args!(
                "{NOTE}hint{NOTE:#}: nixpkgs 26.11 has no x86_64-darwin. In {file}, replace the line that reads splitter.lock.json with:"
            ));
            printer.note(format_args!("    {SYSTEMS}"));
        }
        Ok(first)
    }

    /// Returns the names of splitter's packages that are worth a name of their own.
    fn packages(&self) -> Vec<String> {
        self.apps.iter().map(|app| (*app).to_owned()).chain(["nodeModules".to_owned()]).collect()
    }

    /// Returns the names of splitter's checks: its packages, the libraries that they need, and scripts.
    fn checks(&self) -> Vec<String> {
        let graph = &self.split.graph;
        let needed = graph.closure_of(graph.apps().map(|(_, workspace)| &workspace.path));
        let libraries = graph.libraries().filter(|(_, workspace)| needed.contains(&workspace.path));
        let libraries = libraries.map(|(name, _)| Id::Library(name.to_owned()).package());
        let scripts = self.split.checks.values().flatten().map(|check| check.name.clone());
        self.packages().into_iter().chain(libraries).chain(scripts).collect()
    }

    /// Returns the advice for a flake that still uses the other layout.
    const fn replacement(&self) -> &'static str {
        if self.input.is_some() {
            "imports ./nix/splitter, whose Nix files were removed. Use `inputs.splitter.lib.mkSplit { inherit pkgs; root = ./.; }`, \
             or with flake-parts `inputs.splitter.flakeModules.default`"
        } else {
            "uses splitter as an input, but the Nix files are now in the repository. Use `import ./nix/splitter { inherit pkgs; \
             root = ./.; }`, or with flake-parts `./nix/splitter/flake-module.nix`"
        }
    }

    /// Prints the general form, for a flake that cannot be parsed.
    fn print_plain(&self, reason: &str, printer: Printer) {
        printer.note(format_args!(
            "{NOTE}flake.nix{NOTE:#} was not changed: {reason}. Take packages, checks and the dev shell from:"
        ));
        let function = if self.input.is_some() { "inputs.splitter.lib.mkSplit" } else { "import ./nix/splitter" };
        printer.note(format_args!("    ({function} {{ inherit pkgs; root = ./.; }}).outputs"));
        if let Some(url) = self.input {
            printer.note(format_args!("Add the input `inputs.splitter.url = \"{url}\";`."));
        }
        printer.note("where `pkgs` is the nixpkgs of each system. With flake-parts, import:");
        let module = if self.input.is_some() {
            "inputs.splitter.flakeModules.default"
        } else {
            "./nix/splitter/flake-module.nix"
        };
        printer.note(format_args!("    {module}"));
    }

    /// Prints the lines for a Nix expression, and returns the command that builds a package.
    fn print_expression(&self, name: &str, example: &str, printer: Printer) -> Result<String, Failure> {
        let uses = uses(self.tree, &RepoPath::root().child(name))?;
        if uses.folder.is_none() && uses.input.is_none() {
            let function = self.input.map_or("import ./nix/splitter", |_| "splitter.lib.mkSplit");
            printer.note(format_args!(
                "{NOTE}{name}{NOTE:#} was not changed, and no flake was written. Use the packages in {name} as:"
            ));
            printer.note(format_args!("    ({function} {{ inherit pkgs; root = ./.; }}).packages"));
        }
        Ok(match self.input {
            None => {
                format!("nix-build {} --arg pkgs 'import <nixpkgs> {{ }}' -A packages.{example}", templates::FOLDER)
            }
            Some(_) => format!("nix-build -A {example}"),
        })
    }
}

fn print_insertions(style: &str, text: &str, insertions: &[Insertion], printer: Printer) {
    printer.note(format_args!(
        "{NOTE}flake.nix{NOTE:#} was not changed. It uses {style}. To add splitter's outputs, save this diff to a file and run \
         `{BOLD}git apply FILE{BOLD:#}`:"
    ));
    printer.note("--- a/flake.nix\n+++ b/flake.nix");
    printer.note(diff(text, insertions).trim_end_matches('\n'));
}

/// Names the outputs that the diff does not add, and the expressions for splitter's.
fn print_kept(kept: &[Kept], printer: Printer) {
    if kept.is_empty() {
        return;
    }
    let names: Vec<&str> = kept.iter().map(|kept| kept.own.as_str()).collect();
    printer.note(format_args!(
        "{NOTE}not added{NOTE:#}, because your flake has them: {}. To reach splitter's, use:",
        names.join(", ")
    ));
    for kept in kept {
        printer.note(format_args!("    {}", kept.ours));
    }
}
