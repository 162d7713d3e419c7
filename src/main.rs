//! The `splitter` program. All code is in the library: see [`splitter::cli`].
use std::process::ExitCode;

fn main() -> ExitCode {
    splitter::cli::main()
}
