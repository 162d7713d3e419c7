//! `cargo xtask`: set-up and checks of the project.
//!
//! The tests run real package managers and a real Nix. On a machine with only Rust, the set-up installs pinned and checked
//! versions into a folder of the project. Outside of that folder, it only installs missing Debian packages.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers: printing is its work")]

mod bench;
mod book;
mod frameworks;
mod linters;
mod memory;
mod nix;
mod packages;
mod paths;
mod process;
mod release;
mod setup;
mod test;
mod tools;

use std::{error::Error, process::ExitCode};

use camino::Utf8PathBuf;
use clap::Parser;

/// A result whose error is only a text for the developer.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Set-up and checks of the project
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Install the tools for the tests: Bun, Yarn, Node and Nix, into target/tools or `SPLITTER_TOOLS_DIR`
    Setup,
    /// Install the tools and run all tests (with CI=true: the same as `ci`)
    Test {
        /// Arguments for `cargo test`, such as the name of a test
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check formatting and lints, and run all tests; a skipped test is a failure
    Ci,
    /// Build the documentation as a book into target/book, and check its links
    Book,
    /// Measure splitter against its targets on generated inputs, and print a table (takes minutes and 3 GB of disk)
    Bench(bench::Options),
    /// Install, build, start and ask the apps of frameworks/ (needs the network, root and Nix; all take an hour)
    Frameworks(frameworks::Options),
    /// Check that a version can be released, and print its notes: see docs/releasing.md
    Release(release::Options),
    /// Print the NAR hash of a folder, for the benchmark
    #[command(hide = true)]
    NarHash {
        /// The folder
        folder: Utf8PathBuf,
    },
    /// Ask a generated binary cache for all its paths, for the benchmark
    #[command(hide = true)]
    CacheSurvey {
        /// The address
        url: String,
    },
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Setup => setup::run(),
        Command::Test { args } if is_ci() => test::strictly(&args),
        Command::Test { args } => test::leniently(&args),
        Command::Ci => test::strictly(&[]),
        Command::Book => book::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Frameworks(options) => frameworks::run(&options),
        Command::Release(options) => release::run(&options),
        Command::CacheSurvey { url } => bench::caches::print_survey(&url),
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
