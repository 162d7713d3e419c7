//! `cargo xtask`: set-up and checks of the project.
//!
//! The tests drive the real package managers and a real Nix. A machine with nothing but Rust gets them here, pinned and
//! checked, into a folder of the project; nothing of the machine itself is changed but missing Debian packages.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers: printing is its work")]

mod bench;
mod frameworks;
mod nix;
mod paths;
mod process;
mod setup;
mod test;
mod tools;

use std::{error::Error, process::ExitCode};

use camino::Utf8PathBuf;
use clap::Parser;

/// What goes wrong here is shown to a developer and nothing else, so its text is all there is to it.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Set-up and checks of the project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Installs what the tests drive: Bun, Yarn, Node and Nix, under target/tools (or `SPLITTER_TOOLS_DIR`).
    Setup,
    /// Sets up, then runs every test there is. With CI=true it does what `ci` does.
    Test {
        /// Handed on to `cargo test`, such as a test's name.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Formatting, lints, then every test; a skipped one is a failure.
    Ci,
    /// Measures splitter against its targets, on inputs made here, and prints a table. Takes minutes, and 3 GB of disk.
    Bench(bench::Options),
    /// Installs, builds, starts and asks the apps of frameworks/. Needs the network, root and Nix; takes an hour for all.
    Frameworks(frameworks::Options),
    /// Prints the NAR hash of a folder, for the benchmark.
    #[command(hide = true)]
    NarHash {
        /// The folder.
        folder: Utf8PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Setup => setup::run(),
        Command::Test { args } if is_ci() => test::strictly(&args),
        Command::Test { args } => test::leniently(&args),
        Command::Ci => test::strictly(&[]),
        Command::Bench(options) => bench::run(&options),
        Command::Frameworks(options) => frameworks::run(&options),
        Command::NarHash { folder } => bench::print_nar_hash(&folder),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
