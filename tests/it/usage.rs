//! The help, the version, and options that are wrong.

use crate::support::{TestContext, splitter_snapshot, succeed};

#[test]
fn help_names_every_command_and_exit_code() {
    let context = TestContext::new();
    splitter_snapshot!(context, context.splitter(&["-h"]), @"
    exit: 0
    ----- stdout
    Build a Bun or Yarn monorepo with Nix, and rebuild only what changed

    Usage: splitter [OPTIONS] <COMMAND>

    Commands:
      scan         Show how the repository is split, without writing anything
      init         Write the flake and the hashes
      update-hash  Update the hashes after a change to the lockfile
      check        Check that the recorded hashes match the lockfile
      explain      Show what a change rebuilds, and which file or package causes it
      graph        Draw the build graph as Mermaid or SVG
      verify       Check that Nix rebuilds what splitter expects after each edit, and nothing else
      build        Build packages with Nix, and say what to change where a build fails
      bench        Measure the builds of this repository against the usual build, and write a report
      size         Show how large each package is with all that it needs to run, and why
      stats        Show how long builds took over time, what was built again, and why
      trace        Find files that a build looks for and does not get, or gets and never reads
      reproduce    Build packages twice, and show which files differ and why
      images       Show the layers of container images, and send images to a registry
      dev          Start databases and apps for development, with the programs that the builds use
      link         Put the packages of the Nix build into this checkout, without an install
      cache        Show what binary caches have, and push to them
      ci           Write the workflow of your CI system, and plan its jobs
      doctor       Find what slows builds down or makes them fail, and say what mends it
      tune         Show settings of Nix that suit this computer, and why
      lint         Find what makes Nix builds slow or wrong, in flakes, workflows and Dockerfiles
      hook         Manage the git hook that stops commits with stale hashes
      demo         Try these commands on a sample monorepo
      completions  Print completions for a shell
      man          Print the man page, or write the pages of all commands
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --repo <DIR>  The repository, or a folder in it [default: the current folder]
      -q, --quiet       Print only results and errors
      -v, --verbose...  Print more details (repeat for even more)

    Exit codes:
      0    success
      1    a check found a difference, or a build failed
      2    wrong input: a file or an option must be corrected
      3    the environment lacks something (network, Nix, disk), or stdout cannot be written
      70   a bug in splitter
      129, 130, 143
           ended by a signal (HUP, Ctrl-C, TERM)

    Examples:
      splitter scan
          Show how this repository is split. This writes nothing, so start here
      splitter init
          Write the flake and the hashes
    ----- stderr
    ");
}

#[test]
fn the_version_is_one_line() {
    let context = TestContext::new();
    assert_eq!(succeed(&mut context.splitter(&["--version"])), format!("splitter {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_use_exits_with_two() {
    let context = TestContext::new();
    splitter_snapshot!(context, context.splitter(&["scam"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: unrecognized subcommand 'scam'

      tip: a similar subcommand exists: 'scan'

    Usage: splitter [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    splitter_snapshot!(context, context.splitter(&["init", "--system", "riscv64-linux"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: invalid value 'riscv64-linux' for '--system <SYSTEM>': unknown system `riscv64-linux`; expected aarch64-darwin, aarch64-linux, x86_64-darwin or x86_64-linux

    For more information, try '--help'.
    ");
    splitter_snapshot!(context, context.splitter(&["update-hash", "--jobs", "0"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: invalid value '0' for '--jobs <N>': number would be zero for non-zero type

    For more information, try '--help'.
    ");
    splitter_snapshot!(context, context.splitter(&["scan", "-q", "-v"]), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: the argument '--quiet' cannot be used with '--verbose...'

    Usage: splitter scan --quiet

    For more information, try '--help'.
    ");
}
