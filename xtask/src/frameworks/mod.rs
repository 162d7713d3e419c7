//! `cargo xtask frameworks`: small apps of the frameworks that people use, installed from the registry, built by Nix,
//! started with an empty environment and asked.
//!
//! Each app of `frameworks/` becomes the monorepo of a user in a scratch folder: with one library, a lockfile that the
//! real package manager writes, and what `splitter init` writes. It needs the network, so it is no test of CI.

mod answer;
mod apps;
mod bounded;
mod built;
mod project;
mod table;

use std::{process::Command, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use fs_err as fs;

use self::{
    answer::Answer,
    apps::{App, Kind, Manager},
    built::{Nix, size},
    project::Project,
    table::{Outcome, Table},
};
use crate::{Result, paths, process, setup, tools};

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these apps of `frameworks/`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only with these package managers
    #[arg(long = "with", value_name = "MANAGER", value_enum)]
    managers: Vec<Manager>,
    /// Build and start without Nix and splitter, to see whether the apps themselves work
    #[arg(long, conflicts_with = "write")]
    plain: bool,
    /// Put the results into the table of docs/support.md
    #[arg(long)]
    write: bool,
    /// Keep the scratch folders, at DIR
    #[arg(long, value_name = "DIR")]
    keep: Option<Utf8PathBuf>,
}

/// What all runs share.
struct Bench {
    splitter: Utf8PathBuf,
    node: Utf8PathBuf,
    /// The folder of all runs.
    scratch: Utf8PathBuf,
    plain: bool,
    keep: bool,
}

/// Runs the apps, prints a line for each and the table at the end. Fails if one of them does not answer.
pub(crate) fn run(options: &Options) -> Result<()> {
    let apps = apps::load(&options.names)?;
    setup::run()?;
    let node = tools::install_node(&paths::tools_dir().join("frameworks"))?;
    let temporary = tempfile::tempdir()?;
    let scratch = match &options.keep {
        Some(folder) => std::path::absolute(folder)?,
        None => fs::canonicalize(temporary.path())?,
    };
    let scratch = Utf8PathBuf::from_path_buf(scratch).map_err(|_| "the scratch folder's path is not UTF-8")?;
    fs::create_dir_all(scratch.join("shared/home"))?;
    let (plain, keep) = (options.plain, options.keep.is_some());
    let splitter = if plain { Utf8PathBuf::new() } else { build_splitter()? };
    bounded::heed_signals()?;
    let bench = Bench { splitter, node, scratch, plain, keep };
    let mut table = Table::default();
    let mut failed = 0;
    for app in &apps {
        for manager in Manager::ALL.into_iter().filter(|manager| app.managers.contains(manager)) {
            if options.managers.is_empty() || options.managers.contains(&manager) {
                let outcome = bench.run(app, manager);
                if bounded::is_stopped() {
                    return Err("stopped by a signal; the table was not written".into());
                }
                failed += usize::from(!outcome.answered);
                table.add(app, manager, &outcome);
            }
        }
    }
    println!("{}", table.render(&apps));
    if options.write {
        table::write(table, &apps::load(&[])?)?;
    }
    if failed > 0 { Err(format!("{failed} apps did not answer").into()) } else { Ok(()) }
}

impl Bench {
    /// One app with one package manager, from the copy to the answer. Says on stderr how it went.
    fn run(&self, app: &App, manager: Manager) -> Outcome {
        let start = Instant::now();
        let root = self.scratch.join(format!("{}-{}", app.name, manager.title().replace(' ', "-").to_lowercase()));
        let mut outcome = Outcome::default();
        if let Err(error) = self.steps(app, manager, &root, &mut outcome) {
            outcome.problem = Some(error.to_string());
        }
        if !self.keep {
            remove(&root);
        }
        let verdict = if outcome.answered { "ok" } else { "FAILED" };
        eprintln!("{verdict}: {} with {} ({:.0} s)", app.name, manager.title(), start.elapsed().as_secs_f32());
        if let Some(problem) = &outcome.problem {
            eprintln!("  {}", problem.trim_end());
        }
        outcome
    }

    fn steps(&self, app: &App, manager: Manager, root: &Utf8Path, outcome: &mut Outcome) -> Result<()> {
        remove(root);
        let shared = self.scratch.join("shared");
        let project = Project::make(app, manager, root.to_owned(), &shared, &self.node)
            .map_err(|error| format!("cannot make the project: {error}"))?;
        project.install()?;
        let answer = if self.plain {
            project.build_plainly()?;
            outcome.built = true;
            ask_plainly(&project)?
        } else {
            project.split(&self.splitter)?;
            let nix = Nix::new(&project, &self.node)?;
            let package = nix.build(&app.name)?;
            outcome.built = true;
            let closure = nix.closure(&package)?;
            eprintln!("closure: {} with {}: {}: {}", app.name, manager.title(), size(closure.bytes), closure.largest);
            outcome.closure = Some(closure.bytes);
            ask(&project, &package)?
        };
        Answer { started: outcome.started, answered: outcome.answered, problem: outcome.problem } = answer;
        Ok(())
    }
}

/// Asks a package, from another folder, with nothing in the environment but the address.
fn ask(project: &Project<'_>, package: &Utf8Path) -> Result<Answer> {
    let app = project.app;
    let mut command = Command::new(package.join("bin").join(app.program()));
    command.env_clear().current_dir(project.root.join("elsewhere"));
    ask_with(project, command, package)
}

/// Asks what was built without Nix, in the app's folder, with its own script.
fn ask_plainly(project: &Project<'_>) -> Result<Answer> {
    let app = project.app;
    let folder = project.repo().join(project.workspace());
    let command = if let Some(file) = &app.compiled {
        let is_script = file.extension() == Some("js");
        let mut command = project.command(if is_script { "node".into() } else { folder.join(file) });
        command.args(is_script.then(|| folder.join(file))).current_dir(project.root.join("elsewhere"));
        command
    } else {
        let mut command = project.tool();
        command.args(["run", &app.script]).current_dir(&folder);
        command
    };
    ask_with(project, command, &folder.join(&app.output))
}

fn ask_with(project: &Project<'_>, mut command: Command, folder: &Utf8Path) -> Result<Answer> {
    let (app, log) = (project.app, project.log("run"));
    match app.kind {
        Kind::Server => answer::of_server(&mut command, &app.path, &app.expects(), &log),
        Kind::Site => answer::of_site(folder, &app.expects()),
        Kind::Command => Ok(answer::of_command(command.arg("name.txt"), &app.expects(), &log)),
    }
}

/// Builds splitter and returns its program.
fn build_splitter() -> Result<Utf8PathBuf> {
    process::run(
        Command::new(env!("CARGO")).args(["build", "--package", "nix-splitter"]).current_dir(paths::project()),
    )?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| "target".into(), Utf8PathBuf::from);
    Ok(paths::project().join(target).join("debug/splitter"))
}

/// Removes a folder that may hold a Nix store, which is read-only.
fn remove(folder: &Utf8Path) {
    if folder.exists() {
        let _ = process::run_silently(Command::new("chmod").args(["-R", "u+w", folder.as_str()]));
        if let Err(error) = fs::remove_dir_all(folder) {
            eprintln!("WARNING: {error}");
        }
    }
}
