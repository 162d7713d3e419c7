//! What is left to do after `init`: lines for the flake that is there, files that git does not track, the next commands.

use std::{collections::BTreeSet, process::Command};

use camino::Utf8Path;

use crate::{
    cli::{
        failure::Failure,
        printer::{BOLD, NOTE, Printer},
    },
    ending::output,
    repo::{RepoPath, Tree as _, TreeError, WorkTree, read_text},
    scaffold::{
        flake::{self, Insertion, Uses, Wanted, diff, uses},
        templates,
    },
};

/// What flakes of older versions have in place of `systems.nix`: all recorded systems, whatever nixpkgs has.
const SYSTEMS: &str = "systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;";

/// Nix without a flake.
const EXPRESSIONS: [&str; 2] = ["default.nix", "shell.nix"];

/// The Nix expression at the root of a repository, which makes a new flake unwanted.
pub(super) fn expression(tree: &WorkTree) -> Result<Option<&'static str>, TreeError> {
    for name in EXPRESSIONS {
        if tree.is_file(&RepoPath::root().child(name))? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// What the advice depends on.
pub(super) struct Advice<'a> {
    pub(super) tree: &'a WorkTree,
    pub(super) apps: &'a BTreeSet<&'a str>,
    /// The URL of splitter as an input of the flake.
    pub(super) input: Option<&'a str>,
    /// The repository's Nix expression, if there is no flake.
    pub(super) expression: Option<&'static str>,
}

impl Advice<'_> {
    pub(super) fn print(&self, printer: Printer) -> Result<(), Failure> {
        let example = self.apps.first().copied().unwrap_or("nodeModules");
        let next = match self.expression {
            None => {
                self.print_flake(printer)?;
                format!("nix build .#{example}")
            }
            Some(name) => self.print_expression(name, example, printer)?,
        };
        print_git(self.tree.root(), self.expression.is_none(), printer);
        printer.note(format_args!(
            "next: `{BOLD}{next}{BOLD:#}`, and after each change of the lockfile `{BOLD}splitter update-hash{BOLD:#}`"
        ));
        let ignores = read_text(self.tree, &RepoPath::root().child(".prettierignore"))?;
        if ignores.is_some_and(|text| !text.contains(templates::FOLDER)) {
            printer.note(format_args!("{NOTE}hint{NOTE:#}: add `{}/` to .prettierignore", templates::FOLDER));
        }
        Ok(())
    }

    /// The lines for the flake that is there, unless it has them.
    fn print_flake(&self, printer: Printer) -> Result<(), Failure> {
        let path = RepoPath::root().child("flake.nix");
        let Some(text) = read_text(self.tree, &path)? else { return Ok(()) };
        let Uses { folder, input, record } = uses(self.tree, &path)?;
        let (wanted, other) = if self.input.is_some() { (&input, &folder) } else { (&folder, &input) };
        if let (None, Some(file)) = (wanted, other) {
            printer.note(format_args!("{NOTE}{file}{NOTE:#}: {}", self.replacement()));
        } else if wanted.is_none() {
            let packages: Vec<String> =
                self.apps.iter().map(|app| (*app).to_owned()).chain(["nodeModules".to_owned()]).collect();
            match flake::advice(&text, Wanted { input: self.input, packages: &packages }) {
                flake::Advice::Insert { style, insertions } => print_insertions(style, &text, &insertions, printer),
                flake::Advice::Unknown { reason } => self.print_plain(reason, printer),
            }
        }
        if let (Some(file), None) = (record, self.input) {
            printer.note(format_args!(
                "{NOTE}hint{NOTE:#}: nixpkgs 26.11 has no x86_64-darwin; in {file}, replace the line that reads splitter.lock.json with"
            ));
            printer.note(format_args!("    {SYSTEMS}"));
        }
        Ok(())
    }

    /// What to do about a flake that takes splitter in the other way.
    const fn replacement(&self) -> &'static str {
        if self.input.is_some() {
            "imports ./nix/splitter, whose Nix files are gone. Use `inputs.splitter.lib.mkSplit { inherit pkgs; root = ./.; }`, \
             or with flake-parts `inputs.splitter.flakeModules.default`"
        } else {
            "uses splitter as an input, and its Nix files are in the repository now. Use `import ./nix/splitter { inherit pkgs; \
             root = ./.; }`, or with flake-parts `./nix/splitter/flake-module.nix`"
        }
    }

    /// The plain form, for a flake that cannot be read.
    fn print_plain(&self, reason: &str, printer: Printer) {
        printer.note(format_args!(
            "{NOTE}flake.nix{NOTE:#} is yours and was left alone: {reason}. Take packages, checks and dev shell from"
        ));
        let function = if self.input.is_some() { "inputs.splitter.lib.mkSplit" } else { "import ./nix/splitter" };
        printer.note(format_args!("    ({function} {{ inherit pkgs; root = ./.; }}).outputs"));
        if let Some(url) = self.input {
            printer.note(format_args!("with the input `inputs.splitter.url = \"{url}\";`"));
        }
        printer.note("for the nixpkgs of each system. With flake-parts, import");
        let module = if self.input.is_some() {
            "inputs.splitter.flakeModules.default"
        } else {
            "./nix/splitter/flake-module.nix"
        };
        printer.note(format_args!("    {module}"));
    }

    /// The lines for a Nix expression; what builds a package with it.
    fn print_expression(&self, name: &str, example: &str, printer: Printer) -> Result<String, Failure> {
        let uses = uses(self.tree, &RepoPath::root().child(name))?;
        if uses.folder.is_none() && uses.input.is_none() {
            let function = self.input.map_or("import ./nix/splitter", |_| "splitter.lib.mkSplit");
            printer.note(format_args!(
                "{NOTE}{name}{NOTE:#} is yours and was left alone; there is no flake. In it, the packages are"
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
        "{NOTE}flake.nix{NOTE:#} is yours and was left alone. For its {style}, these lines add splitter's outputs:"
    ));
    printer.note("--- a/flake.nix\n+++ b/flake.nix");
    printer.note(diff(text, insertions).trim_end());
}

/// A flake in a git repository sees only files that git tracks.
fn print_git(root: &Utf8Path, has_flake: bool, printer: Printer) {
    let paths = ["flake.nix", templates::FOLDER];
    match untracked(root, &paths) {
        GitState::NoRepository if has_flake => printer.note(format_args!(
            "{NOTE}git{NOTE:#}: this is not a git repository. Nix then copies the whole folder at every command, \
             node_modules included; `git init` makes it one"
        )),
        GitState::Untracked(files) if has_flake && !files.is_empty() => printer.note(format_args!(
            "{NOTE}git{NOTE:#}: a flake sees only tracked files, so run `{BOLD}git add --intent-to-add {}{BOLD:#}`",
            files.join(" ")
        )),
        _ => {}
    }
}

enum GitState {
    /// Those of the paths that hold files which git does not track.
    Untracked(Vec<String>),
    NoRepository,
    /// Git is not there, or did not say.
    Unknown,
}

fn untracked(root: &Utf8Path, paths: &[&str]) -> GitState {
    let git = |arguments: &[&str]| output(Command::new("git").arg("-C").arg(root).args(arguments));
    match git(&["rev-parse", "--is-inside-work-tree"]) {
        Ok(output) if output.status.success() => {}
        Ok(_) => return GitState::NoRepository,
        Err(_) => return GitState::Unknown,
    }
    let mut arguments = vec!["ls-files", "--others", "-z", "--"];
    arguments.extend(paths);
    match git(&arguments) {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let has = |path: &&str| text.split('\0').any(|file| file == *path || file.starts_with(&format!("{path}/")));
            GitState::Untracked(paths.iter().copied().filter(|path| has(path)).map(str::to_owned).collect())
        }
        _ => GitState::Unknown,
    }
}
