//! What is left to do after `init`: lines for a flake of one's own, files that git does not track, the next commands.

use std::{collections::BTreeSet, process::Command};

use camino::Utf8Path;

use crate::{
    cli::{
        failure::Failure,
        printer::{BOLD, NOTE, Printer},
    },
    ending::output,
    repo::{RepoPath, WorkTree, read_text},
    scaffold::templates,
};

/// The two lines that a flake of one's own needs.
const LINES: &str = "    imports = [ ./nix/splitter ];
    systems = import ./nix/splitter/systems.nix inputs.nixpkgs.lib;";

/// What flakes of older versions have in place of the second line: all recorded systems, whatever nixpkgs has.
const OLD_SYSTEMS: &str = "(builtins.readFile ./nix/splitter/splitter.lock.json)";

pub(super) fn print(tree: &WorkTree, had_flake: bool, apps: &BTreeSet<&str>, printer: Printer) -> Result<(), Failure> {
    let flake = read_text(tree, &RepoPath::root().child("flake.nix"))?;
    let imports = flake.as_ref().is_some_and(|text| text.contains(templates::FOLDER));
    if had_flake && !imports {
        printer.note(format_args!(
            "{NOTE}flake.nix{NOTE:#} is yours and was left alone. Add to its flake-parts.lib.mkFlake:"
        ));
        printer.note(LINES);
    }
    if flake.is_some_and(|text| text.contains(OLD_SYSTEMS)) {
        printer.note(format_args!(
            "{NOTE}hint{NOTE:#}: nixpkgs 26.11 has no x86_64-darwin; in flake.nix, replace the line that reads splitter.lock.json with"
        ));
        printer.note(format_args!("    {}", LINES.lines().last().unwrap_or_default().trim_start()));
    }
    print_git(tree.root(), printer);
    let example = apps.first().copied().unwrap_or("nodeModules");
    printer.note(format_args!("next: `{BOLD}nix build .#{example}{BOLD:#}`, and after each change of the lockfile `{BOLD}splitter update-hash{BOLD:#}`"));
    let ignores = read_text(tree, &RepoPath::root().child(".prettierignore"))?;
    if ignores.is_some_and(|text| !text.contains(templates::FOLDER)) {
        printer.note(format_args!("{NOTE}hint{NOTE:#}: add `{}/` to .prettierignore", templates::FOLDER));
    }
    Ok(())
}

/// A flake in a git repository sees only files that git tracks.
fn print_git(root: &Utf8Path, printer: Printer) {
    let paths = ["flake.nix", templates::FOLDER];
    match untracked(root, &paths) {
        GitState::NoRepository => printer.note(format_args!(
            "{NOTE}git{NOTE:#}: this is not a git repository. Nix then copies the whole folder at every command, \
             node_modules included; `git init` makes it one"
        )),
        GitState::Untracked(0) | GitState::Unknown => {}
        GitState::Untracked(_) => printer.note(format_args!(
            "{NOTE}git{NOTE:#}: a flake sees only tracked files, so run `{BOLD}git add --intent-to-add {}{BOLD:#}`",
            paths.join(" ")
        )),
    }
}

enum GitState {
    /// How many of the files git does not track.
    Untracked(usize),
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
            GitState::Untracked(output.stdout.split(|byte| *byte == 0).count() - 1)
        }
        _ => GitState::Unknown,
    }
}
