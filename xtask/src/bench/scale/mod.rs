//! `cargo xtask bench scale`: measures how time and memory grow with the number of workspaces.

mod shapes;

use std::{io::Write as _, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use fs_err as fs;

use self::shapes::Shape;
use super::{
    build,
    inputs::{commit, place},
    measure::{Growth, alone, print_growth},
    rows::{nix_command, nix_eval_arguments},
    server::Server,
};
use crate::{Result, process};

/// Options of `cargo xtask bench scale`
#[derive(Args)]
pub(crate) struct Options {
    /// Numbers of workspaces
    #[arg(value_name = "WORKSPACES", default_values_t = [500, 1000, 2000])]
    sizes: Vec<usize>,
    /// Runs of each command
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Keep the repositories in this folder instead of a temporary one below target/
    #[arg(long, value_name = "DIR")]
    inputs: Option<Utf8PathBuf>,
    /// Measure this program instead of building one
    #[arg(long, value_name = "PROGRAM")]
    splitter: Option<Utf8PathBuf>,
}

/// Generates the repositories, measures, and prints the table.
pub(super) fn run(options: &Options) -> Result<()> {
    let splitter = match &options.splitter {
        Some(chosen) => chosen.canonicalize_utf8()?,
        None => build()?.splitter,
    };
    let nix = crate::nix::program();
    let (root, _folder) = place(options.inputs.as_deref())?;
    let tarballs = root.join("tarballs");
    let integrities = shapes::tarballs(&tarballs)?;
    let server = Server::start(&tarballs)?;
    let mut table = Vec::new();
    for shape in Shape::ALL {
        for size in &options.sizes {
            let repository = root.join(format!("{}-{size}", shape.name()));
            let _ = fs::remove_dir_all(&repository);
            shapes::repository(&repository, shape, *size, &integrities)?;
            let bench = Bench {
                splitter: &splitter,
                nix: nix.as_deref(),
                server: &server.url,
                cache: root.join("cache"),
                scratch: root.join("scratch"),
                repository,
                runs: options.runs.max(1),
            };
            process::run_silently(&mut bench.command(&["init"]))?;
            commit(&bench.repository)?;
            for (command, measure) in COMMANDS {
                match measure(&bench) {
                    Ok((times, memory)) => {
                        let row = Growth { command, shape: shape.name(), size: *size, times, memory };
                        eprintln!("bench: {command}, {}, {size} workspaces: {}", row.shape, row.cell());
                        table.push(row);
                    }
                    Err(error) => eprintln!("bench: WARNING: {command} is SKIPPED: {error}"),
                }
            }
        }
    }
    print_growth(&table);
    Ok(())
}

type Measured = Result<(Vec<std::time::Duration>, Option<u64>)>;

type Measure = fn(&Bench<'_>) -> Measured;

const COMMANDS: [(&str, Measure); 6] = [
    ("scan", |bench| bench.time(&["scan"])),
    ("scan --json", |bench| bench.time(&["scan", "--json"])),
    ("check, the first time", |bench| bench.check()),
    ("explain, an edit of what all are built from", |bench| bench.explain()),
    ("graph", |bench| bench.time(&["graph"])),
    ("nix eval of all packages and libraries", |bench| bench.nix_eval()),
];

/// A repository, and the settings for its measurements.
struct Bench<'a> {
    splitter: &'a Utf8Path,
    nix: Option<&'a Utf8Path>,
    server: &'a str,
    cache: Utf8PathBuf,
    scratch: Utf8PathBuf,
    repository: Utf8PathBuf,
    runs: usize,
}

impl Bench<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.splitter);
        command.args(args).current_dir(&self.repository);
        command.env("SPLITTER_CACHE_DIR", &self.cache).env("npm_config_registry", self.server);
        command
    }

    fn time(&self, args: &[&str]) -> Measured {
        alone(self.runs, &mut || Ok(self.command(args)))
    }

    /// Without the remembered results of earlier checks.
    fn check(&self) -> Measured {
        alone(self.runs, &mut || {
            let _ = fs::remove_dir_all(self.cache.join("checked"));
            Ok(self.command(&["check"]))
        })
    }

    fn explain(&self) -> Measured {
        let file = self.repository.join(shapes::EDITED);
        let before = fs::read(&file)?;
        writeln!(fs::OpenOptions::new().append(true).open(&file)?, "export const edited = 1;")?;
        let measured = self.time(&["explain"]);
        fs::write(&file, before)?;
        measured
    }

    /// The checks are all packages and the libraries that they need.
    fn nix_eval(&self) -> Measured {
        let nix = self.nix.ok_or("Nix not found; run `cargo xtask setup` to install it")?;
        let args = nix_eval_arguments("checks");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        alone(self.runs, &mut || Ok(nix_command(nix, &self.repository, &args, &self.scratch)))
    }
}
