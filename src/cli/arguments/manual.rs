//! The arguments of `splitter completions` and `splitter man`.

use camino::Utf8PathBuf;
use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(in super::super) struct CompletionsOptions {
    /// The shell
    pub(in super::super) shell: Shell,
}

#[derive(Debug, Args)]
pub(in super::super) struct ManOptions {
    /// Write a page for each command to this folder, instead of printing the page of splitter
    #[arg(short, long, value_name = "DIR")]
    pub(in super::super) output: Option<Utf8PathBuf>,
}
