//! Errors of `splitter bench`.

use std::io;

use camino::Utf8PathBuf;

use crate::{
    cli::text::escape,
    diagnostic::{Category, Diagnose},
    nix::command::NixError,
};

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub(super) enum BenchError {
    /// This system has no builds in other stores.
    #[error("bench needs Linux: on {0}, Nix cannot build in a store of its own")]
    System(&'static str),
    /// Nix cannot build in a store in a folder.
    #[error("Nix cannot build in a store of its own on this machine")]
    NoStore(#[source] NixError),
    /// The flake has no such package.
    #[error("package `{name}` not found in the flake, or splitter does not build it; it has {}", known.join(", "))]
    Unknown { name: String, known: Vec<String> },
    /// The flake has no packages of splitter.
    #[error("the flake has no package that splitter builds")]
    NoPackages,
    /// Nix printed JSON of an unknown form.
    #[error("unexpected output of `nix {0}`: this splitter does not know its form")]
    Answer(&'static str),
    /// A build failed before anything was measured.
    #[error("the {side} build of {names} failed, so there is nothing to compare{}", log(lines))]
    Build {
        side: &'static str,
        names: String,
        /// The end of its log.
        lines: Vec<String>,
        #[source]
        source: Box<NixError>,
    },
    /// A report has an unknown kind.
    #[error("unknown kind of report: `{0}`")]
    Report(Utf8PathBuf),
    /// A report cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        path: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    /// A folder cannot be made or copied.
    #[error("could not prepare the stores in the cache folder")]
    Folder(#[from] io::Error),
}

fn log(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str("\n  | ");
        text.push_str(&escape(line));
    }
    text
}

impl Diagnose for BenchError {
    fn category(&self) -> Category {
        match self {
            Self::Unknown { .. } | Self::NoPackages | Self::Report(_) => Category::Input,
            _ => Category::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::System(_) => vec!["run it in a Linux machine, such as CI or a virtual machine".to_owned()],
            Self::NoStore(_) => vec![
                "allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`, or `kernel.apparmor_restrict_unprivileged_userns=0`)"
                    .to_owned(),
                "or run it as root".to_owned(),
            ],
            Self::NoPackages => vec!["run `splitter scan` to see why no workspace is an app".to_owned()],
            Self::Report(_) => vec!["name a file that ends in .html, .md, .json or .svg".to_owned()],
            Self::Build { .. } => vec!["run `splitter build`, which names the cause of a failed build".to_owned()],
            _ => Vec::new(),
        }
    }
}
