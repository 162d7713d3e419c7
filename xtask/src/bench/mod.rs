//! `cargo xtask bench`: measures the project's targets on this machine.
//!
//! Absolute times say little on an unknown and busy machine. So each row runs splitter and its rival in turns, A B A B, and
//! judges the median of the ratios of neighbours. All inputs are generated and the same on every machine, and no run needs
//! the network.

pub(crate) mod caches;
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

/// Options of `cargo xtask bench`
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    other: Option<Other>,
    /// Measure only rows whose name contains this text
    #[arg(value_name = "ROW")]
    only: Option<String>,
    /// Pairs of runs per row; rows that take seconds get a third of it
    #[arg(long, default_value_t = 21)]
    runs: usize,
    /// Keep the inputs (2 GB) in this folder instead of a temporary one below target/
    #[arg(long, value_name = "DIR")]
    inputs: Option<Utf8PathBuf>,
}

/// Other benchmarks.
#[derive(Subcommand)]
enum Other {
    /// Measure how time and memory grow with the number of workspaces
    Scale(scale::Options),
}

/// The programs under test, built in release mode.
struct Programs {
    splitter: Utf8PathBuf,
    /// This program, for functions of splitter's library that have no command.
    xtask: Utf8PathBuf,
    nix: Option<Utf8PathBuf>,
}

/// Builds the programs, generates the inputs, measures, and prints the table.
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

/// Prints the library's NAR hash of a folder, for comparison with `nix hash path`.
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
