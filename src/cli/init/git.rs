//! Advice about git after `init`: files that it does not track, and links that it should ignore.

use std::{
    io,
    process::{Command, Output},
};

use camino::Utf8Path;

use crate::{
    cli::printer::Printer,
    cli::style::{BOLD, NOTE},
    ending::output,
    names::SETTINGS,
    repo::Git,
    scaffold::templates,
};

/// Prints advice about git, because a flake sees only files that git tracks.
pub(super) fn print(root: &Utf8Path, has_flake: bool, printer: Printer) {
    let paths = ["flake.nix", templates::FOLDER, SETTINGS];
    match untracked(root, &paths) {
        GitState::NoRepository if has_flake => printer.note(format_args!(
            "{NOTE}git{NOTE:#}: this is not a git repository, so every nix command copies the whole folder, including \
             node_modules; run `{BOLD}git init{BOLD:#}`"
        )),
        GitState::Untracked(files) if has_flake && !files.is_empty() => printer.note(format_args!(
            "{NOTE}git{NOTE:#}: Nix sees only files that git tracks; run `{BOLD}git add --intent-to-add {}{BOLD:#}` (it stages no \
             content)",
            files.join(" ")
        )),
        GitState::OtherOwner => printer.warning(
            "git does not use this repository, because it belongs to another user (\"dubious ownership\"); Nix does not either",
        ),
        _ => {}
    }
}

/// Returns files of splitter that git does not track: a flake does not see them. Without git, it sees all.
pub(in crate::cli) fn untracked_files(root: &Utf8Path) -> Vec<String> {
    match untracked(root, &["flake.nix", templates::FOLDER, SETTINGS]) {
        GitState::Untracked(files) => files,
        GitState::NoRepository | GitState::OtherOwner | GitState::Unknown => Vec::new(),
    }
}

enum GitState {
    /// Paths with files that git does not track.
    Untracked(Vec<String>),
    NoRepository,
    /// Git refuses it.
    OtherOwner,
    /// Git is missing or failed.
    Unknown,
}

fn untracked(root: &Utf8Path, paths: &[&str]) -> GitState {
    match git(root, &["rev-parse", "--is-inside-work-tree"]) {
        Ok(output) if output.status.success() => {}
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("dubious ownership") => {
            return GitState::OtherOwner;
        }
        Ok(_) => return GitState::NoRepository,
        Err(_) => return GitState::Unknown,
    }
    let mut arguments = vec!["ls-files", "--others", "-z", "--"];
    arguments.extend(paths);
    match git(root, &arguments) {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let has = |path: &&str| text.split('\0').any(|file| file == *path || file.starts_with(&format!("{path}/")));
            GitState::Untracked(paths.iter().copied().filter(|path| has(path)).map(str::to_owned).collect())
        }
        _ => GitState::Unknown,
    }
}

/// Advises to ignore the link to the last build, which `nix build` leaves in the working tree.
pub(super) fn print_result(root: &Utf8Path, printer: Printer) {
    // The exit code is 1 if no rule ignores the path, and above it without a repository.
    let is_listed =
        git(root, &["check-ignore", "--quiet", "result"]).is_ok_and(|output| output.status.code() == Some(1));
    if is_listed {
        printer.note(format_args!(
            "{NOTE}hint{NOTE:#}: add `result` and `result-*` to .gitignore; `nix build` makes these links"
        ));
    }
}

fn git(root: &Utf8Path, arguments: &[&str]) -> io::Result<Output> {
    Git::at(root).check().map_err(io::Error::other)?;
    // The messages of git are read, so they must not be translated.
    output(Command::new("git").env("LANGUAGE", "C").arg("-C").arg(root).args(arguments))
}
