//! `cargo xtask bench`: the project's targets, measured on this machine.
//!
//! A time alone says little on a machine that nobody knows and that does other things as well. So each row runs what it
//! measures and what it is compared with in turns, A B A B, and its verdict is on the median of the ratios of neighbours.
//! All inputs are made here, the same on every machine: no run needs the network.

mod inputs;
mod measure;
mod rows;
mod scale;
mod server;

use std::process::Command;

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use splitter::nix::nar;

use self::{
    inputs::Inputs,
    measure::{Row, print_table},
};
use crate::{Result, paths, process};

/// What to measure.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    other: Option<Other>,
    /// Only rows whose name holds this text
    #[arg(value_name = "ROW")]
    only: Option<String>,
    /// Pairs of runs a row; those that take seconds are run a third as often
    #[arg(long, default_value_t = 21)]
    runs: usize,
    /// Another folder for the inputs (2 GB) than a temporary one below target/; it is kept
    #[arg(long, value_name = "DIR")]
    inputs: Option<Utf8PathBuf>,
}

/// Another benchmark than that of the targets.
#[derive(Subcommand)]
enum Other {
    /// How time and memory grow with the number of workspaces
    Scale(scale::Options),
}

/// The programs under test, built with optimisation.
struct Programs {
    splitter: Utf8PathBuf,
    /// This program, for what splitter does but has no command for.
    xtask: Utf8PathBuf,
    nix: Option<Utf8PathBuf>,
}

/// Builds, makes the inputs, measures, and prints the table.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(Other::Scale(options)) = &options.other {
        return scale::run(options);
    }
    let programs = build()?;
    let inputs = Inputs::make(options.inputs.as_deref(), &programs.splitter)?;
    let mut table = Vec::new();
    for (name, measure) in rows::ALL {
        if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        eprintln!("bench: {name}");
        match measure(&programs, &inputs, options.runs.max(1)) {
            Ok(row) => table.push(Row { name, ..row }),
            Err(error) => eprintln!("bench: WARNING: {name} is SKIPPED: {error}"),
        }
    }
    print_table(&table);
    Ok(())
}

/// `xtask nar-hash FOLDER`: the hash of a folder as the library makes it, for the row about `nix hash path`.
pub(crate) fn print_nar_hash(folder: &Utf8PathBuf) -> Result<()> {
    let hash = nar::hash(&nar::tree_of_folder(folder)?)?;
    println!("{}", hash.digest);
    Ok(())
}

fn build() -> Result<Programs> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--workspace", "--bins"]).current_dir(paths::project());
    process::run(&mut cargo)?;
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| "target".into(), Utf8PathBuf::from);
    let release = paths::project().join(target).join("release");
    Ok(Programs { splitter: release.join("splitter"), xtask: release.join("xtask"), nix: crate::nix::program() })
}
