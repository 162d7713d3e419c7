//! `splitter demo`: runs the commands on a bundled sample monorepo, and explains each step.

mod builds;
mod sample;

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{
    arguments::{
        CheckOptions, DemoManager, DemoOptions, FetchingOptions, Global, InitOptions, ScanOptions, UpdateHashOptions,
    },
    check,
    failure::{Failure, Outcome},
    init,
    printer::Printer,
    scan,
    style::{BOLD, DIM},
    update_hash,
};
use crate::{
    diagnostic::{Category, Diagnose},
    ending,
    fetch::DEFAULT_JOBS,
    nix::command::Nix,
};

pub(super) fn run(options: &DemoOptions, printer: Printer) -> Result<Outcome, Failure> {
    let temporary;
    let folder = if let Some(folder) = &options.folder {
        new_folder(folder)?
    } else {
        temporary = ending::Folder::in_temporary("splitter-demo-").map_err(DemoError::Disk)?;
        Utf8PathBuf::from_path_buf(temporary.path().to_owned()).map_err(DemoError::NotUtf8)?
    };
    let global = Global { repo: Some(folder.clone()), quiet: false, verbose: 0 };
    let demo = Demo { manager: options.manager, global, folder, is_kept: options.folder.is_some(), printer };
    demo.scaffold()?;
    demo.edit_source()?;
    demo.bump_dependency()?;
    match Nix::find() {
        Some(nix) => builds::show(&nix.with_options(&options.nix_options), &demo)?,
        None => demo.say("Nix is not installed, so the builds are skipped."),
    }
    demo.say("In your own repository, run:");
    for (command, when) in [
        ("splitter init", "once"),
        ("splitter update-hash", "after each change to the lockfile"),
        ("splitter check", "before a commit, and in CI"),
    ] {
        printer.data(format_args!("  {BOLD}{command:<22}{BOLD:#} {DIM}{when}{DIM:#}"));
    }
    if demo.is_kept {
        demo.say(&format!("The sample is in {}.", demo.folder));
    }
    Ok(Outcome::Done)
}

/// A run of the demo.
struct Demo {
    manager: DemoManager,
    global: Global,
    folder: Utf8PathBuf,
    /// Whether the folder is kept at the end.
    is_kept: bool,
    printer: Printer,
}

impl Demo {
    fn scaffold(&self) -> Result<(), Failure> {
        let manager = self.manager.name();
        self.say(&format!("A sample monorepo with two apps and two libraries, and a lockfile of {manager}:"));
        self.manager.at_first()?.write(&self.folder)?;
        self.git(&["init", "--quiet"]);
        self.command("splitter scan");
        scan::run(&self.global, &ScanOptions { apps: Vec::new(), json: false }, self.printer)?;
        self.command("splitter init");
        let options = InitOptions {
            apps: Vec::new(),
            systems: Vec::new(),
            input: None,
            direnv: false,
            just: false,
            no_hook: true,
            fetching: online(),
        };
        init::run(&self.global, &options, self.printer)?;
        self.git(&["add", "--all"]);
        self.check("fresh", Outcome::Agreement)
    }

    fn edit_source(&self) -> Result<(), Failure> {
        self.say(&format!(
            "Edit a source file ({}). The dependencies are the same, so the hashes are still fresh:",
            sample::SOURCE
        ));
        append(&self.folder.join(sample::SOURCE), sample::EDIT)?;
        self.check("fresh", Outcome::Agreement)
    }

    fn bump_dependency(&self) -> Result<(), Failure> {
        let bump = self.manager.bump();
        self.say(&format!("Update a dependency, as `{bump}` does, without updating the hashes. `check` reports it:"));
        self.manager.bumped()?.write(&self.folder)?;
        self.check("stale", Outcome::Difference)?;
        self.say("`update-hash` downloads the new package and updates the hashes:");
        self.command("splitter update-hash");
        let options = UpdateHashOptions { preload: false, fetching: online() };
        update_hash::run(&self.global, &options, self.printer)?;
        self.check("fresh", Outcome::Agreement)
    }

    /// Runs `check`, and fails if its result differs from what the demo announces.
    fn check(&self, name: &'static str, expected: Outcome) -> Result<(), Failure> {
        self.command("splitter check");
        let outcome = check::run(&self.global, &CheckOptions::default(), self.printer)?;
        if outcome == expected { Ok(()) } else { Err(DemoError::Unexpected(name).into()) }
    }

    fn say(&self, text: &str) {
        self.printer.data(format_args!("\n{BOLD}{text}{BOLD:#}"));
    }

    fn command(&self, text: &str) {
        self.printer.data(format_args!("\n{DIM}$ {text}{DIM:#}"));
    }

    /// Runs git, if it is installed. Without it Nix reads the flake as a plain folder.
    fn git(&self, arguments: &[&str]) {
        let _ = ending::output(Command::new("git").arg("-C").arg(&self.folder).args(arguments));
    }
}

fn online() -> FetchingOptions {
    FetchingOptions { offline: false, jobs: DEFAULT_JOBS }
}

fn new_folder(folder: &Utf8Path) -> Result<Utf8PathBuf, DemoError> {
    let is_used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_used || folder.is_file() {
        return Err(DemoError::Used(folder.to_owned()));
    }
    fs::create_dir_all(folder).map_err(DemoError::Disk)?;
    let folder = fs::canonicalize(folder).map_err(DemoError::Disk)?;
    Utf8PathBuf::from_path_buf(folder).map_err(DemoError::NotUtf8)
}

fn append(path: &Utf8Path, text: &str) -> Result<(), DemoError> {
    let content = fs::read_to_string(path).map_err(DemoError::Disk)?;
    fs::write(path, content + text).map_err(DemoError::Disk)
}

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("`{0}` exists and is not empty; expected a new or empty folder")]
    Used(Utf8PathBuf),
    #[error("could not create the sample: {0}")]
    Disk(std::io::Error),
    #[error("the path `{0}` is not UTF-8")]
    NotUtf8(std::path::PathBuf),
    #[error("expected `{0}` from `splitter check`")]
    Unexpected(&'static str),
    #[error("expected only `{expected}` to be rebuilt, found `{found}`")]
    Rebuilt { expected: &'static str, found: String },
}

impl Diagnose for DemoError {
    fn category(&self) -> Category {
        match self {
            Self::Used(_) => Category::Input,
            Self::Disk(_) | Self::NotUtf8(_) => Category::Environment,
            Self::Unexpected(_) | Self::Rebuilt { .. } => Category::Bug,
        }
    }
}
