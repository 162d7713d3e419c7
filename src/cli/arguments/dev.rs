//! The arguments of `splitter dev` and `splitter link`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DevCommand {
    /// Start the services and processes of splitter.json
    #[command(after_help = examples! {
        "splitter dev up" => "Start everything, until Ctrl-C",
        "splitter dev up api" => "Start the process `api`, and the services that it needs",
    })]
    Up(UpOptions),
    /// Stop what runs in this checkout
    #[command(after_help = examples! {
        "splitter dev down" => "Stop all, processes before the services that they need",
        "splitter --repo ../other dev down" => "Stop what runs in another checkout",
    })]
    Down,
    /// Show what runs in this checkout
    #[command(after_help = examples! {
        "splitter dev status" => "Show each process and its state",
        "splitter --repo ../other dev status" => "Show those of another checkout",
    })]
    Status,
    /// Show the output of a process
    #[command(after_help = examples! {
        "splitter dev logs postgres" => "Show the last lines of the service `postgres`",
        "splitter dev logs api" => "Show those of the process `api`",
    })]
    Logs {
        /// The process
        name: String,
    },
    /// Print the configuration of process-compose, for people without Nix
    #[command(after_help = examples! {
        "splitter dev config -o process-compose.json" => "Write the configuration; `process-compose -f process-compose.json` starts it",
        "splitter dev config --port-offset 100" => "Print it with other ports, for a second checkout",
    })]
    Config(ConfigOptions),
    /// Print services and processes that this repository seems to need
    #[command(after_help = examples! {
        "splitter dev suggest" => "Look at Docker's compose files and the dependencies of workspaces",
        "splitter --repo services/shop dev suggest" => "Look at a repository in a subfolder",
    })]
    Suggest,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct UpOptions {
    /// Start these, and what they need [default: all]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) names: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) ports: PortOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ConfigOptions {
    /// Write to this file [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) ports: PortOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PortOptions {
    /// Add this number to every port, so that two checkouts can run at once
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=60000))]
    pub(in crate::cli) port_offset: u16,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LinkOptions {
    /// Make writable copies instead of links: for tools that write into packages
    #[arg(long, conflicts_with = "undo")]
    pub(in crate::cli) copy: bool,
    /// Remove what an earlier `splitter link` made
    #[arg(long)]
    pub(in crate::cli) undo: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS")]
    pub(in crate::cli) nix_options: Vec<String>,
}
