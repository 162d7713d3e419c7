//! The error of running Nix.

use std::{fmt, io, path::PathBuf};

use super::NIX_VARIABLE;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    nix::{nar::NarError, store_path::StorePath},
};

/// Why running Nix failed.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// Nix is not installed.
    #[error("`nix` was not found in {NIX_VARIABLE} or PATH")]
    Missing,
    /// Nix could not be started.
    #[error("could not run `{}`: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Nix failed.
    #[error("`{command}` failed ({status}){}", Tail(last_lines))]
    Failed {
        /// The program's name and its arguments.
        command: String,
        /// How the process ended, in the system's words.
        status: String,
        /// The last lines of stderr.
        last_lines: Vec<String>,
    },
    /// Nix succeeded, but its output is not in the documented form.
    #[error("unexpected output of `{command}`: expected {expected}, found `{found}`")]
    Answer {
        /// The program's name and its arguments.
        command: String,
        /// The expected kind of output.
        expected: &'static str,
        /// The start of the output.
        found: String,
    },
    /// Nix put a tree at a path that does not match its hash.
    #[error("Nix put the dependencies at `{found}`; expected `{expected}`")]
    OtherPath {
        /// The path that the tree's hash gives.
        expected: StorePath,
        /// The path that Nix printed.
        found: String,
    },
    /// The tree could not be read, or laid out for Nix.
    #[error(transparent)]
    Tree(#[from] NarError),
}

impl NixError {
    /// Returns Nix's reason if the network failed while Nix fetched an input of the flake. An answer "404" is not such
    /// a failure: the server was reached, and the input is wrong.
    pub fn unfetched_input(&self) -> Option<&str> {
        let Self::Failed { last_lines, .. } = self else { return None };
        let mut lines = last_lines.iter().skip_while(|line| !line.contains("while fetching the input"));
        let reason = lines.find_map(|line| line.trim_start().strip_prefix("error: "))?;
        let is_network = ["unable to download", "Failed to fetch"].iter().any(|words| reason.contains(words));
        (is_network && !reason.contains("HTTP error 404")).then_some(reason)
    }
}

/// Lines below a message, indented.
struct Tail<'a>(&'a [String]);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Diagnose for NixError {
    fn category(&self) -> Category {
        match self {
            Self::Tree(error) => error.category(),
            _ => Category::Environment,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Tree(error) => error.location(),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing => vec![
                "install Nix from https://nixos.org/download".to_owned(),
                format!("or set {NIX_VARIABLE}=/path/to/nix"),
            ],
            Self::OtherPath { .. } => vec![
                "run `splitter update-hash`: a file in the cache may have changed in the meantime".to_owned(),
                "use a store at /nix/store: other stores have other paths".to_owned(),
            ],
            Self::Tree(error) => error.hints(),
            Self::Start { program, source } if source.kind() == io::ErrorKind::NotFound => {
                vec![match program.file_name().and_then(|name| name.to_str()) {
                    // Only these are looked for beside `nix`.
                    Some(name) if name.starts_with("nix-") => {
                        format!("set {NIX_VARIABLE} to the `nix` of a complete installation, which has `{name}` too")
                    }
                    _ => format!(
                        "set {NIX_VARIABLE} to the path of a nix, or remove the variable to use the one in PATH"
                    ),
                }]
            }
            Self::Start { .. } | Self::Failed { .. } | Self::Answer { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(lines: &[&str]) -> NixError {
        NixError::Failed {
            command: "nix build".to_owned(),
            status: "exit status: 1".to_owned(),
            last_lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn an_input_that_is_out_of_reach_is_told_from_a_build_that_failed() {
        let retry = "warning: unable to download 'https://host.example/x': Could not resolve hostname (6); retrying";
        let input = "       … while fetching the input 'github:NixOS/nixpkgs/nixos-26.05'";
        let reason = |text: &str| {
            let error = format!("       error: {text}");
            failed(&[retry, "error:", input, "", &error]).unfetched_input().map(ToOwned::to_owned)
        };
        let host = "unable to download 'https://host.example/x': Could not resolve hostname (6)";
        assert_eq!(reason(host).as_deref(), Some(host));
        let archive =
            "Failed to open archive (Source threw exception: error: unable to download 'http://127.0.0.1:1/x')";
        assert_eq!(reason(archive).as_deref(), Some(archive));
        assert!(reason("Failed to fetch git repository 'https://host.example/x.git'").is_some());
        assert_eq!(reason("unable to download 'https://host.example/x': HTTP error 404"), None);
        assert_eq!(reason("tarball does not contain a flake.nix"), None);
        let build = ["error: Cannot build '/nix/store/x.drv'.", "  error: unable to download 'https://host.example/y'"];
        assert_eq!(failed(&build).unfetched_input(), None);
        assert_eq!(NixError::Missing.unfetched_input(), None);
    }
}
