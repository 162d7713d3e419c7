//! The command line: one file for each command. Only this module prints.

mod arguments;
mod bench;
mod build;
mod cache;
mod changes;
mod check;
mod ci;
mod demo;
mod dev;
mod doctor;
mod explain;
mod failure;
mod fetching;
mod formats;
mod graph;
mod hook;
mod images;
mod init;
mod interrupt;
mod link;
mod lint;
mod manual;
mod memory;
mod printer;
mod progress;
mod recorder;
mod repository;
mod reproduce;
mod scan;
mod size;
mod stats;
mod style;
mod table;
mod text;
mod trace;
mod traced;
mod tune;
mod update_hash;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::{
    Layer as _,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use self::{
    arguments::{Arguments, Command},
    failure::{Failure, Outcome},
    printer::Printer,
};

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::usage(error),
    };
    let printer = Printer::new(arguments.global.quiet);
    failure::end_panics_as_bugs();
    start_tracing(arguments.global.verbose, printer);
    interrupt::install();
    let outcome = run(&arguments, printer);
    interrupt::heed();
    match outcome {
        Ok(outcome) => outcome.end(printer),
        Err(failure) => failure.report(printer),
    }
}

/// Returns the grammar of the command line. A test of the documentation reads commands with it.
pub fn grammar() -> clap::Command {
    Arguments::command()
}

fn run(arguments: &Arguments, printer: Printer) -> Result<Outcome, Failure> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Scan(options) => scan::run(global, options, printer),
        Command::Init(options) => init::run(global, options, printer),
        Command::UpdateHash(options) => update_hash::run(global, options, printer),
        Command::Check(options) => check::run(global, options, printer),
        Command::Explain(options) => explain::run(global, options, printer),
        Command::Graph(options) => graph::run(global, options, printer),
        Command::Verify(options) => verify::run(global, options, printer),
        Command::Build(options) => build::run(global, options, printer),
        Command::Bench(options) => bench::run(global, options, printer),
        Command::Size(options) => size::run(global, options, printer),
        Command::Stats(options) => stats::run(global, options, printer),
        Command::Reproduce(options) => reproduce::run(global, options, printer),
        Command::Images(options) => images::run(global, options, printer),
        Command::Cache(command) => cache::run(global, command, printer),
        Command::Trace(options) => trace::run(global, options, printer),
        Command::Dev(command) => dev::run(global, command, printer),
        Command::Link(options) => link::run(global, options),
        Command::Ci(command) => ci::run(global, command, printer),
        Command::Doctor(options) => doctor::run(global, options, printer),
        Command::Tune(options) => tune::run(global, options, printer),
        Command::Lint(options) => lint::run(global, options, printer),
        Command::Hook(command) => hook::run(global, command, printer),
        Command::Demo(options) => demo::run(options, printer),
        Command::Completions(options) => Ok(manual::completions(options, printer)),
        Command::Man(options) => manual::man(options, printer),
    }
}

/// Libraries whose messages `-vv` leaves out.
const FRAMES: [&str; 3] = ["h2", "hyper", "hyper_util"];

/// Starts the log: `-v` shows splitter's own messages, `-vv` also those of its libraries.
fn start_tracing(verbose: u8, printer: Printer) {
    let targets = match verbose {
        // No filter at all: it would be the slowest part of the start.
        0 => return,
        1 => Targets::new().with_target("splitter", LevelFilter::DEBUG),
        // HTTP/2 frames are too many, and can contain a token.
        _ => Targets::new().with_default(LevelFilter::DEBUG).with_targets(FRAMES.map(|name| (name, LevelFilter::OFF))),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || printer.log())
        .with_ansi(printer.draws_colour())
        .without_time()
        // It reports a closed stderr with `eprintln!`, which panics.
        .log_internal_errors(false);
    tracing_subscriber::registry().with(lines.with_filter(targets)).init();
}
